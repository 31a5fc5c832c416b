from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.boundary.errors import DesignError
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.design import NO_BOARD, RANGES, Design
from eie.hls.spec.packets import DESIGN

SETTINGS = settings(max_examples=60, deadline=None, derandomize=True, database=None)

#: A smallest and a largest value beside the range, and what else a parameter must not be.
STEPS = {
    "entries_per_pe": 8,
    "pointers_per_pe": 2,
    "hidden_activations": 16,
    "held_activations": 16,
}
OTHER_VALUES = {
    "pes": 8,
    "abreast": 2,
    "index_bits": 6,
    "queue_depth": 32,
    "entries_per_pe": 8192,
    "pointers_per_pe": 2048,
    "length_bits": 4,
    "rows_per_pe": 64,
    "biases_per_pe": 1024,
    "layers": 8,
    "hidden_activations": 2048,
    "held_activations": 2048,
    "cell_units": 2,
    "bounds": 1,
    "counters": 0,
    "spare_luts": 1,
    "accumulator_bits": 40,
    "result_depth": 32,
    "memory": "bram",
}


@st.composite
def designs(draw: st.DrawFn) -> Design:
    def number(name: str) -> int:
        low, high = RANGES[name]
        step = STEPS.get(name, 1)
        return draw(st.integers(-(-low // step), high // step)) * step

    values: dict[str, Any] = {name: number(name) for name in RANGES}
    if values["length_bits"]:
        values["pointers_per_pe"] = -(-values["pointers_per_pe"] // 8) * 8
    values["pes"] = 1 << draw(st.integers(0, 8))
    values["abreast"] = draw(st.sampled_from([1, 2, 4]))
    values["cell_units"] = draw(st.sampled_from([0, 1, 2, 4] if values["abreast"] == 1 else [0]))
    values["board"] = draw(st.sampled_from([NO_BOARD, *BOARDS]))
    no_uram = values["board"] in BOARDS and BOARDS[values["board"]].uram == 0
    values["memory"] = "bram" if no_uram else draw(st.sampled_from(["bram", "uram"]))
    return Design(**values)


@SETTINGS
@given(designs())
def test_a_design_survives_its_toml(design):
    assert Design.from_toml(design.to_toml()) == design


@SETTINGS
@given(designs())
def test_a_design_survives_its_record_but_for_the_board(design):
    record = DESIGN.parse(DESIGN.build(**design.record()))
    # What the board and the margin for routing are, nothing computes with.
    reported = design.replace(clock_uncertainty=27)
    assert Design.from_record(record, design.board) == reported
    if design.board != NO_BOARD:
        assert Design.from_record(record) == reported.replace(board=NO_BOARD)


@SETTINGS
@given(designs())
def test_pads_rows_to_full_words_and_pes(design):
    for rows in (1, 15, 16, 17, 1000, 8791):
        padded = design.local_rows(rows) * design.pes
        assert rows <= padded < rows + max(design.pes, 16)
        assert padded % max(design.pes, 16) == 0


@SETTINGS
@given(designs())
def test_widths_hold_what_they_are_for(design):
    assert design.entries_per_pe < 1 << design.pointer_bits <= 2 * design.entries_per_pe
    assert design.entry_bits * design.entries_per_word <= 64
    assert design.entry_words_per_pe * design.entries_per_word == design.entries_per_pe
    for columns in (1, 2, 7, 65536):
        if design.length_bits:
            assert columns <= design.pointers_of(columns) < columns + 8
        else:
            assert columns + 1 <= design.pointers_of(columns) <= columns + 2
        assert design.pointers_of(columns) % design.columns_per_pointer_word == 0
    assert design.pointer_words_per_pe * design.columns_per_pointer_word == design.pointers_per_pe


def test_a_design_survives_its_file(tmp_path, design):
    design.save(tmp_path / "design.toml")
    assert Design.load(tmp_path / "design.toml") == design
    assert [path.name for path in tmp_path.iterdir()] == ["design.toml"]


@pytest.mark.parametrize("name", RANGES)
def test_both_ends_of_a_range_are_allowed_and_nothing_beyond(name, design):
    step = STEPS.get(name, 1)
    # Those that go with no value of some others.
    without = {"pointers_per_pe": "length_bits", "abreast": "cell_units"}
    plain = design.replace(**{without[name]: 0}) if name in without else design
    for end, beyond in zip(RANGES[name], (-step, step), strict=True):
        assert getattr(plain.replace(**{name: end}), name) == end
        with pytest.raises(DesignError, match=f"{name} must be an integer from"):
            plain.replace(**{name: end + beyond})


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("value", [True, 8.0, "8", None, [8], {"a": 1}])
def test_a_number_of_another_type_is_refused(name, value, design):
    with pytest.raises(DesignError, match=f"{name} must be an integer from .*, not "):
        design.replace(**{name: value})


@pytest.mark.parametrize("name", ["memory", "board"])
@pytest.mark.parametrize("value", [True, 8, 8.0, None, ["bram"], {"a": 1}, "sram"])
def test_a_name_of_another_type_is_refused(name, value, design):
    with pytest.raises(DesignError, match=f"{name} must be .*, not "):
        design.replace(**{name: value})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("pes", 3, "power of two"),
        ("pes", 192, "power of two"),
        ("entries_per_pe", 4100, "multiple of 8"),
        ("pointers_per_pe", 1028, "multiple of 8 with compact pointers"),
        ("hidden_activations", 1000, "multiple of 16"),
        ("held_activations", 1000, "multiple of 16"),
        ("cell_units", 3, "0, 1, 2 or 4"),
        ("abreast", 3, "1, 2 or 4"),
    ],
)
def test_a_value_that_the_hardware_cannot_have_is_refused(name, value, message, design):
    with pytest.raises(DesignError, match=f"{name} must be .*{message}.*, not {value}"):
        design.replace(**{name: value})


def test_plain_pointers_come_in_pairs(design):
    plain = design.replace(length_bits=0)
    assert plain.replace(pointers_per_pe=1026).pointer_words_per_pe == 513
    with pytest.raises(DesignError, match="pointers_per_pe must be a multiple of 2, not 1025"):
        plain.replace(pointers_per_pe=1025)


def test_uram_is_refused_where_there_is_none(design):
    with pytest.raises(DesignError, match="memory must be 'bram' on 'pynq-z1'"):
        design.replace(board="pynq-z1")


def test_every_problem_is_reported_at_once(design):
    wrong = {name: high + 1 for name, (_, high) in RANGES.items()}
    with pytest.raises(DesignError) as caught:
        design.replace(**wrong, memory="sram", board="pynq-z9")
    lines = str(caught.value).splitlines()
    assert lines[0] == f"design: {len(RANGES) + 2} problems"
    for name in (*RANGES, "memory", "board"):
        assert sum(line.startswith(f"  - {name} must be") for line in lines) == 1


def test_the_identity_changes_with_every_parameter_of_the_hardware(design):
    identities = {design.id}
    for name, value in OTHER_VALUES.items():
        identities.add(design.replace(**{name: value}).id)
    assert len(identities) == 1 + len(OTHER_VALUES)
    # weight_bits can have one value only so far.
    others = {field.name for field in dataclasses.fields(Design)} - set(OTHER_VALUES)
    assert others == {"weight_bits", "board", "clock_mhz", "clock_uncertainty"}


def test_the_identity_does_not_depend_on_board_and_clock(design):
    assert design.replace(board=NO_BOARD, clock_mhz=1, clock_uncertainty=5).id == design.id


def test_a_record_of_another_version_of_eie_is_refused(design):
    with pytest.raises(DesignError, match="generated by another version of eie"):
        Design.from_record({**design.record(), "id": design.id ^ 1})


def test_a_record_that_is_no_design_is_refused(design):
    with pytest.raises(DesignError, match="memory must be 0 to 1, not 2"):
        Design.from_record({**design.record(), "memory": 2})
    with pytest.raises(DesignError, match="pes must be a power of two"):
        Design.from_record({**design.record(), "pes": 3})


def test_a_design_cannot_be_changed(design):
    with pytest.raises(dataclasses.FrozenInstanceError):
        design.pes = 8


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pes = ", "is not TOML"),
        ("a = " + "[" * 20000, "is not TOML"),
        ("", "format must be 1, not None"),
        ("format = 2\n[design]\npes = 1", "format must be 1, not 2"),
        ('format = "1"\n[design]\npes = 1', "format must be 1, not '1'"),
        ("format = 1", r"must have a \[design\] table"),
        ("format = 1\ndesign = 3", r"must have a \[design\] table"),
        ("format = 1\n[[design]]\npes = 1", r"must have a \[design\] table"),
        ("format = 1\n[design]", "pes must be given"),
        ("format = 1\n[design]\npes = 1\nqueue = 4", "'queue' is not a parameter; there are pes"),
        ("format = 1\n[design]\npes = true", "pes must be an integer"),
        ("format = 1\n[design]\npes = 4.0", "pes must be an integer"),
        ('format = 1\n[design]\npes = "4"', "pes must be an integer"),
        ("format = 1\n[design]\npes = 1979-05-27", "pes must be an integer"),
        ("format = 1\n[design]\npes = 1\nboard = []", "board must be"),
        ("format = 1\n[design]\npes = 1\nboard = {}", "board must be"),
        ("format = 1\n[design]\npes = 1\nmemory = 0", "memory must be"),
    ],
)
def test_a_file_that_is_no_design_is_refused(text, message, tmp_path):
    path = tmp_path / "design.toml"
    path.write_text(text)
    with pytest.raises(DesignError, match=message) as caught:
        Design.load(path)
    assert str(path) in str(caught.value)


def test_several_unknown_parameters_are_reported_at_once():
    with pytest.raises(DesignError) as caught:
        Design.from_toml("format = 1\n[design]\nspeed = 1\ncolour = 2")
    for problem in ("3 problems", "'speed'", "'colour'", "pes must be given"):
        assert problem in str(caught.value)


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "design.toml"
    path.write_bytes(b"\xff\xfe\x00")
    for wrong in (path, tmp_path, tmp_path / "missing.toml"):
        with pytest.raises(DesignError, match=r"cannot read design|must be a design file"):
            Design.load(wrong)


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path, design):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("kept")
    for target in ("missing/design.toml", "folder", "file/design.toml"):
        with pytest.raises(DesignError, match="cannot write design"):
            design.save(tmp_path / target)
    with pytest.raises(DesignError, match="cannot write design"):
        design.save(".")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == "kept"


def test_a_cell_unit_takes_one_vector_at_a_time(design):
    for abreast in (2, 4):
        with pytest.raises(DesignError, match=f"cell_units must be 0 where {abreast} vectors go"):
            design.replace(abreast=abreast, cell_units=1)
