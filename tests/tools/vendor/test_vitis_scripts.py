"""The scripts for Vitis HLS: both flows, every step, every board."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from eie.hls.spec.boards import BOARDS
from eie.hls.spec.dataflow import BLOCKS, wire
from eie.hls.spec.design import Design, target_board
from eie.hls.spec.registers import VLNV
from eie.hls.tools.gxx import ap_types_folder
from eie.hls.tools.vendor import DEFAULT_STEPS, STEPS


@pytest.fixture
def choose(monkeypatch):
    return lambda *steps: monkeypatch.setenv("EIE_HLS_STEPS", " ".join(steps))


@pytest.fixture
def small(make_project):
    return make_project(Design(pes=4, board="pynq-z1"))


def results(project: Path) -> set[str]:
    solution = project / "build/hls/eie/solution"
    made = {
        "csim": "csim/report/eie_csim.log",
        "csynth": "syn/report/csynth.rpt",
        "export": "impl/ip/component.xml",
    }
    return {step for step, name in made.items() if (solution / name).exists()}


def test_runs_the_default_steps(design, project, mock):
    done = mock(project / "vitis/run_hls.tcl")
    assert (done.returncode, done.stderr) == (0, "")
    assert results(project) == set(DEFAULT_STEPS)
    assert (project / "build/hls/eie/solution/impl/ip/component.xml").read_text().strip() == VLNV


@pytest.mark.parametrize(
    "steps", [("csim",), ("csynth",), ("csynth", "export"), ("csim", "csynth"), STEPS]
)
def test_runs_the_steps_that_the_environment_names(small, mock, choose, steps):
    choose(*steps)
    done = mock(small / "vitis/run_hls.tcl")
    assert (done.returncode, done.stderr) == (0, "")
    assert results(small) == set(steps)


def test_later_steps_take_an_earlier_synthesis(small, mock, choose):
    choose("csynth")
    assert mock(small / "vitis/run_hls.tcl").returncode == 0
    choose("export")
    assert mock(small / "vitis/run_hls.tcl").returncode == 0
    assert results(small) == {"csynth", "export"}


def test_synthesis_starts_afresh(small, mock, choose):
    choose("csynth", "export")
    assert mock(small / "vitis/run_hls.tcl").returncode == 0
    choose("csynth")
    assert mock(small / "vitis/run_hls.tcl").returncode == 0
    assert results(small) == {"csynth"}


def test_refuses_a_step_that_does_not_exist(small, mock, choose):
    choose("csynth", "place")
    done = mock(small / "vitis/run_hls.tcl")
    assert done.returncode == 1
    assert done.stderr.strip() == "step must be one of csynth, export, csim, not 'place'"


def test_export_without_synthesis_fails(small, mock, choose):
    choose("export")
    assert mock(small / "vitis/run_hls.tcl").returncode == 1
    assert results(small) == set()


def test_a_failing_test_bench_hides_no_synthesis(small, mock, choose):
    choose(*STEPS)
    done = mock(small / "vitis/run_hls.tcl", csim=1)
    assert done.returncode == 1
    assert results(small) == {"csynth", "export"}


@pytest.mark.parametrize("name", ["kernel/eie.cpp", "testbench/testbench.cpp"])
def test_a_missing_source_is_named(small, mock, name):
    (small / name).unlink()
    done = mock(small / "vitis/run_hls.tcl")
    assert done.returncode == 1
    assert f"no such file: {small / name}" in done.stderr


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("csynth_design", "synth_design", "unknown command 'synth_design'"),
        ("-ipname", "-ip_name", "export_design has no option -ip_name"),
        (r"set_top \$top\n", "", "set_top is missing"),
        (r"create_clock .*\n", "", "create_clock is missing"),
        (r"set_part .*\n", "", "set_part is missing"),
        (r"_uncertainty (\d+)%", r"_uncertainty \1per", "must be ns or per cent, not 27per"),
        ("-flow_target vivado", "-flow_target vitis", "-flow_target must be vivado"),
        ("-format ip_catalog", "-format xo", "-format must be ip_catalog, not xo"),
        ("root kernel]", "root kernels]", "no such file: .*/kernels"),
        ("config_storage fifo", "config_storage stream", "fifo is the only type, not stream"),
        ("-impl srl", "-impl srls", "unknown -impl srls"),
    ],
)
def test_the_mock_catches_mistakes(small, mock, old, new, message):
    script = small / "vitis/run_hls.tcl"
    text, count = re.subn(old, new, script.read_text())
    assert count > 0
    script.write_text(text)
    done = mock(script)
    assert done.returncode == 1
    assert re.search(message, done.stderr)


def settings(config: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in config.splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def script_flags(script: str, name: str, root: object) -> str:
    """Take the compiler flags called `name` from run_hls.tcl, with `root` as the project."""
    (value,) = re.findall(rf'set {name} "(.*)"\n', script)
    value = re.sub(r"\[file join \$root (\w+)\]", rf"{root}/\1", value)
    return re.sub(r"\$(\w+)", lambda match: script_flags(script, match.group(1), root), value)


def test_the_kernel_compiles_with_the_flags_of_c_simulation(small, tmp_path):
    """The tool adds its own folder behind a file's flags: its streams must not be found first."""
    for name in ("hls_stream.h", "ap_axi_sdata.h"):
        (tmp_path / name).write_text("#error the tool's own header\n")
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("g++ is not installed")
    flags = script_flags((small / "vitis/run_hls.tcl").read_text(), "simulation_flags", small)
    tool = [f"-I{tmp_path}", "-isystem", str(ap_types_folder())]
    command = [compiler, "-fsyntax-only", "-w", *flags.split(), *tool, "kernel/eie.cpp"]
    done = subprocess.run(command, cwd=small, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_both_flows_say_the_same(design, project):
    script = (project / "vitis/run_hls.tcl").read_text()
    config = settings((project / "vitis/hls_config.cfg").read_text())
    board = BOARDS[design.board]
    period = f"{1000 / design.clock_mhz:.3f}"
    assert config["part"] == [board.part] and f"set_part {board.part}\n" in script
    assert config["clock"] == [f"{period}ns"] and f"create_clock -period {period} " in script
    margin = f"{design.clock_uncertainty}%"
    assert config["clock_uncertainty"] == [margin] and f"set_clock_uncertainty {margin}\n" in script
    assert config["syn.top"] == ["eie"] and "set top eie\n" in script
    for key, option in zip(
        ("vendor", "library", "name", "version"),
        ("vendor", "library", "ipname", "version"),
        strict=True,
    ):
        (value,) = config[f"package.ip.{key}"]
        assert f"-{option} {value} " in script.replace("\\\n", " ")
    assert (
        ":".join(config[f"package.ip.{key}"][0] for key in ("vendor", "library", "name", "version"))
        == VLNV
    )
    for flags, keys in {
        "synthesis_flags": ("syn.cflags",),
        "simulation_flags": ("syn.csimflags", "tb.cflags"),
    }.items():
        for key in keys:
            assert config[key] == [script_flags(script, flags, "..")]
    assert config["syn.storage"] == ["fifo impl=srl"]
    assert "\nconfig_storage fifo -impl srl\n" in script
    assert config["flow_target"] == ["vivado"] and "-flow_target vivado" in script


#: A design that has every block.
ALL_BLOCKS = Design(pes=4, board="pynq-z2", held_activations=64, cell_units=1)


@pytest.mark.parametrize("block", BLOCKS)
def test_one_part_of_the_kernel_alone(make_project, mock, monkeypatch, block):
    project = make_project(ALL_BLOCKS)
    monkeypatch.setenv("EIE_HLS_BLOCK", block)
    done = mock(project / "vitis/run_hls.tcl")
    assert done.returncode == 0, done.stderr
    assert (project / "build" / f"hls_{block}" / "eie" / "solution").is_dir()
    assert not (project / "build" / "hls").exists()
    assert f"block_{block}(" in (project / "blocks" / f"{block}.cpp").read_text()


def test_blocks_are_named_as_their_files_and_processes(make_project):
    project = make_project(ALL_BLOCKS)
    assert {path.stem for path in (project / "blocks").glob("*.cpp")} == set(BLOCKS)
    processes = {process.function.split("<")[0] for process in wire(ALL_BLOCKS).processes}
    names = {re.sub(r"_\d+$", "", name) for name in processes}
    assert set(BLOCKS) - {"pe"} <= names
    assert names <= {path.stem for path in (project / "kernel").glob("*.h")}


def test_an_unknown_part_is_refused(make_project, mock, monkeypatch):
    project = make_project(ALL_BLOCKS)
    monkeypatch.setenv("EIE_HLS_BLOCK", "brain")
    done = mock(project / "vitis/run_hls.tcl")
    assert done.returncode != 0 and "not 'brain'" in done.stderr + done.stdout


def test_the_config_names_files_that_exist(project):
    config = settings((project / "vitis/hls_config.cfg").read_text())
    includes = re.findall(r"-I(\S+)", config["tb.cflags"][0])
    for path in config["syn.file"] + config["tb.file"] + includes:
        assert (project / "vitis" / path).exists()


def test_the_config_gives_the_test_bench_its_data(project):
    """A file is copied to the folder in which the test bench runs, by its name alone."""
    config = settings((project / "vitis/hls_config.cfg").read_text())
    copied = {Path(path).name for path in config["tb.file"]}
    assert copied == {"testbench.cpp", "packets.txt"}
    assert config["csim.argv"] == ["."]
    assert 'folder + "/packets.txt"' in (project / "testbench/testbench.cpp").read_text()


def test_a_design_without_a_board_gets_a_script_for_a_part(make_project, mock):
    design = Design(pes=16)
    project = make_project(design)
    assert not (project / "vivado").exists()
    assert mock(project / "vitis/run_hls.tcl").returncode == 0
    part = target_board(design).part
    assert f"set_part {part}\n" in (project / "vitis/run_hls.tcl").read_text()


@pytest.mark.parametrize("board", ["none", *BOARDS])
def test_the_part_has_the_memory_of_the_design(board):
    for memory in ("bram", "uram"):
        if board == "none" or memory == "bram" or BOARDS[board].uram:
            target = target_board(Design(pes=16, memory=memory, board=board))
            assert board in ("none", target.name)
            assert memory == "bram" or target.uram
