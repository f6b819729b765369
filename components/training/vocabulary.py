"""Raw ids to embedding rows, in a preprocessing_fn."""

import tensorflow as tf
import tensorflow_transform as tft


def to_rows(ids: tf.Tensor, vocabulary: str) -> tf.Tensor:
    """Returns the place of each id in the vocabulary of the train split, most frequent first.

    An id that is not in it gets the row after the last.

    Args:
        ids: Integers or strings, of any shape.
        vocabulary: The name that the vocabulary gets.

    Returns:
        int64, of the same shape.
    """
    # With weights TFT counts the ids of a batch in its graph, and else each of them in Beam.
    return tft.compute_and_apply_vocabulary(
        ids,
        num_oov_buckets=1,
        vocab_filename=vocabulary,
        weights=tf.ones_like(ids, tf.float32),
    )
