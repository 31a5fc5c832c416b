"""One PE alone, column fetch and multiply-accumulate: results, counters, and an entry a cycle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.spec.fixed_point import bound, write_back_steps
from eie.hls.spec.packets import SECTION, iterate_sections
from eie.host.network import Layer, Network
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.packer import pack

PROPERTY = settings(max_examples=25, deadline=None, derandomize=True)
#: The PE that pe.cpp drives.
PE = 2
Tokens = list[list[int]]


@pytest.fixture(scope="module", params=[0, 1], ids=["in LUTs", "in block RAM"])
def memories(request, small):
    """Give the small design with its accumulators in either memory."""
    return small.replace(spare_luts=request.param)


@pytest.fixture(scope="module")
def project(project_of, memories):
    return project_of(memories)


@pytest.fixture(scope="module")
def late(memories) -> int:
    """Give the iterations that miss a write to an accumulator."""
    return memories.write_latency


def load_tokens(packed: PackedNetwork, kinds: dict[str, int]) -> Tokens:
    """A load as the PEs see it: sections for every PE."""
    tokens = [[kinds["LoadBegin"], 0]]
    for fields, body in iterate_sections(packed.sections):
        tokens.append([kinds["Section"], int(SECTION.build(**fields)[0])])
        tokens += [[kinds["Data"], int(beat)] for beat in body]
    return tokens


def layer_tokens(packed: PackedNetwork, number: int, values: Sequence[int], kinds) -> Tokens:
    """A layer with the activations `values`, in the order of the layer's columns."""
    base = packed.layers[number].pointer_base
    tokens = [
        [kinds["Activation"], base + column | (int(value) & 0xFFFF) << 24 | number << 40]
        for column, value in enumerate(values)
        if value
    ]
    if len(values) and values[-1]:
        tokens[-1][0] = kinds["LastActivation"]
    else:
        tokens.append([kinds["LayerEnd"], number << 40])
    return tokens


def results_of(packed: PackedNetwork, number: int, values: npt.NDArray[np.int16]) -> list[int]:
    """The PE's results of a layer: plain products over the dense matrix.

    Each has 16 bits, and a mark above them if it was saturated.
    """
    part = packed.layers[number]
    by_slot = np.zeros(part.local_rows * packed.design.pes, np.int64)
    weights = part.layer.dense_weights().astype(np.int64)[:, np.argsort(part.slot_of_column)]
    by_slot[part.slot_of_row] = weights @ values.astype(np.int64) + part.layer.bias
    mine = by_slot[PE :: packed.design.pes]
    rule = part.layer.write_back
    *_, rounded = write_back_steps(mine, rule.shift)
    codes, saturated = bound(rounded, rule)
    return ((codes.astype(np.int64) & 0xFFFF) | saturated.astype(np.int64) << 16).tolist()


def report_of(results: Tokens) -> dict[str, int]:
    """The counters in the last report: low and high halves, row by row."""
    rows = [value for _, value in results[-9:-1]]
    names = ("busy", "starved", "full")
    return {name: rows[2 * i] | rows[2 * i + 1] << 16 for i, name in enumerate(names)}


@pytest.fixture(scope="module")
def run_pe(project, drive, kinds, late):
    """Give run(packed, [(layer, values), ...], stalls, late): results, and the run's cycles.

    Writes to accumulators are late by `late` iterations: as many as the kernel can bear.
    """

    def run(packed, layers, stalls=None, late=late):
        tokens = [*load_tokens(packed, kinds), [kinds["RunBegin"], 1]]
        for number, values in layers:
            tokens += layer_tokens(packed, number, values, kinds)
        tokens += [[kinds["RunDone"], 0], [kinds["Report"], 0x54321], [kinds["PacketEnd"], 0]]
        got = drive(project, "pe.cpp", {"queue": tokens}, late, stalls=stalls)
        return got["results"], got["cycles"][0][0]

    return run


def with_kinds(results: list[int], kinds: dict[str, int]) -> Tokens:
    """Results with their kinds: the last one marked."""
    marked = [[kinds["Value"], value] for value in results]
    marked[-1][0] = kinds["Last"]
    return marked


@PROPERTY
@given(data=st.data())
def test_results_and_counters_under_stalls(
    run_pe, kinds, small, random_network, stall_patterns, data
) -> None:
    shape = data.draw(st.lists(st.integers(1, 60), min_size=2, max_size=4), "shape")
    network = random_network(
        *shape,
        seed=data.draw(st.integers(0, 99), "seed"),
        density=data.draw(st.sampled_from([0.0, 0.05, 0.5, 1.0]), "density"),
        magnitude=900,
    )
    packed = pack(network, small)
    random = np.random.default_rng(data.draw(st.integers(0, 99), "values"))
    layers = []
    for number in data.draw(st.lists(st.integers(0, len(shape) - 2), max_size=4), "layers"):
        values = random.integers(-3000, 3000, shape[number]).astype(np.int16)
        layers.append((number, values * (random.random(shape[number]) < 0.6)))
    stalls = {"queue": data.draw(stall_patterns), "results": data.draw(stall_patterns)}
    results, _ = run_pe(packed, layers, stalls)
    expected = [
        result
        for number, values in layers
        for result in with_kinds(results_of(packed, number, values), kinds)
    ]
    assert results[: len(expected)] == expected
    assert results[-1] == [kinds["End"], 0]
    assert results[-2][0] == kinds["Last"]
    met = sum(
        packed.layers[number].encoded.lengths()[PE][np.flatnonzero(values)].sum()
        for number, values in layers
    )
    report = report_of(results)
    assert report["busy"] == met
    assert report["full"] == 0x54321  # from the broadcast, in the report's token


