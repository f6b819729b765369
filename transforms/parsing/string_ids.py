"""Ids that are text: their Arrow type, and what one may hold."""

import re

import pyarrow as pa

STRING_ID = pa.dictionary(pa.int32(), pa.string())
"""A block has few distinct ids, so that each is checked and stored once."""

STRING_IDS_HINT = " (text is for string_ids=true)"
"""What follows the fault of an integer id in a file of one's own."""

_MOST_BYTES = 256
_BLANK = " \t"
# Control characters; a byte order mark, which some parsers drop; what a decoder writes for bytes
# that are no UTF-8, so that different ids become one.
_NOT_TEXT = "[\x00-\x1f\x7f-\x9f\ufeff\ufffd]"


def id_fault(text: str) -> str:
    """Returns what is wrong with an id without blanks around it, as the end of "is ...", or ""."""
    if not text:
        return "empty"
    if len(text.encode(errors="replace")) > _MOST_BYTES:
        return f"longer than {_MOST_BYTES} bytes"
    if re.search(_NOT_TEXT, text):
        return "not UTF-8 text free of control characters and byte order marks"
    return ""


def trim_ids(ids: pa.DictionaryArray) -> pa.DictionaryArray:
    """Returns ids, of type `STRING_ID`, without the spaces and tabs around them.

    Raises:
        ArrowInvalid: One of them has an `id_fault`.
    """
    # Whoever needs `id_fault` alone is spared it.
    import pyarrow.compute as pc

    distinct = pc.utf8_trim(ids.dictionary, _BLANK)
    length = pc.min_max(pc.binary_length(distinct)).as_py()
    if not 0 < length["min"] <= length["max"] <= _MOST_BYTES:
        raise pa.ArrowInvalid("an id is empty or too long")
    if pc.any(pc.match_substring_regex(distinct, _NOT_TEXT)).as_py():
        raise pa.ArrowInvalid("an id is no text")
    return pa.DictionaryArray.from_arrays(ids.indices, distinct)
