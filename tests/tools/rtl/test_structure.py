"""What the text of the Verilog says: starts, FIFOs, registers and memories at power-up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import eie.templates
from eie.hls.spec.dataflow import wire
from eie.hls.spec.design import Design
from eie.hls.tools.rtl.sources import RtlSources
from eie.hls.tools.rtl.structure import look_at

DESIGN = Design(pes=16, queue_depth=32)


@pytest.fixture
def look(region, tmp_path):
    """Look at a region that is odd in one way; or at one of another design."""

    def look(design=DESIGN, **odd):
        for name, text in region.Region(design, **odd).files().items():
            (tmp_path / name).write_text(text)
        return look_at(RtlSources.load(tmp_path), DESIGN)

    return look


@pytest.mark.parametrize("pes", [1, 2, 4, 16, 64])
def test_a_region_as_it_should_be(region, tmp_path, pes):
    design = Design(pes=pes)
    for name, text in region.Region(design).files().items():
        (tmp_path / name).write_text(text)
    sources = RtlSources.load(tmp_path)
    structure = look_at(sources, design)
    assert (structure.faults, structure.warnings) == ((), ())
    processes = [each for each in sources.top.instances if "ap_start" in each.connections]
    assert len(processes) == len(wire(design).processes)


def test_a_process_that_waits_until_another_is_done(look):
    """As Vitis starts a process behind a ping-pong buffer or a scalar."""
    more = """
eie_fifo_w32_d2_S scalar_channel_U(
    .if_write(ap_channel_done_scalar),
    .if_empty_n(scalar_channel_empty_n)
);
assign ap_channel_done_scalar = collect_U0_ap_done;
"""
    structure = look(starts={"control_activations_U0": "scalar_channel_empty_n"}, more=more)
    assert structure.faults == (
        "process control_activations_U0 must start with the region, but waits until another is "
        "done (ap_channel_done_scalar): it is no dataflow of streams any more",
    )
    (fault,) = look(starts={"send_U0": "(collect_U0_ap_done & ap_start)"}).faults
    assert "waits until another is done (collect_U0_ap_done)" in fault


def test_a_start_that_follows_the_feedback(look):
    more = """
eie_start_for start_for_control_activations_U0_U(
    .if_write(collect_U0_start_write),
    .if_empty_n(start_for_control_activations_U0_empty_n)
);
"""
    start = {"control_activations_U0": "start_for_control_activations_U0_empty_n"}
    (fault,) = look(starts=start, more=more).faults
    assert "process control_activations_U0 must not be started by collect_U0" in fault
    assert "disable_start_propagation" in fault


def test_a_stream_that_is_no_fifo(look, tmp_path):
    look()
    top = tmp_path / "eie.v"
    block = re.search(r"eie_fifo_w64_d\d+_S hidden_U\(.*?\);", top.read_text(), re.DOTALL)[0]
    pipo = "eie_hidden_memcore hidden_U(\n    .i_write(x),\n    .t_read(y)\n);"
    top.write_text(top.read_text().replace(block, pipo))
    structure = look_at(RtlSources.load(tmp_path), DESIGN)
    assert structure.faults == ("stream hidden must be a FIFO, not eie_hidden_memcore",)


def test_fifos_deeper_or_less_deep_than_declared(look):
    structure = look(depths={"work": 33, "outputs": 16, "commands": 9}, kinds={"outputs": "A"})
    assert structure.faults == ("outputs_U must be 31 deep, not 16: the kernel may deadlock",)
    # 9 is more than 8, but no LUT more.
    assert len(structure.warnings) == 16 + 1
    assert structure.warnings[-1].startswith("work_15_U is 33 deep")
    assert structure.warnings[0] == (
        "outputs_U is eie_fifo_w64_d16_A, no shift register: it may take a block RAM"
    )
    assert structure.warnings[1] == (
        "work_U is 33 deep where 32 was declared: one LUT more a bit; declare one less"
    )


def test_rtl_of_another_design(look):
    faults = look(Design(pes=4, queue_depth=32)).faults
    assert "there must be 16 x column_fetch, not 4: RTL of another design" in faults


def test_what_is_called_otherwise_is_not_judged(look, tmp_path):
    look()
    top = tmp_path / "eie.v"
    top.write_text(re.sub(r"\bcollect_U0\b", "sammeln_U0", top.read_text()))
    structure = look_at(RtlSources.load(tmp_path), DESIGN)
    assert structure.faults == ()
    assert structure.warnings[0] == "no process is called collect: their starts were not judged"


def test_registers_and_memories_at_power_up(look, tmp_path):
    look()
    module = tmp_path / "eie_send.v"
    text = module.read_text().replace("packet_count = 32'd0", "packet_count = 32'd7")
    module.write_text(text.replace("endmodule", '$readmemh("./eie_x_RAM.dat", ram);\nendmodule'))
    (tmp_path / "eie_x_RAM.dat").write_text("0\n0\n3\n")
    structure = look_at(RtlSources.load(tmp_path), DESIGN)
    assert structure.warnings == (
        "register packet_count of eie_send comes up as 7, and every static of the kernel as 0",
        "memory contents eie_x_RAM.dat must be zeros: no static has others",
    )


def test_no_static_of_the_kernel_has_an_initialiser_but_zero():
    """Statics with others came up wrong in one release of the tool, and no memory can have one."""
    found = 0
    for path in sorted((Path(eie.templates.__file__).parent).glob("[kb][el]*/*")):
        text = re.sub(r"//[^\n]*", "", path.read_text())
        for declaration in re.findall(r"\bstatic\s+(?!constexpr|inline)([^;(]*);", text):
            found += 1
            _, _, value = declaration.partition("=")
            digits = set(re.findall(r"\w+", value))
            assert digits <= {"0", "false"}, f"{path.name}: static {declaration}"
    assert found >= 18
