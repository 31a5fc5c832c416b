"""Laying reports beside the estimate."""

from __future__ import annotations

import dataclasses

import pytest

from eie.hls.boundary.errors import InputError
from eie.hls.model.area import estimate
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.design import Design
from eie.hls.tools.reports import (
    Resources,
    Row,
    compare,
    read_csynth,
    read_timing,
    read_utilization,
)
from eie.hls.tools.reports.slack_lines import slack_lines

DESIGN = Design(pes=4, board="kv260", memory="uram", clock_mhz=200)
NEEDED = estimate(DESIGN)
#: What the estimate says, with LUTs and flip-flops as they are expected.
EXPECTED = Resources(
    lut=NEEDED.lut.expected,
    ff=NEEDED.ff.expected,
    bram18=NEEDED.bram18,
    uram=NEEDED.uram,
    dsp=NEEDED.dsp,
)
LUT, FF = ((each.low, each.high) for each in (NEEDED.lut, NEEDED.ff))
replace = dataclasses.replace


@pytest.fixture
def csynth(reports):
    """A synthesis that came to what was expected."""
    return replace(read_csynth(reports / "kv260/csynth.xml"), used=EXPECTED)


@pytest.fixture
def utilization(reports):
    """An implementation that came to what was expected."""
    return replace(read_utilization(reports / "kv260/utilization.rpt"), used=EXPECTED)


@pytest.fixture
def timing(reports):
    return read_timing(reports / "kv260/timing.rpt")


def finding(comparison, start: str) -> str:
    """Return the one finding that starts like this."""
    (found,) = [text for text in comparison.findings() if text.startswith(start)]
    return found


def test_lays_counts_beside_the_estimate(csynth, utilization):
    used = replace(EXPECTED, lut=1)
    comparison = compare(DESIGN, csynth, replace(utilization, used=used))
    assert comparison.rows == (
        Row(
            "BRAM18",
            (NEEDED.bram18,) * 2,
            NEEDED.bram18,
            True,
            EXPECTED.bram18,
            EXPECTED.bram18,
            288,
        ),
        Row("UltraRAM", (NEEDED.uram,) * 2, NEEDED.uram, True, EXPECTED.uram, EXPECTED.uram, 64),
        Row("DSP", (25, 25), 25, True, 25, 25, 1248),
        Row("LUT", LUT, EXPECTED.lut, False, EXPECTED.lut, 1, 117_120),
        Row("flip-flop", FF, EXPECTED.ff, False, EXPECTED.ff, EXPECTED.ff, 234_240),
    )


def test_a_report_that_is_not_there_leaves_its_column_empty(csynth, utilization, timing):
    assert {row.vivado for row in compare(DESIGN, csynth).rows} == {None}
    assert {row.hls for row in compare(DESIGN, utilization=utilization).rows} == {None}
    bare = compare(DESIGN, timing=timing)
    assert {(row.hls, row.vivado) for row in bare.rows} == {(None, None)}
    assert [text.split(":")[0] for text in bare.findings()] == ["Timing"]


def test_the_ratio_is_to_what_is_expected():
    row = Row("LUT", (1000, 3000), 2000, False, 1500, None, 9000)
    assert (row.ratio(1500), row.ratio(None)) == (0.75, None)
    assert Row("UltraRAM", (0, 0), 0, True, 3, None, 0).ratio(3) is None


@pytest.mark.parametrize(("field", "name"), [("uram", "UltraRAM"), ("dsp", "DSP")])
@pytest.mark.parametrize(("change", "verdict"), [(5, "5 more"), (-4, "4 fewer")])
def test_a_wrong_count_stands_out(csynth, utilization, field, name, change, verdict):
    expected = getattr(EXPECTED, field)
    used = replace(EXPECTED, **{field: expected + change})
    comparison = compare(DESIGN, replace(csynth, used=used), replace(utilization, used=used))
    for tool in ("Vitis HLS", "Vivado"):
        assert finding(comparison, f"{name}: {tool} ") == (
            f"{name}: {tool} DISAGREES with the exact count: {expected + change}, {verdict} than "
            f"{expected}."
        )


def test_a_product_of_32_bits_may_take_three_slices(csynth):
    used = replace(EXPECTED, dsp=23)
    assert finding(compare(DESIGN, replace(csynth, used=used)), "DSP: ") == (
        "DSP: Vitis HLS has 23, 2 fewer than the 25 counted: four for each product of 32 bits, of "
        "which a tool may need three."
    )


