from __future__ import annotations

from collections import Counter

import pytest

from eie.hls.spec.dataflow import DEPTHS, wire
from eie.hls.spec.design import Design


def streams_of(pes: int) -> Counter[str]:
    """Every single stream that the design declares."""
    names: Counter[str] = Counter()
    for stream in wire(Design(pes=pes)).streams:
        if stream.count is None:
            names[stream.name] += 1
        else:
            names.update(f"{stream.name}[{index}]" for index in range(stream.count))
    return names


@pytest.mark.parametrize("pes", [1 << power for power in range(9)])
def test_every_stream_has_one_reader_and_one_writer(pes):
    wiring, declared = wire(Design(pes=pes)), streams_of(pes)
    assert set(declared.values()) == {1}
    for side, others in (("reads", "packets_in"), ("writes", "packets_out")):
        ends = Counter(name for process in wiring.processes for name in getattr(process, side))
        assert ends.pop(others) == 1
        assert ends == declared


@pytest.mark.parametrize("pes", [1 << power for power in range(9)])
def test_no_process_has_more_than_four_streams_of_a_kind(pes):
    # A process with many streams does not close timing; hence the trees.
    for process in wire(Design(pes=pes)).processes:
        names = Counter(name.split("[")[0] for name in (*process.reads, *process.writes))
        assert max(names.values()) <= 4, process


@pytest.mark.parametrize("pes", [1, 2, 8, 256])
def test_the_broadcast_reaches_every_pe(pes):
    by_input = {
        process.reads[0]: process
        for process in wire(Design(pes=pes)).processes
        if process.function.startswith("broadcast_")
    }
    reached, open_ends = [], ["activations"]
    while open_ends:
        name = open_ends.pop()
        if name in by_input:
            open_ends += by_input[name].writes
        else:
            reached.append(name)
    assert sorted(reached) == sorted(f"queue[{pe}]" for pe in range(pes))


def test_numbers_of_nodes_are_unique():
    functions = [
        process.function
        for process in wire(Design(pes=256)).processes
        if process.function.startswith("broadcast_")
    ]
    numbers = [function.split("<")[1].split(",")[0] for function in functions]
    assert len(set(numbers)) == len(numbers) == 64 + 16 + 4 + 1


def test_arguments_are_what_a_process_reads_and_writes_and_ports():
    for process in wire(Design(pes=4)).processes:
        assert set(process.reads) | set(process.writes) <= set(process.arguments)


def test_every_depth_is_one_that_is_declared():
    names = {depth.name for depth in DEPTHS.values()} | {
        "kQueueDepth",
        "kResultDepth",
        "kHiddenWords",
    }
    assert {stream.depth for stream in wire(Design(pes=16)).streams} == names


@pytest.mark.parametrize("pes", [1, 8, 64, 256])
def test_data_go_forward_but_for_hidden_vectors(pes):
    # The canonical form of a dataflow region (UG1399): a call reads what earlier ones write.
    processes = wire(Design(pes=pes)).processes
    writer = {name: place for place, each in enumerate(processes) for name in each.writes}
    backward = {
        name
        for place, each in enumerate(processes)
        for name in each.reads
        if writer.get(name, -1) >= place
    }
    assert backward == {"hidden"}
