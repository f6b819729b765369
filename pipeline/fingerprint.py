"""The fingerprints of a pipeline's sources, by component."""

from dataclasses import dataclass

from components.code import fingerprint, image_fingerprint, source_file
from pipeline.pipelines.definition import PipelineDefinition
from transforms.base.digest import digest


@dataclass(frozen=True, kw_only=True)
class CodeFingerprints:
    """A fingerprint for each component that runs our code, and of the curated schema."""

    schema: str
    example_gen: str
    data_gate: str
    transform: str
    trainer: str
    evaluator: str
    bulk_recommender: str


def code_fingerprints(
    pipeline: PipelineDefinition, schema: str, *, for_image: bool = False
) -> CodeFingerprints:
    """Returns the fingerprints of a pipeline's sources, read from disk and not imported.

    Each is of the modules that TFX is given by name and of all of ours that they import.

    Args:
        pipeline: The pipeline.
        schema: The file of its curated schema.
        for_image: Whether steps run in an image, and check that its sources are these.
    """
    of = image_fingerprint if for_image else fingerprint
    return CodeFingerprints(
        schema=digest(source_file(pipeline.schema_package).with_name(schema).read_bytes()),
        example_gen=of(_module(pipeline.example_gen)),
        data_gate=of("components.data_gate.component"),
        transform=of(_module(pipeline.preprocessing_fn)),
        trainer=of(
            *map(_module, filter(None, (pipeline.run_fn, pipeline.tuner_fn))),
            "components.training.component",
            "components.tuning.component",
        ),
        evaluator=of(
            "components.evaluator.component",
            "components.ranking_metrics.metrics",
            *sorted({metric.module for metric in pipeline.metrics if metric.module}),
        ),
        bulk_recommender=of(
            "components.bulk_recommender.component", *filter(None, [pipeline.interactions])
        ),
    )


def _module(dotted: str) -> str:
    return dotted.rpartition(".")[0]
