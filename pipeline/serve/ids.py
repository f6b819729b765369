"""Raw ids as people write them, of the type that a model takes."""

from components.model_records.in_use import ServedModel
from transforms.base.errors import UserError
from transforms.parsing.integers import integer_fault
from transforms.parsing.string_ids import id_fault

_BLANKS = " \t\r\n"
# First lines that name the column, in small letters and without underscores.
_HEADERS = {"user_id": ("user", "userid"), "item_id": ("item", "itemid", "movieid")}


def parse_id(text: str, served: ServedModel, place: str, name: str) -> int | str:
    """Returns an id, of the type that the model takes.

    Args:
        text: The id as it is written.
        served: The model.
        place: Where it is written, for the message.
        name: What it is the id of, for the message.

    Raises:
        UserError: It is no id.
    """
    text = text.strip(_BLANKS)
    if served.origin()["settings"]["data"]["string_ids"]:
        if fault := id_fault(text):
            raise UserError(f"{place}: {name} {text[:100]!r} is {fault}; mend it")
        return text
    if fault := integer_fault(text):
        kind = f"{name.removesuffix('_id')}s"
        raise UserError(
            f"{place}: {name} {text[:100]!r} is {fault}, and this model's {kind} are; mend it"
        )
    return int(text)


def read_ids(path: str, served: ServedModel, name: str) -> list[int | str]:
    """Returns the distinct ids of a file with one on each line.

    Blank lines are left out, and a first line that names the column, such as userId.

    Args:
        path: The file, in UTF-8.
        served: The model.
        name: What they are ids of, such as "user_id".

    Raises:
        UserError: The file cannot be read, holds no id, or a line is none; the message names it.
    """
    what = name.replace("_", " ")
    ids = []
    try:
        with open(path, encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                text = line.strip(_BLANKS)
                header = number == 1 and text.lower().replace("_", "") in _HEADERS[name]
                if text and not header:
                    ids.append(parse_id(line, served, f"{path}:{number}", name))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; name a file with one {what} a line") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not UTF-8; name a text file with one {what} a line") from error
    if not ids:
        raise UserError(f"{path}: holds no {what}; write one on each line")
    return list(dict.fromkeys(ids))
