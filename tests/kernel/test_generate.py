"""Writing a project: always the same bytes, whole or not at all, never over a user's files."""

from __future__ import annotations

import hashlib
import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from folder_contents import tree

from eie.hls.boundary.errors import DesignError, InputError
from eie.hls.project import generator
from eie.hls.project.folder_lock import LOCK, locked_folder
from eie.hls.project.project_folder import LISTING
from eie.hls.spec.design import Design
from eie.host.project.generate import generate, render

#: Designs here are of different boards, to differ in as many files as they can.
pytestmark = pytest.mark.filterwarnings("ignore:.* was a project for board")

DESIGN = Design(pes=2)
#: A design with more files, and others with other contents.
OTHER = Design(pes=4, board="pynq-z2")


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
    for path in ("kernel/merge.h", "vitis/options.tcl"):
        with (project / path).open("a") as file:
            file.write("// my change\n")
    before = tree(project)
    with pytest.raises(InputError) as refusal:
        generate(OTHER, project)
    assert "kernel/merge.h is not as eie wrote it" in str(refusal.value)
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
    (project / "kernel" / "merge.h").unlink()
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

    def fail(method: str, count: int, patch: pytest.MonkeyPatch = monkeypatch) -> None:
        numbers = itertools.count(1)
        original = getattr(Path, method)

        def replacement(path: Path, *arguments: object, **options: object) -> object:
            if next(numbers) == count:
                raise OSError(28, "No space left on device")
            return original(path, *arguments, **options)

        patch.setattr(Path, method, replacement)

    return fail


