"""Compiled kernels are kept where only the user writes, and made again when something changes."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

import eie.hls.tools.gxx
from eie.hls.compiler.program_store import program_store
from eie.hls.tools.gxx import kept_program

SOURCES = ["kernel/eie.cpp", "simulation/server.cpp"]


class Compiler:
    """Stands in for g++: a program is the list of what it is made of."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, project: Path, sources, output: Path, *, flags=()) -> None:
        self.calls += 1
        output.write_text(" ".join([*sources, *flags]))


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> Compiler:
    compiler = Compiler()
    monkeypatch.setattr(eie.hls.tools.gxx, "compile_program", compiler)
    return compiler


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place of its own for programs."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    store = program_store()
    assert store is not None
    return store


@pytest.fixture
def project(project_of, small, tmp_path: Path) -> Path:
    # Without what other tests have compiled in it.
    return shutil.copytree(
        project_of(small), tmp_path / "project", ignore=shutil.ignore_patterns("build")
    )


def compiled(project: Path, **options: object) -> str:
    with kept_program(project, SOURCES, **options) as program:
        return program.name


def test_the_second_time_it_is_there(project, compiler, store):
    assert compiled(project) == compiled(project)
    assert compiler.calls == 1
    assert [file.name for file in store.iterdir()] == [compiled(project)]
    assert not (project / "build").exists()


@pytest.mark.parametrize("file", ["kernel/config.h", "kernel/eie.cpp", "simulation/fifo.h"])
def test_a_change_of_a_source_is_noticed(project, compiler, file):
    before = compiled(project)
    with (project / file).open("a") as source:
        source.write("// changed\n")
    assert compiled(project) != before
    assert compiler.calls == 2


def test_other_flags_and_compilers_are_other_programs(
    project, compiler, monkeypatch, tmp_path: Path
):
    other = tmp_path / "other"
    other.write_text("#!/bin/sh\necho another compiler\n")
    other.chmod(0o755)
    names = {compiled(project), compiled(project, flags=["-g"])}
    monkeypatch.setenv("CXX", str(other))
    names.add(compiled(project))
    assert len(names) == compiler.calls == 3


def test_other_arithmetic_headers_are_noticed(project, compiler, monkeypatch, tmp_path: Path):
    before = compiled(project)
    (tmp_path / "ap_int.h").write_text("// another\n")
    monkeypatch.setenv("EIE_AP_TYPES", str(tmp_path))
    assert compiled(project) != before


def test_where_nothing_can_be_kept_it_is_compiled_for_once(
    project, compiler, monkeypatch, tmp_path: Path
):
    (tmp_path / "file").write_text("in the way\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    for calls in (1, 2):
        with kept_program(project, SOURCES) as program:
            assert program.is_file()
        assert not program.exists()
        assert compiler.calls == calls


def test_a_program_that_does_not_compile_is_not_kept(project, store):
    (project / "kernel" / "eie.h").write_text("#error out of order\n")
    with pytest.raises(eie.hls.tools.gxx.ToolError), kept_program(project, SOURCES):
        pass
    assert list(store.iterdir()) == []


def test_a_copy_of_a_project_has_a_program_of_its_own(project, compiler, tmp_path: Path):
    """Its edited sources may include what lies beside them."""
    copy = shutil.copytree(project, tmp_path / "copy")
    assert compiled(project) != compiled(copy)


def test_a_source_that_changes_while_it_is_compiled(project, compiler, monkeypatch, store):
    def compile_slowly(project: Path, sources, output: Path, *, flags=()) -> None:
        compiler(project, sources, output, flags=flags)
        with (project / "kernel" / "eie.cpp").open("a") as source:
            source.write("// changed\n")

    monkeypatch.setattr(eie.hls.tools.gxx, "compile_program", compile_slowly)
    compiled(project)
    assert list(store.iterdir()) == []


# Nobody else's program is run ----------------------------------------------------------------


def test_a_program_that_came_with_the_project_is_not_run(project, compiler):
    name = compiled(project)
    for folder in ("build/simulation", "build", "."):
        (project / folder).mkdir(parents=True, exist_ok=True)
        for theirs in (name, f"{name[:-48]}"):
            (project / folder / theirs).write_text("theirs")
    with kept_program(project, SOURCES) as program:
        assert project not in program.parents
        assert program.read_text() != "theirs"


def test_folder_and_program_are_the_users_alone(project, compiler, store):
    before = os.umask(0o002)
    try:
        name = compiled(project)
    finally:
        os.umask(before)
    assert compiled(project) == name
    assert compiler.calls == 1
    for path in (store.parent, store, store / name):
        assert path.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("which", ["store", "its parent", "program"])
def test_what_others_may_have_written_is_not_run(project, compiler, store, which):
    name = compiled(project)
    path = {"store": store, "its parent": store.parent, "program": store / name}[which]
    (store / name).write_text("theirs")
    path.chmod(0o777)
    with kept_program(project, SOURCES) as program:
        assert program.read_text() != "theirs"
    assert compiler.calls == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="files of others are made by root")
@pytest.mark.parametrize("which", ["store", "its parent", "program"])
def test_what_belongs_to_others_is_not_run(project, compiler, store, which):
    name = compiled(project)
    path = {"store": store, "its parent": store.parent, "program": store / name}[which]
    (store / name).write_text("theirs")
    os.chown(path, 65534, 65534)
    with kept_program(project, SOURCES) as program:
        assert program.read_text() != "theirs"


def test_a_link_is_not_run(project, compiler, store, tmp_path: Path):
    name = compiled(project)
    (tmp_path / "theirs").write_text("theirs")
    (tmp_path / "theirs").chmod(0o700)
    (store / name).unlink()
    (store / name).symlink_to(tmp_path / "theirs")
    with kept_program(project, SOURCES) as program:
        assert program.read_text() != "theirs"
    assert (tmp_path / "theirs").read_text() == "theirs"
    assert not (store / name).is_symlink()


def test_what_was_not_used_for_a_month_goes(project, compiler, store):
    old, mine = compiled(project), store / "notes"
    mine.touch()
    month_ago = time.time() - 31 * 24 * 3600
    for path in (store / old, mine):
        os.utime(path, (month_ago, month_ago))
    new = compiled(project, flags=["-g"])
    assert {path.name for path in store.iterdir()} == {new, "notes"}


def test_what_is_used_stays(project, compiler, store):
    name = compiled(project)
    month_ago = time.time() - 31 * 24 * 3600
    os.utime(store / name, (month_ago, month_ago))
    compiled(project)
    compiled(project, flags=["-g"])
    assert (store / name).exists()


def test_a_relative_cache_folder_does_not_count(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for chosen in ("relative", ""):
        monkeypatch.setenv("XDG_CACHE_HOME", chosen)
        assert program_store() == tmp_path / ".cache" / "eie" / "programs"
