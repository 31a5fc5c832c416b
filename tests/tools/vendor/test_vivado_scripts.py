"""The scripts for Vivado hold together for every board, as far as the mock can tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from eie.hls.spec.block_design import processing_system
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.design import Design
from eie.hls.spec.processing_system import ZYNQ7, ZYNQMP

KEPT = {"eie.bit", "eie.hwh", "utilization.rpt", "timing.rpt", "build.txt", "design.toml"}


def summary(project: Path) -> dict[str, str]:
    lines = (project / "build/vivado/result/build.txt").read_text().splitlines()
    return dict(line.split(" ", 1) for line in lines)


@pytest.mark.parametrize("board_files", ["", "exact", "older"])
def test_runs_with_and_without_board_files(design, packaged, mock, board_files):
    wanted = BOARDS[design.board].board_part
    installed = {"": "", "exact": wanted, "older": f"{wanted.rpartition(':')[0]}:0.9"}[board_files]
    done = mock(packaged / "vivado/build.tcl", boards=f"{installed} some:other:part0:1.0")
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.name for path in (packaged / "build/vivado/result").iterdir()} == KEPT
    found = summary(packaged)
    assert found["board_part"] == (installed or "none")
    assert found["part"] == BOARDS[design.board].part
    assert ("minimal set-up" in done.stdout) == (not installed)


def test_the_clock_is_the_one_that_the_dividers_give(make_project, mock):
    # The mock divides 1.5 GHz: 187.5 MHz is the fastest that is not above 200 MHz.
    project = make_project(Design(pes=4, board="kv260", clock_mhz=200))
    assert mock(project / "vitis/run_hls.tcl").returncode == 0
    assert mock(project / "vivado/build.tcl").returncode == 0
    assert summary(project)["clock_hz"] == "187500000"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"wns": -0.5}, "setup slack is -0.5 ns at 100.0 MHz; a design with clock_mhz = 95 or"),
        ({"whs": -0.01}, "hold slack is -0.01 ns"),
        ({"tpws": -0.2}, "pulse widths are short of -0.2 ns"),
        ({"fail": "synth_1"}, "run synth_1 failed: design ERROR"),
        ({"fail": "impl_1"}, "run impl_1 failed: design ERROR"),
        ({"without": "xilinx.com:ip:xlconcat:2.1"}, "lacks xilinx.com:ip:xlconcat:2.1"),
    ],
)
def test_a_build_that_fails_leaves_no_bitstream(make_project, mock, options, message):
    project = make_project(Design(pes=64, board="pynq-z2"))
    assert mock(project / "vitis/run_hls.tcl").returncode == 0
    assert mock(project / "vivado/build.tcl").returncode == 0
    done = mock(project / "vivado/build.tcl", **options)
    assert done.returncode == 1
    assert message in done.stderr.splitlines()[-1]
    assert done.stderr.splitlines()[-1].startswith("ERROR: eie: ")
    assert not (project / "build/vivado/result/eie.bit").exists()
    assert not (project / "build/vivado/result/build.txt").exists()


def test_the_kernel_must_be_packaged_first(make_project, mock):
    project = make_project(Design(pes=32, board="kv260"))
    done = mock(project / "vivado/build.tcl")
    assert done.returncode == 1
    assert "run vitis/run_hls.tcl first" in done.stderr


def test_the_ip_of_the_unified_flow_is_found(make_project, mock):
    project = make_project(Design(pes=32, board="kv260"))
    assert mock(project / "vitis/run_hls.tcl").returncode == 0
    (project / "build/hls_component/hls/impl").mkdir(parents=True)
    (project / "build/hls/eie/solution/impl/ip").rename(project / "build/hls_component/hls/impl/ip")
    assert mock(project / "vivado/build.tcl").returncode == 0


def test_every_generated_script_says_that_it_was_never_run(project):
    scripts = [*project.rglob("run_hls.tcl"), *project.rglob("*.cfg"), *project.glob("vivado/*")]
    assert len(scripts) == 5
    for script in scripts:
        head = script.read_text()[:400]
        assert "Not yet run in V" in head and "by the authors" in head


def test_names_no_pin_of_the_other_family(design, project):
    text = (project / "vivado/block_design.tcl").read_text()
    mine = processing_system(BOARDS[design.board]).cell.name
    (other,) = {ZYNQ7.cell.name, ZYNQMP.cell.name} - {mine}
    assert mine in text and other not in text
    assert ("PSU__" in text) != ("PCW_" in text)
