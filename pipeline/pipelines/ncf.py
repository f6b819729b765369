"""ncf: what a user will like next, of what that user has not touched; gated on HR@10 and NDCG@10.

An Example is a user (He et al., 2017: Neural Collaborative Filtering).
"""

from dataclasses import dataclass
from typing import Annotated

from components.evaluator.gates import Gate, Lower
from components.movielens_gen.config import LeaveOneOutConfig
from components.ncf_trainer.config import NcfTrainerConfig
from components.ranking_metrics.full_ranking import LONGEST, RANK, SIGNATURE
from components.ranking_metrics.rank import HIT_RATE, NDCG, K
from pipeline.pipelines.definition import Metric, PipelineDefinition, Preset
from transforms.base.settings import Range

_RANKING = "components.ranking_metrics.metrics"
_LISTS = {"k": K, "item_key": "item_id"}
_CATALOGUE = "components.ranking_metrics.catalogue"
_ALL = {"rank_key": RANK}
_FULL_K = {"k": "full_k"}
_FULL_HIT_RATE, _FULL_NDCG = "full_hit_rate", "full_ndcg"


@dataclass(frozen=True, kw_only=True)
class NcfGate(Gate):
    """Bounds for ranking, among sampled items and among all that a user has not touched.

    Attributes:
        min_hit_rate: Lower bound of HR@10.
        min_ndcg: Lower bound of NDCG@10.
        min_full_hit_rate: Lower bound of HR@full_k among all items; 0 for none.
        min_full_ndcg: Lower bound of NDCG@full_k among all items; 0 for none.
        full_k: How many places count among all items, and for what is recommended.
        recall_k: How many places count for a second hit rate among all items, the recall.
    """

    min_hit_rate: Annotated[float, Lower(HIT_RATE), Range(above=0, below=1)]
    min_ndcg: Annotated[float, Lower(NDCG), Range(above=0, below=1)]
    min_full_hit_rate: Annotated[float, Lower(_FULL_HIT_RATE), Range(at_least=0, below=1)] = 0.0
    min_full_ndcg: Annotated[float, Lower(_FULL_NDCG), Range(at_least=0, below=1)] = 0.0
    full_k: Annotated[int, Range(at_least=1, at_most=LONGEST)] = K
    recall_k: Annotated[int, Range(at_least=1)] = 20


_PRESETS = {
    "neumf": Preset(
        NcfTrainerConfig(
            train_epochs=8,
            batch_size=20_000,
            num_neg=8,
            learning_rate=0.005,
            schedule="cosine",
            recency_half_life=15.0,
            mlp_regularization=(0.0003, 0.0, 0.0, 0.0),
        ),
        NcfGate(min_hit_rate=0.68, min_ndcg=0.42, max_regression=0.01),
    ),
    "best": Preset(
        NcfTrainerConfig(
            model_type="sasrec",
            num_factors=64,
            train_epochs=10,
            batch_size=6_400,
            epochs_between_evals=5,
            learning_rate=0.012,
            schedule="cosine",
            next_item_share=0.1,
        ),
        NcfGate(min_hit_rate=0.8, min_ndcg=0.58, max_regression=0.01),
    ),
    # Deeper, wider and longer than two cores have the time for; see docs/pipelines.md.
    "gpu": Preset(
        NcfTrainerConfig(
            model_type="sasrec",
            num_gpus=1,
            mixed_precision=True,
            num_factors=128,
            blocks=4,
            heads=4,
            dropout=0.3,
            train_epochs=60,
            batch_size=12_800,
            epochs_between_evals=10,
            learning_rate=0.006,
            schedule="cosine",
            next_item_share=0.1,
        ),
        NcfGate(min_hit_rate=0.8, min_ndcg=0.58, max_regression=0.01),
    ),
    "next_item": Preset(
        NcfTrainerConfig(model_type="next_item", train_epochs=1),
        NcfGate(min_hit_rate=0.74, min_ndcg=0.53, max_regression=0.01),
    ),
    "gmf": Preset(
        NcfTrainerConfig(
            model_type="gmf",
            num_factors=128,
            num_neg=8,
            train_epochs=12,
            batch_size=20_000,
            learning_rate=0.002,
            schedule="cosine",
            mf_regularization=0.005,
            recency_half_life=15.0,
        ),
        NcfGate(min_hit_rate=0.73, min_ndcg=0.45, max_regression=0.01),
    ),
    "sample": Preset(
        NcfTrainerConfig(train_epochs=16, batch_size=2_000, learning_rate=0.005, schedule="cosine"),
        NcfGate(min_hit_rate=0.4, min_ndcg=0.2, max_regression=0.05),
    ),
    # The defaults of the code of that year.
    "ncf_2018": Preset(
        NcfTrainerConfig(), NcfGate(min_hit_rate=0.5, min_ndcg=0.25, max_regression=0.01)
    ),
}


def _schema(data: LeaveOneOutConfig) -> str:
    return "string_id_schema.pbtxt" if data.string_ids else "schema.pbtxt"


PIPELINE = PipelineDefinition(
    name="ncf",
    catalog="pipeline.datasets.movielens.MOVIELENS",
    real_dataset="ml-1m",
    example_gen="components.movielens_gen.component.MovieLensExampleGen",
    data=LeaveOneOutConfig(),
    presets=_PRESETS,
    schema_package="components.ncf_trainer",
    schema=_schema,
    preprocessing_fn="components.ncf_trainer.preprocessing.preprocessing_fn",
    run_fn="components.ncf_trainer.trainer.run_fn",
    tuner_fn="components.ncf_trainer.tuner.tuner_fn",
    label="label",
    metrics=(
        Metric(HIT_RATE, f"HR@{K}", "HitRate", _RANKING, _LISTS),
        Metric(_FULL_HIT_RATE, "HR@{full_k} of all items", "HitRate", _RANKING, _ALL, _FULL_K),
        Metric(NDCG, f"NDCG@{K}", "LeaveOneOutNDCG", _RANKING, _LISTS),
        Metric(
            _FULL_NDCG, "NDCG@{full_k} of all items", "LeaveOneOutNDCG", _RANKING, _ALL, _FULL_K
        ),
        Metric(
            "full_recall",
            "Recall@{recall_k} of all items",
            "HitRate",
            _RANKING,
            _ALL,
            {"k": "recall_k"},
        ),
        Metric("full_mrr", "MRR of all items", "MeanReciprocalRank", _RANKING, _ALL),
        Metric("coverage", "Coverage@{full_k}", "Coverage", _CATALOGUE, gate_settings=_FULL_K),
        Metric(
            "popularity", "Popularity@{full_k}", "Popularity", _CATALOGUE, gate_settings=_FULL_K
        ),
        Metric("diversity", "Diversity@{full_k}", "Diversity", _CATALOGUE, gate_settings=_FULL_K),
        Metric(
            "short_lists", "Users with too short a list to rank", "ShortLists", _RANKING, _LISTS
        ),
    ),
    eval_signature=SIGNATURE,
    interactions="components.ncf_trainer.interactions",
    limits="It recommends what people with like histories went on to, and so what was popular. Of "
    "users and items that it was not trained on it knows nothing. It was measured on what "
    "people chose by themselves: what they would have done with its recommendations is not "
    "known. The held-out item is each user's last, in an order that in part is that of the "
    "site's pages.",
)
