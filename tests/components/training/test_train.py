import json
import os
import types

import pytest
import tensorflow as tf

from components.training import train
from components.training.config import LoopConfig
from components.training.loop import HISTORY_FILE, EpochStats, Goal
from components.training.train import set_up, train_and_export
from transforms.base.settings import to_json

CONFIG = LoopConfig(train_epochs=9, batch_size=4, stop_threshold=2.0)


class Fit:
    """A training whose score is the number of its epochs."""

    def __init__(self):
        self.epochs = tf.Variable(0.0)
        self.checkpoint = tf.train.Checkpoint(epochs=self.epochs)

    def train_epoch(self, epoch):
        self.epochs.assign_add(1.0)
        return EpochStats(loss=1.0, examples=1)

    def evaluate(self):
        return {"score": float(self.epochs)}


@pytest.fixture
def fn_args(tmp_path):
    root = tmp_path / "checkpoints"
    custom_config = {"config": to_json(CONFIG), "code": "", "checkpoint_root": str(root)}
    forgotten = root / ("0" * 16)
    forgotten.mkdir(parents=True)
    os.utime(forgotten, (0, 0))
    return types.SimpleNamespace(
        custom_config=custom_config,
        train_files=["a"],
        eval_files=["b"],
        model_run_dir=str(tmp_path / "run"),
        serving_model_dir=str(tmp_path / "model"),
        transform_graph_path=str(tmp_path / "graph"),
    )


@pytest.mark.parametrize("chief", [True, False])
def test_only_the_chief_exports_and_tidies_up(chief, fn_args, tmp_path, monkeypatch):
    monkeypatch.setattr(train, "is_chief", lambda strategy: chief)
    setup = set_up(fn_args, LoopConfig)
    assert setup.config == CONFIG
    assert setup.transform_output.transform_savedmodel_dir.startswith(str(tmp_path / "graph"))
    exported = []
    train_and_export(fn_args, setup, Fit(), Goal("score"), exported.append)
    assert exported == ([str(tmp_path / "model")] if chief else [])
    # What was given up long ago is removed, and so is what this training needed.
    assert len(os.listdir(tmp_path / "checkpoints")) == (0 if chief else 2)
    history = json.loads((tmp_path / "run" / HISTORY_FILE).read_text())
    assert [epoch["score"] for epoch in history["epochs"]] == [1, 2]
