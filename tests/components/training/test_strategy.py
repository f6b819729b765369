import pytest
import tensorflow as tf

from components.training.strategy import create_strategy, input_context, is_chief
from transforms.base.errors import UserError


def test_more_gpus_than_there_are_is_an_error():
    existing = len(tf.config.list_physical_devices("GPU"))
    with pytest.raises(
        UserError, match=f"num_gpus={existing + 1}: this machine has {existing} GPUs"
    ):
        create_strategy(existing + 1)


def test_a_single_process_is_the_chief_and_reads_everything():
    strategy = create_strategy(0)
    context = input_context(strategy)
    assert is_chief(strategy)
    assert (context.num_input_pipelines, context.input_pipeline_id) == (1, 0)
