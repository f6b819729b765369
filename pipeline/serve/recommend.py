"""What the latest pushed model recommends, seen items left out."""

import os
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from components.model_records.in_use import ServedModel
from pipeline.serve.signature import Signature
from transforms.base.errors import UserError
from transforms.base.whole_file import output_file
from transforms.parsing.integers import integer_fault
from transforms.parsing.read_movies import Movie, parse_movies
from transforms.parsing.string_ids import id_fault

# Bounds the memory for scores of all items: 64 users by 27,000 items by 64 hidden units are 440 MB.
_ASKED_TOGETHER = 64
# Up to so many, it costs more to count the items than to ask for more than there are.
_FEW = 1000
_BLANKS = " \t\r\n"


class Ranked(NamedTuple):
    """Recommendations, a row for each, best first within a user.

    Raw ids are int64, or str in arrays of objects, as the model's.

    Attributes:
        user_id: [rows], users in the order they were asked for; None for a history.
        rank: int32 [rows], from 1.
        item_id: [rows].
        score: float32 [rows]; higher is better.
        strangers: Users that the model was not trained on: theirs are the average user's.
    """

    user_id: np.ndarray | None
    rank: np.ndarray
    item_id: np.ndarray
    score: np.ndarray
    strangers: list[int] | list[str]


def recommend(
    served: ServedModel, interactions: str, users: Sequence[int | str] | None, top: int
) -> Ranked:
    """Returns the best items that users have not interacted with.

    Items that the run held out to evaluate on count as seen.

    Args:
        served: The model.
        interactions: Dotted name of the module that reads users' interactions from Examples.
        users: Raw user ids, of the model's type; None for all that it was trained on.
        top: How many items a user gets, or fewer if no more are left.

    Raises:
        UserError: The run's Examples are gone.
    """
    signature = Signature(served.folder, "recommend")
    reader = import_module(interactions)
    seen = _read_seen(reader, served)
    top = _at_most(top, seen)
    asked = seen.users if users is None else np.array(users, seen.users.dtype)
    filler = _free_id(seen.items)
    answers = [
        _ask(signature, asked[at : at + _ASKED_TOGETHER], seen, filler, top)
        for at in range(0, len(asked), _ASKED_TOGETHER)
    ]
    item_id, score = (np.concatenate(column) for column in zip(*answers, strict=True))
    # Any id may be an item's, but no item has the score that fills up an answer.
    row, column = np.nonzero(score > np.finfo(score.dtype).min)
    return Ranked(
        user_id=asked[row],
        rank=(column + 1).astype(np.int32),
        item_id=reader.decode_ids(item_id[row, column]),
        score=score[row, column],
        strangers=np.setdiff1d(asked, seen.users).tolist(),
    )


def recommend_after(
    served: ServedModel, interactions: str, history: Sequence[int | str], top: int
) -> Ranked:
    """Returns the best items after a history, whoever it is of, and none of it again.

    Args:
        served: The model, which must rank by histories.
        interactions: As in `recommend`.
        history: Raw item ids of the model's type, in time order.
        top: How many items, or fewer if no more are left.

    Returns:
        As `recommend` does, but without `user_id`; `strangers` are items that were not trained on,
        which say nothing.

    Raises:
        UserError: The model knows users by embeddings, or the run's Examples are gone.
    """
    signature = Signature(served.folder, "recommend_history")
    reader = import_module(interactions)
    seen = _read_seen(reader, served)
    items = np.array([history], seen.items.dtype)
    answer = signature({"history": items, "k": _at_most(top, seen), "exclude": items})
    item_id, score = answer["item_id"][0], answer["scores"][0]
    there = np.flatnonzero(score > np.finfo(score.dtype).min)
    return Ranked(
        user_id=None,
        rank=(there + 1).astype(np.int32),
        item_id=reader.decode_ids(item_id[there]),
        score=score[there],
        strangers=np.setdiff1d(items, seen.items).tolist(),
    )


def parse_id(text: str, served: ServedModel, place: str, name: str = "user_id") -> int | str:
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


