import json
import os
import pathlib
import socket
import subprocess
import sys

import numpy as np
import pytest

from components.ncf_trainer.config import NcfTrainerConfig
from components.ncf_trainer.data import Candidates
from components.ncf_trainer.fit import HIT_RATE, NcfFit
from components.training.loop import run_loop
from components.training.strategy import create_strategy
from tests.components.ncf_trainer.fit_groups import ITEMS, USERS, build, data, fit

SCRIPT = pathlib.Path(__file__).with_name("fit_groups.py")
ROOT = pathlib.Path(__file__).parents[3]


@pytest.fixture(scope="module")
def single():
    return fit()


def start(logical_cpus, **environment):
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(logical_cpus)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def result(process):
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


def test_a_run_is_decided_by_its_seed(single):
    losses, hit_rate, replicas = fit()
    assert (losses, hit_rate, replicas) == single
    assert fit(seed=1, train_epochs=1)[0] != losses[:1]


def test_a_user_without_negatives_does_not_count():
    histories, candidates = data(0, 1)

    def metrics(candidates):
        sizes = {"user_vocabulary": USERS, "item_vocabulary": ITEMS}
        return NcfFit(
            NcfTrainerConfig(), create_strategy(0), histories, candidates, **sizes
        ).evaluate()

    alone = candidates.present.copy()
    alone[::2, 1:] = False
    others = Candidates(*(column[1::2] for column in candidates))
    assert metrics(candidates._replace(present=alone)) == pytest.approx(metrics(others))


class KilledError(Exception):
    pass


def test_a_killed_run_continues_to_the_same_history(tmp_path):
    def history(folder, kill_before=None):
        config, strategy, run = build(train_epochs=3, schedule="cosine")

        def train_epoch(epoch):
            if epoch == kill_before:
                raise KilledError
            return run.train_epoch(epoch)

        done = run_loop(
            config,
            strategy=strategy,
            train_epoch=train_epoch,
            evaluate=run.evaluate,
            stop_metric=HIT_RATE,
            higher_is_better=True,
            checkpoint=run.checkpoint,
            checkpoint_dir=str(tmp_path / folder),
            log_dir=str(tmp_path / "log"),
        )
        return [{k: v for k, v in epoch.items() if k != "seconds"} for epoch in done.epochs]

    with pytest.raises(KilledError):
        history("cut", kill_before=2)
    assert history("cut") == history("whole")


def test_two_devices_train_as_one(single):
    losses, hit_rate, replicas = result(start(2))
    assert replicas == 2
    assert losses == pytest.approx(single[0], rel=1e-2)
    assert hit_rate == pytest.approx(single[1], abs=0.01)


@pytest.mark.slow
def test_two_workers_with_a_shard_each_train_as_well_as_one(single):
    ports = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    workers = [
        start(1, TF_CONFIG=json.dumps({"cluster": cluster, "task": {"type": "worker", "index": i}}))
        for i in range(2)
    ]
    for losses, hit_rate, replicas in map(result, workers):
        assert replicas == 2
        assert hit_rate == pytest.approx(single[1], abs=0.01)
        assert np.isfinite(losses).all()


@pytest.mark.parametrize("settings", [{"xla": True}, {"mixed_precision": True}])
def test_compiled_or_in_bfloat16_it_trains_as_well(single, settings):
    assert fit(**settings)[1] == pytest.approx(single[1], abs=0.02)


@pytest.mark.parametrize(
    "settings",
    [
        {"model_type": "gmf"},
        {"model_type": "mlp"},
        {"loss": "softmax", "schedule": "cosine", "recency_half_life": 10.0},
    ],
)
def test_every_kind_of_model_and_loss_learns(settings):
    assert fit(**settings)[1] > 0.8
