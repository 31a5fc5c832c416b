"""Deadlocks are found and explained; what only looks like one is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Scenario = Callable[..., dict[str, str]]


def test_diamond_with_a_shallow_branch_names_process_stream_and_depth(scenario: Scenario) -> None:
    assert scenario("diamond", 3, 8)["deadlock"] == (
        "region 'diamond' deadlocked in cycle 3: 2 of 2 processes cannot go on\n"
        "  process 'split' blocked writing full stream 'left' "
        "(depth 3, fill 3, written 3, read 0) since cycle 3\n"
        "  process 'join' blocked reading empty stream 'right' "
        "(depth 2, fill 0, written 0, read 0) since cycle 0"
    )


def test_diamond_runs_when_the_branch_holds_everything(scenario: Scenario) -> None:
    # Eight cycles fill the left branch, the right one is read a cycle after it is written.
    assert scenario("diamond", 8, 8)["cycles"] == "17"


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 6, 7])
def test_feedback_needs_room_for_what_is_under_way(scenario: Scenario, depth: int) -> None:
    # Eight elements go round: two fit on the way there, one is in the worker's hand.
    result = scenario("feedback", depth, 8)
    assert ("deadlock" in result) == (depth < 5)
    if depth >= 5:
        assert "cycles" in result


def test_poller_and_blocked_process_deadlock_after_the_patience(scenario: Scenario) -> None:
    # The last transfer is in cycle 5; the patience is four cycles.
    assert scenario("pollers", 4)["deadlock"] == (
        "region 'pollers' deadlocked in cycle 10: 2 of 2 processes cannot go on\n"
        "  process 'poll' polling empty stream 'polled' "
        "(depth 4, fill 0, written 3, read 3) since cycle 5\n"
        "  process 'block' blocked reading empty stream 'awaited' "
        "(depth 2, fill 0, written 3, read 3) since cycle 6"
    )


@pytest.mark.parametrize(("work", "deadlocked"), [(10, False), (11, True)])
def test_work_with_a_failing_poll_in_each_cycle_is_given_the_patience(
    scenario: Scenario, work: int, deadlocked: bool
) -> None:
    assert ("deadlock" in scenario("poll_while_working", 10, work)) == deadlocked


def test_work_without_streams_is_progress(scenario: Scenario) -> None:
    assert scenario("work_in_silence")["cycles"] == "100"


def test_default_patience_outlasts_the_longest_memory(scenario: Scenario) -> None:
    assert scenario("poll_for_long", 1 << 16)["cycles"] == str(1 << 16)
    assert "deadlock" in scenario("poll_for_long", 1 << 18)


def test_loop_that_never_ends_its_cycle_is_an_error(scenario: Scenario) -> None:
    assert scenario("poll_without_end")["error"] == (
        "process 'poll' must not poll stream 'link' without end of cycle 0: "
        "an end_cycle() belongs into the loop"
    )
