"""Settings of the rating trainer."""

import dataclasses
from typing import Annotated

from components.wide_deep_trainer.layers.network_config import NetworkConfig
from transforms.base.settings import Must, OneOf, Range, check

# Names of metrics.
MAE = "mae"
RMSE = "rmse"


@dataclasses.dataclass(frozen=True, kw_only=True)
class RatingTrainerConfig(NetworkConfig):
    """What the rating model is and how it trains; the defaults are those of 2018.

    Attributes:
        stop_threshold: Stop once the RMSE on the eval split is as low, in stars; none trains to the
            end.
        mixed_precision: Of "deep" alone: compute in bfloat16; variables stay float32.
        model_type: "deep", a network on embeddings, time and genres; "factors", biased matrix
            factorisation with genres and the user's ratings of the same session.
        learning_rate: Adam's learning rate, at its height if the schedule is not constant.
        user_embedding_size: Of "deep": width of a user's embedding.
        item_embedding_size: Of "deep": width of an item's embedding.
        hidden_units: Of "deep": widths of the hidden layers, which have sigmoids.
        dropout: Of "deep": share of hidden units dropped in training.
        num_factors: Of "factors": width of users' and items' factors.
        ensemble_size: Models that are trained side by side and averaged; those of "deep" share all
            weight matrices.
        factor_regularization: Of "factors": L2 on the factors of each user and item. As a
            Gaussian prior it is the variance of a rating's noise over that of a factor.
        bias_regularization: Of "factors": L2 on the biases of users and items, likewise.
        neighbours: Of "factors": how many ratings of the user, half of them before and half after
            the time in question, are looked at. 0 looks at no time, and a model then holds no
            ratings.
        causal: Of "factors": of the user's ratings look at those before the time in question
            alone, and at no sets, which hold later ones.
        implicit_width: Of "factors": width of what is known of the set of items that a user has
            rated, and of the users of an item, before any training.
        implicit_regularization: Of "factors": L2 on the matrices that make factors of these.
    """

    train_epochs: int = 50
    batch_size: int = 256
    epochs_between_evals: int = 5
    model_type: Annotated[str, OneOf("deep", "factors")] = "deep"
    learning_rate: Annotated[float, Range(above=0)] = 0.001
    user_embedding_size: Annotated[int, Range(at_least=1)] = 16
    item_embedding_size: Annotated[int, Range(at_least=1)] = 64
    hidden_units: tuple[int, ...] = (256, 256, 256, 128)
    dropout: float = 0.3
    num_factors: Annotated[int, Range(at_least=1)] = 16
    factor_regularization: Annotated[float, Range(at_least=0)] = 0.0
    bias_regularization: Annotated[float, Range(at_least=0)] = 0.0
    neighbours: Annotated[
        int, Must("an even number, at least 0", lambda count: count >= 0 and count % 2 == 0)
    ] = 32
    causal: bool = False
    implicit_width: Annotated[int, Range(at_least=1)] = 100
    implicit_regularization: Annotated[float, Range(at_least=0)] = 0.0

    def __post_init__(self) -> None:
        """Raises UserError for a value out of range."""
        super().__post_init__()
        check(
            not self.mixed_precision or self.model_type == "deep",
            "mixed_precision",
            self.mixed_precision,
            "false unless model_type is deep: the factors have no large product to speed up",
        )
