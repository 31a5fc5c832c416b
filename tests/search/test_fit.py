from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.boundary.errors import DoesNotFitError
from eie.hls.model.allowance import allowance_of
from eie.hls.model.area import estimate, shortages
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.design import NO_BOARD, Design
from eie.host.network import Layer, Network
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.packer import pack
from eie.host.run.batch import emulate
from eie.host.search.fit import fit
from eie.host.search.reasons import Way
from eie.host.search.sizing import needed_accumulators, size_on_board

SETTINGS = settings(max_examples=40, deadline=None, derandomize=True, database=None)


@pytest.fixture(scope="module")
def network(random_network) -> Network:
    return random_network(100, 120, 30, density=0.1, magnitude=300, golden=1)


@pytest.mark.parametrize("board", BOARDS)
def test_the_design_holds_the_network_within_the_budget(board, network):
    result = fit(network, board)
    assert result.design.board == board
    assert result.design.clock_mhz == BOARDS[board].clock_mhz
    assert pack(network, result.design).design == result.design
    assert result.estimate == estimate(result.design)
    assert shortages(result.estimate, BOARDS[board]) == ()


@pytest.mark.parametrize("board", ["pynq-z1", "kv260"])
def test_the_chosen_design_is_the_fastest_that_fits(board, network):
    result = fit(network, board)
    fitting = [c for c in result.candidates if c.cycles is not None]
    chosen = next(c for c in fitting if c.design == result.design)
    assert chosen.latency_us == min(c.latency_us for c in fitting)
    for candidate in result.candidates:
        assert (candidate.cycles is None) == bool(candidate.shortages)
        if candidate.cycles is None:
            assert candidate.latency_us is None
        else:
            design = candidate.design
            assert candidate.allowance == allowance_of(design).of(len(network.layers))
            assert candidate.latency_us == (
                (candidate.cycles + candidate.allowance) / design.clock_mhz
            )


def test_predicted_cycles_are_those_of_a_run(network):
    result = fit(network, "pynq-z1")
    chosen = result.chosen
    ran = emulate(network, result.design, network.golden_inputs[:1])
    assert chosen.cycles == ran.report.total_cycles


def test_the_explanation_names_the_chosen_and_what_the_others_lack(network):
    result = fit(network, "pynq-z1")
    lines = result.explain().splitlines()
    (arrow,) = [line for line in lines if line.startswith("->")]
    (chosen,) = [line for line in lines if line.startswith("chosen for ")]
    design = result.design
    assert re.match(
        rf"-> +{design.pes} PEs, {design.index_bits}-bit runs, {design.memory}: at least \d+ cycle",
        arrow,
    )
    assert chosen.startswith("chosen for the lowest latency of one vector: predicted ")
    assert f"at {design.clock_mhz} MHz (a target: not synthesised)" in chosen


def test_of_what_does_not_fit_the_closest_are_shown_and_the_others_counted(network):
    result = fit(network, "pynq-z1")
    lines = result.explain().splitlines()
    refused = [candidate for candidate in result.candidates if candidate.shortages]
    shown = [line for line in lines if "too many" in line and not line.startswith("why not")]
    fitting = [c for c in result.candidates if c.cycles is not None]
    assert len(fitting) + len(refused) == len(result.candidates)
    # The best of each number of PEs.
    of_each = sorted({c.design.pes for c in fitting}, reverse=True)
    found = [re.match(r"(?:->|  ) +(\d+) PEs?, .* cycles a vector", line) for line in lines]
    assert [int(line[1]) for line in found if line] == of_each
    # The numbers of PEs that are next larger than those that fit, one line each.
    most = max(candidate.design.pes for candidate in result.candidates if candidate.cycles)
    larger = [pes for pes in (2 * most, 4 * most, 8 * most) if pes <= 256]
    assert [int(line.split()[0]) for line in shown] == larger
    assert f"   and {len(refused) - len(shown)} other designs that do not fit either" in lines


