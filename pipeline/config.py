"""What one run of a pipeline computes, and where."""

import dataclasses
from collections.abc import Callable
from typing import Any

from components.bulk_recommender.config import BulkConfig
from components.tuning.config import TuningConfig
from pipeline.beam_steps import in_process_args
from pipeline.fingerprint import CodeFingerprints
from pipeline.pipelines.definition import PipelineDefinition
from pipeline.pipelines.registry import definition
from transforms.base.settings import OneOf, Settings


@dataclasses.dataclass(frozen=True, kw_only=True)
class PipelineConfig:
    """All settings of one pipeline; where it runs and reads is a `Deployment`.

    Attributes:
        definition: The pipeline.
        preset: The name of the preset that the settings started from.
        data: Settings of the ExampleGen.
        trainer: Settings of the Trainer.
        gate: Bounds of the Evaluator.
        tuning: Whether a Tuner looks for better settings of the trainer.
        bulk: Whether all users are recommended items after a push; without settings in a pipeline
            that recommends nothing.
    """

    definition: PipelineDefinition
    preset: str
    data: Any
    trainer: Any
    gate: Any
    tuning: TuningConfig = dataclasses.field(default_factory=TuningConfig)
    bulk: Settings = dataclasses.field(default_factory=Settings)

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return self.definition.name

    @property
    def schema(self) -> str:
        """The file of the curated schema in the pipeline's `schema_package`."""
        return self.definition.schema(self.data)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Deployment:
    """Where a pipeline reads, writes and keeps its state; local paths, gs:// or s3://.

    Attributes:
        dataset: Names the data: only data of one name are compared between runs.
        input_base: Folder of the data set.
        pipeline_root: Receives the artifacts.
        serving_dir: Receives each pushed model, in a folder named after its time; the newest is
            what a candidate is compared with.
        accepted_root: Keeps the statistics of the data that were accepted.
        checkpoint_root: Keeps checkpoints across attempts.
        code: Fingerprints of the sources.
        beam_args: Returns Beam's arguments for a component, by its id; () where it needs none.
        metadata_file: SQLite file of ML Metadata; None where the engine brings its own.
        run_time_parameters: Whether the data folder and set, the epochs, the seed and what the
            gates let pass can be set for each run, as the engine's parameters; otherwise they are
            fixed.
    """

    dataset: str
    input_base: str
    pipeline_root: str
    serving_dir: str
    accepted_root: str
    checkpoint_root: str
    code: CodeFingerprints
    beam_args: Callable[[str], tuple[str, ...]] = in_process_args
    metadata_file: str | None = None
    run_time_parameters: bool = False


def preset(pipeline: str, name: str = "") -> PipelineConfig:
    """Returns a preset of a pipeline.

    Args:
        pipeline: The pipeline's name.
        name: The preset's; "" for the one for real data.

    Raises:
        UserError: There is no such pipeline or preset; the message names the nearest.
    """
    found = definition(pipeline)
    name = name or found.preset_for("")
    OneOf(*found.presets).check("preset", name)
    chosen = found.presets[name]
    return PipelineConfig(
        definition=found,
        preset=name,
        data=found.data,
        trainer=chosen.trainer,
        gate=chosen.gate,
        bulk=BulkConfig() if found.interactions else Settings(),
    )
