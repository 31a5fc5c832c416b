"""The reports of a project, and the command that shows them."""

from __future__ import annotations

import shutil

import pytest

from eie.hls.boundary.errors import InputError
from eie.hls.spec.design import Design
from eie.hls.tools.reports import compare_project
from eie.hls.tools.vendor import run_hls
from eie.host.cli.main import main
from eie.host.project.generate import render

CLASSIC = "build/hls/eie/solution/syn/report"
UNIFIED = "build/hls_component/hls/syn/report"
RESULT = "build/vivado/result"


@pytest.fixture
def project(tmp_path):
    """A project in which no tool has run."""
    folder = tmp_path / "project"
    for name, text in render(Design(pes=4, board="pynq-z2")).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def put(source, folder) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, folder)


@pytest.mark.parametrize("folder", [CLASSIC, UNIFIED])
def test_finds_the_synthesis_of_either_flow(reports, project, folder):
    put(reports / "pynq_z2/csynth.xml", project / folder)
    comparison = compare_project(project)
    assert comparison.csynth is not None
    assert comparison.csynth.path == project / folder / "csynth.xml"
    assert (comparison.utilization, comparison.timing) == (None, None)


def test_the_flow_that_the_build_takes_wins(reports, project):
    put(reports / "pynq_z2/csynth.xml", project / CLASSIC)
    put(reports / "kv260/csynth.xml", project / UNIFIED)
    assert compare_project(project).csynth.version == "2020.2"


def test_finds_the_files_of_modules(reports, project):
    for file in (reports / "without_modules").iterdir():
        put(file, project / CLASSIC)
    assert compare_project(project).csynth.modules == ("detect_nonzero", "eie")


def test_finds_what_vivado_left(reports, project):
    put(reports / "pynq_z2/utilization.rpt", project / RESULT)
    comparison = compare_project(project)
    assert comparison.utilization.path == project / RESULT / "utilization.rpt"
    assert (comparison.csynth, comparison.timing) == (None, None)
    put(reports / "pynq_z2/timing.rpt", project / RESULT)
    assert compare_project(project).timing.met


def test_finds_what_the_tool_leaves(reports, project, tmp_path):
    """A stub in Vitis' place leaves its report where the scripts make the tool leave it."""
    stub = tmp_path / "bin" / "vitis_hls"
    stub.parent.mkdir()
    source = reports / "pynq_z2/csynth.xml"
    folder = "hls/eie/solution/syn/report"
    stub.write_text(f"#!/bin/sh\nmkdir -p {folder}\ncp '{source}' {folder}\n")
    stub.chmod(0o755)
    solution = run_hls(project, steps=("csynth",), path=f"{stub.parent}:/usr/bin:/bin")
    comparison = compare_project(project.resolve())
    assert comparison.csynth.path.parent == solution / "syn" / "report"


def test_without_reports_it_says_what_to_run(project):
    with pytest.raises(InputError) as raised:
        compare_project(project)
    assert str(raised.value) == (
        f"project {project} must have reports to compare: run `eie build {project} --hls-only` or "
        f"vitis/run_hls.tcl first, which leaves {project / CLASSIC / 'csynth.xml'}"
    )


def test_the_command_prints_the_comparison(reports, project, capsys):
    put(reports / "pynq_z2/csynth.xml", project / CLASSIC)
    put(reports / "pynq_z2/utilization.rpt", project / RESULT)
    put(reports / "pynq_z2/timing.rpt", project / RESULT)
    assert main(["reports", str(project)]) == 0
    output = capsys.readouterr().out
    assert output == compare_project(project).as_text() + "\n"
    assert "Loops above II 1: none of 2 pipelined ones, in 2 modules." in output


def test_the_command_fails_with_one_message(project, capsys):
    assert main(["reports", str(project)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"eie: project {project} must have reports to compare: run ")


@pytest.mark.parametrize("name", ["utilization.rpt", "timing.rpt"])
def test_a_broken_report_is_an_error_though_others_are_fine(reports, project, capsys, name):
    put(reports / "pynq_z2/csynth.xml", project / CLASSIC)
    (project / RESULT).mkdir(parents=True)
    (project / RESULT / name).write_text("nothing\n")
    assert main(["reports", str(project)]) == 2
    assert f"{RESULT}/{name}: must be one report of" in capsys.readouterr().err
