"""Reading the synthesis reports of Vitis HLS."""

from __future__ import annotations

import dataclasses
import importlib.resources
import random
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eie.hls.boundary.errors import InputError
from eie.hls.tools.reports import HlsLoop, Resources, loops_above_one, read_csynth
from eie.hls.tools.reports.csynth import TARGET_II, HlsModule

KV260 = "kv260/csynth.xml"


def loop(module: str, name: str, ii: int | None, **values: object) -> HlsLoop:
    defaults = {"depth": None, "trip_count": None, "issue": "", "source": "", "latency": None}
    return HlsLoop(module=module, name=name, ii=ii, **(defaults | values))


def test_reads_a_report_of_2024(reports):
    report = read_csynth(reports / KV260)
    assert (report.version, report.part, report.top) == ("2024.1", "xck26-sfvc784-2LV-c", "eie")
    assert (report.target_ns, report.uncertainty_ns, report.estimated_ns) == (5.0, 1.35, 3.125)
    assert report.slack_ns == 0.525
    assert report.latency is None
    assert report.used == Resources(lut=9200, ff=8100, bram18=31, uram=4, dsp=2)
    assert report.available == Resources(lut=117120, ff=234240, bram18=288, uram=64, dsp=1248)
    assert report.modules == (
        "multiply_accumulate_0_Pipeline_entries",
        "multiply_accumulate_1_Pipeline_entries",
        "control_activations",
        "eie",
    )
    found = {"issue": "II: Memory Dependency", "source": "multiply_accumulate.h:97"}
    activations = "control_activations"
    assert report.loops == (
        loop("multiply_accumulate_0_Pipeline_entries", "entries", 2, depth=9, **found),
        loop("multiply_accumulate_1_Pipeline_entries", "entries", 2, depth=9, **found),
        loop(activations, "packet", None, source="activations.h:120"),
        loop(
            *(activations, "section", 1),
            depth=4,
            trip_count=(0, 511),
            source="activations.h:130",
            latency=(0, 515),
        ),
        loop(
            *(activations, "vectors", None),
            depth=521,
            trip_count=(2, 65),
            source="activations.h:140",
            latency=(20, 5210),
        ),
        loop(
            *(activations, "layers", 3),
            depth=6,
            trip_count=(8, 8),
            source="activations.h:142",
            latency=(48, 48),
        ),
    )
    assert report.estimates == (
        HlsModule("multiply_accumulate_0_Pipeline_entries", 3.125, None),
        *(HlsModule(name, None, None) for name in report.modules[1:]),
    )
    assert report.slack_of(3.651) == -0.001


def test_reads_a_report_of_2020(reports):
    report = read_csynth(reports / "pynq_z2/csynth.xml")
    assert (report.version, report.latency, report.slack_ns) == ("2020.2", (21, 5211), 0.0)
    assert report.used == Resources(lut=4000, ff=3000, bram18=40, uram=0, dsp=4)
    # Two loops may have one name.
    assert report.loops == (
        loop("multiply_accumulate_0_s", "rows", 1, depth=3, trip_count=(64, 64), latency=(65, 65)),
        loop("multiply_accumulate_0_s", "rows", 1, depth=2, trip_count=(6, 6), latency=(7, 7)),
    )


def test_reads_the_files_of_modules_where_the_report_has_none(reports):
    folder = reports / "without_modules"
    report = read_csynth(folder / "csynth.xml", sorted(folder.glob("*_csynth.xml")))
    assert report.modules == ("detect_nonzero", "eie")
    assert report.loops == (
        loop("detect_nonzero", "packet", None, depth=12),
        loop("detect_nonzero", "layer", 4, depth=5),
    )


def test_files_of_modules_are_not_needed_where_the_report_has_them(reports, tmp_path):
    broken = tmp_path / "eie_csynth.xml"
    broken.write_text("not XML")
    assert read_csynth(reports / KV260, [broken]) == read_csynth(reports / KV260)


def test_loops_of_one_name_keep_their_own_sources(changed):
    report = read_csynth(changed(KV260, "layers", "section"))
    sections = [found for found in report.loops if found.name == "section"]
    assert [(found.ii, found.source) for found in sections] == [
        (1, "activations.h:130"),
        (3, "activations.h:142"),
    ]


@pytest.mark.parametrize("text", ["undef", "-", "?", "", "inf"])
def test_a_range_that_is_known_in_part_is_not_known(changed, text):
    report = read_csynth(changed(KV260, "<max>511<", f"<max>{text}<"))
    assert [found.trip_count for found in report.loops if found.name == "section"] == [None]


