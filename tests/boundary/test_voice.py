"""Advice speaks of arguments in Python, and of options on the command line."""

from __future__ import annotations

from eie.hls.boundary.voice import argument, as_command, either


def words() -> tuple[str, ...]:
    return (
        argument("lut_budget"),
        argument("density", 0.2),
        argument("passes", True),
        argument("calibration", "x"),
        either("eie.fit", "`eie fit`"),
    )


def test_two_voices():
    python = ("lut_budget", "density=0.2", "passes=True", "calibration=x", "eie.fit")
    assert words() == python
    with as_command():
        assert words()[:3] == ("--lut-budget", "--density 0.2", "--passes")
        assert words()[4] == "`eie fit`"
        with as_command(calibration="--data"):
            assert words()[3] == "--data x"
            assert words()[0] == "--lut-budget"
        assert words()[3] == "--calibration x"
    assert words() == python
