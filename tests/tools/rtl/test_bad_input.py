"""RTL of something else, projects without RTL, simulators that are missing or too old."""

from __future__ import annotations

import shutil

import pytest

from eie.hls.boundary.errors import DesignError, InputError
from eie.hls.spec.design import Design
from eie.hls.tools.rtl import simulator as simulator_module
from eie.hls.tools.rtl.check import RtlError, check_rtl
from eie.hls.tools.rtl.simulator import Simulator, SimulatorMissing
from eie.hls.tools.rtl.sources import PORTS, RtlSources, rtl_folder


def test_a_project_that_was_never_synthesised(project, refused):
    shutil.rmtree(project / "build")
    text = refused(InputError, check_rtl, project)
    assert text == (
        "the project must be synthesised first, by `eie build PROJECT --hls-only`: there is no "
        f"Verilog in {project / 'build/hls/eie/solution/syn/verilog'}"
    )
    (project / "design.toml").unlink()
    assert "cannot read design" in refused(DesignError, check_rtl, project)


def test_rtl_of_the_unified_flow_is_found(project):
    there = project / "build/hls_component/hls/syn"
    there.mkdir(parents=True)
    shutil.move(rtl_folder(project), there)
    assert rtl_folder(project) == there / "verilog"
    assert RtlSources.load(rtl_folder(project)).top.name == "eie"


def test_rtl_without_axi_ports(project, refused):
    (rtl_folder(project) / "eie.v").write_text(
        "module eie (ap_clk, ap_rst, a_dout, b_din);\ninput ap_clk, ap_rst;\ninput [7:0] a_dout;\n"
        "output [7:0] b_din;\nendmodule\n"
    )
    text = refused(InputError, check_rtl, project)
    assert "module 'eie' must have AXI ports as kernel/eie.cpp asks for; it has ap_clk, " in text
    assert "b_din: RTL of another function, or of a tool that names ports otherwise" in text


def test_rtl_of_a_tool_that_names_ports_otherwise(project, refused):
    top = rtl_folder(project) / "eie.v"
    text = top.read_text().replace("packets_in_TKEEP", "packets_in_V_keep_V")
    top.write_text(text.replace("input [63:0] packets_in_TDATA", "input [31:0] packets_in_TDATA"))
    text = refused(InputError, check_rtl, project)
    assert "2 problems" in text
    assert "'eie' must have the ports packets_in_TKEEP; it has interrupt, packets_in_V_kee" in text
    assert "port packets_in_TDATA must have 64 bits, not 32" in text


def test_rtl_without_its_top(project, refused):
    top = rtl_folder(project) / "eie.v"
    top.write_text(top.read_text().replace("module eie (", "module other ("))
    assert "there must be a module 'eie'" in refused(InputError, check_rtl, project)


def test_a_missing_memory_file_is_named(project, standin, refused):
    (rtl_folder(project) / standin.RECORD).unlink()
    text = refused(InputError, check_rtl, project)
    assert f"{standin.RECORD}, which the Verilog reads, is missing" in text


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text.replace("answer 1810350454945", "answer 1810350454946"), "is another"),
        (lambda text: text.replace("exchange load\n", "load\n", 1), "must have lines `exchange NA"),
        (lambda text: text.replace("request 101", "request x01", 1), "must have lines `exchange N"),
        (
            lambda text: text.replace("request 101", "request 10000000000000000000001", 1),
            "must hav",
        ),
    ],
)
def test_golden_packets_that_are_not_the_projects(project, damage, message, refused):
    path = project / "testbench/golden/packets.txt"
    path.write_text(damage(path.read_text()))
    text = refused(InputError, check_rtl, project)
    assert str(path) in text
    assert message in text


def test_golden_packets_of_another_design(project, standin, refused):
    standin.STANDIN.replace(queue_depth=4).save(project / "design.toml")
    text = refused(InputError, check_rtl, project)
    assert "must be what eie makes of design.toml, but the answer to identify is another" in text


def test_the_structure_is_judged_before_anything_is_compiled(project, region, refused):
    folder = rtl_folder(project)
    shutil.rmtree(folder)
    folder.mkdir()
    design = Design.load(project / "design.toml")
    odd = region.Region(design, starts={"send_U0": "collect_U0_ap_done"})
    for name, text in odd.files().items():
        (folder / name).write_text(text)
    text = refused(RtlError, check_rtl, project)
    assert text.startswith(f"the structure of the RTL ({folder}) must be as the model, but:\n")
    assert "process send_U0 must start with the region" in text


def verilator(folder, *lines):
    program = folder / "verilator"
    program.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    program.chmod(0o755)
    return str(folder)


def test_no_simulator(tmp_path, project, refused):
    def check():
        check_rtl(project, path=str(tmp_path))

    text = refused(SimulatorMissing, check)
    assert text.startswith("verilator missing: install Verilator 5.006 or later (Debian: apt ")


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ("Verilator 4.038 2020-07-11 rev v4.036-114-g0cd4a57ad", "4.038"),
        ("Verilator 5.002 2022-10-29", "5.002"),
        ("something else", "0.000"),
    ],
)
def test_a_simulator_that_is_too_old(tmp_path, answer, version, refused):
    path = verilator(tmp_path, f"echo '{answer}'")
    assert refused(SimulatorMissing, Simulator.find, path) == (
        f"verilator too old: it must be version 5.006 or later, not {version}"
    )


def test_no_bench(tmp_path, monkeypatch, refused):
    path = verilator(tmp_path, "echo 'Verilator 5.006 2023-01-22'")
    there = simulator_module._there
    monkeypatch.setattr(simulator_module, "_there", lambda name: name != "cocotb" and there(name))
    text = refused(SimulatorMissing, Simulator.find, path)
    assert text.startswith("cocotb missing: in a clone of eie, pip install '.[rtl]'")


def test_a_bench_of_another_version(tmp_path, monkeypatch, refused):
    pytest.importorskip("cocotb")
    path = verilator(tmp_path, "echo 'Verilator 5.006 2023-01-22'")
    monkeypatch.setattr(simulator_module.importlib.metadata, "version", lambda name: "2.1.0")
    text = refused(SimulatorMissing, Simulator.find, path)
    assert text.startswith(
        "cocotb of another version: it must be 1.8.x or 1.9.x, not 2.1.0: in a clone of eie, pip"
    )


def test_a_python_that_no_simulator_can_run(tmp_path, monkeypatch, refused):
    pytest.importorskip("cocotb")
    path = verilator(tmp_path, "echo 'Verilator 5.006 2023-01-22'")
    monkeypatch.setattr(simulator_module, "_library_of_python", lambda: None)
    text = refused(SimulatorMissing, Simulator.find, path)
    assert text.startswith("libpython missing: this Python has no shared library")


def test_a_newer_simulator_will_do(tmp_path):
    pytest.importorskip("cocotb")
    path = verilator(tmp_path, "echo 'Verilator 6.001 2027-01-01'")
    assert Simulator.find(path).name == "Verilator 6.001"


def test_the_bench_drives_what_the_kernel_has(standin):
    """Ports of the stand-in are those that the bench asks for, and the interrupt."""
    text = (standin.HERE / "eie.v").read_text()
    header = text[text.index("module eie (") : text.index(");")]
    names = {name.strip() for name in header.partition("(")[2].split(",")}
    assert names == {*PORTS, "interrupt"}
