"""The files' formats read in plain Python, line by line: what the readers are judged by."""

from decimal import Decimal, InvalidOperation

import numpy as np

DIGITS = set("0123456789")
CATEGORIES = (1, 3, 5, 6, 7, 8, 9, 13)


def lines_of(content):
    """Yields the offset and content of each line that is not empty; its content has no end."""
    at = 0
    for line in content.split(b"\n"):
        raw = line[:-1] if line[-1:] == b"\r" else line
        if raw:
            yield at, raw
        at += len(line) + 1


def whole_number(text):
    text = text.strip(" \t")
    digits = text[1:] if text[:1] == "-" else text
    if not digits or not set(digits) <= DIGITS:
        raise ValueError(text)
    number = sum(int(digit) * 10**power for power, digit in enumerate(reversed(digits)))
    return -number if text[:1] == "-" else number


def number(text):
    text = text.strip(" \t")
    if not text or not set(text) <= DIGITS | set("+-.eE"):
        raise ValueError(text)
    try:
        return float(Decimal(text))
    except InvalidOperation:
        raise ValueError(text) from None


def fields_of(text):
    """Splits a CSV row; a quote counts at the start of a field, and only a delimiter ends it."""
    fields, at = [], 0
    while True:
        if text[at : at + 1] == '"':
            value, at = "", at + 1
            while True:
                end = text.index('"', at)
                value += text[at:end]
                if text[end + 1 : end + 2] != '"':
                    break
                value, at = value + '"', end + 2
            fields.append(value)
            at = end + 1
            if text[at : at + 1] not in ("", ","):
                raise ValueError(text)
        else:
            end = text.find(",", at)
            end = len(text) if end < 0 else end
            fields.append(text[at:end])
            at = end
        if at == len(text):
            return fields
        at += 1


def ratings(content, offset, names, separator):
    """Returns (user, item, stars, time) of the good rows, and where the bad ones begin."""
    good, bad = [], []
    for at, raw in lines_of(content):
        try:
            if b"\0" in raw or b"\r" in raw:
                raise ValueError(raw)
            text = raw.decode("utf-8", "replace")
            fields = fields_of(text) if separator == "," else text.split(separator)
            by_name = dict(zip(names, fields, strict=True))
            user, item, stars, time = (
                by_name[name]
                for name in (
                    ("userId", "movieId", "rating", "timestamp") if separator == "," else names
                )
            )
            row = (whole_number(user), whole_number(item), number(stars), whole_number(time))
            if not all(-(2**63) <= row[i] < 2**63 for i in (0, 1, 3)):
                raise ValueError(raw)
            if not 0.5 <= np.float32(row[2]) <= 5 or not 0 <= row[3] < 2**32:
                raise ValueError(raw)
            good.append((row[0], row[1], float(np.float32(row[2])), row[3]))
        except ValueError:
            bad.append(offset + at)
    return good, bad


def census(content):
    """Returns the values of the good rows, and where the bad ones begin."""
    start = 3 if content[:3] == b"\xef\xbb\xbf" else 0
    good, bad = [], []
    for at, raw in lines_of(content[start:]):
        if not raw.strip() or (at == 0 and raw[:1] == b"|"):
            continue
        try:
            if b"\0" in raw or b"\r" in raw:
                raise ValueError(raw)
            values = [value.strip() for value in raw.decode("utf-8").strip().split(",")]
            if len(values) != 15 or not all(values[i] for i in CATEGORIES):
                raise ValueError(raw)
            for i in range(14):
                if i not in CATEGORIES:
                    if len(values[i].lstrip("-")) > 18:
                        raise ValueError(raw)
                    values[i] = whole_number(values[i])
            values[14] = {"<=50K": 0, ">50K": 1}[values[14].removesuffix(".")]
            good.append(tuple(values))
        except (ValueError, KeyError):
            bad.append(start + at)
    return good, bad


def movies_dat(content):
    """Returns (item, title, genres) of each row; ValueError if one is malformed."""
    rows = []
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        content.decode()
        encoding = "utf-8"
    except UnicodeDecodeError:
        encoding = "latin-1"
    for _, raw in lines_of(content):
        text = raw.decode(encoding)
        if not text.strip():
            continue
        if "\r" in text or "\0" in text:
            raise ValueError(text)
        # A title may hold `::`: the last one of a row is before the genres.
        start, end = text.index("::"), text.rindex("::")
        if end < start + 2:
            raise ValueError(text)
        rows.append((movie_id(text[:start]), text[start + 2 : end], text[end + 2 :]))
    return distinct(rows)


MOVIE_COLUMNS = {
    "movieId": ("movie", "item", "itemid", "isbn", "asin", "parentasin"),
    "title": ("titles", "movietitle", "name"),
    "genres": ("genre",),
}


def plain(title):
    """A column's name by its letters and digits alone."""
    title = title.lower()
    for kind in ("token", "float", "token_seq", "float_seq"):
        title = title.removesuffix(f":{kind}")
    return "".join(letter for letter in title if letter in "abcdefghijklmnopqrstuvwxyz0123456789")


def movies_csv(content):
    """Returns (item, title, genres) of each row; ValueError if one is malformed."""
    text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    if "\0" in text:
        raise ValueError(text)
    table = [fields for fields in csv_rows(text) if fields != [""]]
    header = [name.strip() for name in table[0]] if table else []
    places = []
    for name, others in MOVIE_COLUMNS.items():
        called = [title for title in header if title == name]
        called = called or [title for title in header if plain(title) in (name.lower(), *others)]
        if len(called) != 1:
            raise ValueError(header)
        places.append(header.index(*called))
    rows = []
    for fields in table[1:]:
        if len(fields) != len(header):
            raise ValueError(fields)
        item, title, genres = (fields[at] for at in places)
        rows.append((movie_id(item), title, genres))
    return distinct(rows)


def csv_rows(text):
    """Splits a whole CSV file, in which a quoted value may hold the end of a line."""
    rows, fields, value, state = [], [], "", "start"
    at = 0
    while at <= len(text):
        char = text[at : at + 1]
        if state == "quoted":
            if char == "":
                raise ValueError(text)
            if char == '"' and text[at + 1 : at + 2] == '"':
                value, at = value + '"', at + 1
            elif char == '"':
                state = "closed"
            else:
                value += char
        elif char == '"' and state == "start":
            state = "quoted"
        elif char in (",", "\n", "\r", ""):
            fields.append(value)
            value, state = "", "start"
            if char != ",":
                rows.append(fields)
                fields = []
        elif state == "closed":
            raise ValueError(text)
        else:
            value, state = value + char, "plain"
        at += 1
    return rows


def movie_id(text):
    number = whole_number(text)
    if not -(2**63) <= number < 2**63:
        raise ValueError(text)
    return number


def distinct(rows):
    if not rows or len({row[0] for row in rows}) < len(rows):
        raise ValueError(rows)
    return rows
