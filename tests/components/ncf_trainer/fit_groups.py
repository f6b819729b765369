"""Trains on users of four groups, each with its own items, and prints HR@10; run as a script.

usage: python fit_groups.py LOGICAL_CPUS
With TF_CONFIG it is one of several workers, each of which reads its part of the users.
"""

import json
import sys

import numpy as np
import tensorflow as tf

from components.ncf_trainer.config import NcfTrainerConfig
from components.ncf_trainer.data import Candidates, Histories
from components.ncf_trainer.fit import NcfFit
from components.training.strategy import create_strategy, input_context

USERS, ITEMS, GROUPS, HISTORY, NEGATIVES = 2000, 200, 4, 20, 100


def data(worker, workers):
    rng = np.random.default_rng(0)
    users = np.arange(USERS)
    liked = np.argsort(rng.random((USERS, ITEMS // GROUPS)))[:, : HISTORY + 1] * GROUPS
    liked += users[:, np.newaxis] % GROUPS
    noise = rng.random(liked.shape) < 0.15
    liked[noise] = rng.integers(0, ITEMS, noise.sum())
    others = np.array(
        [rng.choice(np.setdiff1d(np.arange(ITEMS), row), NEGATIVES, replace=False) for row in liked]
    )
    mine = users[worker::workers]
    candidates = np.concatenate([liked[:, HISTORY:], others], axis=1)[mine]
    return (
        Histories(
            mine, np.repeat(np.arange(len(mine)), HISTORY), liked[mine, :HISTORY].reshape(-1)
        ),
        Candidates(mine, candidates, np.ones(candidates.shape, bool)),
    )


def fit(**settings):
    """Returns the history of losses and the last HR@10."""
    config = NcfTrainerConfig(
        **{"train_epochs": 12, "batch_size": 1000, "learning_rate": 0.01, **settings}
    )
    strategy = create_strategy(0)
    context = input_context(strategy)
    histories, candidates = data(context.input_pipeline_id, context.num_input_pipelines)
    run = NcfFit(
        config, strategy, histories, candidates, user_vocabulary=USERS, item_vocabulary=ITEMS
    )
    losses = [run.train_epoch(epoch).loss for epoch in range(config.train_epochs)]
    return losses, run.evaluate()["hit_rate_at_10"], strategy.num_replicas_in_sync


if __name__ == "__main__":
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * int(sys.argv[1])
    )
    print(json.dumps(fit()))
