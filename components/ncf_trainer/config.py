"""Settings of the NCF trainer, under the names of their command-line flags."""

import dataclasses

from components.training.config import LoopConfig
from transforms.base.settings import check, check_choice

__all__ = ["NcfTrainerConfig"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class NcfTrainerConfig(LoopConfig):
    """Model, negatives and optimiser; the defaults are those of the 2018 code.

    Attributes:
        batch_size: Training examples in a step, negatives counted, over all replicas.
        model_type: "neumf", or one of its halves, "gmf" and "mlp".
        num_factors: Width of the GMF embeddings.
        layers: Widths of the MLP: the first is its input, half of it for each embedding.
        num_neg: Negatives drawn for every positive, afresh in every epoch.
        loss: "logistic", a yes or no for every item (He et al.), or "softmax", the choice of the
            positive among its negatives.
        recency_half_life: Weight of an interaction in the loss: halved for every this many that
            the same user had after it. 0 weighs all equally.
        learning_rate: Adam's, at the start.
        schedule: "constant", or "cosine", which lowers the learning rate to 0 at the last step.
        mf_regularization: L2 on the GMF embeddings of each example.
        mlp_regularization: L2 by layer: the first on the MLP embeddings of each example, the
            others on the weights of the dense layers. Empty means none.
    """

    train_epochs: int = 2
    batch_size: int = 256
    model_type: str = "neumf"
    num_factors: int = 8
    layers: tuple[int, ...] = (64, 32, 16, 8)
    num_neg: int = 4
    loss: str = "logistic"
    recency_half_life: float = 0.0
    learning_rate: float = 0.001
    schedule: str = "constant"
    mf_regularization: float = 0.0
    mlp_regularization: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Raises UserError for a value out of range."""
        super().__post_init__()
        check_choice("model_type", self.model_type, ("neumf", "gmf", "mlp"))
        check_choice("loss", self.loss, ("logistic", "softmax"))
        check_choice("schedule", self.schedule, ("constant", "cosine"))
        check(self.num_factors >= 1, "num_factors", self.num_factors, "at least 1")
        check(
            len(self.layers) >= 2 and min(self.layers) >= 1 and self.layers[0] % 2 == 0,
            "layers",
            self.layers,
            "two or more positive widths, the first one even",
        )
        check(self.num_neg >= 1, "num_neg", self.num_neg, "at least 1")
        check(
            self.batch_size > self.num_neg,
            "batch_size",
            self.batch_size,
            f"at least 1 + num_neg ({1 + self.num_neg}), a positive and its negatives",
        )
        check(
            self.recency_half_life >= 0, "recency_half_life", self.recency_half_life, "at least 0"
        )
        check(self.learning_rate > 0, "learning_rate", self.learning_rate, "above 0")
        check(
            self.mf_regularization >= 0, "mf_regularization", self.mf_regularization, "at least 0"
        )
        check(
            len(self.mlp_regularization) in (0, len(self.layers))
            and min(self.mlp_regularization, default=0) >= 0,
            "mlp_regularization",
            self.mlp_regularization,
            f"nothing, or {len(self.layers)} values, one a layer, at least 0",
        )