def column_network(lengths: Sequence[int], rows: int, pes: int) -> Network:
    """A layer in whose column j the PE has entries in its first `lengths[j]` rows."""
    codes = np.zeros((rows * pes, len(lengths)), np.uint8)
    for column, length in enumerate(lengths):
        codes[PE : PE + length * pes : pes, column] = 1 + column % 15
    codebook = np.arange(16, dtype=np.int16) * 3
    layer = Layer.from_dense_codes("layer", codes, codebook=codebook)
    return Network((layer,))


@PROPERTY
@given(lengths=st.lists(st.integers(1, 20), min_size=1, max_size=60))
def test_one_entry_a_cycle(run_pe, late, small, lengths) -> None:
    """II = 1: a layer takes its entries and its rows, and always the same besides.

    Columns of one entry follow one another as fast as entries of one column: nothing drains
    between columns.
    """
    rows = 20
    packed = pack(column_network(lengths, rows, small.pes), small, assignment="natural")
    values = np.arange(1, len(lengths) + 1)
    assert np.diff(packed.layers[0].encoded.pointers[PE]).tolist() == lengths
    results, cycles = run_pe(packed, [(0, values)])
    _, empty = run_pe(packed, [])
    report = report_of(results)
    # Besides the cycle in which the first column is taken off its queue.
    assert (report["busy"], report["starved"]) == (sum(lengths), 1)
    # Rows wait until the last sums are in the memory, and the run's end until their zeros are.
    assert cycles - empty == sum(lengths) + rows + 2 * late - 1


@pytest.mark.parametrize("empty", [0, 1, 7])
def test_empty_columns_cost_the_fetch_a_cycle_and_the_multiplier_nothing(
    run_pe, late, small, empty
) -> None:
    """Behind a long column there is time to look past columns without entries."""
    lengths = [20, *[0] * empty, 20]
    packed = pack(column_network(lengths, 20, small.pes), small, assignment="natural")
    results, cycles = run_pe(packed, [(0, np.ones(len(lengths), np.int16))])
    _, without = run_pe(packed, [])
    report = report_of(results)
    assert (report["busy"], report["starved"]) == (40, 1)
    assert cycles - without == 40 + 20 + 2 * late - 1


def test_a_layer_leaves_the_accumulators_clear(run_pe, kinds, small, random_network) -> None:
    packed = pack(random_network(30, 40, density=0.6, magnitude=900), small)
    values = np.arange(-15, 15, dtype=np.int16) * 100
    once, _ = run_pe(packed, [(0, values)])
    twice, _ = run_pe(packed, [(0, values), (0, values)])
    rows = packed.layers[0].local_rows
    assert twice[:rows] == once[:rows]
    assert twice[rows : 2 * rows] == once[:rows]


def run_layers(run_pe, kinds, packed, layers, **options) -> tuple[bool, int]:
    """Whether the results of layers one after the other are right, and the cycles they take."""
    results, cycles = run_pe(packed, layers, **options)
    expected = [
        result
        for number, values in layers
        for result in with_kinds(results_of(packed, number, values), kinds)
    ]
    return results[: len(expected)] == expected, cycles


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 20])
@pytest.mark.parametrize("columns", [0, 1, 2, 5])
def test_short_layers_one_behind_the_other(run_pe, kinds, small, rows, columns) -> None:
    """Each begins in a bank that was cleared just before, and ends while the other is cleared."""
    lengths = [rows] * columns + [0] * (1 - columns)
    packed = pack(column_network(lengths, rows * 4, small.pes), small, assignment="natural")
    layers = [(0, 999 * np.arange(1, len(lengths) + 1) * (1 + number)) for number in range(6)]
    assert run_layers(run_pe, kinds, packed, layers)[0]


def test_banks_do_not_bear_later_writes(run_pe, late, kinds, small) -> None:
    """So the test above would see a row that is read too soon."""
    packed = pack(column_network([1], 4, small.pes), small, assignment="natural")
    layers = [(0, np.array([3000 * value])) for value in range(1, 6)]
    assert run_layers(run_pe, kinds, packed, layers)[0]
    assert not run_layers(run_pe, kinds, packed, layers, late=late + 1)[0]


def test_a_layer_adds_up_while_the_one_before_is_written_back(run_pe, late, kinds, small) -> None:
    """Layers that take longer than their rows follow one another without a cycle between."""
    rows, columns = 20, 4
    packed = pack(column_network([rows] * columns, rows, small.pes), small, assignment="natural")
    _, empty = run_pe(packed, [])
    for count in (1, 2, 5):
        layers = [(0, np.full(columns, 3000))] * count
        right, cycles = run_layers(run_pe, kinds, packed, layers)
        assert right
        assert cycles - empty == count * rows * columns + rows + 2 * late - 1
