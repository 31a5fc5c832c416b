"""Designs large enough for anything that the tests pack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from eie.hls.spec.design import Design


@pytest.fixture(scope="session")
def roomy() -> Callable[..., Design]:
    """Make a design whose memories hold every network of these tests."""

    def make(pes: int, index_bits: int = 4, **others: Any) -> Design:
        sizes = {
            "entries_per_pe": 1 << 20,
            "pointers_per_pe": 1 << 16,
            "rows_per_pe": 1 << 12,
            "biases_per_pe": 1 << 12,
            "hidden_activations": 1 << 12,
            "accumulator_bits": 48,
            "bounds": 1,
        }
        return Design(pes=pes, index_bits=index_bits, **{**sizes, **others})

    return make
