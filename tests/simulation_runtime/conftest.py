"""Compiles the C++ programs of this folder against templates/simulation, once a session."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent
TEMPLATES = Path(str(files("eie.templates") / "simulation")).parent
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror")
#: What distributions build with; _FORTIFY_SOURCE must not break the coroutines.
FORTIFIED = ("-O2", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2")
SANITIZED = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
BUILDS = {"fortified": FORTIFIED, "sanitized": SANITIZED}

Compile = Callable[..., Path]
Run = Callable[..., subprocess.CompletedProcess[str]]
Scenario = Callable[..., dict[str, str]]


@pytest.fixture(scope="session")
def compile_program(tmp_path_factory: pytest.TempPathFactory) -> Compile:
    """Give compile(source, build, *flags), which returns the path of the program."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("g++ is not installed")
    package = importlib.util.find_spec("hls4ml")
    if package is None or package.origin is None:
        pytest.skip("hls4ml, which ships ap_int.h, is not installed")
    ap_types = Path(package.origin).parent / "templates" / "vivado" / "ap_types"
    includes = ["-I", str(TEMPLATES / "simulation"), "-I", str(TEMPLATES / "kernel")]
    folder = tmp_path_factory.mktemp("simulation_runtime")
    built: dict[tuple[str, ...], Path] = {}

    def compile_source(source: str, build: str = "fortified", *flags: str) -> Path:
        key = (source, build, *flags)
        if key not in built:
            program = folder / f"{Path(source).stem}_{len(built)}"
            command = [compiler, "-std=c++14", *WARNINGS, *BUILDS[build], *flags, *includes]
            command += ["-isystem", str(ap_types), str(HERE / source), "-o", str(program)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            built[key] = program
        return built[key]

    return compile_source


@pytest.fixture(scope="session")
def run_program() -> Run:
    """Give run(program, *arguments, stdin=""), which returns the completed process."""

    def run(program: Path, *arguments: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
        # Off the coroutines' stacks, locals keep their red zones over a switch.
        environment = dict(os.environ, ASAN_OPTIONS="detect_stack_use_after_return=1")
        return subprocess.run(
            [str(program), *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=environment,
        )

    return run


@pytest.fixture(params=list(BUILDS))
def scenario(
    request: pytest.FixtureRequest, compile_program: Compile, run_program: Run
) -> Scenario:
    """Give run(name, *numbers): the records that scenarios.cpp prints, in each of the builds."""
    program = compile_program("scenarios.cpp", request.param)

    def run(name: str, *numbers: int) -> dict[str, str]:
        done = run_program(program, name, *numbers)
        assert done.returncode == 0, done.stderr
        return dict(record.split("=", 1) for record in done.stdout.split("\0") if record)

    return run


@pytest.fixture(scope="session")
def reference() -> ModuleType:
    """Give the module reference.py beside this file."""
    spec = importlib.util.spec_from_file_location("simulation_reference", HERE / "reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look their module up
    spec.loader.exec_module(module)
    return module
