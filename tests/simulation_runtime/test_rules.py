"""The rules of streams and regions, and how exceptions leave a region."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Scenario = Callable[..., dict[str, str]]


@pytest.mark.parametrize(
    ("kind", "role", "first", "second"),
    [
        (0, "writer", "first", "third"),
        (1, "reader", "second", "third"),
        (2, "reader", "second", "third"),  # empty() belongs to the reader
        (3, "writer", "first", "second"),  # full() belongs to the writer
    ],
)
def test_second_process_at_an_end_is_an_error(
    scenario: Scenario, kind: int, role: str, first: str, second: str
) -> None:
    assert scenario("two_users", kind)["error"] == (
        f"stream 'shared' must have one {role}, not both process '{first}' and process '{second}'"
    )


@pytest.mark.parametrize(("kind", "verb"), [(0, "read"), (1, "write"), (2, "read"), (3, "write")])
def test_second_transfer_in_a_cycle_is_an_error(scenario: Scenario, kind: int, verb: str) -> None:
    assert scenario("twice", kind)["error"] == (
        f"process 'hasty' must not {verb} stream 'link' twice in cycle 3: "
        "a port moves one element a cycle; an end_cycle() belongs between"
    )


def test_leftover_is_an_error_inside_the_region_only(scenario: Scenario) -> None:
    inside = scenario("leave_elements", 0)
    assert inside["leftover"] == (
        "region 'untidy' ended with elements left in its streams\n"
        "  stream 'used' (depth 4, fill 1, written 3, read 2)"
    )
    assert inside["left"] == "1"
    external = scenario("leave_elements", 1)
    assert external["cycles"] == "3"
    assert external["left"] == "1"


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (0, "region 'inner' must not run inside region 'outer'"),
        (1, "region 'outer' must run once; make a new one for another run"),
        (2, "size of stream 'link' must not be asked in a region"),
    ],
)
def test_misuse_is_an_error(scenario: Scenario, kind: int, message: str) -> None:
    assert scenario("misuse", kind)["error"] == message


def test_test_bench_may_use_streams_but_has_nobody_to_wait_for(scenario: Scenario) -> None:
    assert scenario("outside") == {
        "empty": "1",
        "read_nb": "0",
        "value": "7",
        "read": "read outside a region must find an element, but found empty stream 'link' "
        "(depth 2, fill 0, written 0, read 0)",
        "write_nb": "1",
        "full": "1",
        "again": "0",
        "write": "write outside a region must find a slot, but found full stream 'link' "
        "(depth 2, fill 2, written 2, read 0)",
        "second": "2",
        "depth": "depth of stream 'link' must be at least 1, not 0",
        "stall": "stall of stream 'link' must be a fraction below 1, not 4/4",
    }


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (0, {"process_error": "process 'failing': out of luck", "nested": "out of luck"}),
        (1, {"logic_error": "out of reason"}),
        (2, {"int": "42"}),
    ],
)
def test_exception_leaves_the_region_and_unwinds_the_others(
    scenario: Scenario, kind: int, expected: dict[str, str]
) -> None:
    result = scenario("exception", kind)
    assert result["alive"] == "4"
    assert result["alive_after"] == "0"
    assert "unreachable" not in result
    # The stream that a process was blocked on works in the next region.
    assert result["value"] == "5"
    for key, message in expected.items():
        assert result[key] == message


def test_exception_of_the_last_process_leaves_the_region(scenario: Scenario) -> None:
    assert scenario("exception_in_last_process")["process_error"] == "process 'throws': at once"