def read_users(path: str, served: ServedModel) -> list[int | str]:
    """Returns the distinct user ids of a file with one on each line; blank lines are left out.

    Args:
        path: The file, in UTF-8.
        served: The model.

    Raises:
        UserError: The file cannot be read, holds no id, or a line is none; the message names it.
    """
    users = []
    try:
        with open(path, encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip(_BLANKS):
                    users.append(parse_id(line, served, f"{path}:{number}"))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; name a file with a user id a line") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not UTF-8; name a text file with a user id a line") from error
    if not users:
        raise UserError(f"{path}: holds no user id; write one on each line")
    return list(dict.fromkeys(users))


def lines(ranked: Ranked, served: ServedModel) -> Iterator[str]:
    """Yields recommendations as text: rank, score, item id, title and genres."""
    movies = _movies(served, ranked.item_id.dtype == object)
    users = [None] * len(ranked.rank) if ranked.user_id is None else ranked.user_id.tolist()
    rows = list(zip(users, *(column.tolist() for column in ranked[1:4]), strict=True))
    width = max((len(movies[row[2]].title) for row in rows if row[2] in movies), default=0)
    id_width = max((len(str(row[2])) for row in rows), default=0)
    for user, rank, item, score in rows:
        if rank == 1 and user is not None:
            yield f"user {user}"
        movie = movies.get(item)
        about = f"  {movie.title:<{width}}  {movie.genres}" if movie else ""
        yield f"{rank:>4}  {score:>8.4f}  {item:>{max(id_width, 8)}}{about}"


def write_parquet(ranked: Ranked, served: ServedModel, path: str) -> None:
    """Writes recommendations with title and genres to a Parquet file, whole or not at all.

    Columns: user_id and item_id int64 or string, rank int32, score float32, title and genres
    string, null where the data set has no movies file. For a history there is no user_id.

    Raises:
        UserError: The file cannot be written.
    """
    import pyarrow.parquet as pq

    string_ids = ranked.item_id.dtype == object
    movies = _movies(served, string_ids)
    items, codes = np.unique(ranked.item_id, return_inverse=True)
    known = [movies.get(item) for item in items.tolist()]
    columns = dict(zip(Ranked._fields[:4], ranked, strict=False))
    if ranked.user_id is None:
        del columns["user_id"]
    if string_ids:
        ids = columns.keys() & {"user_id", "item_id"}
        columns |= {name: pa.array(columns[name], pa.string()) for name in ids}
    for name in ("title", "genres"):
        texts = pa.array([movie and getattr(movie, name) for movie in known], pa.string())
        columns[name] = texts.take(pa.array(codes))
    table = pa.table(columns)
    with output_file(path) as partial:
        pq.write_table(table, partial)


def _read_seen(reader: Any, served: ServedModel) -> Any:
    examples = served.origin()["data"]["examples"]
    if not os.path.isdir(examples):
        raise UserError(
            f"{examples}: what users have seen is not there any more; run the pipeline again"
        )
    return reader.read_interactions(examples)


def _at_most(top: int, seen: Any) -> int:
    """Returns how many items to ask for: the model fills up what it returns to as many."""
    return top if top <= _FEW else min(top, len(np.unique(seen.items)))


def _ask(
    signature: Signature, users: np.ndarray, seen: Any, filler: int | str, top: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns encoded item ids and scores, [users, top]; `filler` is no item's id."""
    histories = [seen.of(user) for user in users]
    exclude = np.full((len(users), max(map(len, histories))), filler, users.dtype)
    for row, history in zip(exclude, histories, strict=True):
        row[: len(history)] = history
    answer = signature({"user_id": users, "k": top, "exclude": exclude})
    return answer["item_id"], answer["scores"]


def _free_id(items: np.ndarray) -> int | str:
    """Returns an id that is none of these raw ids [n]."""
    if items.dtype == object:
        return ""
    # n ids cannot take n + 1 places.
    free = np.ones(len(items) + 1, bool)
    free[items[(items >= 0) & (items <= len(items))]] = False
    return int(np.argmax(free))


def _movies(served: ServedModel, string_ids: bool) -> dict[int | str, Movie]:
    """Returns the movies of the data set that the model was trained on; none if it has no file."""
    for extension in ("dat", "csv"):
        path = os.path.join(served.origin()["data"]["folder"], f"movies.{extension}")
        if os.path.isfile(path):
            with open(path, "rb") as file:
                movies = parse_movies(path, file.read(), string_ids)
                return {movie.item_id: movie for movie in movies}
    return {}
