import urllib.request

import pytest

from tests.pipeline.datasets.certificates import Authority
from tests.pipeline.datasets.servers import Server


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def trusted(authority, monkeypatch):
    """The authority, which clients in this process trust for the test."""
    monkeypatch.setenv("SSL_CERT_FILE", authority.file)
    # From Python 3.12 on urlopen keeps what was trusted when it was first called.
    monkeypatch.setattr(urllib.request, "_opener", None)
    return authority


@pytest.fixture
def server():
    with Server() as running:
        yield running


@pytest.fixture
def destination(tmp_path):
    return str(tmp_path / "data.zip")
