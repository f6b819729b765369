"""Which devices a model trains on."""

import json
import os
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import tensorflow as tf

from transforms.base.errors import UserError

Arrays = TypeVar("Arrays")


def create_strategy(num_gpus: int) -> tf.distribute.Strategy:
    """Returns the distribution strategy for this process.

    With TF_CONFIG, which none of the engines sets, each of several processes that share the output
    folders trains on its part of the data. Then call it before anything else that uses
    TensorFlow: workers can only be joined while the runtime is not yet initialised.

    Args:
        num_gpus: GPUs of this machine to use. 0 uses its CPU: one device, or as many replicas as
            the process has configured logical CPU devices.

    Returns:
        MultiWorkerMirroredStrategy when TF_CONFIG names a cluster, MirroredStrategy for several
        local devices or for GPUs, OneDeviceStrategy for a single CPU.

    Raises:
        UserError: This machine has fewer GPUs than `num_gpus`.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if num_gpus > len(gpus):
        raise UserError(
            f"num_gpus={num_gpus}: this machine has {len(gpus)} GPUs that TensorFlow can use; "
            "lower num_gpus (0 trains on the CPU) or mend the driver and CUDA libraries"
        )
    if json.loads(os.environ.get("TF_CONFIG", "{}")).get("cluster"):
        tf.config.set_visible_devices(gpus[:num_gpus], "GPU")
        return tf.distribute.MultiWorkerMirroredStrategy()
    if num_gpus:
        return tf.distribute.MirroredStrategy([f"GPU:{i}" for i in range(num_gpus)])
    cpus = tf.config.list_logical_devices("CPU")
    if len(cpus) > 1:
        return tf.distribute.MirroredStrategy([cpu.name for cpu in cpus])
    return tf.distribute.OneDeviceStrategy("CPU:0")


def index_type(num_gpus: int) -> type[np.integer]:
    """Returns the narrowest type of integers that the devices look rows up by.

    On a GPU, TensorFlow computes with int32 tensors in host memory.
    """
    return np.int64 if num_gpus else np.int32


def input_context(strategy: tf.distribute.Strategy) -> tf.distribute.InputContext:
    """Returns which of how many input pipelines (one a worker) this process is."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return tf.distribute.InputContext(1, 0, strategy.num_replicas_in_sync)
    cluster = resolver.cluster_spec().as_dict()
    chiefs = len(cluster.get("chief", []))
    index = resolver.task_id + (chiefs if resolver.task_type == "worker" else 0)
    return tf.distribute.InputContext(
        chiefs + len(cluster.get("worker", [])), index, strategy.num_replicas_in_sync
    )


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Returns whether this process is the one that writes checkpoints, logs and the model."""
    return input_context(strategy).input_pipeline_id == 0


def place(strategy: tf.distribute.Strategy, arrays_of: Callable[[int], Arrays]) -> Arrays:
    """Returns arrays as tensors on the devices, in a structure that `strategy.run` takes.

    Args:
        strategy: Whose devices.
        arrays_of: Takes a replica's number among those of this worker and returns its arrays, of
            one structure for all.
    """
    devices = strategy.extended.worker_devices

    def copy(context: tf.distribute.experimental.ValueContext) -> Arrays:
        replica = context.replica_id_in_sync_group % len(devices)
        with tf.device(devices[replica]):
            return tf.nest.map_structure(tf.identity, arrays_of(replica))

    return strategy.experimental_distribute_values_from_function(copy)
