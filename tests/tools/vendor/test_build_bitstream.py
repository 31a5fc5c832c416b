"""Running Vivado and collecting a build, with the mock or a stub in Vivado's place."""

from __future__ import annotations

import datetime
import json
import shutil
from pathlib import Path

import pytest

from eie.hls.boundary.errors import InputError, ToolError
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.design import Design
from eie.hls.tools.manifest import MANIFEST, Manifest
from eie.hls.tools.rtl.verdict import RtlVerdict
from eie.hls.tools.vendor import build_bitstream, run_hls

DAY = datetime.date(2024, 2, 29)
DESIGN = Design(pes=16, board="kv260", memory="uram", clock_mhz=200, index_bits=6)
#: Where Vivado's command line has the script.
SCRIPT = "$7"


@pytest.fixture
def packaged(make_project, tools):
    project = make_project(DESIGN)
    tools.add_mock("vitis_hls", "$2")
    run_hls(project, path=tools.path)
    return project


@pytest.fixture
def built(packaged, tools, tmp_path):
    """A finished build: the project, its folder, its manifest."""
    tools.add_mock("vivado", SCRIPT)
    out = tmp_path / "bitstreams" / "kv260"
    return packaged, out, build_bitstream(packaged, out, date=DAY, path=tools.path)


def neighbours(out):
    return sorted(path.name for path in out.parent.iterdir())


def test_collects_a_build_with_its_manifest(built, tools):
    project, out, manifest = built
    assert tools.arguments("vivado") == [
        *("-mode", "batch", "-notrace", "-nolog", "-nojournal"),
        *("-source", str(project / "vivado/build.tcl")),
    ]
    assert manifest == Manifest(
        design=DESIGN,
        part=BOARDS["kv260"].part,
        board_part="none",
        tool="Vivado 2024.1",
        date="2024-02-29",
        clock_hz=187_500_000,
        wns_ns=0.125,
        whs_ns=0.030,
        files=manifest.files,
        rtl=RtlVerdict.not_simulated("nobody ran `eie rtl-check` on this RTL"),
    )
    assert sorted(path.name for path in out.iterdir()) == sorted([*manifest.files, MANIFEST])
    assert list(manifest.files) == ["eie.bit", "eie.hwh", "utilization.rpt", "timing.rpt"]
    assert Manifest.load(out) == manifest
    manifest.verify(out)
    assert neighbours(out) == ["kv260"]
    assert (project / "build/vivado.log").read_text().strip().endswith("setup slack 0.125 ns")


def test_a_build_replaces_an_earlier_one(built, tools):
    project, out, first = built
    (out / "eie.bit").write_text("old")
    later = DAY + datetime.timedelta(days=1)
    second = build_bitstream(project, out, date=later, path=tools.path)
    assert (first.date, second.date) == ("2024-02-29", "2024-03-01")
    assert Manifest.load(out) == second
    second.verify(out)
    assert neighbours(out) == ["kv260"]


def test_missed_timing_is_an_error_that_names_the_slack(built, tools):
    project, out, manifest = built
    tools.add_mock("vivado", SCRIPT, "-wns -0.667")
    with pytest.raises(ToolError) as caught:
        build_bitstream(project, out, date=DAY, path=tools.path)
    last = str(caught.value).splitlines()[-1]
    assert last == (
        "  ERROR: eie: timing is not met: setup slack is -0.667 ns at 187.5 MHz; a design with "
        "clock_mhz = 166 or less may meet it"
    )
    assert Manifest.load(out) == manifest  # what was there before stays
    manifest.verify(out)


def test_a_failed_build_leaves_nothing(packaged, tools, tmp_path):
    tools.add_mock("vivado", SCRIPT, "-fail impl_1")
    with pytest.raises(ToolError, match="run impl_1 failed: design ERROR"):
        build_bitstream(packaged, tmp_path / "out", date=DAY, path=tools.path)
    assert not (tmp_path / "out").exists()


def test_results_of_an_earlier_build_do_not_pass(built, tools, tmp_path):
    project, _, _ = built
    tools.add("vivado")
    with pytest.raises(ToolError, match=r"but eie\.bit, eie\.hwh, .* is missing"):
        build_bitstream(project, tmp_path / "out", date=DAY, path=tools.path)


@pytest.mark.parametrize("text", ["vivado 2024.1\n", "wns_ns much\n", "nonsense\n"])
def test_a_summary_that_is_none_is_refused(built, tools, tmp_path, text):
    project, _, _ = built
    (tools.folder / "build.txt").write_text(text)
    files = "eie.bit eie.hwh utilization.rpt timing.rpt"
    tools.add(
        "vivado",
        "mkdir vivado/result",
        f"(cd vivado/result && touch {files} && cp {tools.folder}/build.txt .)",
    )
    with pytest.raises(ToolError, match=r"build.txt is not a summary of a build"):
        build_bitstream(project, tmp_path / "out", date=DAY, path=tools.path)
    assert not (tmp_path / "out").exists()


