"""Engines that need no compiler."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from eie.hls.model.emulator import Emulator
from eie.host.protocol.engine import Engine
from fuzz.twin import DESIGNS, Twin, Twins


@pytest.fixture
def twins() -> Callable[..., Twins]:
    """Make twins in which another engine stands for each compiled kernel."""

    def make(kernel: Callable[..., Engine] = Emulator) -> Twins:
        return Twins([Twin(design, lambda design=design: kernel(design)) for design in DESIGNS])

    return make
