"""The one DAG that all pipelines share."""

import json

from tfx import v1 as tfx
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.base_node import BaseNode
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import standard_component_specs

from components.bulk_recommender.component import BulkRecommender
from components.bulk_recommender.config import BulkConfig
from components.curated_schema_gen.component import CuratedSchemaGen
from components.data_gate.component import DataGate
from components.evaluator.component import Evaluator
from components.example_gen import executor as example_gen_executor
from components.example_gen.component import ColumnarExampleGen
from components.pusher.component import Pusher
from components.training import executor as trainer_executor
from components.training.component import Trainer
from components.tuning.component import Tuner
from pipeline.config import Deployment, PipelineConfig
from pipeline.eval_config import eval_config
from pipeline.pipelines.definition import named
from transforms.base.settings import to_json


def create_pipeline(config: PipelineConfig, deployment: Deployment) -> tfx.dsl.Pipeline:
    """Returns the DAG from raw files to a pushed model; reads neither disk nor environment.

    ExampleGen, StatisticsGen, CuratedSchemaGen, ExampleValidator, DataGate, Transform, Tuner if
    asked for, Trainer, Evaluator, Pusher, BulkRecommender if asked for. What the data gate refuses
    is not transformed, and what the Evaluator does not bless is not pushed. What either compares
    with is no artifact: it is looked up at run time, beside the models in use.

    Args:
        config: What to compute.
        deployment: Where.
    """
    pipeline = config.definition
    transform_settings = {
        name: getattr(config.trainer, name) for name in pipeline.transform_settings
    }

    example_gen: ColumnarExampleGen = named(pipeline.example_gen)(
        deployment.input_base, config.data, deployment.code.example_gen
    )
    statistics_gen = tfx.components.StatisticsGen(examples=example_gen.outputs["examples"])
    schema_gen = CuratedSchemaGen(
        package=pipeline.schema_package, file=config.schema, digest=deployment.code.schema
    )
    example_validator = tfx.components.ExampleValidator(
        statistics=statistics_gen.outputs["statistics"], schema=schema_gen.outputs["schema"]
    )
    data_gate = DataGate(
        anomalies=example_validator.outputs["anomalies"],
        statistics=statistics_gen.outputs["statistics"],
        schema=schema_gen.outputs["schema"],
        dataset=deployment.dataset,
        accepted_root=deployment.accepted_root,
        accept_drift=int(config.gate.accept_drift),
        code=deployment.code.data_gate,
    )
    transform = tfx.components.Transform(
        examples=example_gen.outputs["examples"],
        schema=schema_gen.outputs["schema"],
        preprocessing_fn=pipeline.preprocessing_fn,
        # They take longer than the transform itself, and nothing reads them.
        disable_statistics=True,
        custom_config={
            "config": json.dumps(transform_settings),
            "code": deployment.code.transform,
        },
    )
    transform.add_upstream_node(data_gate)
    training = {
        "config": to_json(config.trainer),
        "checkpoint_root": deployment.checkpoint_root,
        "code": deployment.code.trainer,
    }
    tuner = None
    if config.tuning.tune:
        tuner = Tuner(
            tuner_fn=pipeline.tuner_fn,
            examples=transform.outputs["transformed_examples"],
            transform_graph=transform.outputs["transform_graph"],
            custom_config={**training, "tune_trials": config.tuning.tune_trials},
        )
    trainer = Trainer(
        run_fn=pipeline.run_fn,
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema_gen.outputs["schema"],
        hyperparameters=tuner.outputs["best_hyperparameters"] if tuner else None,
        custom_config=training,
    )
    evaluator = Evaluator(
        pipeline=config.pipeline,
        dataset=deployment.dataset,
        serving_dir=deployment.serving_dir,
        gate=to_json(config.gate.limits()),
        code=to_json(deployment.code),
        examples=example_gen.outputs["examples"],
        model=trainer.outputs["model"],
        eval_config=eval_config(pipeline, config.gate),
    )
    pusher = Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=tfx.proto.PushDestination(
            filesystem=tfx.proto.PushDestination.Filesystem(base_directory=deployment.serving_dir)
        ),
    )
    bulk_recommender = None
    if isinstance(config.bulk, BulkConfig) and config.bulk.batch_top:
        bulk_recommender = BulkRecommender(
            examples=example_gen.outputs["examples"],
            model=trainer.outputs["model"],
            model_blessing=evaluator.outputs["blessing"],
            top=config.bulk.batch_top,
            interactions=pipeline.interactions,
            code=deployment.code.bulk_recommender,
        )
        bulk_recommender.add_upstream_node(pusher)
    nodes: list[BaseNode] = [
        example_gen,
        statistics_gen,
        schema_gen,
        example_validator,
        data_gate,
        transform,
        *([tuner] if tuner else []),
        trainer,
        evaluator,
        pusher,
        *([bulk_recommender] if bulk_recommender else []),
    ]
    for node in nodes:
        if args := deployment.beam_args(node.id):
            node.with_beam_pipeline_args(list(args))
    if deployment.run_time_parameters:
        trained = [node for node in (tuner, trainer) if node]
        _ask_for_each_run(config, deployment, example_gen, trained, data_gate, evaluator)
    return tfx.dsl.Pipeline(
        pipeline_name=config.pipeline,
        pipeline_root=deployment.pipeline_root,
        components=nodes,
        enable_cache=True,
        metadata_connection_config=(
            tfx.orchestration.metadata.sqlite_metadata_connection_config(deployment.metadata_file)
            if deployment.metadata_file
            else None
        ),
    )


def _ask_for_each_run(
    config: PipelineConfig,
    deployment: Deployment,
    example_gen: ColumnarExampleGen,
    trained: list[Tuner | Trainer],
    data_gate: DataGate,
    evaluator: Evaluator,
) -> None:
    """Makes run-time parameters of what a user changes between runs.

    They are `data_root` and the `dataset` that it is, the trainer's and tuner's `train_epochs`, the
    `seed` of both and of the data, `accept_drift`, and the gate's bounds under the names of their
    settings.
    """

    def put(component: BaseComponent, key: str, setting: str, value: int | float | str) -> None:
        component.exec_properties[key] = RuntimeParameter(
            name=setting, ptype=type(value), default=value
        )

    put(example_gen, standard_component_specs.INPUT_BASE_KEY, "data_root", deployment.input_base)
    for name in example_gen_executor.RUN_SETTINGS:
        put(example_gen, name, name, getattr(config.data, name))
    for name in trainer_executor.RUN_SETTINGS:
        for component in trained:
            put(component, name, name, getattr(config.trainer, name))
    for component in (data_gate, evaluator):
        put(component, "dataset", "dataset", deployment.dataset)
    put(data_gate, "accept_drift", "accept_drift", 0)
    for bound in config.gate.limits().bounds:
        put(evaluator, bound.setting, bound.setting, bound.limit)