@pytest.mark.parametrize(
    ("method", "count"), [("write_text", 1), ("write_text", 20), ("rename", 1)]
)
def test_a_failure_leaves_nothing(tmp_path: Path, fail_at, method: str, count: int) -> None:
    fail_at(method, count)
    with pytest.raises(InputError, match="No space left"):
        generate(DESIGN, tmp_path / "deep" / "project")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_to_write_leaves_the_old_project(tmp_path: Path, fail_at) -> None:
    project = generate(OTHER, tmp_path / "project")
    before = tree(project)
    fail_at("write_text", 5)
    with pytest.raises(InputError, match="No space left"):
        generate(DESIGN, project)
    assert tree(project) == before
    assert [path.name for path in tmp_path.iterdir()] == ["project"]


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize(
    ("before", "after", "method", "count"),
    [
        (OTHER, DESIGN, "replace", 1),  # the list of both
        (OTHER, DESIGN, "replace", 2),
        (OTHER, DESIGN, "replace", 5),
        (OTHER, DESIGN, "unlink", 3),  # of files that a design without a board has not
        (DESIGN, OTHER, "replace", 7),  # after new ones
        (DESIGN, OTHER, "chmod", 4),
    ],
)
def test_a_failure_in_the_middle_brings_the_old_project_back(
    tmp_path: Path, fail_at, monkeypatch, links, before, after, method, count
) -> None:
    project = generate(before, tmp_path / "project")
    (project / "kernel" / "merge.h").chmod(0o600)
    old = tree(project)
    if not links:

        def no_links(*_: object, **__: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr("os.link", no_links)
    with monkeypatch.context() as patch:
        fail_at(method, count, patch)
        with pytest.raises(InputError, match="No space left"):
            generate(after, project)
    assert tree(project) == old
    assert (project / "kernel" / "merge.h").stat().st_mode & 0o777 == 0o600
    assert (project / "vivado").exists() is (before is OTHER)
    generate(after, project)
    assert tree(project) == tree(generate(after, tmp_path / "fresh"))
    assert (project / "kernel" / "merge.h").stat().st_mode & 0o777 == 0o600


def test_files_that_stay_the_same_are_not_written_again(tmp_path: Path) -> None:
    """Or the tools would take them for new."""
    project = generate(DESIGN, tmp_path / "project")
    before = {path: path.stat().st_mtime_ns for path in project.rglob("*.h")}
    generate(DESIGN.replace(queue_depth=9), project)
    after = {path: path.stat().st_mtime_ns for path in project.rglob("*.h")}
    changed = {path.name for path in before if before[path] != after[path]}
    assert "config.h" in changed
    assert "fifo.h" not in changed


def test_a_project_behind_a_link_is_written(tmp_path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there/project")
    for design in (OTHER, DESIGN):  # new, and then an earlier one
        assert generate(design, tmp_path / "link") == tmp_path / "link"
        assert Design.load(tmp_path / "there" / "project" / "design.toml") == design
    assert (tmp_path / "link").is_symlink()


def test_the_mode_of_a_new_folder_is_that_of_the_umask(tmp_path) -> None:
    before = os.umask(0o027)
    try:
        project = generate(DESIGN, tmp_path / "project")
    finally:
        os.umask(before)
    assert project.stat().st_mode & 0o777 == 0o750
    assert (project / "README.md").stat().st_mode & 0o777 == 0o640


# Several at once -----------------------------------------------------------------------------


@pytest.mark.parametrize("there", ["nothing", "an empty folder", "a project"])
def test_four_at_once_end_in_one_project(tmp_path, there) -> None:
    project = tmp_path / "project"
    if there == "an empty folder":
        project.mkdir()
    if there == "a project":
        generate(Design(pes=1), project)
    designs = [Design(pes=2 << n, board="zcu104" if n % 2 else "none") for n in range(4)]
    code = """
import sys
from pathlib import Path
from eie.hls.spec.design import Design
from eie.host.project.generate import generate
design = Design.load(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(2):
    generate(design, sys.argv[2])
"""
    processes = []
    for design in designs:
        design.save(tmp_path / f"{design.pes}.toml")
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", code, tmp_path / f"{design.pes}.toml", project],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 4
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0] * 4
    last = Design.load(project / "design.toml")
    assert last in designs
    assert tree(project) == tree(generate(last, tmp_path / "fresh"))


def test_who_waits_too_long_is_told(tmp_path) -> None:
    project = generate(DESIGN, tmp_path / "project")
    with (
        locked_folder(project),
        pytest.raises(InputError, match="another process is working in"),
        locked_folder(project, patience=0.1),
    ):
        pass
    assert not (project / LOCK).exists()


def test_a_lock_that_a_killed_run_left_locks_nothing(tmp_path) -> None:
    project = generate(DESIGN, tmp_path / "project")
    (project / LOCK).touch()
    generate(OTHER, project)
    assert not (project / LOCK).exists()


def test_a_design_that_holds_no_weight_is_refused(tmp_path: Path) -> None:
    tiny = Design(pes=1, entries_per_pe=8, pointers_per_pe=2, rows_per_pe=1, biases_per_pe=1)
    with pytest.raises(DesignError, match="must hold at least one weight; raise its capacities"):
        generate(tiny, tmp_path / "project")
    assert list(tmp_path.iterdir()) == []


def test_every_template_is_in_the_project_or_is_for_a_board() -> None:
    with_cell = Design(pes=1, held_activations=64, cell_units=1)
    with_board = render(with_cell.replace(board="pynq-z2"))
    without = render(with_cell)
    templates = {path.removesuffix(".j2") for path, _ in generator._template_files()}
    written = {"design.toml", "testbench/golden/packets.txt"}
    # Of the two kinds of pointers, and of what travels of vectors, a project has one.
    kinds = {path for path in templates if path.startswith(("kernel/pointers_", "kernel/vectors_"))}
    assert len(kinds) == 4
    chosen = {"kernel/pointers.h", "kernel/vectors.h"}
    of_groups = {"kernel/join_abreast.h"}
    assert set(with_board) == (templates - kinds - of_groups) | written | chosen
    assert set(render(Design(pes=1, abreast=2))) > chosen | of_groups
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
            pragma = f"variable = {bank} type = ram_s2p impl = {kind} latency = 2\n"
            assert pragma in project["kernel/column_fetch.h"]
