"""Workload: the exact 100 best of all items, for all users."""

import tensorflow as tf

from benchmarks.histories import load_histories
from benchmarks.timing import Timing, timed
from components.ncf_trainer.config import NcfTrainerConfig
from components.ncf_trainer.model import NcfModel

_BEST = 100
_SCORES_TOGETHER = 1 << 19


def top_items(
    histories: str, model_type: str, num_factors: int, share: float, repeats: int
) -> Timing:
    """Times scoring every item for every user and choosing the best; weights are untrained.

    Args:
        histories: What `save_histories` wrote; its numbers of users and items are used.
        model_type: See NcfTrainerConfig.
        num_factors: See NcfTrainerConfig.
        share: Rank for this part of the users.
        repeats: How often.

    Returns:
        A Timing whose count is of users.
    """
    data, num_items = load_histories(histories)
    config = NcfTrainerConfig(model_type=model_type, num_factors=num_factors)
    model = NcfModel(config, len(data.users) + 1, num_items + 1)
    users = int(len(data.users) * share)
    together = max(1, _SCORES_TOGETHER // num_items)

    @tf.function
    def rank() -> tf.Tensor:
        best = tf.TensorArray(tf.int32, 0, dynamic_size=True, infer_shape=False)
        all_items = tf.range(num_items)[tf.newaxis]
        for start in tf.range(0, users, together):
            scores = model(tf.range(start, tf.minimum(start + together, users)), all_items)
            best = best.write(best.size(), tf.math.top_k(scores, _BEST).indices)
        return best.concat()

    rank()
    return Timing(timed(rank, repeats), users, share)