def test_a_missing_vivado_is_one_sentence(packaged, tools, tmp_path):
    with pytest.raises(ToolError) as caught:
        build_bitstream(packaged, tmp_path / "out", date=DAY, path=tools.path)
    assert str(caught.value).startswith("Vivado was not found (vivado on PATH): install AMD Vitis")
    assert "\n" not in str(caught.value)


def test_an_unpackaged_kernel_is_refused(make_project, tools, tmp_path):
    tools.add_mock("vivado", SCRIPT)
    with pytest.raises(InputError, match="the kernel must be packaged first"):
        build_bitstream(make_project(DESIGN), tmp_path / "out", date=DAY, path=tools.path)
    assert not (tools.folder / "vivado.called").exists()


def test_a_design_without_a_board_is_refused(make_project, tools, tmp_path):
    project = make_project(Design(pes=4))
    with pytest.raises(InputError, match="the design must name a board, not 'none'"):
        build_bitstream(project, tmp_path / "out", date=DAY, path=tools.path)


def test_nothing_else_is_overwritten(packaged, tools, tmp_path):
    tools.add_mock("vivado", SCRIPT)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").write_text("...")
    (tmp_path / "file").write_text("...")
    for name in ("thesis", "file"):
        with pytest.raises(InputError, match="out must be a new folder or an earlier build"):
            build_bitstream(packaged, tmp_path / name, date=DAY, path=tools.path)
    assert not (tools.folder / "vivado.called").exists()
    (tmp_path / "empty").mkdir()
    build_bitstream(packaged, tmp_path / "empty", date=DAY, path=tools.path).verify(
        tmp_path / "empty"
    )


def test_a_build_that_somebody_put_notes_into_is_not_replaced(built, tools):
    project, out, manifest = built
    (out / "notes.txt").write_text("of hours in the laboratory")
    with pytest.raises(InputError, match=r"an earlier build and nothing else; .* has notes\.txt"):
        build_bitstream(project, out, date=DAY, path=tools.path)
    assert (out / "notes.txt").read_text() == "of hours in the laboratory"
    manifest.verify(out)


def test_a_folder_behind_a_link_is_replaced(built, tools, tmp_path):
    project, out, _ = built
    (tmp_path / "link").symlink_to(out)
    second = build_bitstream(project, tmp_path / "link", date=DAY, path=tools.path)
    second.verify(out)
    assert (tmp_path / "link").is_symlink()
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing")
    with pytest.raises(InputError, match="out must be a new folder or an earlier build"):
        build_bitstream(project, tmp_path / "nowhere", date=DAY, path=tools.path)


def test_an_interrupt_between_the_renames_brings_the_earlier_build_back(built, tools, monkeypatch):
    project, out, manifest = built
    rename = Path.rename

    def interrupted(path: Path, target: Path) -> Path:
        if path.name.endswith(".partial"):
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build_bitstream(project, out, date=DAY, path=tools.path)
    assert Manifest.load(out) == manifest
    manifest.verify(out)
    assert neighbours(out) == ["kv260"]


def test_a_copy_that_fails_leaves_the_earlier_build(built, tools, monkeypatch):
    project, out, manifest = built

    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(ToolError, match=r"cannot write the build to .*: .*No space left"):
        build_bitstream(project, out, date=DAY, path=tools.path)
    assert Manifest.load(out) == manifest
    manifest.verify(out)
    assert neighbours(out) == ["kv260"]


def test_an_exchanged_file_is_named(built):
    _, out, manifest = built
    (out / "eie.hwh").write_text("of another build")
    (out / "timing.rpt").unlink()
    with pytest.raises(InputError) as caught:
        manifest.verify(out)
    assert "2 problems" in str(caught.value)
    assert "eie.hwh is not the file that was built" in str(caught.value)
    assert "timing.rpt is missing" in str(caught.value)


def test_a_manifest_that_is_none_is_refused(tmp_path):
    for text, message in [
        ("{", "cannot read manifest"),
        ("[]", r"format must be 1, not \[\]"),
        ('{"format": 2}', "format must be 1, not 2"),
    ]:
        (tmp_path / MANIFEST).write_text(text)
        with pytest.raises(InputError, match=message):
            Manifest.load(tmp_path)
    with pytest.raises(InputError, match=r"cannot read manifest .*No such file"):
        Manifest.load(tmp_path / "none")


def test_every_wrong_field_of_a_manifest_is_named(built):
    _, out, manifest = built
    document = json.loads(manifest.to_json())
    document |= {"wns_ns": "fine", "clock_hz": True, "design": {"pes": 4, "colour": 1}}
    del document["part"]
    (out / MANIFEST).write_text(json.dumps(document))
    with pytest.raises(InputError) as caught:
        Manifest.load(out)
    text = str(caught.value)
    assert "4 problems" in text
    assert "wns_ns must be of type float, not 'fine'" in text
    assert "clock_hz must be of type int, not True" in text
    assert "part must be of type str, not None" in text
    assert "design must hold the parameters of a design, not {'pes': 4, 'colour': 1}" in text
