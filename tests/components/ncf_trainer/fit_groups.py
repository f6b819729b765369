"""Trains on users of ten groups, each with its own items, and prints HR@10; run as a script.

usage: python fit_groups.py LOGICAL_CPUS [SETTINGS]
With TF_CONFIG it is one of several workers, each of which reads its part of the users.
"""

import json
import sys

import numpy as np
import tensorflow as tf

from components.ncf_trainer.config import NcfTrainerConfig
from components.ncf_trainer.create_fit import create_fit, part_of_histories
from components.ncf_trainer.data import Candidates, Histories, RankingData
from components.training.strategy import create_strategy, input_context

USERS, ITEMS, GROUPS, HISTORY, NEGATIVES = 1000, 200, 10, 12, 100


def data(context, part):
    """Returns a part of the histories, and this worker's lists."""
    rng = np.random.default_rng(0)
    users = np.arange(USERS)
    liked = np.argsort(rng.random((USERS, ITEMS // GROUPS)))[:, : HISTORY + 1] * GROUPS
    liked += users[:, np.newaxis] % GROUPS
    noise = rng.random(liked.shape) < 0.1
    liked[noise] = rng.integers(0, ITEMS, noise.sum())
    others = np.array(
        [rng.choice(np.setdiff1d(np.arange(ITEMS), row), NEGATIVES, replace=False) for row in liked]
    )
    known, mine = (users[of.input_pipeline_id :: of.num_input_pipelines] for of in (part, context))
    candidates = np.concatenate([liked[:, HISTORY:], others], axis=1)[mine]
    return (
        Histories(
            known, np.repeat(np.arange(len(known)), HISTORY), liked[known, :HISTORY].reshape(-1)
        ),
        Candidates(mine, candidates, np.ones(candidates.shape, bool)),
    )


def build(**settings):
    """Returns the config, the strategy and what trains."""
    defaults = {
        "train_epochs": 5,
        "batch_size": 500,
        "learning_rate": 0.01,
        "mf_regularization": 0.001,
        "mlp_regularization": (0.001, 0.0, 0.0, 0.0),
    }
    config = NcfTrainerConfig(**{**defaults, **settings})
    strategy = create_strategy(0)
    context = input_context(strategy)
    split = data(context, part_of_histories(config, context))
    run = create_fit(config, strategy, RankingData(*split, USERS, ITEMS))
    return config, strategy, run


def fit(**settings):
    """Returns the history of losses, the last HR@10 and the number of replicas."""
    config, strategy, run = build(**settings)
    losses = [run.train_epoch(epoch).loss for epoch in range(config.train_epochs)]
    return losses, run.evaluate()["hit_rate_at_10"], strategy.num_replicas_in_sync


if __name__ == "__main__":
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * int(sys.argv[1])
    )
    print(json.dumps(fit(**json.loads("".join(sys.argv[2:]) or "{}"))))
