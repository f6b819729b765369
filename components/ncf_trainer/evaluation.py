"""HR@10 and NDCG@10 of held-out items while a model trains, on its devices."""

from collections.abc import Callable

import tensorflow as tf
import tf_keras as keras

from components.ncf_trainer.data import Candidates
from components.ranking_metrics.batched import hits_and_gains
from components.ranking_metrics.rank import HIT_RATE, NDCG
from components.training.strategy import place


class RankingEvaluation:
    """Ranks this worker's lists; the means are over those of all workers."""

    def __init__(
        self,
        strategy: tf.distribute.Strategy,
        candidates: Candidates,
        score: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
        together: int,
        dtype: type,
    ):
        """Moves the lists to the devices.

        Args:
            strategy: Where the model trains.
            candidates: This worker's lists.
            score: Returns float32 [lists, longest] of users [lists] and items [lists, longest].
            together: Lists that are scored at once.
            dtype: Of the users and items that `score` is given.
        """
        self._strategy, self._score, self._together = strategy, score, together
        users, items, present = candidates
        narrowed = Candidates(users.astype(dtype), items.astype(dtype), present)
        replicas = len(strategy.extended.worker_devices)
        self._candidates = place(
            strategy,
            lambda replica: Candidates(*(column[replica::replicas] for column in narrowed)),
        )
        self._lists = -(-len(users) // replicas)
        with strategy.scope():
            self._hits, self._gains = keras.metrics.Mean(), keras.metrics.Mean()

    def __call__(self) -> dict[str, float]:
        """Returns HR@10 and NDCG@10, as `hits_and_gains` has them."""
        self._hits.reset_state()
        self._gains.reset_state()
        self._run(self._candidates)
        return {HIT_RATE: float(self._hits.result()), NDCG: float(self._gains.result())}

    @tf.function
    def _run(self, candidates: Candidates) -> None:
        for start in tf.range(0, self._lists, self._together):
            self._strategy.run(self._step, args=(candidates, start, start + self._together))

    def _step(self, candidates: Candidates, start: tf.Tensor, stop: tf.Tensor) -> None:
        users, items, present = (column[start:stop] for column in candidates)
        hits, gains, counts = hits_and_gains(self._score(users, items), present)
        self._hits.update_state(hits, counts)
        self._gains.update_state(gains, counts)