def test_designs_of_one_pe_are_in_the_singular(network):
    result = fit(network, "pynq-z1", pes=1)
    assert "1 PE, " in result.explain()
    assert "1 PEs" not in result.explain()


@pytest.mark.parametrize(("clock_mhz", "said"), [(None, False), (100, False), (101, True)])
def test_a_clock_above_the_starting_one_is_said_to_be_a_target(clock_mhz, said, network):
    fixed = {} if clock_mhz is None else {"clock_mhz": clock_mhz}
    *_, last = fit(network, "pynq-z2", pes=4, **fixed).explain().splitlines()
    target = (
        "101 MHz is a target that Vivado has to meet, which may be out of reach: the starting "
        "clock for PYNQ-Z2 is 100 MHz"
    )
    assert (last == target) is said
    assert "Vivado" not in fit(network, clock_mhz=1000).explain()


@pytest.mark.parametrize("passes", [False, True])
def test_fewer_pes_that_fit_are_named(passes, network):
    with pytest.raises(DoesNotFitError) as caught:
        fit(network, "pynq-z2", pes=64, passes=passes)
    message = str(caught.value)
    assert "LUT (estimated): needs " in message
    assert message.endswith("\ngive pes=16, which fits, or take a larger board")
    assert fit(network, "pynq-z2", pes=16)
    with pytest.raises(DoesNotFitError):
        fit(network, "pynq-z2", pes=32)


def test_more_pes_are_named_where_one_has_too_many_rows(zero_network):
    with pytest.raises(DoesNotFitError, match="give pes=128, which fits"):
        fit(zero_network(3, 70000), "rfsoc4x2", pes=1)


def test_passes_are_advised_only_where_they_help(random_network):
    network = random_network(2000, 1500, density=0.5, seed=3, magnitude=100)
    with pytest.raises(DoesNotFitError) as caught:
        fit(network, "pynq-z2", pes=4)
    assert str(caught.value).endswith(
        "run it in passes (passes=True), prune it further, or take a larger board"
    )
    assert fit(network, "pynq-z2", pes=4, passes=True).design
    with pytest.raises(DoesNotFitError) as caught:
        fit(network, "pynq-z2", pes=64)
    assert str(caught.value).endswith(
        "give pes=16 and run it in passes (passes=True), or take a larger board"
    )
    with pytest.raises(DoesNotFitError) as caught:
        fit(network, "pynq-z2", pes=64, passes=True)
    assert str(caught.value).endswith("\ngive pes=16, or take a larger board")
    assert caught.value.ways == (Way("give", (("pes", 16),)), Way("larger board"))


def test_the_same_network_gets_the_same_design(network):
    assert fit(network, "pynq-z1") == fit(network, "pynq-z1")


@pytest.mark.parametrize(
    "fixed",
    [
        {"pes": 4},
        {"index_bits": 7},
        {"queue_depth": 4},
        {"entries_per_pe": 65536, "pes": 2},
        {"accumulator_bits": 48},
        {"clock_mhz": 77},
        {"memory": "bram"},
        {"memory": "uram", "pes": 8, "index_bits": 4, "queue_depth": 16},
        {"layers": 3, "rows_per_pe": 200, "biases_per_pe": 300, "hidden_activations": 256},
        {"pointers_per_pe": 300},
    ],
)
@pytest.mark.parametrize("board", ["kv260", NO_BOARD])
def test_what_is_fixed_stays(fixed, board, network):
    design = fit(network, board, **fixed).design
    assert {name: getattr(design, name) for name in fixed} == fixed
    pack(network, design)


def test_without_a_board_it_is_the_papers_array(network):
    result = fit(network)
    design = result.design
    assert (design.pes, design.index_bits, design.queue_depth) == (64, 4, 8)
    assert design.board == NO_BOARD
    assert "64 PEs" in result.explain()
    assert result.explain().startswith("->")
    pack(network, design)


