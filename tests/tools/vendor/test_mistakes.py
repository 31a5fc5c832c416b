"""Every mistake that can be seeded into a block design is caught, and named.

The script is damaged in one place at a time, everywhere that there is something to damage, so that
the tests of the undamaged scripts mean something.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from eie.hls.spec.design import Design

#: Both processing systems, each with board files or without so that every line is executed.
FAMILIES = {
    "zynq7": Design(pes=64, board="pynq-z2"),
    "zynqmp": Design(pes=32, board="kv260", memory="uram", clock_mhz=200),
}
BOARD_FILES = {"zynq7": "", "zynqmp": "xilinx.com:kv260_som:part0:1.4"}


@pytest.fixture(params=FAMILIES)
def build(request, make_project, mock):
    """Run the build with its block design replaced; returns the exit status and the errors."""
    project = make_project(FAMILIES[request.param])
    assert mock(project / "vitis/run_hls.tcl").returncode == 0
    script = project / "vivado/block_design.tcl"

    def run(text: str) -> tuple[int, str]:
        script.write_text(text)
        done = mock(project / "vivado/build.tcl", boards=BOARD_FILES[request.param])
        return done.returncode, done.stderr

    run.text = script.read_text()
    return run


def statements(text: str) -> Iterator[tuple[int, int, str]]:
    """Split a script into top-level lines, with their continuations: start, end, text."""
    for match in re.finditer(r"(?:[^\n]*\\\n)*[^\n]*\n", text):
        yield match.start(), match.end(), match.group()


def without(text: str, pattern: str) -> Iterator[tuple[str, str]]:
    """Drop each statement that begins with `pattern`: the statement, and what is left."""
    for start, end, statement in statements(text):
        if re.match(pattern, statement):
            yield statement, text[:start] + text[end:]


def renamed(text: str, pattern: str) -> Iterator[tuple[str, str]]:
    """Misspell each match of `pattern`: the name, and the damaged script."""
    for match in re.finditer(pattern, text):
        yield match.group(1), text[: match.end(1)] + "_typo" + text[match.end(1) :]


def test_the_undamaged_script_passes(build):
    assert build(build.text) == (0, "")


def test_a_misspelt_pin_is_named(build):
    cases = list(renamed(build.text, r"\[get_bd_(?:intf_)?pins ([^\]]+)\]"))
    assert len(cases) > 40
    for pin, damaged in cases:
        status, errors = build(damaged)
        assert status == 1 and re.search(f"mock: no such (pin|interface): {pin}_typo; ", errors)


def test_a_misspelt_cell_is_named(build):
    # Where it is made, where it is configured, where it is connected.
    for pattern in (r"-vlnv \S+ (\w+)\n", r"\[get_bd_cells (\w+)\]", r"_pins (\w+)/"):
        cases = list(renamed(build.text, pattern))
        assert len(cases) >= 5
        for cell, damaged in cases:
            status, errors = build(damaged)
            assert status == 1 and f"no such cell: '{cell}" in errors


def test_a_misspelt_property_is_named(build):
    cases = list(renamed(build.text, r"CONFIG\.(\w+) \d"))
    assert len(cases) > 25
    for name, damaged in cases:
        status, errors = build(damaged)
        assert status == 1 and re.search(rf"no such property of \w+: CONFIG\.{name}_typo", errors)


def test_a_misspelt_ip_or_rule_is_named(build):
    for name, damaged in renamed(build.text, r"-vlnv (\S+)"):
        status, errors = build(damaged)
        assert status == 1 and f"no such IP in the catalog: {name}_typo" in errors
    for name, damaged in renamed(build.text, r"-rule (\S+)"):
        status, errors = build(damaged)
        assert status == 1 and f"rule {name}_typo is not for" in errors


def test_a_misspelt_address_is_named(build):
    for kind, count in (("spaces", 3), ("segs", 4)):
        cases = list(renamed(build.text, rf"get_bd_addr_{kind} (\w+/[\w/]+)\]"))
        assert len(cases) >= count
        for name, damaged in cases:
            status, errors = build(damaged)
            assert status == 1
            assert re.search(f"no such address (space|segment): {name}_typo", errors)


def test_a_dropped_load_is_named(build):
    """Drop one pin of a clock, reset or interrupt net, and where there is one only, the net."""
    dropped = 0
    for start, end, statement in statements(build.text):
        if not statement.startswith("connect_bd_net"):
            continue
        driver, *loads = re.findall(r"get_bd_pins ([^\]]+)\]", statement)
        for load in loads:
            rest = "".join(f" [get_bd_pins {pin}]" for pin in loads if pin != load)
            net = f"connect_bd_net [get_bd_pins {driver}]{rest}\n" if rest else ""
            status, errors = build(build.text[:start] + net + build.text[end:])
            assert status == 1
            assert re.search(f"(clock|reset|interrupt) {load} has no driver", errors)
            dropped += 1
    assert dropped == 21


def test_a_dropped_interrupt_leads_nowhere(build):
    for statement, damaged in without(build.text, "connect_bd_net .*(introut|interrupt|dout|irq)"):
        (driver, _) = re.findall(r"get_bd_pins ([^\]]+)\]", statement)
        status, errors = build(damaged)
        assert status == 1 and f"leads nowhere: it ends at {driver}" in errors


def test_a_dropped_interface_is_named(build):
    cases = list(without(build.text, "connect_bd_intf_net"))
    assert len(cases) == 9
    for statement, damaged in cases:
        status, errors = build(damaged)
        assert status == 1
        # What becomes unreachable shows when it is given its address, streams at the end.
        for end in re.findall(r"get_bd_intf_pins ([^\]]+)\]", statement):
            assert re.search(rf"\S+ does not reach \S+|interface {end} is not connected", errors)


def test_a_dropped_address_is_named(build):
    for statement, damaged in without(build.text, "assign_bd_address"):
        (segment,) = re.findall(r"get_bd_addr_segs ([^\]]+)\]", statement)
        status, errors = build(damaged)
        assert status == 1 and f"segment {segment} has no address in" in errors


def test_memory_that_the_dma_does_not_see_is_named(build):
    damaged = build.text.replace(" axi_dma_0/Data_S2MM}", "}")
    status, errors = build(damaged)
    assert status == 1 and re.search(
        r"HP0_DDR_LOW\w* has no address in axi_dma_0/Data_S2MM", errors
    )


def test_what_lies_beside_memory_must_be_excluded(make_project, mock):
    project = make_project(FAMILIES["zynqmp"])
    assert mock(project / "vitis/run_hls.tcl").returncode == 0
    script = project / "vivado/block_design.tcl"
    script.write_text(script.read_text().replace("SAXIGP2/HP0_QSPI", "SAXIGP2/HP0_QPSI"))
    done = mock(project / "vivado/build.tcl")
    assert done.returncode == 1
    assert "HP0_QSPI has no address in axi_dma_0/Data_MM2S" in done.stderr


@pytest.mark.parametrize(
    ("pattern", "replacement", "message"),
    [
        (r"validate_bd_design\n", "", "changed, or never checked, after validate_bd_design"),
        (r"save_bd_design\n", "", "was not saved"),
        (r"make_wrapper .*\n", "", "no such module .*: system_wrapper"),
        (r"update_ip_catalog\n", "", "lacks xilinx.com:hls:eie:1.0"),
        (r"(set_property top )", r"create_bd_cell -vlnv xilinx.com:ip:xlconcat:2.1 x\n\1", "chang"),
        (r"-quiet -all", "-quiet", "lacks xilinx.com:ip:xlconcat:2.1"),
        (r"0x[4A]0010000", "0xB0010000", "eie_0/s_axi_control/Reg at 0xB0010000 is outside"),
        (r"(0x[4A]00)10000", r"\g<1>08000", "eie_0/s_axi_control/Reg overlaps axi_dma_0"),
        (r"c_m_axis_mm2s_tdata_width 64", "c_m_axis_mm2s_tdata_width 32", "has 32 bits, eie_0"),
        (r"c_include_sg 0", "c_include_sg 1", "clock axi_dma_0/m_axi_sg_aclk has no driver"),
        (r"NUM_CLKS 1", "NUM_CLKS 2", "clock control_connect/aclk1 has no driver"),
        (r"NUM_MI 3", "NUM_MI 4", "interface control_connect/M03_AXI is not connected"),
        (r"NUM_PORTS 3", "NUM_PORTS 4", "interrupt xlconcat_0/In3 has no driver"),
        (r"C_IRQ_CONNECTION 1", "C_IRQ_CONNECTION 0", "no such pin: axi_intc_0/irq"),
        (r"M_AXI_GP1 0", "M_AXI_GP1 1", "clock .* has no driver"),
        (r"eie_0/ap_rst_n", "eie_0/ap_clk", "drives eie_0/ap_clk, which is clock_in"),
        (r"\[get_bd_intf_pins eie_0/packets_in\]", "[get_bd_pins eie_0/ap_clk]", "must be a intf"),
        (r"eie_0/packets_in", "eie_0/s_axi_control", "is axis, eie_0/s_axi_control is axi"),
        (r"connect_bd_net ", "connect_bd_nets ", "unknown command 'connect_bd_nets'"),
        (r"-offset", "-ofset", "assign_bd_address has no option -ofset"),
        (r"create_bd_design", "# create_bd_design", "no block design is open"),
    ],
)
def test_other_mistakes_are_named(build, pattern, replacement, message):
    damaged, count = re.subn(pattern, replacement, build.text, count=1)
    assert count == 1
    status, errors = build(damaged)
    assert status == 1
    assert re.search(message, errors)


def test_a_preset_after_the_properties_is_caught(make_project, mock):
    """The preset overwrites what was set before it: the trap that the script's order avoids."""
    project = make_project(FAMILIES["zynqmp"])
    assert mock(project / "vitis/run_hls.tcl").returncode == 0
    script = project / "vivado/block_design.tcl"
    text = script.read_text()
    preset = re.search(r"if \{\$board_part ne \"\"\} \{\n    apply.*?\n\}\n", text, re.DOTALL)
    moved = text.replace(preset.group(), "")
    first = moved.index("# proc_sys_reset_0")
    script.write_text(moved[:first] + preset.group() + moved[first:])
    done = mock(project / "vivado/build.tcl", boards="xilinx.com:kv260_som:part0:1.4")
    assert done.returncode == 1
    assert "no such interface: zynq_ultra_ps_e_0/S_AXI_HP0_FPD" in done.stderr


def test_pins_of_zynq7_must_be_made_external(make_project, mock):
    project = make_project(FAMILIES["zynq7"])
    assert mock(project / "vitis/run_hls.tcl").returncode == 0
    script = Path(project / "vivado/block_design.tcl")
    script.write_text(script.read_text().replace('"FIXED_IO, DDR"', "DDR"))
    done = mock(project / "vivado/build.tcl")
    assert done.returncode == 1
    assert "processing_system7_0/FIXED_IO must go to the device's pins" in done.stderr
