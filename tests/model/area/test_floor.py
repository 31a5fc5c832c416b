"""The floor of the kernel's area: what is counted in, and what a board's budget says to it."""

from __future__ import annotations

from calibration.floor import TARGETS, Target, change_rows, rest_rows
from eie.hls.model.area.savings import SAVINGS


def test_sixteen_pes_can_be_had_on_a_pynq_z2_and_what_a_pe_may_take_says_so():
    wanted = [Target.of(*TARGETS[0])]
    head, before, *changes, budget = change_rows(wanted)
    assert [row[0] for row in changes] == [each.name for each in SAVINGS]
    assert all(len(row) == len(head) for row in (before, *changes, budget))
    luts = [int(row[5].replace(",", "")) for row in (before, *changes) if row[5] != "-"]
    assert luts == sorted(luts, reverse=True)
    allowed = int(budget[5].replace(",", ""))
    assert luts[-1] < allowed < luts[0]
    rest = {row[0]: row[1] for row in rest_rows(wanted)}
    takes, may = (int(rest[name].replace(",", "")) for name in ("all of a PE", "a PE may take"))
    assert takes < may
