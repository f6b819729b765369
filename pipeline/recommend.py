"""What the latest pushed ncf model recommends, seen items left out."""

import os
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.runs import Served
from pipeline.serving import load_signatures
from pipeline.whole_file import output_file
from transforms.errors import UserError
from transforms.read_movies import Movie, parse_movies

if TYPE_CHECKING:
    # It brings TensorFlow.
    from components.ncf_trainer.interactions import Interactions

__all__ = ["Ranked", "lines", "read_users", "recommend", "write_parquet"]

# Bounds the memory for scores of all items: 64 users by 27,000 items by 64 hidden units are 440 MB.
_ASKED_TOGETHER = 64
_NO_ITEM = -1
_USER_ID = re.compile(r"-?\d{1,18}", re.ASCII)


class Ranked(NamedTuple):
    """Recommendations, a row for each, best first within a user.

    Attributes:
        user_id: int64 [rows], users in the order they were asked for.
        rank: int32 [rows], from 1.
        item_id: int64 [rows].
        score: float32 [rows]; higher is better.
        strangers: Users that the model was not trained on: theirs are the average user's.
    """

    user_id: np.ndarray
    rank: np.ndarray
    item_id: np.ndarray
    score: np.ndarray
    strangers: list[int]


def recommend(served: Served, users: Sequence[int] | None, top: int) -> Ranked:
    """Returns the best items that users have not interacted with.

    Items that the run held out to evaluate on count as seen.

    Args:
        served: An ncf model.
        users: Raw user ids; None for all that the model was trained on.
        top: How many items a user gets, or fewer if no more are left.

    Raises:
        UserError: The run's Examples are gone.
    """
    signatures = load_signatures(served.folder)
    from components.ncf_trainer.interactions import read_interactions

    examples = served.run["lineage"]["examples"]
    if not os.path.isdir(examples):
        raise UserError(f"{examples}: what users have seen is not there any more; run ncf again")
    seen = read_interactions(examples)
    asked = seen.users if users is None else np.array(users, np.int64)
    answers = [
        _ask(signatures["recommend"], asked[at : at + _ASKED_TOGETHER], seen, top)
        for at in range(0, len(asked), _ASKED_TOGETHER)
    ]
    item_id, score = (np.concatenate(column) for column in zip(*answers, strict=True))
    row, column = np.nonzero(item_id != _NO_ITEM)
    return Ranked(
        user_id=asked[row],
        rank=(column + 1).astype(np.int32),
        item_id=item_id[row, column],
        score=score[row, column],
        strangers=np.setdiff1d(asked, seen.users).tolist(),
    )


def read_users(path: str) -> list[int]:
    """Returns the user ids of a file with one on each line; blank lines are left out.

    Raises:
        UserError: The file cannot be read, holds no id, or a line is none; the message names it.
    """
    users = []
    try:
        with open(path, encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                text = line.strip()
                if text and not _USER_ID.fullmatch(text):
                    raise UserError(
                        f"{path}:{number}: user_id {text[:100]!r} is not an integer of at most "
                        "18 digits; mend the line"
                    )
                if text:
                    users.append(int(text))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; name a file with a user id a line") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not UTF-8; name a text file with a user id a line") from error
    if not users:
        raise UserError(f"{path}: holds no user id; write one on each line")
    return users


def lines(ranked: Ranked, served: Served) -> Iterator[str]:
    """Yields recommendations as text: rank, score, item id, title and genres."""
    movies = _movies(served)
    rows = list(zip(*(column.tolist() for column in ranked[:4]), strict=True))
    width = max((len(movies[row[2]].title) for row in rows if row[2] in movies), default=0)
    for user, rank, item, score in rows:
        if rank == 1:
            yield f"user {user}"
        movie = movies.get(item)
        about = f"  {movie.title:<{width}}  {movie.genres}" if movie else ""
        yield f"{rank:>4}  {score:>8.4f}  {item:>8}{about}"


def write_parquet(ranked: Ranked, served: Served, path: str) -> None:
    """Writes recommendations with title and genres to a Parquet file, whole or not at all.

    Columns: user_id int64, rank int32, item_id int64, score float32, title and genres string, null
    where the data set has no movies file.

    Raises:
        UserError: The file cannot be written.
    """
    movies = _movies(served)
    items, codes = np.unique(ranked.item_id, return_inverse=True)
    known = [movies.get(item) for item in items.tolist()]
    columns = {name: getattr(ranked, name) for name in ("user_id", "rank", "item_id", "score")}
    for name in ("title", "genres"):
        texts = pa.array([movie and getattr(movie, name) for movie in known], pa.string())
        columns[name] = texts.take(pa.array(codes))
    table = pa.table(columns)
    with output_file(path) as partial:
        pq.write_table(table, partial)


def _ask(
    signature: Any, users: np.ndarray, seen: "Interactions", top: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns item ids and scores, [users, top]."""
    import tensorflow as tf

    histories = tf.ragged.constant([seen.of(user) for user in users], tf.int64, ragged_rank=1)
    answer = signature(
        user_id=tf.constant(users),
        k=tf.constant(top, tf.int32),
        exclude=histories.to_tensor(default_value=_NO_ITEM),
    )
    return answer["item_id"].numpy(), answer["scores"].numpy()


def _movies(served: Served) -> dict[int, Movie]:
    """Returns the movies of the data set that the model was trained on; none if it has no file."""
    for extension in ("dat", "csv"):
        path = os.path.join(served.run["data"]["folder"], f"movies.{extension}")
        if os.path.isfile(path):
            with open(path, "rb") as file:
                return {movie.item_id: movie for movie in parse_movies(path, file.read())}
    return {}
