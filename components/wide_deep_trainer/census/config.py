"""Settings of the census trainer."""

import dataclasses

from components.wide_deep_trainer.layers.network_config import NetworkConfig
from transforms.base.settings import check, check_choice

__all__ = ["PRESETS", "CensusTrainerConfig"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class CensusTrainerConfig(NetworkConfig):
    """What the census model is and how it trains; the defaults are those of 2018.

    Attributes:
        train_epochs: See LoopConfig.
        batch_size: See LoopConfig.
        epochs_between_evals: See LoopConfig.
        stop_threshold: The accuracy on the eval split to stop at. See LoopConfig.
        model_type: "wide", a linear model of categories and crosses trained with FTRL; "deep", a
            network; "wide_deep", their sum, trained together, each part with its optimiser.
        hash_buckets: Hash buckets of occupation and of each cross.
        wide_learning_rate: FTRL's.
        encoding: What the network sees. "basic": scaled numbers, one-hot categories and an
            embedded occupation. "embedded": numbers in piecewise-linear encoding, embedded, and
            embeddings of all categories.
        embedding_size: Width of an embedding.
        quantile_bins: Bins of the piecewise-linear encoding.
        hidden_units: Of the network. See NetworkConfig.
        ensemble_size: Networks that share all weight matrices. See NetworkConfig.
        dropout: Of the network. See NetworkConfig.
        deep_optimizer: "adagrad" or "adamw".
        deep_learning_rate: The network's, at its height if the schedule is not constant.
        weight_decay: AdamW's, decoupled.
        schedule: Of the network's learning rate alone. See NetworkConfig.
    """

    train_epochs: int = 40
    batch_size: int = 40
    epochs_between_evals: int = 2
    model_type: str = "wide_deep"
    hash_buckets: int = 1000
    wide_learning_rate: float = 0.02
    encoding: str = "basic"
    embedding_size: int = 8
    quantile_bins: int = 48
    hidden_units: tuple[int, ...] = (100, 75, 50, 25)
    deep_optimizer: str = "adagrad"
    deep_learning_rate: float = 0.01
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        """Raises UserError for a value out of range."""
        super().__post_init__()
        check_choice("model_type", self.model_type, ("wide", "deep", "wide_deep"))
        check_choice("encoding", self.encoding, ("basic", "embedded"))
        check_choice("deep_optimizer", self.deep_optimizer, ("adagrad", "adamw"))
        for field in ("hash_buckets", "embedding_size"):
            check(getattr(self, field) >= 1, field, getattr(self, field), "at least 1")
        check(self.quantile_bins >= 2, "quantile_bins", self.quantile_bins, "at least 2")
        for field in ("wide_learning_rate", "deep_learning_rate"):
            check(getattr(self, field) > 0, field, getattr(self, field), "above 0")
        check(self.weight_decay >= 0, "weight_decay", self.weight_decay, "at least 0")
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


PRESETS = {
    "wide_deep_2018": CensusTrainerConfig(),
    "best": CensusTrainerConfig(
        model_type="deep",
        train_epochs=20,
        batch_size=256,
        encoding="embedded",
        embedding_size=16,
        hidden_units=(128, 128),
        ensemble_size=8,
        dropout=0.2,
        deep_optimizer="adamw",
        deep_learning_rate=0.002,
        weight_decay=0.01,
        schedule="cosine",
    ),
}
"""The 2018 model, and the best found on a validation part of the training rows."""
