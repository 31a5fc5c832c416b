"""The reports of a project, and the command that shows them."""

from __future__ import annotations

import shutil

import pytest

from eie.hls.boundary.errors import InputError
from eie.hls.model.allowance import ASSUMED, allowance_of
from eie.hls.spec.design import Design
from eie.hls.tools.reports import compare_project, project_allowance
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


def test_finds_the_log_of_the_synthesis(reports, project):
    put(reports / "pynq_z2/csynth.xml", project / CLASSIC)
    assert compare_project(project).log is None
    # What the tool writes itself, and what `eie build` keeps, which goes before.
    for name in ("build/hls/eie/solution/solution.log", "build/hls.log"):
        shutil.copy(reports / "logs/of_2020.log", project / name)
        assert compare_project(project).log.path == project / name
    # Another flow's.
    put(reports / "pynq_z2/csynth.xml", project / UNIFIED)
    shutil.rmtree(project / "build/hls")
    assert compare_project(project).log is None


def test_finds_the_paths_of_the_implementation(reports, project):
    (project / "design.toml").write_text(Design(pes=4, board="zcu104", clock_mhz=200).to_toml())
    put(reports / "missed_clock/timing.rpt", project / RESULT)
    comparison = compare_project(project)
    assert len(comparison.paths) == 4
    assert "Slack by module after routing" in comparison.as_text()


@pytest.mark.parametrize(("name", "folder"), [("csynth.xml", CLASSIC), ("timing.rpt", RESULT)])
def test_reports_of_another_design_are_refused_by_name(reports, project, capsys, name, folder):
    put(reports / "pynq_z2" / name, project / folder)
    record = project / folder / "design.toml"
    shutil.copy(project / "design.toml", record)
    compare_project(project)
    record.write_text(Design(pes=8, board="pynq-z2", clock_mhz=125).to_toml())
    assert main(["reports", str(project)]) == 2
    assert (
        f"the reports in {project / folder} must be of the design of {project}, not of another "
        "one: pes 8 there, 4 here; clock_mhz 125 there, 100 here; run the tools again"
    ) in capsys.readouterr().err


def test_a_report_of_more_pes_is_refused(reports, project):
    (project / "design.toml").write_text(Design(pes=2, board="zcu104", clock_mhz=200).to_toml())
    put(reports / "missed_clock/csynth.xml", project / CLASSIC)
    with pytest.raises(InputError, match=r"must be about 2 PEs, not 4 or more: it has modules of"):
        compare_project(project)


def test_the_depths_of_a_project_replace_the_assumed_ones(reports, project):
    design = Design(pes=4, board="zcu104", clock_mhz=200)
    (project / "design.toml").write_text(design.to_toml())
    assert project_allowance(project, design) == allowance_of(design)
    assert project_allowance(project / "nothing", design) == allowance_of(design)
    put(reports / "missed_clock/csynth.xml", project / CLASSIC)
    found = project_allowance(project, design)
    assert found.source == "depths of csynth.xml, Vitis HLS 2022.2"
    # What is of another design, or broken, is of no use; and that is said.
    (project / CLASSIC / "design.toml").write_text(design.replace(pes=8).to_toml())
    found = project_allowance(project, design)
    assert (
        found.source == f"{ASSUMED}: the project's synthesis is of no use, `eie reports` says why"
    )
    assert found.layer == allowance_of(design).layer


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