@SETTINGS
@given(
    st.lists(st.integers(1, 200), min_size=2, max_size=4),
    st.sampled_from([0.0, 0.05, 1.0]),
    st.sampled_from([1, 2, 16, 64, 256]),
    st.integers(3, 8),
    st.sampled_from(["natural", "balanced"]),
)
def test_without_a_board_anything_fits(random_network, sizes, density, pes, bits, assignment):
    network = random_network(*sizes, density=density)
    design = fit(network, pes=pes, index_bits=bits, assignment=assignment).design
    pack(network, design, assignment=assignment)


def test_the_natural_order_may_need_more_than_the_balanced():
    codes = np.zeros((6400, 64), np.uint8)
    codes[::64] = 1  # in natural order all on PE 0
    layer = Layer.from_dense_codes("only", codes, codebook=np.arange(16, dtype=np.int16))
    network = Network((layer,))
    balanced, natural = fit(network).design, fit(network, assignment="natural").design
    assert balanced.entries_per_pe < natural.entries_per_pe
    pack(network, natural, assignment="natural")
    with pytest.raises(DoesNotFitError):
        pack(network, balanced, assignment="natural")


def test_capacities_fill_the_memories_they_are_in(network):
    for memory, words in (("bram", 512), ("uram", 4096)):
        design = fit(network, "kv260", memory=memory).design
        assert design.entry_words_per_pe % words == 0
        assert design.pointers_per_pe % 2048 == 0


def _sized(packed: PackedNetwork, **fixed: int) -> Design:
    accumulators = needed_accumulators(packed.network)
    return size_on_board(packed, None, accumulators, fixed)[0]


def test_sizing_keeps_everything_but_capacities(network):
    start = Design(pes=8, index_bits=5, entries_per_pe=1 << 20, queue_depth=5, clock_mhz=9,
                   accumulator_bits=48)  # fmt: skip
    packed = pack(network, start)
    sized = _sized(packed)
    assert (sized.pes, sized.index_bits, sized.queue_depth, sized.clock_mhz) == (8, 5, 5, 9)
    assert sized.entries_per_pe == 512 * 4
    assert pack(network, sized).design == sized
    assert _sized(packed, layers=100).layers == 100


def test_a_network_without_golden_vectors_is_fitted_too(random_network):
    network = random_network(50, 40, magnitude=300)
    design = fit(network, "pynq-z1").design
    assert pack(network, design)


@pytest.mark.parametrize("sizes", [(20, 13, 9), (1, 1, 1), (7, 30, 3, 50)])
def test_cycles_are_predicted_for_any_number_of_columns(random_network, sizes):
    """Compact pointers lie elsewhere than plain ones, unless columns come in eights."""
    network = random_network(*sizes, density=0.5, golden=1, magnitude=900)
    found = fit(network, "pynq-z2", pes=4)
    assert found.design.length_bits
    chosen = next(each for each in found.candidates if each.design == found.design)
    report = emulate(network, found.design, network.golden_inputs[:1]).report
    assert chosen.cycles == report.total_cycles


def test_vectors_go_abreast_for_throughput_alone(network):
    """What is fastest in a batch of all that fits; a vector alone gains nothing."""
    batch = fit(network, "zcu104", pes=8, index_bits=4, goal="throughput")
    assert batch.design.abreast == 4
    assert "8 PEs, 4 vectors abreast, 4-bit runs" in batch.explain()
    one = fit(network, "zcu104", pes=8, index_bits=4, goal="throughput", abreast=1)
    assert 2 * batch.chosen.batch_us < one.chosen.batch_us
    assert fit(network, "zcu104", pes=8, index_bits=4).design.abreast == 1
    two = fit(network, "zcu104", pes=8, index_bits=4, goal="throughput", abreast=2).design
    assert (two.abreast, pack(network, two).design) == (2, two)