def test_a_module_without_estimates_is_named(reports, changed):
    path = changed("pynq_z2/csynth.xml", "<PerformanceEstimates/>", "")
    with pytest.raises(InputError, match="module 'eie': PerformanceEstimates is missing"):
        read_csynth(path)
    estimates = (
        "<PerformanceEstimates>\n<PipelineType>dataflow</PipelineType>\n</PerformanceEstimates>"
    )
    path = changed("without_modules/eie_csynth.xml", estimates, "")
    with pytest.raises(InputError, match=r"eie_csynth\.xml: PerformanceEstimates is missing"):
        read_csynth(reports / "without_modules/csynth.xml", [path])


def test_modules_must_come_from_somewhere(reports):
    with pytest.raises(InputError, match=r"csynth\.xml: ModuleInformation is missing"):
        read_csynth(reports / "without_modules/csynth.xml")


def test_a_broken_file_of_a_module_is_named(reports, changed):
    module = changed(
        "without_modules/detect_nonzero_csynth.xml", "<PipelineII>4<", "<PipelineII>?<"
    )
    with pytest.raises(InputError) as raised:
        read_csynth(reports / "without_modules/csynth.xml", [module])
    assert str(raised.value) == (
        f"report {module}: loop 'layer' of module 'detect_nonzero': "
        "PipelineII must be an integer of 1 or more, not '?'"
    )


def test_lists_loops_above_one_slowest_first(reports):
    slow = loops_above_one(read_csynth(reports / KV260))
    assert [(found.ii, found.module, found.name) for found in slow] == [
        (3, "control_activations", "layers"),
        (2, "multiply_accumulate_0_Pipeline_entries", "entries"),
        (2, "multiply_accumulate_1_Pipeline_entries", "entries"),
    ]
    assert loops_above_one(read_csynth(reports / "pynq_z2/csynth.xml")) == ()


def test_the_kernel_asks_for_the_target_everywhere():
    kernel = importlib.resources.files("eie.templates") / "kernel"
    pragmas = [
        pragma
        for file in kernel.iterdir()
        for pragma in re.findall(r"#pragma HLS PIPELINE.*", file.read_text(encoding="utf-8"))
    ]
    pipeline = f"#pragma HLS PIPELINE II = {TARGET_II}"
    assert set(pragmas) == {pipeline, f"{pipeline} style = flp"}


def shuffle(element: ET.Element, generator: random.Random) -> None:
    """Bring the children of every element into another order."""
    children = list(element)
    generator.shuffle(children)
    element[:] = children
    for child in children:
        shuffle(child, generator)


@given(seed=st.integers(0, 2**32))
def test_the_order_of_elements_does_not_matter(reports, written, seed):
    root = ET.parse(reports / KV260).getroot()
    shuffle(root, random.Random(seed))
    path = written(ET.tostring(root, encoding="unicode"))
    report, expected = read_csynth(path), read_csynth(reports / KV260)
    assert sorted(report.modules) == sorted(expected.modules)
    assert sorted(map(repr, report.loops)) == sorted(map(repr, expected.loops))
    for field in ("version", "part", "top", "target_ns", "estimated_ns", "used", "available"):
        assert getattr(report, field) == getattr(expected, field)


def test_elements_that_a_later_release_adds_do_not_matter(reports, changed):
    path = changed(KV260, "<Latency>", "<NewInFuture><Detail>7</Detail></NewInFuture><Latency>")
    expected = dataclasses.replace(read_csynth(reports / KV260), path=path)
    assert read_csynth(path) == expected


REQUIRED = {
    "ReportVersion/Version": "2024.1",
    "UserAssignments/unit": "ns",
    "UserAssignments/Part": "xck26-sfvc784-2LV-c",
    "UserAssignments/TopModelName": "eie",
    "UserAssignments/TargetClockPeriod": "5.00",
    "UserAssignments/ClockUncertainty": "1.35",
    "PerformanceEstimates/SummaryOfTimingAnalysis/EstimatedClockPeriod": "3.125",
    "AreaEstimates/Resources/BRAM_18K": "31",
    "AreaEstimates/Resources/DSP": "2",
    "AreaEstimates/Resources/FF": "8100",
    "AreaEstimates/Resources/LUT": "9200",
    "AreaEstimates/Resources/URAM": "4",
    "AreaEstimates/AvailableResources/BRAM_18K": "288",
    "AreaEstimates/AvailableResources/DSP": "1248",
    "AreaEstimates/AvailableResources/FF": "234240",
    "AreaEstimates/AvailableResources/LUT": "117120",
    "AreaEstimates/AvailableResources/URAM": "64",
}
NUMBERS = [place for place, text in REQUIRED.items() if re.fullmatch(r"[0-9.]+", text)][1:]


