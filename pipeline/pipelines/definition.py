"""What a pipeline is made of, beside the DAG, which all share."""

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from components.evaluator.gates import Gate
from components.model_records.in_use import ServedModel
from components.training.config import LoopConfig
from transforms.base.settings import check

if TYPE_CHECKING:
    # It brings what downloads need.
    from pipeline.datasets.catalog import Catalog


_NAME = re.compile("[a-z0-9][a-z0-9-]{0,127}")


@dataclasses.dataclass(frozen=True)
class Metric:
    """A metric of the Evaluator, over all Examples and by slice.

    Attributes:
        name: By which gates and records know it.
        title: What reports call it; in braces may stand settings of the gate.
        class_name: TFMA's class, or one of `module`.
        module: Dotted name; "" for TFMA's own metrics.
        settings: Arguments of the class, besides its name.
        gate_settings: Settings of the gate by the arguments of the class that they are.
    """

    name: str
    title: str
    class_name: str
    module: str = ""
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    gate_settings: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class RowFormat:
    """The rows that `predict` takes, and the columns that it adds to them.

    Attributes:
        what: What the rows are, as the end of "takes ...".
        columns: Returns int or str by the name of each column.
        names: What people call a column, by its name, as `find_columns` takes it.
        ignored: A last column that a row may have too, which is not read; "" for none.
        unknown: How a text that is not known is written; "" if it has to be known.
        fault: Returns what is wrong with a number in a column, as the end of "is ...", or "".
        features: Returns what the model takes, [rows, ...] by name, of the columns and the model.
        answer: Returns the columns to add, [rows] by name, of the model's scores, float32 [rows].
    """

    what: str
    columns: Callable[[], Mapping[str, Callable[[str], Any]]]
    names: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    ignored: str = ""
    unknown: str = ""
    fault: Callable[[str, int], str] = lambda name, value: ""
    features: Callable[[Mapping[str, Any], ServedModel], Mapping[str, Any]] = lambda columns, _: (
        columns
    )
    answer: Callable[[np.ndarray], Mapping[str, np.ndarray]]


@dataclasses.dataclass(frozen=True)
class Preset:
    """Settings that go together.

    Attributes:
        trainer: Settings of the Trainer.
        gate: Bounds of the Evaluator.
    """

    trainer: LoopConfig
    gate: Gate


@dataclasses.dataclass(frozen=True, kw_only=True)
class PipelineDefinition:
    """All that differs between one pipeline and another.

    What only some commands or steps need is given by its dotted name, so that the others start
    without importing it.

    Attributes:
        name: The pipeline's: small letters, digits and hyphens.
        catalog: Name of the `Catalog` of its data sets.
        real_dataset: The data set that is meant when a data root is given and no name.
        example_gen: Name of its ExampleGen, a component that is made of the data's folder, `data`
            and a fingerprint of its sources.
        data: The ExampleGen's settings.
        presets: By name. The first is taken for real data, the one named "sample", if there is one,
            for the data set of that name.
        schema_package: The package that the curated schema lies in.
        schema: Returns the schema's file there; of `data`.
        preprocessing_fn: Name of Transform's.
        transform_settings: The trainer's settings that preprocessing depends on.
        run_fn: Name of the Trainer's.
        tuner_fn: Name of the Tuner's; "" for a pipeline that cannot be tuned.
        label: The raw feature that holds the label.
        metrics: What the Evaluator measures, besides `count`.
        count: What `example_count` counts: Examples, or what lists have.
        slices: Features whose values are reported one by one, and what reports call them.
        told_slices: Slices that the metrics tell themselves, as those of lists do, and what reports
            call them.
        eval_signature: The model's signature that makes what metrics need and neither scores nor
            raw features are; "" for none.
        interactions: Name of the module that reads users' interactions from Examples, where an
            Example is a user: `recommend` needs it, and the report shows more with it.
        predict: What `predict` takes and tells; None for a model that it is not for.
        limits: What its models are not for, in sentences, for the report and model cards.
    """

    name: str
    catalog: str
    real_dataset: str
    example_gen: str
    data: Any
    presets: Mapping[str, Preset]
    schema_package: str
    schema: Callable[[Any], str] = lambda data: "schema.pbtxt"
    preprocessing_fn: str
    transform_settings: tuple[str, ...] = ()
    run_fn: str
    tuner_fn: str = ""
    label: str
    metrics: tuple[Metric, ...]
    count: Metric = Metric("example_count", "Examples", "ExampleCount")
    slices: Mapping[str, str] = dataclasses.field(default_factory=dict)
    told_slices: Mapping[str, str] = dataclasses.field(default_factory=dict)
    eval_signature: str = ""
    interactions: str = ""
    predict: RowFormat | None = None
    limits: str = "Nobody has written down what it is not for."

    def __post_init__(self) -> None:
        """Raises UserError for a name that engines do not take."""
        check(
            bool(_NAME.fullmatch(self.name)),
            "name",
            self.name,
            "a small letter or digit, then at most 127 of those and hyphens",
        )

    def preset_for(self, dataset: str) -> str:
        """Returns the name of the preset that a data set is taken with if none is named."""
        small = dataset == "sample" and dataset in self.presets
        return dataset if small else next(iter(self.presets))

    def load_catalog(self) -> "Catalog":
        """Returns the catalogue of its data sets."""
        catalog: Catalog = named(self.catalog)
        return catalog


def named(dotted: str) -> Any:
    """Returns what a dotted name of a module and something in it names."""
    module, _, name = dotted.rpartition(".")
    return getattr(import_module(module), name)
