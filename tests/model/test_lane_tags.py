"""A step whose state is not there: what its run gives, though it is void, is nobody else's."""

from __future__ import annotations

import numpy as np
import pytest

from eie.hls.model.emulator import Emulator
from eie.hls.spec.packets import STATUS, Status, parse_packet
from eie.host.packing.packer import pack
from eie.host.packing.run_tags import RunTags


@pytest.mark.parametrize("start", [True, False])
def test_without_a_state_it_starts_from_zeros(recurrent_network, recurrent_design, start):
    packed = pack(recurrent_network, recurrent_design)
    steps = recurrent_network.golden_inputs

    def run(emulator: Emulator, *, start: bool) -> tuple[Status, np.ndarray]:
        tags = RunTags.of_sequence(len(steps), start=start)
        payload = parse_packet(emulator.process(packed.run_packet(steps, 1, tags))).payload
        return Status(STATUS.parse(payload[-1:])["status"]), payload[:-1]

    fresh, used = Emulator(recurrent_design), Emulator(recurrent_design)
    for each in (fresh, used):
        each.process(packed.load_packet())
    status, wanted = run(fresh, start=True)
    assert status is Status.OK
    assert run(used, start=True)[0] is Status.OK
    # Ends all states, and leaves what they were in the memories.
    used.process(packed.run_packet(steps, 2))
    status, found = run(used, start=start)
    assert status is (Status.OK if start else Status.NO_STATE)
    np.testing.assert_array_equal(found, wanted)
