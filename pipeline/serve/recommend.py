"""What the latest pushed model recommends, seen items left out."""

import os
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from components.model_records.in_use import ServedModel
from pipeline.serve.signature import Signature, import_tensorflow
from transforms.base.errors import UserError
from transforms.parsing.file_names import movies_among
from transforms.parsing.read_movies import Movie, read_movies

# Bounds the memory for scores of all items: 64 users by 27,000 items by 64 hidden units are 440 MB.
_ASKED_TOGETHER = 64
# Up to so many, it costs more to count the items than to ask for more than there are.
_FEW = 1000


class Ranked(NamedTuple):
    """Recommendations, a row for each, best first within a user.

    Raw ids are int64, or str in arrays of objects, as the model's.

    Attributes:
        user_id: [rows], users in the order they were asked for; None if none was.
        rank: int32 [rows], from 1.
        item_id: [rows].
        score: float32 [rows]; higher is better.
        strangers: Users that the model was not trained on: theirs are the average user's; or the
            items of a history that it was not.
        without: Users to whom nothing is left to recommend.
    """

    user_id: np.ndarray | None
    rank: np.ndarray
    item_id: np.ndarray
    score: np.ndarray
    strangers: list[int] | list[str]
    without: list[int] | list[str] = []


class Recommender:
    """Asks a model for its best items, in raw ids.

    Attributes:
        seen: Who has had what, in both of the run's splits, as the module of interactions reads it.
    """

    def __init__(
        self,
        served: ServedModel,
        interactions: str,
        top: int,
        include: Sequence[int | str] | None = None,
    ):
        """Reads what users have seen.

        Args:
            served: The model.
            interactions: Dotted name of the module that reads users' interactions from Examples.
            top: How many items an answer has, or fewer if no more are left.
            include: Raw item ids, of the model's type, to choose from; None for all.

        Raises:
            UserError: The run's Examples are gone.
        """
        examples = served.origin()["data"]["examples"]
        if not os.path.isdir(examples):
            raise UserError(
                f"{examples}: what users have seen is not there any more; run the pipeline again"
            )
        import_tensorflow()
        self._served, self._reader = served, import_module(interactions)
        self.seen: Any = self._reader.read_interactions(examples)
        # The model fills up what it returns to as many.
        self._top = top if top <= _FEW else min(top, len(np.unique(self.seen.items)))
        self._include = np.array([] if include is None else include, self.seen.items.dtype)

    def for_users(self, users: Sequence[int | str] | None) -> Ranked:
        """Returns the best items that users have not had, held-out ones counted as had.

        Args:
            users: Raw user ids, of the model's type; None for all that it was trained on.
        """
        signature = Signature(self._served.folder, "recommend")
        seen = self.seen
        asked = seen.users if users is None else np.array(users, seen.users.dtype)
        filler = _free_id(seen.items)
        answers = []
        for at in range(0, len(asked), _ASKED_TOGETHER):
            some = asked[at : at + _ASKED_TOGETHER]
            histories = [seen.of(user) for user in some]
            exclude = np.full((len(some), max(map(len, histories))), filler, seen.items.dtype)
            for row, history in zip(exclude, histories, strict=True):
                row[: len(history)] = history
            answers.append(self._ask(signature, {"user_id": some}, exclude))
        item_id, score = (np.concatenate(column) for column in zip(*answers, strict=True))
        return self._ranked(item_id, score, asked, np.setdiff1d(asked, seen.users))

    def after(self, history: Sequence[int | str], user: int | str | None = None) -> Ranked:
        """Returns the best items after a history, and none of it again.

        Args:
            history: Raw item ids of the model's type, in time order.
            user: Whose history it goes on with; None for nobody's.

        Returns:
            `strangers` are items that were not trained on, which say nothing.

        Raises:
            UserError: The model knows users by embeddings.
        """
        signature = Signature(self._served.folder, "recommend_history")
        items = np.array([history], self.seen.items.dtype)
        if user is not None:
            items = np.concatenate([self.seen.of(user)[np.newaxis], items], axis=1)
        item_id, score = self._ask(signature, {"history": items}, items)
        return self._ranked(item_id, score, None, np.setdiff1d(items, self.seen.items))

    def similar_to(self, item: int | str) -> Ranked:
        """Returns the items whose vectors are nearest to an item's; scores are cosines.

        Raises:
            UserError: The model was not trained on the item.
        """
        if item not in self.seen.items:
            raise UserError(f"item {item}: the model was not trained on it; name another")
        signature = Signature(self._served.folder, "similar")
        items = np.array([item], self.seen.items.dtype)
        item_id, score = self._ask(signature, {"item_id": items}, items[np.newaxis])
        return self._ranked(item_id, score, None, items[:0])

    def _ask(
        self, signature: Signature, inputs: dict[str, np.ndarray], exclude: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns encoded item ids and scores, [rows, top]."""
        include = np.tile(self._include, (len(exclude), 1))
        answer = signature({**inputs, "k": self._top, "exclude": exclude, "include": include})
        return answer["item_id"], answer["scores"]

    def _ranked(
        self,
        item_id: np.ndarray,
        score: np.ndarray,
        users: np.ndarray | None,
        strangers: np.ndarray,
    ) -> Ranked:
        # Any id may be an item's, but no item has the score that fills up an answer.
        row, column = np.nonzero(score > np.finfo(score.dtype).min)
        return Ranked(
            user_id=None if users is None else users[row],
            rank=(column + 1).astype(np.int32),
            item_id=self._reader.decode_ids(item_id[row, column]),
            score=score[row, column],
            strangers=strangers.tolist(),
            without=[] if users is None else np.setdiff1d(users, users[row]).tolist(),
        )


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


def as_table(ranked: Ranked, served: ServedModel) -> pa.Table:
    """Returns recommendations with title and genres.

    Columns: user_id and item_id int64 or string, rank int32, score float32, title and genres
    string, null where the data set has no movies file. Without users there is no user_id.
    """
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
    return pa.table(columns)


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
    folder = served.origin()["data"]["folder"]
    if not os.path.isdir(folder):
        return {}
    names = [entry.name for entry in os.scandir(folder) if entry.is_file()]
    movies = [
        movie
        for name in movies_among(folder, names)
        for movie in read_movies(os.path.join(folder, name), string_ids)
    ]
    return {movie.item_id: movie for movie in movies}
