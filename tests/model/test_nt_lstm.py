"""NT-LSTM, one of the paper's benchmarks, as the recurrent layer that it is: cycles of a step."""

from __future__ import annotations

import numpy as np
import pytest
from network_graphs import Builder

from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.hls.spec.packets import COUNTERS, RUN, STATUS, Kind, Status, build_packet, parse_packet
from eie.host.packing.packer import pack

#: Inputs and units, and the share of weights that are there.
UNITS, DENSITY = 600, 0.1


def read_status(answer: bytes) -> Status:
    return Status(STATUS.parse(parse_packet(answer).payload[-1:])["status"])


@pytest.fixture(scope="module")
def network():
    """Random weights: as many in every row, but for chance."""
    builder = Builder(UNITS, 1, input_frac=11)
    builder.chain(
        UNITS, None, activation="lstm", sum_frac=22, shift=11, density=DENSITY, magnitude=300
    )
    return builder.network()


@pytest.mark.parametrize(
    ("pes", "units", "most"),
    [(64, 4, 4800), (64, 1, 5300), (16, 4, 18_300), (16, 1, 18_700)],
)
def test_cycles_of_a_step(network, pes, units, most) -> None:
    """Of one sequence, whose next step waits for h; zero runs of 6 bits, so that few are cut."""
    design = Design(
        pes=pes,
        index_bits=6,
        entries_per_pe=(1 << 19) // pes,
        pointers_per_pe=2048,
        rows_per_pe=4 * UNITS // pes + 16,
        biases_per_pe=8 * UNITS // pes + 32,
        layers=2,
        hidden_activations=1024,
        held_activations=2048,
        cell_units=units,
        accumulator_bits=48,
        result_depth=32,
    )
    packed = pack(network, design)
    emulator = Emulator(design)
    assert read_status(emulator.process(packed.load_packet())) is Status.OK

    def cycles_of(steps: int) -> int:
        codes = np.random.default_rng(0).integers(-2048, 2048, (steps, UNITS)).astype(np.int16)
        tags = [int(step == 0) << 8 | 1 << 16 for step in range(steps)]
        words = np.ascontiguousarray(packed.in_order_sent(codes)).view("<u8")
        beats = np.concatenate([np.array(tags, "<u8")[:, None], words], axis=1)
        record = RUN.build(
            network_id=packed.network_id,
            batch=steps,
            first=0,
            tagged=1,
            layers=len(packed.layers),
            outputs=steps,
        )
        packet = build_packet(Kind.RUN, 1, np.concatenate([record, beats.ravel()]))
        assert read_status(emulator.process(packet)) is Status.OK
        counters = parse_packet(emulator.process(build_packet(Kind.COUNTERS, 2))).payload
        return COUNTERS.parse(counters)["cycles"]

    assert (cycles_of(6) - cycles_of(2)) / 4 < most
