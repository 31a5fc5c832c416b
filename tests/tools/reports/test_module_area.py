"""Processes by their parts beside the modules of a report."""

from __future__ import annotations

import pytest

from eie.hls.model.area import estimate
from eie.hls.spec.design import Design
from eie.hls.tools.reports.module_area import compare_modules, module_areas, modules_as_text

DESIGN = Design(pes=4, board="pynq-z2")


def module(name: str, lut: int | None, ff: int) -> str:
    luts = "" if lut is None else f"<LUT>{lut}</LUT>"
    return (
        f"<Module><Name>{name}</Name><AreaEstimates><Resources><FF>{ff}</FF>{luts}"
        "</Resources></AreaEstimates></Module>"
    )


@pytest.fixture
def report(tmp_path):
    modules = [
        module("multiply_accumulate_0_s", 1000, 900),
        module("multiply_accumulate_1_s", 1200, 1100),
        module("multiply_accumulate_0_Pipeline_entries", 700, 600),  # counted in the process
        module("receive", 5000, 1500),
        module("send", None, 10),
        module("eie", 20000, 15000),
    ]
    path = tmp_path / "csynth.xml"
    path.write_text(f"<profile><ModuleInformation>{''.join(modules)}</ModuleInformation></profile>")
    return path


def test_processes_are_laid_beside_the_mean_of_their_modules(report):
    found = {each.process: each for each in module_areas(report, DESIGN)}
    assert set(found) == {"multiply_accumulate", "receive"}
    one = next(row for row in estimate(DESIGN).rows if row.name == "multiply_accumulate").one
    pe = found["multiply_accumulate"]
    assert (pe.modules, pe.reported) == (2, (1100, 1000))
    assert pe.parts == pytest.approx((one.lut, one.ff))
    assert pe.ratio == pytest.approx(1100 / one.lut)


def test_they_are_a_table_or_nothing(report, tmp_path):
    lines = modules_as_text(module_areas(report, DESIGN)).splitlines()
    assert lines[0].startswith("process, one of a kind")
    assert len(lines) == 3
    assert modules_as_text(()) == ""
    assert compare_modules(tmp_path) == ()
