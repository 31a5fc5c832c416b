"""Finding and running Vitis HLS, with stub executables in its place."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from eie.hls.boundary.errors import InputError, ToolError
from eie.hls.spec.design import Design
from eie.hls.tools.vendor import DEFAULT_STEPS, STEPS, run_block, run_hls


@pytest.fixture
def project(make_project):
    return make_project(Design(pes=4, board="pynq-z2"))


MAKE_RESULTS = (
    "mkdir -p hls/eie/solution/syn/report hls/eie/solution/impl/ip",
    "touch hls/eie/solution/impl/ip/component.xml",
)


def test_takes_vitis_hls(project, tools):
    tools.add("vitis_hls", *MAKE_RESULTS)
    tools.add("vitis-run", "exit 1")
    solution = run_hls(project, path=tools.path)
    assert tools.arguments("vitis_hls") == ["-f", str(project / "vitis/run_hls.tcl")]
    assert solution == project / "build/hls/eie/solution"
    assert not (tools.folder / "vitis-run.called").exists()


def test_takes_vitis_run_where_there_is_no_vitis_hls(project, tools):
    tools.add("vitis-run", *MAKE_RESULTS)
    run_hls(project, path=tools.path)
    script = str(project / "vitis/run_hls.tcl")
    assert tools.arguments("vitis-run") == ["--mode", "hls", "--tcl", script]


def test_looks_on_the_path_of_the_environment(project, tools, monkeypatch):
    tools.add("vitis_hls", *MAKE_RESULTS)
    monkeypatch.setenv("PATH", tools.path)
    run_hls(project)
    assert tools.arguments("vitis_hls")


def test_a_missing_tool_is_one_sentence(project, tools):
    with pytest.raises(ToolError) as caught:
        run_hls(project, path=tools.path)
    assert str(caught.value) == (
        "Vitis HLS was not found (vitis_hls or vitis-run on PATH): install AMD Vitis 2023.2 or "
        "later, which brings Vivado with it, and source the settings64.sh in its folder"
    )
    assert not (project / "build").exists()


def test_tells_the_script_its_steps(project, tools, monkeypatch):
    monkeypatch.setenv("EIE_HLS_STEPS", "csim")
    tools.add("vitis_hls", 'echo "steps: $EIE_HLS_STEPS, in $PWD"', *MAKE_RESULTS)
    run_hls(project, steps=("csynth", "export"), path=tools.path)
    log = (project / "build/hls.log").read_text()
    assert log == f"steps: csynth export, in {project / 'build'}\n"
    assert os.environ["EIE_HLS_STEPS"] == "csim"


def test_runs_one_part_of_the_kernel(project, tools):
    tools.add(
        "vitis_hls",
        'echo "block: $EIE_HLS_BLOCK, steps: $EIE_HLS_STEPS"',
        "mkdir -p hls_pe/eie/solution/syn/report",
    )
    assert run_block(project, "pe", path=tools.path) == project / "build/hls_pe/eie/solution"
    assert (project / "build/hls_pe.log").read_text() == "block: pe, steps: csynth\n"


def test_refuses_a_part_that_there_is_not(project, tools):
    with pytest.raises(InputError, match=r"block must be one of receive, .*, not 'brain'$"):
        run_block(project, "brain", path=tools.path)


def test_an_old_name_of_a_part_leads_to_its_new_one(project, tools):
    with pytest.raises(InputError, match="not 'lnzd': it is called 'detect_nonzero' now"):
        run_block(project, "lnzd", path=tools.path)


def test_a_failure_shows_the_end_of_the_log(project, tools):
    tools.add("vitis_hls", "seq 1 100", 'echo "ERROR: [HLS 200-70] out of luck" >&2', "exit 3")
    with pytest.raises(ToolError) as caught:
        run_hls(project, path=tools.path)
    first, *lines = str(caught.value).splitlines()
    assert first == f"vitis_hls ended with status 3; {project / 'build/hls.log'} ends with"
    assert lines[-1] == "  ERROR: [HLS 200-70] out of luck"
    assert lines[0] == "  87"
    assert (project / "build/hls.log").read_text().startswith("1\n2\n")


def test_a_tool_that_cannot_start_is_named(project, tools):
    (tools.folder / "vitis_hls").write_text("#!/no/such/shell\n")
    (tools.folder / "vitis_hls").chmod(0o755)
    with pytest.raises(ToolError, match=r"cannot run .*/vitis_hls: "):
        run_hls(project, path=tools.path)


def test_nothing_is_written_through_a_log(project, tools, tmp_path):
    tools.add("vitis_hls", *MAKE_RESULTS)
    (tmp_path / "victim").write_text("kept")
    (project / "build").mkdir()
    (project / "build/hls.log").symlink_to(tmp_path / "victim")
    with pytest.raises(ToolError, match=r"cannot write .*hls\.log: it must be a file, not a link"):
        run_hls(project, path=tools.path)
    assert (tmp_path / "victim").read_text() == "kept"
    assert not (tools.folder / "vitis_hls.called").exists()


def test_two_runs_of_one_project_do_not_meet(project, tools):
    tools.add("vitis_hls", "echo started > started", "read line < go", *MAKE_RESULTS)
    (project / "build").mkdir()
    os.mkfifo(project / "build/go")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(run_hls, project, path=tools.path)
        with (project / "build/go").open("w") as go:  # opens when the tool does
            with pytest.raises(ToolError, match="another run of the tool is writing"):
                run_hls(project, path=tools.path)
            go.write("on\n")
        assert first.result().is_dir()
    tools.add("vitis_hls", *MAKE_RESULTS)
    run_hls(project, path=tools.path)


@pytest.mark.parametrize("step", ["csynth", "export"])
def test_results_of_an_earlier_run_do_not_pass(project, tools, step):
    tools.add("vitis_hls", *MAKE_RESULTS)
    run_hls(project, path=tools.path)
    tools.add("vitis_hls")
    with pytest.raises(ToolError, match=f"the tool reported no error, but step {step} left no "):
        run_hls(project, steps=(step,), path=tools.path)


@pytest.mark.parametrize("steps", [STEPS, ("csim",), DEFAULT_STEPS])
def test_runs_the_generated_script(project, tools, steps):
    tools.add_mock("vitis-run", "$4")
    solution = run_hls(project, steps=steps, path=tools.path)
    assert (solution / "impl/ip/component.xml").exists() == ("export" in steps)
    assert (solution / "csim").exists() == ("csim" in steps)


def test_a_failing_test_bench_is_an_error(project, tools):
    tools.add_mock("vitis_hls", "$2", "-csim 1")
    with pytest.raises(ToolError, match="the test bench returned 1"):
        run_hls(project, steps=STEPS, path=tools.path)


def test_every_wrong_argument_is_named(tmp_path, tools):
    tools.add("vitis_hls")
    with pytest.raises(InputError) as caught:
        run_hls(tmp_path / "no project", steps=("csim", "place"), path=tools.path)
    text = str(caught.value)
    assert "3 problems" in text
    assert "project must be a folder made by `eie generate`" in text
    assert "must be free of spaces" in text
    assert "step must be one of csynth, export, csim, not 'place'" in text
    assert not (tools.folder / "vitis_hls.called").exists()


def test_steps_must_not_be_empty(project, tools):
    with pytest.raises(InputError, match="steps must name at least one step"):
        run_hls(project, steps=(), path=tools.path)
