"""UCI Adult (Census Income) as tf.Examples: settings, component and executor."""