def edited(reports, tmp_path, place: str, edit) -> object:
    """Write a copy of a report in which `edit` has changed the element at `place`."""
    tree = ET.parse(reports / KV260)
    outer, _, name = place.rpartition("/")
    parent = tree.getroot().find(outer)
    edit(parent, parent.find(name))
    tree.write(tmp_path / "csynth.xml", encoding="utf-8")
    return tmp_path / "csynth.xml"


@pytest.mark.parametrize("place", REQUIRED)
def test_a_missing_value_is_named(reports, tmp_path, place):
    path = edited(reports, tmp_path, place, lambda parent, element: parent.remove(element))
    with pytest.raises(InputError, match=re.escape(f"report {path}: {place} is missing")):
        read_csynth(path)


@pytest.mark.parametrize("place", REQUIRED)
def test_a_value_that_is_there_twice_is_named(reports, tmp_path, place):
    path = edited(reports, tmp_path, place, lambda parent, element: parent.append(element))
    with pytest.raises(InputError, match=re.escape(f"{path}: {place} must be there once, not 2")):
        read_csynth(path)


@pytest.mark.parametrize("text", ["-", "undef", "?", "~0", "", "nan", "inf", "1e3", "-3", "4 ~ 5"])
@pytest.mark.parametrize("place", NUMBERS)
def test_an_undefined_number_is_named(reports, tmp_path, place, text):
    path = edited(reports, tmp_path, place, lambda parent, element: setattr(element, "text", text))
    with pytest.raises(InputError, match=re.escape(f"report {path}: {place} must ")):
        read_csynth(path)


def test_the_numbers_of_that_test_are_all_there_are():
    assert len(NUMBERS) == 13


def test_all_problems_are_named_at_once(changed):
    path = changed(KV260, "<FF>8100</FF>", "<FF>undef</FF><DSP>7</DSP>")
    with pytest.raises(InputError, match="2 problems") as raised:
        read_csynth(path)
    assert "Resources/FF must be an integer of 0 or more, not 'undef'" in str(raised.value)
    assert "Resources/DSP must be there once, not 2 times" in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<PipelineII>3</PipelineII>", "<PipelineII>undef</PipelineII>", "PipelineII must be"),
        ("<PipelineII>3</PipelineII>", "", "loop 'layers' .*: PipelineII is missing"),
        ("<PipelineII>3<", "<PipelineII>0<", "PipelineII must be an integer of 1 or more, not '0'"),
        ("<Name>eie</Name>", "<Name>other</Name>", "the top module 'eie' is missing"),
        ("accumulate_1_", "accumulate_0_", "once, not several times: multiply_accumulate_0_"),
        ("<section/>", "", "all loops in Loops .* no others: layers, packet, vectors, not"),
        ("<section/>", "<section/><gone/>", "Loops must be described"),
        ("<TripCount>8</TripCount>", "", "Loops must be described"),
        ("<unit>ns</unit>", "<unit>ps</unit>", "unit must be ns, not 'ps'"),
        ("<Name>control_activations</Name>", "", "Name is missing"),
        # Vivado HLS, and Vitis HLS 2020.1, have another name for DSP slices.
        ("DSP>", "DSP48E>", "AreaEstimates/Resources/DSP is missing"),
    ],
)
def test_mistakes_are_found(changed, old, new, message):
    with pytest.raises(InputError, match=message):
        read_csynth(changed(KV260, old, new))


@given(data=st.data())
def test_a_report_cut_short_is_never_read(reports, written, data):
    text = (reports / KV260).read_text(encoding="utf-8").strip()
    path = written(text[: data.draw(st.integers(0, len(text) - 1))])
    with pytest.raises(InputError, match=re.escape(f"report {path}: must be whole, well-formed")):
        read_csynth(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "well-formed XML"),
        (b"\xff\xfe\x00binary", "well-formed XML"),
        (b'<?xml version="1.0" encoding="none-such"?><profile/>', "well-formed XML"),
        (b"<report/>", "whose root element is 'profile', not 'report'"),
        (b"<profile/>", "ReportVersion/Version is missing"),
    ],
)
def test_other_files_are_refused(tmp_path, content, message):
    path = tmp_path / "csynth.xml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_csynth(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot read report .*csynth\.xml"):
        read_csynth(tmp_path / "csynth.xml")
