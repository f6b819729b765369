"""What a pipeline is made of: its settings, and the presets that name a whole set of them."""

import dataclasses

from components.census_gen.config import CensusConfig
from components.evaluator.gates import CensusGate, NcfGate, RatingGate
from components.movielens_gen.config import LeaveOneOutConfig, RatingSplitConfig
from components.ncf_trainer.config import NcfTrainerConfig
from components.tuning.config import TuningConfig
from components.wide_deep_trainer.census.config import PRESETS as CENSUS_PRESETS
from components.wide_deep_trainer.census.config import CensusTrainerConfig
from components.wide_deep_trainer.ratings.config import PRESETS as RATING_PRESETS
from components.wide_deep_trainer.ratings.config import RatingTrainerConfig
from kubeflow.beam_engine import BeamEngine
from pipeline.fingerprint import CodeFingerprints
from transforms.base.settings import OneOf

__all__ = ["PRESETS", "Location", "PipelineConfig", "preset"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class PipelineConfig:
    """All settings of one pipeline; where it runs and reads is a `Location`.

    Attributes:
        pipeline: "ncf", "movielens" or "census".
        preset: The name of the preset that the settings started from.
        data: Settings of the ExampleGen.
        trainer: Settings of the Trainer.
        gate: Bounds of the Evaluator.
        tuning: Whether a Tuner looks for better settings of the trainer.
    """

    pipeline: str
    preset: str
    data: LeaveOneOutConfig | RatingSplitConfig | CensusConfig
    trainer: NcfTrainerConfig | RatingTrainerConfig | CensusTrainerConfig
    gate: NcfGate | RatingGate | CensusGate
    tuning: TuningConfig = dataclasses.field(default_factory=TuningConfig)

    @property
    def schema(self) -> str:
        """The name of the curated schema in the trainer's package."""
        strings = isinstance(self.data, LeaveOneOutConfig) and self.data.string_ids
        return "string_id_schema.pbtxt" if strings else "schema.pbtxt"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Location:
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
        beam_engine: What the Beam steps run on.
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
    beam_engine: BeamEngine = dataclasses.field(default_factory=BeamEngine)
    metadata_file: str | None = None
    run_time_parameters: bool = False


def _ncf(name: str, trainer: NcfTrainerConfig, gate: NcfGate) -> PipelineConfig:
    return PipelineConfig(
        pipeline="ncf", preset=name, data=LeaveOneOutConfig(), trainer=trainer, gate=gate
    )


def _movielens(name: str, trainer: RatingTrainerConfig, gate: RatingGate) -> PipelineConfig:
    return PipelineConfig(
        pipeline="movielens", preset=name, data=RatingSplitConfig(), trainer=trainer, gate=gate
    )


def _census(name: str, trainer: CensusTrainerConfig, gate: CensusGate) -> PipelineConfig:
    return PipelineConfig(
        pipeline="census", preset=name, data=CensusConfig(), trainer=trainer, gate=gate
    )


PRESETS: dict[str, tuple[PipelineConfig, ...]] = {
    "ncf": (
        _ncf(
            "neumf",
            NcfTrainerConfig(
                train_epochs=8,
                batch_size=20_000,
                num_neg=8,
                learning_rate=0.005,
                schedule="cosine",
                recency_half_life=15.0,
                mlp_regularization=(0.0003, 0.0, 0.0, 0.0),
            ),
            NcfGate(min_hit_rate=0.68, min_ndcg=0.42, max_regression=0.01),
        ),
        _ncf(
            "best",
            NcfTrainerConfig(
                model_type="gmf",
                num_factors=128,
                num_neg=8,
                train_epochs=12,
                batch_size=20_000,
                learning_rate=0.002,
                schedule="cosine",
                mf_regularization=0.005,
                recency_half_life=15.0,
            ),
            NcfGate(min_hit_rate=0.73, min_ndcg=0.45, max_regression=0.01),
        ),
        _ncf(
            "sample",
            NcfTrainerConfig(
                train_epochs=16, batch_size=2_000, learning_rate=0.005, schedule="cosine"
            ),
            NcfGate(min_hit_rate=0.4, min_ndcg=0.2, max_regression=0.05),
        ),
        _ncf(
            "ncf_2018",
            NcfTrainerConfig(),
            NcfGate(min_hit_rate=0.5, min_ndcg=0.25, max_regression=0.01),
        ),
    ),
    "movielens": (
        _movielens(
            "best",
            RATING_PRESETS["best"],
            RatingGate(max_rmse=0.9, max_regression=0.005),
        ),
        _movielens(
            "sample",
            RATING_PRESETS["best"],
            RatingGate(max_rmse=0.95, max_regression=0.02),
        ),
        _movielens(
            "movielens_2018",
            RATING_PRESETS["movielens_2018"],
            RatingGate(max_rmse=0.96, max_regression=0.005),
        ),
    ),
    "census": (
        _census(
            "best",
            CENSUS_PRESETS["best"],
            CensusGate(min_accuracy=0.86, min_auc=0.91, max_regression=0.005),
        ),
        _census(
            "sample",
            dataclasses.replace(CENSUS_PRESETS["best"], train_epochs=8),
            CensusGate(min_accuracy=0.8, min_auc=0.85, max_regression=0.02),
        ),
        _census(
            "wide_deep_2018",
            CENSUS_PRESETS["wide_deep_2018"],
            CensusGate(min_accuracy=0.83, min_auc=0.87, max_regression=0.005),
        ),
    ),
}
"""The presets by pipeline. The first is taken for real data, the one named "sample" for the
embedded data set; those with 2018 in their names keep that code's defaults."""


def preset(pipeline: str, name: str) -> PipelineConfig:
    """Returns the named preset of a pipeline.

    Raises:
        UserError: There is no such pipeline or preset; the message names the nearest.
    """
    OneOf(*PRESETS).check("pipeline", pipeline)
    by_name = {config.preset: config for config in PRESETS[pipeline]}
    OneOf(*by_name).check("preset", name)
    return by_name[name]
