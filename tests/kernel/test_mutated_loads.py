"""Loads that contradict themselves, with right CRCs: kernel and emulator answer each one the same.

Both refuse it with the same status, or both take it and a run after it gives the same outputs and
counters, and so does one that goes on from a state put there; and the next good load is as good as
ever. The kernel is compiled with sanitizers where it is asked 10,000 times; it says itself when it
stops, and may take no longer than its time-out.
"""

from __future__ import annotations

import resource
from collections import Counter

import numpy as np
import pytest
from fuzz.mutated_loads import mutated_load
from fuzz.packets_after_load import run_after, state_after
from network_graphs import Builder, named_network

from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.hls.spec.packets import STATUS, Kind, Status, build_packet
from eie.host.network.network import Network
from eie.host.packing.packer import pack

#: Pointers plain and compact in one beat and in two, entries of 7 to 12 bits, PEs with and without
#: padding words, accumulators down to the narrowest, both memories, vectors one by one and abreast.
DESIGNS = {
    "1 PE": Design(pes=1, rows_per_pe=64, biases_per_pe=128, entries_per_pe=2048, layers=4),
    "2 PEs, 24 bits": Design(
        pes=2, accumulator_bits=24, length_bits=4, hidden_activations=160, abreast=2
    ),
    "4 PEs, short": Design(pes=4, length_bits=5, index_bits=5, accumulator_bits=32, memory="uram"),
    "4 PEs, long": Design(pes=4, length_bits=7, index_bits=8, result_depth=5, layers=2),
    "16 PEs": Design(pes=16, index_bits=3, entries_per_pe=512, rows_per_pe=8, memory="uram"),
    "32 PEs": Design(pes=32, index_bits=6, entries_per_pe=128, rows_per_pe=4, biases_per_pe=16),
    # Layers that hold, add and remember; with a cell unit and without.
    "1 PE, held": Design(
        pes=1,
        held_activations=1024,
        bounds=1,
        entries_per_pe=4096,
        hidden_activations=384,
        abreast=4,
    ),
    "4 PEs, sequences": Design(
        pes=4, held_activations=512, cell_units=2, bounds=1, length_bits=6, hidden_activations=64
    ),
    "8 PEs, sequences": Design(
        pes=8, held_activations=256, cell_units=4, counters=0, hidden_activations=32
    ),
}
#: Networks of those that hold.
GRAPHS = {
    "1 PE, held": lambda: named_network("long residual"),
    "4 PEs, sequences": lambda: sequences("lstm"),
    "8 PEs, sequences": lambda: sequences("gru"),
}
SIZES = (21, 37, 11)
#: How many each design takes under sanitizers: those that are quick take most of them.
PER_DESIGN = {
    "1 PE": 3400,
    "2 PEs, 24 bits": 2700,
    "4 PEs, short": 1700,
    "4 PEs, long": 1700,
    "16 PEs": 400,
    "32 PEs": 100,
    "1 PE, held": 2000,
    "4 PEs, sequences": 2000,
    "8 PEs, sequences": 600,
}
#: How a run ends behind a load that is taken.
RAN = (Status.OK, Status.BAD_BATCH, Status.BAD_LAYERS, Status.BAD_TAG, Status.NO_STATE)
#: Bytes that the emulator may take for all of them.
MOST_MEMORY = 256 << 20
#: Until a kernel that does not answer is given up. It says itself when its processes stop.
SECONDS = 300.0


def sequences(kind: str) -> Network:
    """Give a recurrent layer on what a layer gives, with a residual around it and one behind."""
    builder = Builder(19, 3)
    one = builder.chain(12, None, activation="relu")
    builder.chain(12, None, activation=kind)
    builder.chain(7, None, one, activation="tanh")
    return builder.network()


def packed_for(design, random_network):
    for name, network in GRAPHS.items():
        if DESIGNS[name] == design:
            return pack(network(), design)
    magnitude = 20 if design.accumulator_bits == 24 else 400
    return pack(random_network(*SIZES, density=0.4, magnitude=magnitude), tight(design))


