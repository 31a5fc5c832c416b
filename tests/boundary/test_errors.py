from __future__ import annotations

import pytest

from eie.hls.boundary.errors import DesignError, EieError, InputError, Problems


def test_without_a_problem_nothing_is_raised():
    problems = Problems("design")
    assert problems.require(True, "never said") is True
    problems.raise_as(DesignError)


def test_one_problem_is_one_line():
    problems = Problems("design")
    assert problems.require(False, "pes must be 1, not 2") is False
    with pytest.raises(DesignError) as caught:
        problems.raise_as(DesignError)
    assert str(caught.value) == "design: pes must be 1, not 2"


def test_several_problems_are_listed_in_order():
    problems = Problems("design")
    problems.require(False, "first")
    problems.require(True, "never said")
    problems.require(False, "second")
    with pytest.raises(InputError) as caught:
        problems.raise_as(InputError)
    assert str(caught.value) == "design: 2 problems\n  - first\n  - second"


def test_an_input_error_is_also_a_value_error():
    assert issubclass(InputError, EieError)
    assert issubclass(InputError, ValueError)
