"""A small network, and what its file holds."""

from __future__ import annotations

import io

import numpy as np
import pytest
from network_archives import Arrays

from eie.host.network import Network


@pytest.fixture(scope="module")
def network(random_network) -> Network:
    return random_network(6, 5, 3, golden=2)


@pytest.fixture(scope="module")
def contents(network, tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("good") / "net.npz"
    network.save(path)
    return path.read_bytes()


@pytest.fixture
def arrays(contents) -> Arrays:
    with np.load(io.BytesIO(contents)) as archive:
        return {name: archive[name] for name in archive.files}
