"""What is measured: every workload with its data, its settings and what it is compared with."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

SIZES = ("ml-latest-small", "ml-1m", "1M", "5M", "20M")
REAL = ("ml-latest-small", "ml-1m")
"""Those that there are of people, too."""

_MODEL_2018 = {"num_factors": 8, "layers": (64, 32, 16, 8), "num_neg": 4}
_MODEL_MLPERF = {"num_factors": 64, "layers": (256, 256, 128, 64), "num_neg": 4}
_BATCH = 50_000
# The optimiser moves every row of the tables in every step, so larger tables want fewer steps.
_BATCH_20M = 100_000
_BATCH_RATINGS = 65_536
# One epoch on made-up ratings gives no model that a preset's bounds would pass.
_ONE_EPOCH = ("train_epochs=1", "min_hit_rate=0.01", "min_ndcg=0.001")
_ONE_EPOCH_OF_RATINGS = ("train_epochs=1", "max_rmse=5", f"batch_size={_BATCH_RATINGS}")
_RATINGS = f"whole movielens pipeline, one epoch, batch {_BATCH_RATINGS:,}"
_PIPELINES: dict[str, list[tuple[str, str, tuple[str, ...]]]] = {
    "ml-latest-small": [(_RATINGS, "movielens", _ONE_EPOCH_OF_RATINGS)],
    "ml-1m": [("whole ncf pipeline, one epoch", "ncf", _ONE_EPOCH)],
    "1M": [(_RATINGS, "movielens", _ONE_EPOCH_OF_RATINGS)],
    "20M": [
        (
            f"whole ncf pipeline, one epoch, batch {_BATCH_20M:,}",
            "ncf",
            (*_ONE_EPOCH, f"batch_size={_BATCH_20M}"),
        ),
        (_RATINGS, "movielens", _ONE_EPOCH_OF_RATINGS),
    ],
}

# Kinds of splits, as the table calls them. The moments are the starts of 2009, 2012 and 2015, UTC.
_SPLITS = {
    "at random": [{"seed": seed} for seed in range(3)],
    "by time": [
        {"split": "global_time", "split_time": moment}
        for moment in (1_230_768_000, 1_325_376_000, 1_420_070_400)
    ],
}
_RATING_MODELS = {
    "preset best": ("preset=best",),
    "preset best without any time, `neighbours=0`": ("preset=best", "neighbours=0"),
    "preset causal": ("preset=causal",),
}

_EXAMPLES_2018 = "2018: raw file to Examples"
_NEGATIVES_2018 = "2018: an epoch's negatives, written"
_TRAINING_2018 = "2018: training on them"
_EPOCH_2018 = "2018: an epoch in all"


@dataclass(frozen=True)
class Data:
    """Where a data set's files lie.

    Attributes:
        folder: Its raw files.
        histories: What `save_histories` made of them.
        real: Whether people made them: how well a model does on made-up ones says nothing.
    """

    folder: str
    histories: str
    real: bool = False


@dataclass(frozen=True)
class Task:
    """One workload.

    Attributes:
        what: What it does, for the table.
        unit: Of what its count is.
        function: "module:function" of this package.
        arguments: Its keyword arguments.
        against: The row, on the same data, that does the same as in 2018.
        part_names: Rows that its parts become, by the part's name; others keep their names.
    """

    what: str
    unit: str
    function: str
    arguments: dict[str, Any]
    against: str = ""
    part_names: dict[str, str] = field(default_factory=dict)


def _examples(size: str, data: Data) -> list[Task]:
    arguments = {"folder": data.folder, "repeats": 1 if size in ("5M", "20M") else 7}
    return [
        Task(
            "raw file to ncf Examples",
            "rows",
            "examples:leave_one_out",
            arguments,
            against=_EXAMPLES_2018,
        ),
        Task("raw file to movielens Examples", "rows", "examples:rating_split", arguments),
    ]


def _training(size: str, data: Data) -> list[Task]:
    common = {"histories": data.histories, "batch_size": _BATCH, "repeats": 3}
    negatives = Task(
        "an epoch's negatives, 4 each",
        "negatives",
        "training:negatives",
        {**common, "num_neg": 4},
        against=_NEGATIVES_2018,
    )
    if size == "ml-1m":
        same_batch = {**common, **_MODEL_2018, "batch_size": 256, "share": 0.1, "repeats": 1}
        return [
            negatives,
            Task(
                f"an epoch in all, 2018 model, batch {_BATCH:,}",
                "examples",
                "training:train",
                {**common, **_MODEL_2018, "share": 1.0},
                against=_EPOCH_2018,
            ),
            Task(
                "an epoch in all, 2018 model, batch 256",
                "examples",
                "training:train",
                same_batch,
                against=_EPOCH_2018,
            ),
        ]
    if size == "20M":
        few = {**common, **_MODEL_MLPERF, "batch_size": _BATCH_20M, "share": 0.02, "repeats": 2}
        return [
            negatives,
            Task(
                f"an epoch in all, MLPerf's model, batch {_BATCH_20M:,}",
                "examples",
                "training:train",
                few,
            ),
        ]
    return []


def _pipeline(size: str, data: Data) -> list[Task]:
    return [
        Task(
            what,
            "rows",
            "whole_run:run_pipeline",
            {"pipeline": pipeline, "folder": data.folder, "settings": settings},
        )
        for what, pipeline, settings in _PIPELINES.get(size, [])
    ]


def _ranking(size: str, data: Data) -> list[Task]:
    if size not in ("ml-1m", "20M"):
        return []
    common = {"histories": data.histories, "repeats": 3 if size == "ml-1m" else 1}
    wide = {**common, "model_type": "gmf", "num_factors": 128, "share": 1.0}
    share = 1.0 if size == "ml-1m" else 0.05
    deep = {**common, "model_type": "neumf", "num_factors": 8, "share": share}
    return [
        Task("top 100 of all items, GMF, 128 factors", "users", "ranking:top_items", wide),
        Task("top 100 of all items, 2018 model", "users", "ranking:top_items", deep),
    ]


def _models(size: str, data: Data) -> list[Task]:
    if not (data.real and size == "ml-1m"):
        return []
    others = [Task(m, "users", "baselines:rank", {"model": m}) for m in ("popularity", "EASE")]
    ours = [
        Task(f"preset {name}", "users", "whole_run:train_ncf", {"preset": name})
        for name in ("neumf", "gmf", "next_item", "best")
    ]
    return [replace(t, arguments={**t.arguments, "folder": data.folder}) for t in others + ours]


def _rating_models(size: str, data: Data) -> list[Task]:
    if not (data.real and size == "ml-latest-small"):
        return []
    common = {"folder": data.folder, "splits": _SPLITS}
    others = [
        Task(what, "ratings", "rating_baselines:predict", {**common, "model": model})
        for what, model in {"mean": "mean", "biases (BaselineOnly)": "biases"}.items()
    ]
    return others + [
        Task(what, "ratings", "whole_run:train_ratings", {**common, "settings": settings})
        for what, settings in _RATING_MODELS.items()
    ]


def _row_wise(size: str, data: Data) -> list[Task]:
    if size != "ml-1m":
        return []
    return [
        Task(_EXAMPLES_2018, "rows", "row_wise:examples", {"folder": data.folder, "repeats": 1}),
        Task(
            _EPOCH_2018,
            "examples",
            "row_wise:epoch",
            {"folder": data.folder, "share": 0.05},
            part_names={"negatives": _NEGATIVES_2018, "training": _TRAINING_2018},
        ),
    ]


SECTIONS = {
    "examples": _examples,
    "training": _training,
    "pipeline": _pipeline,
    "ranking": _ranking,
    "models": _models,
    "rating_models": _rating_models,
    "row_wise": _row_wise,
}


def tasks_of(section: str, size: str, data: Data) -> Sequence[Task]:
    """Returns the workloads of a section on a data set; there may be none."""
    return SECTIONS[section](size, data)
