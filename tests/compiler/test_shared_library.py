"""C++ of eie's own is compiled once, kept, and loaded; whatever is in the way is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from eie.hls.boundary.errors import ToolError
from eie.hls.compiler.program_store import program_store
from eie.hls.compiler.shared_library import load_library

SOURCES = {"answer.h": "constexpr int kAnswer = 42;\n"}
MAIN = '#include "answer.h"\nextern "C" int answer() { return kAnswer; }\n'


def answer(header: str = SOURCES["answer.h"], main: str = MAIN, **options: object) -> int:
    sources = {"answer.h": header, "main.cpp": main}
    return int(load_library("answer", sources, "main.cpp", **options).answer())


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    store = program_store()
    assert store is not None
    return store


def stand_in(monkeypatch: pytest.MonkeyPatch, path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("CXX", str(path))


def test_it_is_compiled_once(store, monkeypatch) -> None:
    assert answer() == 42
    (kept,) = store.iterdir()
    before = kept.stat().st_ino
    monkeypatch.setattr("eie.hls.compiler.shared_library._compile", None)
    assert answer() == 42
    assert [file.stat().st_ino for file in store.iterdir()] == [before]


def test_other_sources_and_flags_are_other_libraries(store) -> None:
    assert answer() == 42
    assert answer("constexpr int kAnswer = 43;\n") == 43
    assert answer(flags=["-g"]) == 42
    assert len(list(store.iterdir())) == 3


def test_where_nothing_can_be_kept_it_is_loaded_all_the_same(monkeypatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert answer() == 42


def test_what_does_not_compile_is_said(store) -> None:
    with pytest.raises(ToolError, match=r"(?s)could not compile main\.cpp:\n.*kAnswer"):
        answer("// nothing\n")
    assert list(store.iterdir()) == []


def test_a_compiler_that_is_missing(monkeypatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ToolError, match="no C\\+\\+ compiler called no-such-compiler"):
        answer()


@pytest.mark.usefixtures("store")
def test_a_compiler_that_makes_nothing(monkeypatch, tmp_path: Path) -> None:
    stand_in(monkeypatch, tmp_path / "idle", "exit 0")
    with pytest.raises(ToolError, match=r"idle could not compile main\.cpp"):
        answer()


@pytest.mark.usefixtures("store")
def test_a_compiler_that_makes_something_else(monkeypatch, tmp_path: Path) -> None:
    script = 'while [ "$1" != -o ]; do shift; done; echo "no library" > "$2"'
    stand_in(monkeypatch, tmp_path / "other", script)
    with pytest.raises(ToolError, match="cannot load"):
        answer()
