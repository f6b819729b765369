"""Settings of the NCF trainer, under the names of their command-line flags."""

import dataclasses
from typing import Annotated

from components.training.config import LoopConfig
from transforms.base.settings import Must, OneOf, Range, check

_LAYERS = Must(
    "two or more positive widths, the first one even",
    lambda widths: len(widths) >= 2 and min(widths) >= 1 and widths[0] % 2 == 0,
)
_BY_LAYER = Must(
    "nothing, or one value a layer, at least 0",
    lambda values: all(value >= 0 for value in values),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class NcfTrainerConfig(LoopConfig):
    """Model, negatives and optimiser; the defaults are those of the 2018 code.

    Attributes:
        stop_threshold: Stop once HR@10 on the eval split reaches it; none trains to the end.
        batch_size: Training examples in a step over all replicas, negatives counted, so that they
            are more than num_neg.
        model_type: "neumf", or one of its halves, "gmf" and "mlp".
        num_factors: Width of the GMF embeddings.
        layers: Widths of the MLP: the first is its input, half of it for each embedding.
        num_neg: Negatives drawn for every positive, afresh in every epoch.
        loss: "logistic", a yes or no for every item (He et al.), or "softmax", the choice of the
            positive among its negatives.
        recency_half_life: Weight of an interaction in the loss: halved for every this many that
            the same user had after it. 0 weighs all equally.
        learning_rate: Adam's learning rate, at the start.
        schedule: "constant", or "cosine", which lowers the learning rate to 0 at the last step.
        mf_regularization: L2 on the GMF embeddings of each example.
        mlp_regularization: L2 by layer: the first on the MLP embeddings of each example, the
            others on the weights of the dense layers.
    """

    train_epochs: int = 2
    batch_size: int = 256
    model_type: Annotated[str, OneOf("neumf", "gmf", "mlp")] = "neumf"
    num_factors: Annotated[int, Range(at_least=1)] = 8
    layers: Annotated[tuple[int, ...], _LAYERS] = (64, 32, 16, 8)
    num_neg: Annotated[int, Range(at_least=1)] = 4
    loss: Annotated[str, OneOf("logistic", "softmax")] = "logistic"
    recency_half_life: Annotated[float, Range(at_least=0)] = 0.0
    learning_rate: Annotated[float, Range(above=0)] = 0.001
    schedule: Annotated[str, OneOf("constant", "cosine")] = "constant"
    mf_regularization: Annotated[float, Range(at_least=0)] = 0.0
    mlp_regularization: Annotated[tuple[float, ...], _BY_LAYER] = ()

    def __post_init__(self) -> None:
        """Raises UserError for a value out of range."""
        super().__post_init__()
        check(
            self.batch_size > self.num_neg,
            "batch_size",
            self.batch_size,
            f"at least 1 + num_neg ({1 + self.num_neg}), a positive and its negatives",
        )
        check(
            len(self.mlp_regularization) in (0, len(self.layers)),
            "mlp_regularization",
            self.mlp_regularization,
            f"nothing, or {len(self.layers)} values, one a layer, at least 0",
        )