def test_a_right_count_agrees(csynth, utilization):
    comparison = compare(DESIGN, csynth, utilization)
    for tool in ("Vitis HLS", "Vivado"):
        for name, count in (("BRAM18", NEEDED.bram18), ("UltraRAM", NEEDED.uram), ("DSP", 25)):
            assert finding(comparison, f"{name}: {tool} ") == (
                f"{name}: {tool} agrees with the exact count of {count}."
            )
    assert not [text for text in comparison.findings() if "DISAGREES" in text]


def test_block_rams_of_the_dma_are_no_disagreement(csynth, utilization):
    used = replace(EXPECTED, bram18=EXPECTED.bram18 + 6)
    comparison = compare(DESIGN, replace(csynth, used=used), replace(utilization, used=used))
    assert "DISAGREES" in finding(comparison, "BRAM18: Vitis HLS ")
    assert finding(comparison, "BRAM18: Vivado ") == (
        f"BRAM18: Vivado has {NEEDED.bram18 + 6}, 6 more than the kernel's exact count of "
        f"{NEEDED.bram18}: the DMA's, if it has any, are among them."
    )
    fewer = replace(EXPECTED, bram18=EXPECTED.bram18 - 1)
    comparison = compare(DESIGN, utilization=replace(utilization, used=fewer))
    assert "DISAGREES" in finding(comparison, "BRAM18: Vivado ")


