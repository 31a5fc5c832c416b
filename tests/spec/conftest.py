"""One design that differs from the defaults in every parameter."""

from __future__ import annotations

import pytest

from eie.hls.spec.design import Design


@pytest.fixture(scope="session")
def design() -> Design:
    return Design(
        pes=4,
        index_bits=5,
        queue_depth=16,
        entries_per_pe=4096,
        pointers_per_pe=1024,
        length_bits=5,
        rows_per_pe=128,
        biases_per_pe=512,
        layers=4,
        hidden_activations=1024,
        accumulator_bits=36,
        result_depth=64,
        memory="uram",
        weight_bits=4,
        board="kv260",
        clock_mhz=250,
    )
