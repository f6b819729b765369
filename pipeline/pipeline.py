"""The one DAG that all pipelines share."""

import json

from tfx import v1 as tfx
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.dsl.components.base.base_node import BaseNode

from components.census_gen.component import CensusExampleGen
from components.census_gen.config import CensusConfig
from components.data_gate.component import DataGate
from components.movielens_gen.component import MovieLensExampleGen
from pipeline import baseline
from pipeline.configs import Location, PipelineConfig
from pipeline.evaluation import eval_config
from pipeline.parts import PARTS
from transforms.checks import to_json

__all__ = ["create_pipeline"]


def _example_gen(config: PipelineConfig, location: Location) -> FileBasedExampleGen:
    code = location.code.example_gen
    if isinstance(config.data, CensusConfig):
        return CensusExampleGen(location.input_base, config.data, code)
    return MovieLensExampleGen(location.input_base, config.data, code)


def create_pipeline(config: PipelineConfig, location: Location) -> tfx.dsl.Pipeline:
    """Returns the DAG from raw files to a pushed model; reads neither disk nor environment.

    ExampleGen, StatisticsGen, ImportSchemaGen, ExampleValidator, DataGate, Transform, Trainer,
    Resolver, Evaluator, Pusher. What the data gate refuses is not transformed, and what the
    Evaluator does not bless is not pushed.

    Args:
        config: What to compute.
        location: Where.
    """
    parts = PARTS[config.pipeline]
    transform_settings = {name: getattr(config.trainer, name) for name in parts.transform_settings}

    example_gen = _example_gen(config, location)
    statistics_gen = tfx.components.StatisticsGen(examples=example_gen.outputs["examples"])
    schema_gen = tfx.components.ImportSchemaGen(schema_file=location.schema_file)
    example_validator = tfx.components.ExampleValidator(
        statistics=statistics_gen.outputs["statistics"], schema=schema_gen.outputs["schema"]
    )
    data_gate = DataGate(anomalies=example_validator.outputs["anomalies"])
    transform = tfx.components.Transform(
        examples=example_gen.outputs["examples"],
        schema=schema_gen.outputs["schema"],
        preprocessing_fn=parts.module("preprocessing.preprocessing_fn"),
        custom_config={
            "config": json.dumps(transform_settings),
            "code": location.code.transform,
        },
    )
    transform.add_upstream_node(data_gate)
    trainer = tfx.components.Trainer(
        run_fn=parts.module("trainer.run_fn"),
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema_gen.outputs["schema"],
        custom_config={
            "config": to_json(config.trainer),
            "checkpoint_root": location.checkpoint_root or "",
            "code": location.code.trainer,
        },
    )
    resolver = tfx.dsl.Resolver(
        strategy_class=baseline.LatestOtherBlessedModel,
        **{
            baseline.CANDIDATE: trainer.outputs["model"],
            baseline.MODEL: tfx.dsl.Channel(type=tfx.types.standard_artifacts.Model),
            baseline.MODEL_BLESSING: tfx.dsl.Channel(
                type=tfx.types.standard_artifacts.ModelBlessing
            ),
        },
    ).with_id("BaselineResolver")
    evaluator = tfx.components.Evaluator(
        examples=example_gen.outputs["examples"],
        model=trainer.outputs["model"],
        baseline_model=resolver.outputs[baseline.MODEL],
        eval_config=eval_config(config),
    )
    pusher = tfx.components.Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=tfx.proto.PushDestination(
            filesystem=tfx.proto.PushDestination.Filesystem(base_directory=location.serving_dir)
        ),
    )
    nodes: list[BaseNode] = [
        example_gen,
        statistics_gen,
        schema_gen,
        example_validator,
        data_gate,
        transform,
        trainer,
        resolver,
        evaluator,
        pusher,
    ]
    return tfx.dsl.Pipeline(
        pipeline_name=config.pipeline,
        pipeline_root=location.pipeline_root,
        components=nodes,
        enable_cache=True,
        metadata_connection_config=(
            tfx.orchestration.metadata.sqlite_metadata_connection_config(location.metadata_file)
            if location.metadata_file
            else None
        ),
        beam_pipeline_args=list(location.beam_pipeline_args),
    )
