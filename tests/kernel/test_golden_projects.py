"""Whole generated projects, so that a change of a template or of the generator shows as a diff.

`tests/golden/NAME/` has every file that is rendered for a design. A file that is copied as it is
would only repeat its template, three times over: those are listed in `copied.txt`, and compared
with the template itself. After a wanted change: `make golden`, and look at the diff.
"""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from eie.hls.project import generator
from eie.hls.spec.design import Design
from eie.host.project.generate import render

GOLDEN = Path(__file__).parents[1] / "golden"
LISTING = "copied.txt"
#: Small memories make small test benches.
PROJECTS = {
    "1pe-bram": Design(
        pes=1,
        queue_depth=2,
        entries_per_pe=256,
        pointers_per_pe=64,
        rows_per_pe=48,
        biases_per_pe=64,
        layers=2,
        hidden_activations=64,
    ),
    "8pe-bram-pynq-z2": Design(
        pes=8,
        entries_per_pe=128,
        pointers_per_pe=64,
        rows_per_pe=16,
        biases_per_pe=32,
        layers=4,
        hidden_activations=64,
        counters=0,
        spare_luts=1,
        board="pynq-z2",
    ),
    # Accumulators and biases in block RAM: more than lookup tables should hold.
    "16pe-uram-zcu104": Design(
        pes=16,
        index_bits=5,
        queue_depth=16,
        entries_per_pe=64,
        pointers_per_pe=64,
        length_bits=4,
        result_depth=32,
        rows_per_pe=300,
        biases_per_pe=300,
        layers=4,
        hidden_activations=64,
        memory="uram",
        board="zcu104",
        clock_mhz=200,
    ),
}


@pytest.fixture(params=PROJECTS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def rendered(name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The project as of version 0, so that a release does not touch every golden file."""
    monkeypatch.setattr(generator, "_version", lambda: "0")
    return render(PROJECTS[name])


def copied_files(rendered: dict[str, str]) -> dict[str, str]:
    """Files of the project that are templates as they are."""
    templates = files("eie.templates")
    found = {path: templates.joinpath(*path.split("/")) for path in rendered}
    return {
        path: template.read_text(encoding="utf-8")
        for path, template in found.items()
        if template.is_file()
    }


def test_golden_project(
    name: str, rendered: dict[str, str], request: pytest.FixtureRequest
) -> None:
    copied = copied_files(rendered)
    assert {path: rendered[path] for path in copied} == copied
    expected = {path: text for path, text in rendered.items() if path not in copied}
    expected[LISTING] = "".join(f"{path}\n" for path in copied)
    folder = GOLDEN / name
    if request.config.getoption("--update-golden"):
        shutil.rmtree(folder, ignore_errors=True)
        for path, text in expected.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    golden = {
        str(file.relative_to(folder)): file.read_text(encoding="utf-8")
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
    # Names first: a missing file fails, and so does one that is no longer generated.
    assert sorted(golden) == sorted(expected)
    for path, text in expected.items():
        assert golden[path] == text, f"{name}/{path}"


def test_golden_project_stays_small(name: str) -> None:
    files = (path for path in (GOLDEN / name).rglob("*") if path.is_file())
    assert sum(file.stat().st_size for file in files) < 150_000


def test_there_are_no_other_golden_projects() -> None:
    assert sorted(folder.name for folder in GOLDEN.iterdir()) == sorted(PROJECTS)


def test_version_appears_in_comments_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So goldens of version 0 say everything, and the version changes no hardware."""

    def render_as(version: str) -> dict[str, str]:
        monkeypatch.setattr(generator, "_version", lambda: version)
        return render(PROJECTS[name])

    old, new = render_as("0"), render_as("7.8.9")
    for path, text in new.items():
        if path == "README.md":
            continue
        pairs = zip(old[path].splitlines(), text.splitlines(), strict=True)
        changed = [line for before, line in pairs if before != line]
        assert all(line.lstrip().startswith(("//", "#")) for line in changed), path
