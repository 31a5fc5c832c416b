"""Every command does what it is for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from eie.hls.model.allowance import allowance_of
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.hls.spec.fixed_point import dequantize, quantize
from eie.host.board_emulator import EmulatedBoard
from eie.host.network import Network
from eie.host.run.batch import emulate
from eie.host.search.fit import fit

EMULATE = "emulate net.npz --inputs x.npy --outputs y.npy"
REPORT_FIELDS = {"machine", "design", "vectors", "layers", "total_cycles", "latency_us"}
REPORT_FIELDS |= {"allowance_cycles", "allowance_source", "allowed_us"}
REPORT_FIELDS |= {"saturated_inputs"}


@pytest.fixture
def expected(folder) -> np.ndarray:
    """Outputs of net.npz for x.npy."""
    network = Network.load("net.npz")
    codes = quantize(np.load("x.npy"), network.input_frac)
    outputs = emulate(network, fit(network).design, codes, report=False).outputs
    return dequantize(outputs, network.output_frac)


def test_emulate_without_a_design(eie, expected):
    ended = eie(EMULATE)
    assert (ended.status, ended.err) == (0, "")
    assert "wrote y.npy: 3 vectors of 10 outputs" in ended.out
    outputs = np.load("y.npy")
    assert outputs.dtype == np.float32
    assert np.array_equal(outputs, expected)
    assert sorted(path.name for path in Path().iterdir()) == [
        "design.toml", "net.npz", "project", "x.npy", "y.npy",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        "--design design.toml",
        "--pes 4 --queue-depth 2 --index-bits 3",
        "--pes 256 --index-bits 8 --memory uram --clock-mhz 300",
        "--entries-per-pe 4096 --pointers-per-pe 256 --rows-per-pe 9 --biases-per-pe 80 "
        "--layers 2 --hidden-activations 1024 --accumulator-bits 48",
        "--paper",
        "--paper --design design.toml",
    ],
)
def test_outputs_do_not_depend_on_the_design(options, eie, expected):
    ended = eie(f"{EMULATE} {options} --report report.json")
    assert (ended.status, ended.err) == (0, "")
    assert np.array_equal(np.load("y.npy"), expected)
    report = json.loads(Path("report.json").read_text())
    words = options.split()
    for option, value in zip(words, [*words[1:], ""], strict=True):
        name = option.removeprefix("--").replace("-", "_")
        if name in report["design"]:
            assert str(report["design"][name]) == value


def test_the_report_has_the_fields_of_the_contract(eie):
    for paper in ("", "--paper"):
        ended = eie(f"{EMULATE} --pes 4 --clock-mhz 200 --report report.json {paper}")
        report = json.loads(Path("report.json").read_text())
        assert set(report) == REPORT_FIELDS
        assert report["design"]["pes"] == 4
        for layer in report["layers"]:
            assert set(layer) == {
                "name", "rows", "columns", "nonzeros", "entries", "padding_entries",
                "active_columns", "ideal_cycles", "cycles", "efficiency", "saturated",
            }  # fmt: skip
        assert [layer["name"] for layer in report["layers"]] == ["layer0", "layer1"]
        assert report["latency_us"] == pytest.approx(report["total_cycles"] / 200 / 3)
        assert f"wrote report.json: at least {report['total_cycles']} cycles" in ended.out
        assert "at 200 MHz" in ended.out


def test_info_says_what_pipeline_stages_are_allowed(eie, refused):
    ended = eie("info design.toml --stages")
    design = Design.load("design.toml")
    assert ended.out == f"{allowance_of(design).as_text()}\n"
    assert f"{allowance_of(design).layer_cycles} cycles a layer and vector" in ended.out
    assert "--stages must be given with a design" in refused("info net.npz --stages")


def test_the_papers_machine_takes_other_cycles(eie):
    cycles = []
    for options in ("", "--paper"):
        eie(f"{EMULATE} --pes 4 --report report.json {options}")
        cycles.append(json.loads(Path("report.json").read_text())["total_cycles"])
    assert cycles[0] != cycles[1]


def test_the_papers_row_order_fits_without_a_design(eie, folder, random_network):
    # All weights in rows that natural order gives to one PE of the sixty-four.
    network = random_network(64, 6400, density=0.0)
    layer = network.layers[0]
    codes = np.zeros((6400, 64), np.uint8)
    codes[::64] = 1
    again = type(layer).from_dense_codes("only", codes, codebook=layer.codebook)
    Network((again,), network.golden_inputs, network.golden_outputs).save("tall.npz")
    np.save("tall.npy", np.ones((1, 64)))
    assert eie("emulate tall.npz --paper --inputs tall.npy --outputs y.npy").status == 0


def test_emulate_overwrites_what_was_there(eie, expected):
    Path("y.npy").write_text("old")
    assert eie(EMULATE).status == 0
    assert np.array_equal(np.load("y.npy"), expected)


def test_integers_and_single_precision_are_taken(eie):
    results = []
    for dtype in (np.float64, np.float32, np.int8, ">f4"):
        np.save("x.npy", np.arange(60).reshape(3, 20).astype(dtype))
        assert eie(EMULATE).status == 0
        results.append(np.load("y.npy"))
    assert all(np.array_equal(results[0], result) for result in results)


def test_fit_writes_a_design_and_says_why(eie):
    ended = eie("fit net.npz --board pynq-z2 --out fitted.toml --queue-depth 16")
    assert (ended.status, ended.err) == (0, "")
    design = Design.load("fitted.toml")
    assert (design.board, design.queue_depth) == ("pynq-z2", 16)
    assert f"-> {design.pes:>3} PEs" in ended.out
    assert f"fitted.toml: {design.pes} PEs, " in ended.out
    assert "(exact)" in ended.out
    assert "LUTs (estimated" in ended.out


def test_generate_writes_a_project_and_replaces_it(eie):
    assert eie("generate design.toml --out new/project").status == 0
    assert Design.load("new/project/design.toml") == Design.load("design.toml")
    before = {path: path.read_bytes() for path in Path("new").rglob("*") if path.is_file()}
    assert eie("generate design.toml --out new/project").status == 0
    after = {path: path.read_bytes() for path in Path("new").rglob("*") if path.is_file()}
    assert after == before


def test_info_of_a_network(eie):
    ended = eie("info net.npz")
    assert (ended.status, ended.err) == (0, "")
    assert "layer0: 20 -> 30, " in ended.out
    assert "layer1: 30 -> 10, " in ended.out
    assert "2 golden vectors" in ended.out
    assert "origin: random, seed 0" in ended.out


def test_info_of_a_design(eie):
    Design(pes=4, board="kv260").save("board.toml")
    for name in ("design.toml", "board.toml"):
        design = Design.load(name)
        ended = eie("info", name)
        assert (ended.status, ended.err) == (0, "")
        for parameter, value in design.parameters().items():
            assert f"{parameter} = {value}\n" in ended.out
        assert f"identity {design.id:#010x}" in ended.out
    assert "DSP: 25 of 1248" in ended.out


@pytest.mark.usefixtures("board_on_an_emulator")
@pytest.mark.parametrize(
    ("board", "fabric"),
    [
        ("--emulated-board project", "the C++ of project"),
        ("--emulated-design design.toml", "the model of design.toml"),
    ],
)
def test_run_on_an_emulated_board(eie, expected, board, fabric):
    ended = eie(f"run net.npz {board} --inputs x.npy --outputs y.npy")
    assert (ended.status, ended.err) == (0, "")
    assert fabric in ended.out
    assert np.array_equal(np.load("y.npy"), expected)


def test_run_with_a_bitstream(eie, expected):
    design = Design.load("design.toml")
    with EmulatedBoard("pynq-z2", lambda: Emulator(design)) as board:
        ended = eie(
            "run", "net.npz", "--bitstream", board.bitfile, "--inputs", "x.npy",
            "--outputs", "y.npy", "--timeout", "5",
        )  # fmt: skip
    assert (ended.status, ended.err) == (0, "")
    assert np.array_equal(np.load("y.npy"), expected)


def test_simulate_as_a_program(folder, expected):
    """The installed command, compiling the project and counting on both engines."""
    program = Path(sys.executable).with_name("eie")
    files = ["--inputs", "x.npy", "--outputs", "y.npy", "--report", "report.json"]
    done = subprocess.run(
        [program, "simulate", "project", "net.npz", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "wrote y.npy" in done.stdout
    assert np.array_equal(np.load("y.npy"), expected)
    report = json.loads(Path("report.json").read_text())
    assert set(report) == REPORT_FIELDS


def test_every_engine_tells_what_was_saturated(eie):
    """A line on standard error, with the same counts from emulator, kernel and board."""
    np.save("x.npy", np.random.default_rng(1).normal(0, 100, (3, 20)))
    run = "--inputs x.npy --outputs y.npy"
    emulated = eie(f"emulate net.npz --design design.toml {run} --report e.json")
    simulated = eie(f"simulate project net.npz {run} --report s.json")
    assert emulated.status == simulated.status == 0
    of_inputs, line = emulated.err.splitlines()
    assert " of 60 input values were saturated: " in of_inputs
    assert line.startswith("eie: values were saturated, since 16 bits could not hold them: ")
    assert " of 90 outputs of layer 'layer0' (which go from -128 to 127.996)" in line
    assert simulated.err == emulated.err
    reports = [json.loads(Path(name).read_text()) for name in ("e.json", "s.json")]
    assert reports[0] == reports[1]
    assert reports[0]["saturated_inputs"] > 0
    assert reports[0]["layers"][0]["saturated"] > 0
    on_board = eie(f"run net.npz --emulated-board project {run}")
    assert (on_board.status, on_board.err) == (0, emulated.err)


@pytest.mark.parametrize(
    ("arguments", "status"), [("info net.npz", 0), ("info missing.npz", 2), ("fly", 2), ("", 2)]
)
def test_exit_statuses_of_the_program(arguments, status, folder):
    program = [sys.executable, "-m", "eie.host.cli.main"]
    done = subprocess.run(
        [*program, *arguments.split()], capture_output=True, text=True, check=False
    )
    assert done.returncode == status
    assert "Traceback" not in done.stderr
    assert bool(done.stderr) == bool(status)
    assert bool(done.stdout) != bool(status)


COMMANDS = ["compress", "fit", "generate", "emulate", "simulate", "build", "run", "info"]


def test_help_names_every_command(eie):
    ended = eie("--help")
    assert ended.status == 0
    for command in COMMANDS:
        assert f"\n    {command} " in ended.out
        of_command = eie(command, "--help")
        assert of_command.status == 0
        assert of_command.out.startswith(f"usage: eie {command}")
