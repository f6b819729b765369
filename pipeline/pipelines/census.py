"""census: whether a person earns more than 50,000 dollars a year; gated on accuracy and AUC.

An Example is a person of UCI Adult (Kohavi, 1996).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np

from components.census_gen.config import CensusConfig
from components.evaluator.gates import Gate, Lower
from components.wide_deep_trainer.census.config import ACCURACY, AUC, CensusTrainerConfig
from pipeline.pipelines.definition import Metric, PipelineDefinition, Preset, RowFormat
from transforms.base.settings import Range
from transforms.parsing.census_layout import CENSUS_NAMES, LABEL


@dataclass(frozen=True, kw_only=True)
class CensusGate(Gate):
    """Bounds for classification, each above what a model without any skill reaches.

    Attributes:
        min_accuracy: Lower bound of the accuracy.
        min_auc: Lower bound of the area under the ROC curve.
    """

    min_accuracy: Annotated[
        float,
        Lower(ACCURACY),
        # The share of the larger class in adult.test.
        Range(above=0.764, of=", the accuracy of always answering <=50K"),
        Range(below=1),
    ]
    min_auc: Annotated[
        float, Lower(AUC), Range(above=0.5, of=", the AUC of chance"), Range(below=1)
    ]


# Found on a validation part of the training rows.
_BEST = CensusTrainerConfig(
    model_type="deep",
    train_epochs=20,
    batch_size=256,
    encoding="embedded",
    embedding_size=16,
    hidden_units=(128, 128),
    ensemble_size=8,
    dropout=0.2,
    deep_optimizer="adamw",
    deep_learning_rate=0.002,
    weight_decay=0.01,
    schedule="cosine",
)

_PRESETS = {
    "best": Preset(_BEST, CensusGate(min_accuracy=0.86, min_auc=0.91, max_regression=0.005)),
    "sample": Preset(
        replace(_BEST, train_epochs=8),
        CensusGate(min_accuracy=0.8, min_auc=0.85, max_regression=0.02),
    ),
    # The defaults of the code of that year.
    "wide_deep_2018": Preset(
        CensusTrainerConfig(), CensusGate(min_accuracy=0.83, min_auc=0.87, max_regression=0.005)
    ),
}


def _columns() -> Mapping[str, Callable[[str], Any]]:
    from transforms.parsing.read_census import CENSUS_COLUMNS

    return {
        field.name: int if field.type == "int64" else str
        for field in CENSUS_COLUMNS
        if field.name != "label"
    }


def _answer(scores: np.ndarray) -> Mapping[str, np.ndarray]:
    return {"probability": scores, "prediction": np.where(scores > 0.5, ">50K", "<=50K")}


PIPELINE = PipelineDefinition(
    name="census",
    catalog="pipeline.datasets.census.CENSUS",
    real_dataset="census",
    example_gen="components.census_gen.component.CensusExampleGen",
    data=CensusConfig(),
    presets=_PRESETS,
    schema_package="components.wide_deep_trainer.census",
    preprocessing_fn="components.wide_deep_trainer.census.preprocessing.preprocessing_fn",
    transform_settings=("hash_buckets", "quantile_bins"),
    run_fn="components.wide_deep_trainer.census.trainer.run_fn",
    tuner_fn="components.wide_deep_trainer.census.tuner.tuner_fn",
    label="label",
    metrics=(
        Metric(ACCURACY, "Accuracy", "BinaryAccuracy"),
        Metric(AUC, "AUC", "AUC"),
    ),
    slices={"gender": "gender", "race": "race"},
    predict=RowFormat(
        what="rows as in adult.data, with or without the label",
        columns=_columns,
        names=CENSUS_NAMES,
        ignored=LABEL,
        unknown="?",
        answer=_answer,
    ),
    limits="It tells whether people of the US census of 1994 earned more than 50,000 dollars a "
    "year, which was worth more than twice as much then. It repeats what incomes depended on, race "
    "and sex included: it is an example, and no basis for decisions about people.",
)
