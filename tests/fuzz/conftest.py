"""The fuzzer as its program finds it, and engines that need no compiler."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

# The folder of tests is no package: the fuzzer lies in it.
sys.path.insert(0, str(Path(__file__).parents[1]))

from eie.hls.model.emulator import Emulator
from eie.host.protocol.engine import Engine
from fuzz.twin import DESIGNS, Twin, Twins


@pytest.fixture
def twins() -> Callable[..., Twins]:
    """Make twins in which another engine stands for each compiled kernel."""

    def make(kernel: Callable[..., Engine] = Emulator) -> Twins:
        return Twins([Twin(design, lambda design=design: kernel(design)) for design in DESIGNS])

    return make
