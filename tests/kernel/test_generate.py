"""Writing a project: always the same bytes, whole or not at all, never over a user's files."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from eie.hls.boundary.errors import DesignError, InputError
from eie.hls.project import generator
from eie.hls.project.project_folder import LISTING
from eie.hls.spec.design import Design
from eie.host.project.generate import generate, render

DESIGN = Design(pes=2)
#: A design with more files, and others with other contents.
OTHER = Design(pes=4, board="pynq-z2")


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_design_gives_the_same_bytes(tmp_path: Path) -> None:
    first = tree(generate(DESIGN, tmp_path / "a"))
    assert first == tree(generate(Design(pes=2), tmp_path / "b"))
    listing = first.pop(LISTING).decode()
    assert first == {path: text.encode() for path, text in render(DESIGN).items()}
    # What `sha256sum --check` reads.
    assert listing == "".join(
        f"{hashlib.sha256(first[path]).hexdigest()}  {path}\n" for path in sorted(first)
    )


def test_another_design_gives_other_bytes(tmp_path: Path) -> None:
    assert tree(generate(DESIGN, tmp_path / "a")) != tree(
        generate(DESIGN.replace(queue_depth=9), tmp_path / "b")
    )


def test_the_project_holds_its_design(tmp_path: Path) -> None:
    project = generate(DESIGN, tmp_path / "project")
    assert Design.load(project / "design.toml") == DESIGN


def test_missing_parents_are_made(tmp_path: Path) -> None:
    project = generate(DESIGN, str(tmp_path / "x" / "y" / "project"))
    assert project == tmp_path / "x" / "y" / "project"
    assert (project / "kernel" / "eie.cpp").is_file()
    assert [path.name for path in project.parent.iterdir()] == ["project"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    assert tree(generate(DESIGN, tmp_path / "project")) == tree(generate(DESIGN, tmp_path / "new"))


@pytest.mark.parametrize(("before", "after"), [(OTHER, DESIGN), (DESIGN, OTHER)])
def test_an_old_project_becomes_the_new_one(tmp_path: Path, before: Design, after: Design) -> None:
    project = generate(before, tmp_path / "project")
    generate(after, project)
    assert tree(project) == tree(generate(after, tmp_path / "fresh"))
    assert not (project / "vivado").exists() or after is OTHER
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fresh", "project"]


def test_files_that_eie_did_not_write_stay(tmp_path: Path) -> None:
    project = generate(OTHER, tmp_path / "project")
    mine = {"build/report": b"of hours", "vivado/notes": b"mine", "notes": b"mine too"}
    for path, text in mine.items():
        (project / path).parent.mkdir(exist_ok=True)
        (project / path).write_bytes(text)
    generate(DESIGN, project)
    assert tree(project) == tree(generate(DESIGN, tmp_path / "fresh")) | mine


def test_an_edited_file_is_refused_and_kept(tmp_path: Path) -> None:
    project = generate(DESIGN, tmp_path / "project")
    for path in ("kernel/lnzd.h", "vitis/options.tcl"):
        with (project / path).open("a") as file:
            file.write("// my change\n")
    before = tree(project)
    with pytest.raises(InputError) as refusal:
        generate(OTHER, project)
    assert "kernel/lnzd.h is not as eie wrote it" in str(refusal.value)
    assert "vitis/options.tcl is not as eie wrote it" in str(refusal.value)
    assert tree(project) == before
    assert [path.name for path in tmp_path.iterdir()] == ["project"]


def test_a_file_in_the_way_of_a_new_one_is_refused_and_kept(tmp_path: Path) -> None:
    project = generate(DESIGN, tmp_path / "project")
    (project / "vivado").mkdir()
    (project / "vivado" / "build.tcl").write_text("mine")
    before = tree(project)
    with pytest.raises(InputError, match=r"vivado/build\.tcl is not as eie wrote it"):
        generate(OTHER, project)
    assert tree(project) == before


def test_a_deleted_file_comes_back(tmp_path: Path) -> None:
    project = generate(DESIGN, tmp_path / "project")
    before = tree(project)
    (project / "kernel" / "lnzd.h").unlink()
    assert tree(generate(DESIGN, project)) == before


def test_vivado_scripts_are_there_for_a_board_only(tmp_path: Path) -> None:
    for board, there in (("none", False), ("kv260", True)):
        project = generate(Design(pes=1, board=board), tmp_path / board)
        assert (project / "vivado").exists() is there


def test_a_foreign_folder_is_refused(tmp_path: Path) -> None:
    thesis = tmp_path / "thesis" / "chapter.tex"
    thesis.parent.mkdir()
    thesis.write_text("years of work")
    with pytest.raises(InputError, match="must be empty or an eie project: it has other files"):
        generate(DESIGN, tmp_path / "thesis")
    assert thesis.read_text() == "years of work"
    assert [path.name for path in tmp_path.iterdir()] == ["thesis"]


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "project").write_text("mine")
    with pytest.raises(InputError, match="must be a folder, not a file"):
        generate(DESIGN, tmp_path / "project")
    assert (tmp_path / "project").read_text() == "mine"


@pytest.fixture
def fail_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], None]:
    """Give fail_at(method, count): the `count`-th call of that method of Path fails."""

    def fail(method: str, count: int) -> None:
        numbers = itertools.count(1)
        original = getattr(Path, method)

        def replacement(path: Path, *arguments: object, **options: object) -> object:
            if next(numbers) == count:
                raise OSError(28, "No space left on device")
            return original(path, *arguments, **options)

        monkeypatch.setattr(Path, method, replacement)

    return fail


@pytest.mark.parametrize(
    ("method", "count"), [("write_text", 1), ("write_text", 20), ("replace", 1)]
)
def test_a_failure_leaves_nothing(tmp_path: Path, fail_at, method: str, count: int) -> None:
    fail_at(method, count)
    with pytest.raises(InputError, match="No space left"):
        generate(DESIGN, tmp_path / "project")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_to_write_leaves_the_old_project(tmp_path: Path, fail_at) -> None:
    project = generate(OTHER, tmp_path / "project")
    before = tree(project)
    fail_at("write_text", 5)
    with pytest.raises(InputError, match="No space left"):
        generate(DESIGN, project)
    assert tree(project) == before
    assert [path.name for path in tmp_path.iterdir()] == ["project"]


@pytest.mark.parametrize("count", [1, 2, 10, 30])
def test_what_was_interrupted_is_finished_by_doing_it_again(
    tmp_path: Path, fail_at, count: int
) -> None:
    """Every file is then whole, of the old project or of the new one."""
    project = generate(OTHER, tmp_path / "project")
    old, new = tree(project), tree(generate(DESIGN, tmp_path / "fresh"))
    fail_at("replace", count)
    with pytest.raises(InputError, match="No space left"):
        generate(DESIGN, project)
    for path, content in tree(project).items():
        assert path == LISTING or content in (old.get(path), new.get(path)), path
    generate(DESIGN, project)
    assert tree(project) == new
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fresh", "project"]


def test_a_design_that_holds_no_weight_is_refused(tmp_path: Path) -> None:
    tiny = Design(pes=1, entries_per_pe=8, pointers_per_pe=2, rows_per_pe=1, biases_per_pe=1)
    with pytest.raises(DesignError, match="must hold at least one weight; raise its capacities"):
        generate(tiny, tmp_path / "project")
    assert list(tmp_path.iterdir()) == []


def test_every_template_is_in_the_project_or_is_for_a_board() -> None:
    with_board = render(Design(pes=1, board="pynq-z2"))
    without = render(Design(pes=1))
    templates = {path.removesuffix(".j2") for path, _ in generator._template_files()}
    written = {"design.toml", "testbench/golden/packets.txt"}
    # Of the two kinds of pointers a project has one.
    kinds = {"kernel/pointers_plain.h", "kernel/pointers_compact.h"}
    assert kinds <= templates
    assert set(with_board) == templates - kinds | written | {"kernel/pointers.h"}
    assert {path for path in with_board if not path.startswith("vivado/")} == set(without)
    assert not any(path.endswith((".py", ".j2", ".pyc")) for path in with_board)
    assert not any("{{" in text or "{%" in text for text in with_board.values())


def test_a_project_has_the_pointers_of_its_design() -> None:
    plain = render(Design(pes=2))
    compact = render(Design(pes=2, length_bits=4))
    assert "typedef pointer_t bank_1_t[kPointerWordsPerPe];" in plain["kernel/pointers.h"]
    assert "typedef lengths_t bank_1_t[kPointerWordsPerPe];" in compact["kernel/pointers.h"]
    for design, project in ((Design(pes=2), plain), (Design(pes=2, length_bits=4), compact)):
        for bank, which in (("bank_0", "bases"), ("bank_1", "lengths")):
            kind = design.small_memory(which) if design.length_bits else "bram"
            pragma = f"variable = {bank} type = ram_s2p impl = {kind}\n"
            assert pragma in project["kernel/column_fetch.h"]
