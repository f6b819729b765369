"""MovieLens as tf.Examples: settings, component and executor."""
