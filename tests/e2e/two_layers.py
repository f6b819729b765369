"""A pipeline of another package, whole in one file: who earns much, told from five numbers."""

from dataclasses import dataclass
from typing import Annotated, Any

from components.census_gen.config import CensusConfig
from components.evaluator.gates import Gate, Lower
from components.training.config import LoopConfig
from pipeline.pipelines.definition import Metric, PipelineDefinition, Preset
from transforms.base.settings import Range

NUMBERS = ("age", "education_num", "hours_per_week", "capital_gain", "capital_loss")
LABEL = "label"
AUC = "auc"


@dataclass(frozen=True, kw_only=True)
class TwoLayersConfig(LoopConfig):
    """Settings of the trainer.

    Attributes:
        width: Units of the hidden layer.
        stop_threshold: Stop once the AUC on the eval split reaches it.
    """

    width: Annotated[int, Range(at_least=1)] = 16


@dataclass(frozen=True, kw_only=True)
class TwoLayersGate(Gate):
    """Bounds for classification.

    Attributes:
        min_auc: Lower bound of the area under the ROC curve.
    """

    min_auc: Annotated[float, Lower(AUC), Range(above=0.5, below=1)]


def preprocessing_fn(inputs: dict[str, Any], custom_config: dict[str, Any]) -> dict[str, Any]:
    """Returns each number with mean 0 and variance 1, float32 [batch], and the label."""
    import tensorflow as tf
    import tensorflow_transform as tft

    def scaled(column: tf.SparseTensor) -> tf.Tensor:
        dense = tf.sparse.to_dense(tf.sparse.reset_shape(column, [column.dense_shape[0], 1]))
        return tft.scale_to_z_score(tf.cast(dense[:, 0], tf.float32))

    return {
        **{name: scaled(inputs[name]) for name in NUMBERS},
        LABEL: tf.reshape(inputs[LABEL], [-1]),
    }


def run_fn(fn_args: Any) -> None:
    """Trains on the split train, evaluating on eval, and exports the model."""
    import numpy as np
    import tensorflow as tf
    import tf_keras as keras

    from components.training.columnar_training import ColumnarTraining, predictor
    from components.training.engine import Part
    from components.training.export import export_model
    from components.training.loop import Goal
    from components.training.train import set_up, train_and_export
    from components.training.transformed_data import read_columns

    setup = set_up(fn_args, TwoLayersConfig)
    spec = setup.transform_output.transformed_feature_spec()
    train, held_out = (read_columns(f, spec) for f in (fn_args.train_files, fn_args.eval_files))
    keras.utils.set_random_seed(setup.config.seed)
    with setup.strategy.scope():
        model = keras.Sequential(
            [keras.layers.Dense(setup.config.width, activation="relu"), keras.layers.Dense(1)]
        )
        model.build([None, len(NUMBERS)])
        optimizer = keras.optimizers.Adam(0.01)

    def logits(columns: dict[str, tf.Tensor]) -> tf.Tensor:
        return model(tf.stack([columns[name] for name in NUMBERS], axis=1))[:, 0]

    def loss(columns: dict[str, tf.Tensor], seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        labels = tf.cast(columns[LABEL], tf.float32)
        mean = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits(columns)))
        return mean, mean

    class TwoLayersFit(ColumnarTraining):
        def evaluate(self) -> dict[str, float]:
            auc = keras.metrics.AUC()
            auc.update_state(held_out[LABEL], tf.sigmoid(predict(held_out)))
            return {AUC: float(auc.result())}

    predict = predictor(logits)
    parts = [Part(model.trainable_variables, optimizer)]
    fit = TwoLayersFit(setup.config, setup.strategy, train, parts, loss)

    def export(directory: str) -> None:
        def score(columns: dict[str, tf.Tensor]) -> tf.Tensor:
            return tf.sigmoid(logits(columns))[:, np.newaxis]

        export_model(model, score, setup.transform_output, NUMBERS, directory)

    train_and_export(fn_args, setup, fit, Goal(AUC), export)


PIPELINE = PipelineDefinition(
    name="two-layers",
    catalog="pipeline.datasets.census.CENSUS",
    real_dataset="census",
    example_gen="components.census_gen.component.CensusExampleGen",
    data=CensusConfig(),
    presets={
        "small": Preset(
            TwoLayersConfig(train_epochs=4, batch_size=256),
            TwoLayersGate(min_auc=0.7, max_regression=0.01),
        )
    },
    schema_package="components.wide_deep_trainer.census",
    preprocessing_fn="two_layers.preprocessing_fn",
    run_fn="two_layers.run_fn",
    label=LABEL,
    metrics=(Metric(AUC, "AUC", "AUC"),),
    slices={"gender": "gender"},
)
