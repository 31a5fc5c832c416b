"""Compiled kernels are kept in the project, and compiled again only when something changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import eie.hls.tools.gxx
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
def project(project_of, small, tmp_path: Path) -> Path:
    # Without what other tests have compiled in it.
    return shutil.copytree(
        project_of(small), tmp_path / "project", ignore=shutil.ignore_patterns("build")
    )


def compiled(project: Path, **options: object) -> str:
    with kept_program(project, SOURCES, **options) as program:
        return program.name


def test_the_second_time_it_is_there(project, compiler):
    assert compiled(project) == compiled(project)
    assert compiler.calls == 1
    assert [file.name for file in (project / "build/simulation").iterdir()] == [compiled(project)]


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


def test_a_project_that_cannot_be_written_is_compiled_for_once(project, compiler):
    (project / "build").write_text("in the way\n")
    for calls in (1, 2):
        with kept_program(project, SOURCES) as program:
            assert program.is_file()
        assert not program.exists()
        assert compiler.calls == calls


def test_a_program_that_does_not_compile_is_not_kept(project):
    (project / "kernel" / "eie.h").write_text("#error out of order\n")
    with pytest.raises(eie.hls.tools.gxx.ToolError), kept_program(project, SOURCES):
        pass
    assert not (project / "build").exists()


def test_what_is_kept_is_no_part_of_the_project(project, compiler, small):
    from eie.host.project.generate import generate

    name = compiled(project)
    generate(small, project)
    assert (project / "build/simulation" / name).is_file()
