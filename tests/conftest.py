import os

import pytest

# Before TensorFlow is imported by any test: its start-up messages would drown a failure.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

_SHARED = os.path.join(os.path.dirname(__file__), "..", "..", "shared", "data")


@pytest.fixture(scope="session")
def real_data():
    """The folder with the real data sets, which are not part of the project."""
    if not os.path.isdir(_SHARED):
        pytest.skip("the real data sets are not here")
    return os.path.abspath(_SHARED)
