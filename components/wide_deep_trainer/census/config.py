"""Settings of the census trainer."""

import dataclasses
from typing import Annotated

from components.wide_deep_trainer.layers.network_config import NetworkConfig
from transforms.base.settings import OneOf, Range, check

# Names of metrics.
ACCURACY = "accuracy"
AUC = "auc"


@dataclasses.dataclass(frozen=True, kw_only=True)
class CensusTrainerConfig(NetworkConfig):
    """What the census model is and how it trains; the defaults are those of 2018.

    Attributes:
        stop_threshold: Stop once the accuracy on the eval split reaches it; none trains to the end.
        mixed_precision: Compute in bfloat16; variables stay float32. Not for "wide".
        model_type: "wide", a linear model of categories and crosses trained with FTRL; "deep", a
            network; "wide_deep", their sum, trained together, each part with its optimiser.
        hash_buckets: Hash buckets of occupation and of each cross.
        wide_learning_rate: FTRL's learning rate.
        encoding: What the network sees. "basic": scaled numbers, one-hot categories and an
            embedded occupation. "embedded": numbers in piecewise-linear encoding, embedded, and
            embeddings of all categories.
        embedding_size: Width of an embedding.
        quantile_bins: Bins of the piecewise-linear encoding.
        ensemble_size: Networks that share all weight matrices and are averaged.
        deep_optimizer: The network's optimiser.
        deep_learning_rate: The network's learning rate, at its height if the schedule is not
            constant.
        weight_decay: AdamW's weight decay, decoupled; 0 with another optimiser.
        schedule: Of the network's learning rate alone. "constant", or "cosine": a linear warm-up
            over a twentieth of the steps, then half a cosine to 0.
    """

    train_epochs: int = 40
    batch_size: int = 40
    epochs_between_evals: int = 2
    model_type: Annotated[str, OneOf("wide", "deep", "wide_deep")] = "wide_deep"
    hash_buckets: Annotated[int, Range(at_least=1)] = 1000
    wide_learning_rate: Annotated[float, Range(above=0)] = 0.02
    encoding: Annotated[str, OneOf("basic", "embedded")] = "basic"
    embedding_size: Annotated[int, Range(at_least=1)] = 8
    quantile_bins: Annotated[int, Range(at_least=2)] = 48
    hidden_units: tuple[int, ...] = (100, 75, 50, 25)
    deep_optimizer: Annotated[str, OneOf("adagrad", "adamw")] = "adagrad"
    deep_learning_rate: Annotated[float, Range(above=0)] = 0.01
    weight_decay: Annotated[float, Range(at_least=0)] = 0.0

    def __post_init__(self) -> None:
        """Raises UserError for a value out of range."""
        super().__post_init__()
        check(
            not self.weight_decay or self.deep_optimizer == "adamw",
            "weight_decay",
            self.weight_decay,
            "0 unless deep_optimizer is adamw",
        )
        check(
            not self.mixed_precision or self.model_type != "wide",
            "mixed_precision",
            self.mixed_precision,
            "false if model_type is wide: a linear model has no large product to speed up",
        )
