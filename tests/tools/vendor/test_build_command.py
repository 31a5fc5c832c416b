"""`eie build`: the RTL is simulated between Vitis HLS and Vivado, and what is known goes along."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eie.hls.boundary.errors import InputError
from eie.hls.spec.design import Design
from eie.hls.tools.manifest import MANIFEST, Manifest
from eie.hls.tools.rtl import check
from eie.hls.tools.rtl.check import RtlError
from eie.hls.tools.rtl.simulator import SimulatorMissing
from eie.hls.tools.rtl.sources import PORTS, RtlSources, rtl_folder
from eie.hls.tools.rtl.verdict import RtlVerdict, RunTime
from eie.host.cli.main import main

DESIGN = Design(pes=4, board="kv260", clock_mhz=200)
FOUND = RtlVerdict(
    passed=True,
    text="RTL simulated: 54 packets in 15964 cycles, every answer right",
    simulator="Verilator 5.006",
    bench="cocotb 1.8.1, cocotbext-axi 0.1.24",
    seed=1,
    packets=54,
    cycles=15964,
    runs=(RunTime("run_dense", 595, 681, 681),),
    warnings=("work_0_U is 33 deep where 32 was declared",),
)


@pytest.fixture
def project(make_project, tools, monkeypatch) -> Path:
    """A project, and stubs of both tools: Vitis HLS leaves Verilog with the right ports."""
    project = make_project(DESIGN)
    ports = ", ".join(PORTS)
    tools.add(
        "vitis_hls",
        "rtl=hls/eie/solution/syn/verilog",
        "mkdir -p $rtl hls/eie/solution/syn/report hls/eie/solution/impl/ip",
        f"echo 'module eie ({ports}); input [63:0] {ports}; endmodule' > $rtl/eie.v",
        "touch hls/eie/solution/impl/ip/component.xml",
    )
    files = "eie.bit eie.hwh utilization.rpt timing.rpt"
    lines = "part p,board_part none,vivado 2024.1,clock_hz 200000000,wns_ns 0.1,whs_ns 0.1"
    tools.add(
        "vivado",
        "mkdir -p vivado/result && cd vivado/result",
        f"touch {files}",
        f"echo '{lines}' | tr ',' '\\n' > build.txt",
    )
    monkeypatch.setenv("PATH", tools.path)
    return project


@pytest.fixture
def found(monkeypatch):
    """Let the check find something, or raise it."""

    def let(outcome):
        def check_rtl(project):
            if isinstance(outcome, Exception):
                raise outcome
            digest = RtlSources.load(rtl_folder(project)).digest()
            verdict = RtlVerdict(**{**vars(outcome), "rtl_sha256": digest})
            verdict.save(project)
            return verdict

        monkeypatch.setattr(check, "check_rtl", check_rtl)

    return let


def build(project, capsys, *options):
    out = project.parent / "out"
    status = main(["build", str(project), "--out", str(out), *options])
    captured = capsys.readouterr()
    return out, status, captured.out, captured.err


def test_the_verdict_is_printed_and_goes_into_the_manifest(project, found, capsys):
    found(FOUND)
    out, status, text, errors = build(project, capsys)
    assert status == 0, errors
    assert text.splitlines()[:3] == [
        "RTL simulated: 54 packets in 15964 cycles, every answer right (Verilator 5.006, cocotb "
        "1.8.1, cocotbext-axi 0.1.24, seed 1)",
        "  run            model  register  measured  ratio",
        "  run_dense        595       681       681  1.145",
    ]
    assert errors == "eie: warning: work_0_U is 33 deep where 32 was declared\n"
    manifest = Manifest.load(out)
    digest = RtlSources.load(rtl_folder(project)).digest()
    assert manifest.rtl == RtlVerdict(**{**vars(FOUND), "rtl_sha256": digest})
    document = json.loads((out / MANIFEST).read_text())
    assert document["rtl"]["packets"] == 54


@pytest.mark.parametrize(
    "error", [RtlError("the RTL must be as the model, but: a hang"), InputError("no ports")]
)
def test_what_is_wrong_stops_the_build(project, found, tools, capsys, error):
    found(error)
    out, status, _, errors = build(project, capsys)
    assert (status, errors) == (2, f"eie: {error}\n")
    assert not out.exists()
    assert not (tools.folder / "vivado.called").exists()


def test_without_a_simulator_the_manifest_says_so(project, found, capsys):
    found(SimulatorMissing("verilator missing: install Verilator 5.006"))
    out, status, _, errors = build(project, capsys)
    said = "RTL not simulated: verilator missing: install Verilator 5.006"
    assert (status, errors) == (0, f"eie: warning: {said}\n")
    rtl = Manifest.load(out).rtl
    assert (rtl.passed, rtl.text) == (False, said)


def test_a_simulator_may_be_demanded(project, found, tools, capsys):
    found(SimulatorMissing("verilator missing: install Verilator 5.006"))
    _, status, _, errors = build(project, capsys, "--require-rtl")
    assert (status, errors) == (2, "eie: verilator missing: install Verilator 5.006\n")
    assert not (tools.folder / "vivado.called").exists()


def test_the_simulation_may_be_left_out(project, found, capsys):
    found(RtlError("never asked"))
    out, status, _, _ = build(project, capsys, "--skip-rtl")
    assert status == 0
    assert Manifest.load(out).rtl.text == "RTL not simulated: left out on request"
    with pytest.raises(SystemExit, match="2"):
        build(project, capsys, "--skip-rtl", "--require-rtl")


def test_a_manifest_from_before_says_that_it_does_not_know(project, found, capsys):
    found(FOUND)
    out, *_ = build(project, capsys)
    path = out / MANIFEST
    document = json.loads(path.read_text())
    del document["rtl"]
    path.write_text(json.dumps(document))
    rtl = Manifest.load(out).rtl
    assert (rtl.passed, rtl.text) == (False, "RTL not simulated: the manifest does not say")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rtl": 3}, "rtl must be an object, not 3"),
        ({"rtl": {"passed": 1}}, "rtl.passed must be of type bool, not 1"),
        ({"runs": [{"name": "x"}]}, "rtl.runs must be times of runs"),
    ],
)
def test_a_verdict_that_is_none_is_refused(project, found, capsys, change, message):
    found(FOUND)
    out, *_ = build(project, capsys)
    path = out / MANIFEST
    document = json.loads(path.read_text())
    if "rtl" in change:
        document |= change
    else:
        document["rtl"] |= change
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match=message):
        Manifest.load(out)
