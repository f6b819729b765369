"""movielens: how many stars a user gives a movie; gated on RMSE.

An Example is a user's ratings, with the genres of their movies.
"""

import glob
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np

from components.evaluator.gates import Gate, Upper
from components.model_records.in_use import ServedModel
from components.movielens_gen.config import GLOBAL_TIME, RatingSplitConfig
from components.wide_deep_trainer.ratings.config import MAE, RMSE, RatingTrainerConfig
from pipeline.pipelines.definition import Metric, PipelineDefinition, Preset, RowFormat
from transforms.base.settings import Range
from transforms.parsing.rating_header import KNOWN


@dataclass(frozen=True, kw_only=True)
class RatingGate(Gate):
    """Bounds for ratings.

    Attributes:
        max_rmse: Upper bound of the root mean squared error, in stars.
    """

    max_rmse: Annotated[float, Upper(RMSE), Range(above=0, at_most=5, of=" stars")]


_METRICS = "components.rating_metrics.metrics"

# Found on a validation part of the training ratings.
_BEST = RatingTrainerConfig(
    model_type="factors",
    train_epochs=8,
    batch_size=512,
    epochs_between_evals=2,
    learning_rate=0.004,
    schedule="cosine",
    ensemble_size=8,
    factor_regularization=9.0,
    bias_regularization=3.0,
    neighbours=32,
    implicit_regularization=0.003,
)

_PRESETS = {
    "best": Preset(_BEST, RatingGate(max_rmse=0.9, max_regression=0.005)),
    # What comes later is harder to tell than what lies between.
    "causal": Preset(replace(_BEST, causal=True), RatingGate(max_rmse=1.1, max_regression=0.005)),
    "sample": Preset(_BEST, RatingGate(max_rmse=0.95, max_regression=0.02)),
    # The defaults of the code of that year.
    "movielens_2018": Preset(
        RatingTrainerConfig(), RatingGate(max_rmse=0.96, max_regression=0.005)
    ),
}


def _with_genres(columns: Mapping[str, Any], served: ServedModel) -> Mapping[str, Any]:
    """Adds the genres of each movie, int64 [rows, genres], from the data that the model is of.

    A movie that is not among them has none.

    Raises:
        UserError: The data set has no movies file any more.
    """
    from transforms.join_movies import find_rows
    from transforms.parsing.read_movies import need_movies, read_movies
    from transforms.vectorize_genres import GENRES, vectorize_genres

    folder = served.origin()["data"]["folder"]
    table = vectorize_genres(read_movies(need_movies(glob.escape(folder))))
    place, known = find_rows(np.array(columns["item_id"], np.int64), table.item_id)
    genres = np.where(known[:, np.newaxis], table.genres[place], np.zeros(len(GENRES), np.int64))
    return {**columns, "genres": genres}


def _fault(name: str, value: int) -> str:
    """Returns what is wrong with a value: a time has to be in seconds, as in the Examples."""
    # It brings Arrow, which those who only look at settings are spared.
    from transforms.parsing.time_units import SECONDS, time_fault

    wanted = "wanted in seconds since 1970"
    return time_fault(str(value), SECONDS, wanted) if name == "timestamp" else ""


def _schema(data: RatingSplitConfig) -> str:
    return "by_time_schema.pbtxt" if data.split == GLOBAL_TIME else "schema.pbtxt"


PIPELINE = PipelineDefinition(
    name="movielens",
    catalog="pipeline.datasets.movielens.MOVIELENS",
    real_dataset="ml-1m",
    example_gen="components.movielens_gen.component.MovieLensExampleGen",
    data=RatingSplitConfig(),
    presets=_PRESETS,
    schema_package="components.wide_deep_trainer.ratings",
    schema=_schema,
    preprocessing_fn="components.wide_deep_trainer.ratings.preprocessing.preprocessing_fn",
    run_fn="components.wide_deep_trainer.ratings.trainer.run_fn",
    tuner_fn="components.wide_deep_trainer.ratings.tuner.tuner_fn",
    label="rating",
    metrics=(
        Metric(RMSE, "RMSE in stars", "ListRMSE", _METRICS),
        Metric(MAE, "MAE in stars", "ListMAE", _METRICS),
    ),
    count=Metric("example_count", "Ratings", "RatingCount", _METRICS),
    told_slices={"genre": "genre (a movie may have several)"},
    predict=RowFormat(
        what="user_id,item_id,timestamp",
        columns=lambda: {"user_id": int, "item_id": int, "timestamp": int},
        names={name: KNOWN[name] for name in ("user_id", "item_id", "timestamp")},
        fault=_fault,
        features=_with_genres,
        answer=lambda scores: {"rating": scores},
    ),
    limits="It was measured on ratings of films that people chose to watch and rate, and says "
    "nothing of the others, nor of the order of a list. Where the split is random, it looks "
    "at a user's later ratings, too, and errs more on a time that is still to come. The "
    "exported model holds ratings of users.",
)