@pytest.mark.parametrize(
    ("count", "place"),
    [
        (NEEDED.lut.low, "in"),
        (NEEDED.lut.high, "in"),
        (NEEDED.lut.low // 2, "BELOW, 0.50 times the low end of,"),
        (NEEDED.lut.high * 2, "ABOVE, 2.00 times the high end of,"),
    ],
)
def test_a_range_says_where_a_count_falls(csynth, utilization, count, place):
    used = replace(EXPECTED, lut=count)
    comparison = compare(DESIGN, replace(csynth, used=used), replace(utilization, used=used))
    low, high = NEEDED.lut.low, NEEDED.lut.high
    end = f"{place} the estimated range of {low:,} to {high:,}."
    assert finding(comparison, "LUT: Vitis HLS ") == f"LUT: Vitis HLS has {count:,}: {end}"
    assert finding(comparison, "LUT: Vivado ") == (
        f"LUT: Vivado has {count:,} for the whole block design: {end}"
    )


def test_loops_above_one_come_first_and_those_of_all_pes_together(csynth):
    findings = compare(DESIGN, csynth).findings()
    assert findings[:4] == (
        "Loops above II 1: 3 of 4 pipelined ones, in 4 modules.",
        "LOOP ABOVE II 1: control_activations: layers has II 3, not 1, depth 6, 8 iterations, "
        "activations.h:142",
        "LOOP ABOVE II 1: multiply_accumulate_*_Pipeline_entries: entries has II 2, not 1, "
        "depth 9, II: Memory Dependency, multiply_accumulate.h:97, in 2 modules",
        "Loops without a pipeline, as those around other loops are meant to be: packet (1), "
        "vectors (1).",
    )


def test_a_loop_of_one_module_keeps_its_name(csynth):
    loops = tuple(loop for loop in csynth.loops if "_1_" not in loop.module)
    findings = compare(DESIGN, replace(csynth, loops=loops)).findings()
    assert findings[2].startswith("LOOP ABOVE II 1: multiply_accumulate_0_Pipeline_entries: ")


@pytest.mark.parametrize(
    "change", [{"ii": 4}, {"depth": 8}, {"trip_count": (1, 9)}, {"issue": "II: other"}]
)
def test_loops_that_differ_are_not_put_together(csynth, change):
    loops = (replace(csynth.loops[0], **change), *csynth.loops[1:])
    findings = compare(DESIGN, replace(csynth, loops=loops)).findings()
    modules = [text.split(":")[1].strip() for text in findings if text.startswith("LOOP")]
    assert sorted(modules) == [
        "control_activations",
        "multiply_accumulate_0_Pipeline_entries",
        "multiply_accumulate_1_Pipeline_entries",
    ]


def test_no_loop_above_one_is_said(csynth):
    loops = tuple(loop for loop in csynth.loops if loop.ii == 1)
    findings = compare(DESIGN, replace(csynth, loops=loops)).findings()
    assert findings[0] == "Loops above II 1: none of 1 pipelined ones, in 4 modules."
    assert not [text for text in findings if text.startswith(("LOOP", "Loops without"))]


def test_clocks_are_judged(csynth, timing):
    comparison = compare(DESIGN, csynth, timing=timing)
    assert finding(comparison, "Clock: ") == (
        "Clock: Vitis HLS expects paths of 3.125 ns in a period of 5.000 ns, of which it keeps "
        "1.350 ns for routing: met, slack 0.525 ns."
    )
    assert finding(comparison, "Timing: ") == (
        "Timing: Vivado's constraints are MISSED: WNS -0.333 ns (57 endpoints fail), "
        "WHS 0.010 ns (0 endpoints fail), WPWS 1.512 ns (0 endpoints fail); "
        "clocks: clk_pl_0 200.000 MHz (5.000 ns), clk_second 300.030 MHz (3.333 ns)."
    )
    slow = compare(DESIGN, replace(csynth, estimated_ns=3.651))
    assert finding(slow, "Clock: ").endswith("for routing: MISSED, slack -0.001 ns.")
    exact = compare(DESIGN, replace(csynth, estimated_ns=3.65))
    assert finding(exact, "Clock: ").endswith("for routing: met, slack 0.000 ns.")


@pytest.mark.parametrize(
    ("mhz", "period", "same"), [(150, 6.67, True), (150, 6.66, True), (150, 6.6, False)]
)
def test_a_clock_that_is_not_the_designs_stands_out(csynth, mhz, period, same):
    design = DESIGN.replace(clock_mhz=mhz)
    findings = compare(design, replace(csynth, target_ns=period)).findings()
    other = f"Clock: NOT the design's {mhz} MHz, but {period:.3f} ns."
    assert (other not in findings) == same


def test_a_part_of_other_size_than_ours_is_said(csynth, utilization):
    comparison = compare(DESIGN, csynth, utilization)
    assert not [text for text in comparison.findings() if text.startswith("Part")]
    other = replace(csynth.available, lut=1)
    comparison = compare(DESIGN, replace(csynth, available=other), utilization)
    assert finding(comparison, "Part: ").startswith(
        "Part: Vitis HLS says that xck26-sfvc784-2LV-c has Resources(lut=1, "
    )


@pytest.mark.parametrize("board", BOARDS.values(), ids=lambda board: board.name)
def test_every_spelling_of_a_part_is_known(reports, csynth, timing, board):
    design = Design(pes=4, board=board.name)
    # Vitis HLS puts a dash before the package; Vivado leaves out the start, or the speed grade.
    dashed = board.part.replace("xc7z020clg400", "xc7z020-clg400")
    compare(design, replace(csynth, part=dashed))
    pieces = dashed.split("-")
    for device in (board.part, "-".join(pieces[:2]), "-".join(pieces[:2]).removeprefix("xc")):
        compare(design, timing=replace(timing, device=device))


def test_reports_of_something_else_are_refused_all_at_once(reports, csynth, timing):
    zynq = read_utilization(reports / "pynq_z2/utilization.rpt")
    with pytest.raises(InputError, match="comparison: 4 problems") as raised:
        compare(DESIGN, replace(csynth, top="lnzd", part="xck24-ubva530-2LV-c"), zynq, timing)
    message = str(raised.value)
    assert f"{csynth.path} must be about 'eie', not 'lnzd'" in message
    assert f"{csynth.path} must be about xck26-sfvc784-2LV-c, not xck24-ubva530-2LV-c" in message
    assert f"{zynq.path} must be about xck26-sfvc784-2LV-c, not 7z020clg400-1" in message
    assert f"{zynq.path} must have a row for the UltraRAMs that xck26-sfvc784-2LV-c has" in message
    with pytest.raises(InputError, match=r"timing\.rpt must be about xczu7ev-ffvc1156"):
        compare(Design(pes=4, board="zcu104"), timing=timing)
    with pytest.raises(InputError, match="at least one report must be given"):
        compare(DESIGN)


def test_a_design_without_a_board_is_compared_on_the_part_it_was_synthesised_for(reports):
    comparison = compare(Design(pes=4), read_csynth(reports / "pynq_z2/csynth.xml"))
    assert comparison.board is BOARDS["pynq-z2"]


def test_the_text_is_a_table_with_findings(csynth, utilization):
    comparison = compare(DESIGN, csynth, utilization)
    lines = comparison.as_text().splitlines()
    assert lines[0] == (
        "4 PEs at 200 MHz on xck26-sfvc784-2LV-c: the estimate and Vitis HLS 2024.1, "
        "Vivado 2022.2 (routed)"
    )
    assert lines[2].split() == [
        *("resource", "estimate", "Vitis", "HLS", "ratio", "Vivado", "ratio", "part", "has")
    ]
    assert len({len(line) for line in lines[2:8]}) == 1
    low, high = NEEDED.lut.low, NEEDED.lut.high
    count = f"{EXPECTED.lut:,}"
    assert lines[6].split() == [
        *("LUT", f"{low:,}", "to", f"{high:,}", count, "1.00", count, "1.00", "117,120")
    ]
    assert lines[8] == ""
    findings = [f"- {text}" for text in comparison.findings()]
    assert lines[9:] == [*findings, *slack_lines(csynth)]
