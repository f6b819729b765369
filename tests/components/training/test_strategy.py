import json
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf

from components.training.strategy import create_strategy, index_type, input_context, is_chief
from transforms.base.errors import UserError


def test_more_gpus_than_there_are_is_an_error():
    existing = len(tf.config.list_physical_devices("GPU"))
    with pytest.raises(
        UserError, match=f"num_gpus={existing + 1}: this machine has {existing} GPUs"
    ):
        create_strategy(existing + 1)


def test_rows_are_looked_up_by_what_the_device_has_in_its_memory():
    assert index_type(0) == np.int32 and index_type(2) == np.int64


def test_a_single_process_is_the_chief_and_reads_everything():
    strategy = create_strategy(0)
    context = input_context(strategy)
    assert is_chief(strategy)
    assert (context.num_input_pipelines, context.input_pipeline_id) == (1, 0)


def test_a_worker_that_is_no_chief_writes_nothing():
    def resolver(kind):
        return tf.distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec({"chief": ["a:1"], "worker": ["b:1"]}), task_type=kind, task_id=0
        )

    strategies = [
        mock.Mock(cluster_resolver=resolver(kind), num_replicas_in_sync=2)
        for kind in ("chief", "worker", "")
    ]
    # One that has no place in a cluster is alone.
    assert [is_chief(strategy) for strategy in strategies] == [True, False, True]
    assert input_context(strategies[2]).num_input_pipelines == 1
    assert [input_context(of).num_replicas_in_sync for of in strategies] == [2, 2, 2]


def test_a_worker_knows_its_part_with_a_chief_and_without():
    def parts(**cluster):
        found = []
        for kind, addresses in cluster.items():
            for index in range(len(addresses)):
                resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
                    tf.train.ClusterSpec(cluster), task_type=kind, task_id=index
                )
                strategy = mock.Mock(cluster_resolver=resolver, num_replicas_in_sync=4)
                context = input_context(strategy)
                found.append((context.input_pipeline_id, context.num_input_pipelines))
        return found

    workers = ["a:1", "b:1", "c:1"]
    assert parts(chief=workers[:1], worker=workers[1:]) == [(0, 3), (1, 3), (2, 3)]
    assert parts(worker=workers) == [(0, 3), (1, 3), (2, 3)]


@pytest.mark.parametrize("cluster", [{}, {"worker": ["a:1", "b:1"]}])
def test_one_of_several_workers_joins_the_others_with_its_own_gpus_alone(cluster, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster}))
    gpus, joined = ["GPU:0", "GPU:1", "GPU:2"], object()
    visible = mock.Mock()
    # TensorFlow itself would wait for the others.
    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", lambda: joined)
    monkeypatch.setattr(tf.distribute, "MirroredStrategy", lambda devices: devices)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus)
    monkeypatch.setattr(tf.config, "set_visible_devices", visible)
    strategy = create_strategy(2)
    if cluster:
        assert strategy is joined
        visible.assert_called_once_with(gpus[:2], "GPU")
    else:
        assert strategy == gpus[:2] and not visible.called
