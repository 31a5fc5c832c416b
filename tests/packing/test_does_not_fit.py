"""A network too large is refused with what is short, by how much, and what helps."""

from __future__ import annotations

import re

import numpy as np
import pytest

from eie.hls.boundary.errors import DoesNotFitError
from eie.hls.spec.design import Design
from eie.host.network import Network
from eie.host.packing.packer import pack

#: What a network of 40-50-30 at density one half takes on four PEs, exactly.
NEEDS = {
    "pointers_per_pe": 42 + 52,
    "biases_per_pe": 16 + 8,
    "rows_per_pe": 16,
    "layers": 2,
    "hidden_activations": 64,
}
HELPS = {
    "entries_per_pe": "raise entries_per_pe, or pes to spread the weights",
    "pointers_per_pe": "raise pointers_per_pe; more PEs do not help",
    "biases_per_pe": "raise biases_per_pe, or pes to spread the rows",
    "rows_per_pe": "raise rows_per_pe, or pes to spread the rows",
    "layers": "raise layers",
    "hidden_activations": "raise hidden_activations",
}


@pytest.fixture(scope="module")
def network(random_network) -> Network:
    return random_network(40, 50, 30, density=0.5)


@pytest.fixture(scope="module")
def needs(network, roomy) -> dict[str, int]:
    packed = pack(network, roomy(4))
    last = packed.layers[-1]
    entries = last.entry_base + np.diff(last.encoded.pe_starts)
    return {**NEEDS, "entries_per_pe": int(entries.max())}


def refusal(network: Network, design: Design) -> list[str]:
    with pytest.raises(DoesNotFitError) as caught:
        pack(network, design)
    message = str(caught.value)
    assert message.startswith("the network does not fit the design (4 PEs): ")
    _, _, problems = message.partition(": ")
    return [line.removeprefix("  - ") for line in problems.splitlines()]


@pytest.mark.parametrize("parameter", HELPS)
def test_each_memory_says_by_how_much_it_is_too_small(parameter, network, needs, roomy):
    steps = {"entries_per_pe": 8, "pointers_per_pe": 2, "hidden_activations": 16}
    step = steps.get(parameter, 1)
    enough = -(-needs[parameter] // step) * step
    pack(network, roomy(4, **{parameter: enough}))
    held = enough - step
    (problem,) = refusal(network, roomy(4, **{parameter: held}))
    needed = needs[parameter]
    assert f": needs {needed}, holds {held} ({needed - held} too many); " in problem
    assert problem.endswith(HELPS[parameter])


def test_what_is_too_large_is_named(network, roomy):
    (problem,) = refusal(network, roomy(4, rows_per_pe=15))
    assert problem.startswith("local rows of layer 'layer0': ")
    (problem,) = refusal(network, roomy(4, hidden_activations=48))
    assert problem.startswith("activations of layer 'layer0', padding rows included: ")
    (problem,) = refusal(network, roomy(4, entries_per_pe=8))
    assert re.match(r"entries of PE [0-3]: needs ", problem)


def test_the_fullest_pe_is_the_one_named(roomy):
    codes = np.zeros((16, 20), np.uint8)
    codes[2::4] = 1  # in natural order all of it on PE 2
    from eie.host.network import Layer

    layer = Layer.from_dense_codes("only", codes, codebook=np.arange(16, dtype=np.int16))
    design = roomy(4, entries_per_pe=72)
    with pytest.raises(DoesNotFitError, match="entries of PE 2: needs 80, holds 72"):
        pack(Network((layer,)), design, assignment="natural")
    pack(Network((layer,)), design, assignment="balanced")


def test_everything_that_is_too_small_is_reported_at_once(network, needs):
    tiny = Design(
        pes=4, entries_per_pe=8, pointers_per_pe=2, rows_per_pe=1, biases_per_pe=1, layers=1,
        hidden_activations=16, accumulator_bits=24,
    )  # fmt: skip
    first, *problems = refusal(network, tiny)
    assert first == f"{len(problems)} problems"
    for parameter, helps in HELPS.items():
        amounts = f"needs {needs[parameter]}, holds {getattr(tiny, parameter)} "
        assert any(amounts in line and line.endswith(helps) for line in problems)
    # Both layers' accumulators, each with its widest row.
    assert sum("raise accumulator_bits" in line for line in problems) == 2
    assert len(problems) == len(HELPS) + 2


def test_a_network_of_one_layer_needs_no_hidden_vectors(random_network, roomy):
    pack(random_network(30, 3000), roomy(4, hidden_activations=16))


def test_an_input_vector_may_be_longer_than_the_hidden_ones(random_network, roomy):
    pack(random_network(3000, 10, 4), roomy(4, hidden_activations=16))


def test_a_layer_too_tall_for_any_design_is_refused_too(random_network):
    design = Design(pes=1, entries_per_pe=8192)
    with pytest.raises(DoesNotFitError, match="local rows of layer 'layer0': needs 70000"):
        pack(random_network(3, 70000, density=0.01), design)
