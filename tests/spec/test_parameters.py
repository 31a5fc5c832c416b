"""What is known of a design's parameters, and every place that it comes to."""

from __future__ import annotations

import dataclasses
import re

import pytest

from eie.hls.spec.design import PARAMETERS, RANGES, Design
from eie.hls.spec.parameter import GROUPS


def test_every_field_is_described():
    assert list(PARAMETERS) == [field.name for field in dataclasses.fields(Design)]
    for name, parameter in PARAMETERS.items():
        assert parameter.name == name
        assert parameter.group in GROUPS
        assert parameter.text
        assert bool(parameter.range) != bool(parameter.choices)
        # What is there or not has no unit.
        assert bool(parameter.unit) == (bool(parameter.range) and parameter.range != (0, 1))
        if name != "pes":
            assert parameter.default == getattr(Design(pes=1), name)


def test_defaults_and_what_the_paper_has_are_in_range():
    for name, (low, high) in RANGES.items():
        parameter = PARAMETERS[name]
        if parameter.default is not None:
            assert low <= parameter.default <= high
        assert not parameter.paper or parameter.source, f"where does the paper say {name}?"
        # The paper's sums are of 16 bits, ours are proved not to overflow.
        if parameter.paper and name != "accumulator_bits":
            assert low <= int(parameter.paper) <= high


def test_the_file_says_what_each_parameter_is(design):
    lines = design.to_toml().splitlines()
    for name, parameter in PARAMETERS.items():
        (number,) = [n for n, line in enumerate(lines) if line.startswith(f"{name} = ")]
        assert lines[number - 1] == f"# {parameter.summary}"
    for about in GROUPS.values():
        assert f"# -- {about} --" in lines


def test_a_file_without_comments_is_the_same_design(design):
    plain = re.sub(r"(?m)^#.*\n", "", design.to_toml())
    assert "#" not in plain
    assert Design.from_toml(plain) == design


def test_help_has_every_parameter():
    sections = re.findall(r"(?m)^    (\w+)\n    -+$", Design.__doc__)
    assert sections == ["Parameters", "Raises"]
    for name, parameter in PARAMETERS.items():
        assert re.search(rf"(?m)^    {name} : (int|str)$", Design.__doc__)
        assert parameter.summary in Design.__doc__


def test_printed_a_design_is_a_table_and_its_repr_makes_it_again(design):
    lines = str(design).splitlines()
    assert {line.split()[0] for line in lines} == set(PARAMETERS)
    for name, value in design.parameters().items():
        assert re.search(rf"(?m)^{name} +{value}\b", str(design))
    assert eval(repr(design)) == design
    html = design._repr_html_()
    assert html.startswith("<table>")
    assert html.count("<tr>") == len(PARAMETERS) + 1


@pytest.mark.parametrize("name", ["index_bits", "memory", "board", "weight_bits"])
def test_a_summary_says_values_default_and_paper(name):
    assert {
        "index_bits": "width of an entry's zero run z (3 to 8 bits; default 4; paper: 4)",
        "memory": "where the weights live: block RAM or UltraRAM (bram, uram; default bram)",
        "board": "board whose part it is built for (none, pynq-z1, pynq-z2, ultra96-v2, aup-zu3, "
        "kv260, zcu104, rfsoc4x2; default none)",
        "weight_bits": "width of a weight's code, fixed for now (4 bits; default 4; paper: 4)",
    }[name] == PARAMETERS[name].summary
