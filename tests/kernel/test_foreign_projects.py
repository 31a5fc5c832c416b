"""Code of a project that eie did not generate is named before it is compiled and run."""

from __future__ import annotations

import pytest

from eie.hls.boundary.errors import EieWarning, ToolError
from eie.hls.project.project_check import foreign_sources
from eie.hls.spec.design import Design
from eie.hls.tools.compiled_kernel import CompiledKernel
from eie.host.project.generate import generate


@pytest.fixture
def project(tmp_path):
    return generate(Design(pes=2, length_bits=3, pointers_per_pe=64), tmp_path / "project")


def test_what_eie_generates_is_its_own(project):
    assert foreign_sources(project) == []
    (project / "README.md").write_text("mine")  # which is not compiled
    (project / "build").mkdir()
    (project / "build" / "log").write_text("mine")
    assert foreign_sources(project) == []


def test_other_sources_are_named(project):
    with (project / "kernel" / "eie.h").open("a") as file:
        file.write("// edited\n")
    (project / "simulation" / "added.h").write_text("")
    (project / "kernel" / "more").mkdir()
    (project / "kernel" / "more" / "added.h").write_text("")
    assert foreign_sources(project) == [
        "kernel/eie.h", "kernel/more/added.h", "simulation/added.h",
    ]  # fmt: skip


def test_the_folders_own_list_of_sums_proves_nothing(project):
    (project / "kernel" / "eie.h").write_text("// another\n")
    (project / "SHA256SUMS").unlink()
    assert foreign_sources(project) == ["kernel/eie.h"]


def test_a_design_edited_beside_its_kernel_is_seen(project):
    Design(pes=4).save(project / "design.toml")
    assert "kernel/config.h" in foreign_sources(project)
    (project / "design.toml").write_text("no design")
    assert "kernel/eie.cpp" in foreign_sources(project)


def test_it_is_said_before_anything_is_compiled(project):
    (project / "kernel" / "eie.cpp").write_text("#error not to be compiled\n")
    with (
        pytest.warns(EieWarning, match=r"did not generate \(kernel/eie.cpp\).*with your rights"),
        pytest.raises(ToolError, match="not to be compiled"),
    ):
        CompiledKernel(project)
