"""What the tests of every feature need: small random networks, and golden files to rewrite."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from eie.host.network import Layer, Network


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite tests/golden from what the templates give now",
    )


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compiled kernels are kept with the tests' other files, not with the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def random_network() -> Callable[..., Network]:
    """Make a network of random weights: ``random_network(inputs, hidden, ..., outputs)``."""

    def make(
        *sizes: int,
        seed: int = 0,
        density: float = 0.3,
        magnitude: int = 3000,
        shift: int = 8,
        activation: str | None = None,
        golden: int = 0,
    ) -> Network:
        """Every layer reads and writes 8 fraction bits; ReLU in all but the last by default."""
        random = np.random.default_rng(seed)
        layers = []
        for number, (columns, rows) in enumerate(itertools.pairwise(sizes)):
            codebook = random.integers(-magnitude, magnitude + 1, 16).astype(np.int16)
            codebook[0] = 0
            codes = random.integers(1, 16, (rows, columns))
            last = number == len(sizes) - 2
            layers.append(
                Layer.from_dense_codes(
                    f"layer{number}",
                    (codes * (random.random(codes.shape) < density)).astype(np.uint8),
                    codebook=codebook,
                    bias=random.integers(-(magnitude**2), magnitude**2 + 1, rows),
                    activation=activation or ("none" if last else "relu"),
                    input_frac=8,
                    weight_frac=shift,
                    output_frac=8,
                )
            )
        return Network(
            tuple(layers),
            random.integers(-3000, 3000, (golden, sizes[0])).astype(np.int16),
            random.integers(-3000, 3000, (golden, sizes[-1])).astype(np.int16),
            {"origin": f"random, seed {seed}"},
        )

    return make
