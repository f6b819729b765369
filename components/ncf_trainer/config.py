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
            are more than num_neg; of sasrec, items to predict.
        model_type: "neumf", or one of its halves, "gmf" and "mlp", which know a user by an
            embedding; or by the items before, in their order: "sasrec", self-attention, and
            "next_item", a linear model in closed form.
        num_factors: Width of the GMF embeddings, and of all of sasrec.
        blocks: Of sasrec, each attention and a network.
        heads: Of sasrec's attention.
        max_length: How many of a user's latest items sasrec and next_item read.
        dropout: Of sasrec.
        sampled_items: Items that sasrec's loss draws in a step, for more items than all fit in
            memory for each of a batch; 0 takes all.
        next_item_share: Weight of next_item's scores beside sasrec's; 0 does without.
        history_half_life: After how many items next_item lets one count half; 0 for never.
        ridge: L2 on all of next_item's weights.
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
    model_type: Annotated[str, OneOf("neumf", "gmf", "mlp", "sasrec", "next_item")] = "neumf"
    num_factors: Annotated[int, Range(at_least=1)] = 8
    blocks: Annotated[int, Range(at_least=1)] = 2
    heads: Annotated[int, Range(at_least=1)] = 2
    max_length: Annotated[int, Range(at_least=1)] = 200
    dropout: Annotated[float, Range(at_least=0, below=1)] = 0.2
    sampled_items: Annotated[int, Range(at_least=0)] = 0
    next_item_share: Annotated[float, Range(at_least=0, below=1)] = 0.0
    history_half_life: Annotated[float, Range(at_least=0)] = 5.0
    ridge: Annotated[float, Range(above=0)] = 3000.0
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
            self.num_factors % self.heads == 0 or self.model_type != "sasrec",
            "heads",
            self.heads,
            f"a divisor of num_factors ({self.num_factors})",
        )
        check(
            self.batch_size >= self.max_length or self.model_type != "sasrec",
            "batch_size",
            self.batch_size,
            f"at least max_length ({self.max_length}), a row of sasrec's",
        )
        check(
            self.train_epochs == 1 or self.model_type != "next_item",
            "train_epochs",
            self.train_epochs,
            "1 if model_type is next_item: a closed form has no second epoch",
        )
        check(
            len(self.mlp_regularization) in (0, len(self.layers)),
            "mlp_regularization",
            self.mlp_regularization,
            f"nothing, or {len(self.layers)} values, one a layer, at least 0",
        )