def tight(design: Design) -> Design:
    """Memories that the network all but fills, so that their ends are near."""
    local = [design.local_rows(rows) for rows in SIZES[1:]]
    pointers = sum(design.pointers_of(columns) for columns in SIZES[:-1])
    return design.replace(
        rows_per_pe=max(local),
        biases_per_pe=sum(local) + 3,
        pointers_per_pe=pointers + 8,
        entries_per_pe=-(-1000 // design.pes) // 8 * 8 + 40,
        hidden_activations=max(local[0] * design.pes, 16),
    )


def status_of(answer: bytes) -> Status:
    return Status(STATUS.parse(np.frombuffer(answer, "<u8")[-2:-1])["status"])


class Pair:
    """A kernel and an emulator that must answer every packet alike."""

    def __init__(self, kernel, emulator) -> None:
        self.kernel, self.emulator = kernel, emulator

    def ask(self, packet: bytes, story: str) -> tuple[Status, bytes]:
        answer = self.kernel.process(packet)
        expected = self.emulator.process(packet)
        assert status_of(answer) is status_of(expected), (story, self.emulator.load_problems)
        assert answer == expected, story
        return status_of(answer), answer


def try_loads(packed, pair: Pair, numbers) -> Counter:
    """Send mutated loads, runs after them and good loads; count how they ended."""
    good, counters = packed.load_packet(1), build_packet(Kind.COUNTERS, 3)
    width = packed.layers[0].layer.columns
    inputs = np.random.default_rng(5).integers(-900, 900, (5, width)).astype(np.int16)
    run = packed.run_packet(inputs, 2)
    assert pair.ask(good, "good load")[0] is Status.OK
    _, right = pair.ask(run, "good run")
    ends: Counter[str] = Counter()
    for number in numbers:
        load, story = mutated_load(packed, number)
        story = f"load {number}: {story}"
        status, _ = pair.ask(load, story)
        ran, outputs = pair.ask(run_after(load, number), f"run after {story}")
        if status is Status.OK:
            changed = load[16:] != good[16:]
            ends["taken, another network" if changed else "taken, the same network"] += 1
            assert ran in RAN, story
            ends[f"ran {ran.name}"] += 1
            put, _ = pair.ask(state_after(load, number), f"state after {story}")
            ends[f"state {put.name}"] += 1
            on = run_after(load, number + 1, goes_on=True)
            if put is Status.OK and pair.ask(on, f"going on after {story}")[0] is Status.OK:
                ends["went on"] += 1
            assert pair.ask(counters, f"counters after {story}")[0] is Status.OK
        else:
            ends[status.name] += 1
            assert ran is Status.NO_NETWORK, story
            assert outputs[16:-8] == STATUS.build(status=ran, network_id=0).tobytes(), story
        assert pair.ask(good, f"good load after {story}")[0] is Status.OK
        assert pair.ask(run, f"good run after {story}")[1] == right, story
    assert pair.kernel.registers == pair.emulator.registers
    return ends


def test_a_mutated_load_comes_from_its_number_alone(random_network):
    packed = packed_for(DESIGNS["4 PEs, long"], random_network)
    assert mutated_load(packed, 3) == mutated_load(packed, 3)
    assert mutated_load(packed, 3) != mutated_load(packed, 4)


@pytest.mark.parametrize(
    "name", ["1 PE", "4 PEs, short", "4 PEs, long", "1 PE, held", "4 PEs, sequences"]
)
def test_kernel_and_emulator_answer_alike(project_of, open_kernel, random_network, name):
    packed = packed_for(DESIGNS[name], random_network)
    with open_kernel(project_of(packed.design), timeout=SECONDS) as kernel:
        pair = Pair(kernel, Emulator(packed.design))
        ends = try_loads(packed, pair, range(150))
    assert ends["taken, another network"] > 10
    assert ends["BAD_CONTENTS"] > 40
    assert ends["BAD_SECTION"] > 10
    if packed.network.recurrent:
        assert ends["state OK"] > 10 and ends["went on"] > 3


@pytest.mark.slow
@pytest.mark.parametrize("name", DESIGNS)
def test_ten_thousand_under_sanitizers(project_of, open_kernel, random_network, monkeypatch, name):
    """No address outside of a memory, no undefined behaviour, and no memory that grows."""
    monkeypatch.setenv("ASAN_OPTIONS", "detect_stack_use_after_return=1")
    flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    # The vendor's integers extend signs by shifting negative numbers left.
    flags += ["-fno-sanitize=shift-base"]
    packed = packed_for(DESIGNS[name], random_network)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with open_kernel(project_of(packed.design), flags=flags, timeout=SECONDS) as kernel:
        pair = Pair(kernel, Emulator(packed.design))
        ends = try_loads(packed, pair, range(PER_DESIGN[name]))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
    loads = sum(ends[end] for end in ends if not end.startswith(("ran ", "state ", "went ")))
    assert loads == PER_DESIGN[name]
    assert grown < MOST_MEMORY
