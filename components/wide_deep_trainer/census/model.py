"""The census classifier: wide, deep, or the two added."""

import tensorflow as tf
import tf_keras as keras

from components.wide_deep_trainer.census.config import CensusTrainerConfig
from components.wide_deep_trainer.census.encoders import BasicEncoder, EmbeddedEncoder
from components.wide_deep_trainer.census.features import LABEL, WIDE
from components.wide_deep_trainer.layers.deep import Deep
from components.wide_deep_trainer.layers.wide import Wide


class WideDeepClassifier(keras.Model):
    """Scores census rows by their transformed features.

    Attributes:
        wide: The linear part, or None.
        deep: The network, or None.
    """

    def __init__(self, config: CensusTrainerConfig, sizes: dict[str, int]):
        """Creates the parts that `config.model_type` names.

        Args:
            config: Widths and encodings.
            sizes: The number of ids of each categorical feature.
        """
        super().__init__(name=config.model_type)
        self.wide = self.deep = None
        if config.model_type in ("wide", "wide_deep"):
            self.wide = Wide({name: sizes[name] for name in WIDE})
        if config.model_type in ("deep", "wide_deep"):
            if config.encoding == "basic":
                encoder = BasicEncoder(sizes, config.embedding_size)
            else:
                encoder = EmbeddedEncoder(sizes, config.embedding_size, config.quantile_bins + 1)
            self.deep = Deep(
                encoder,
                config.hidden_units,
                members=config.ensemble_size,
                dropout=config.dropout,
                mixed_precision=config.mixed_precision,
            )

    def call(
        self, features: dict[str, tf.Tensor], dropout_seed: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Returns the logits, float32 [batch, members], of transformed features [batch].

        Args:
            features: Transformed features by name.
            dropout_seed: int32[2] that determines what is dropped; None drops nothing.
        """
        logits = self.wide(features) if self.wide else 0.0
        if self.deep:
            logits += self.deep(features, dropout_seed=dropout_seed)
        return logits

    def loss(
        self, features: dict[str, tf.Tensor], dropout_seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the cross-entropy, to report and to minimise, a mean over rows and members."""
        logits = self(features, dropout_seed=dropout_seed)
        labels = tf.cast(features[LABEL], tf.float32)[:, tf.newaxis]
        # Each member has its own loss: that of their mean would let them lean on each other.
        loss = tf.reduce_mean(
            tf.nn.sigmoid_cross_entropy_with_logits(
                tf.broadcast_to(labels, tf.shape(logits)), logits
            )
        )
        return loss, loss

    def probability(self, features: dict[str, tf.Tensor]) -> tf.Tensor:
        """Returns the probability of an income above 50K, float32 [batch]."""
        return tf.reduce_mean(tf.sigmoid(self(features)), axis=1)
