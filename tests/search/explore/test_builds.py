"""Synthesising a front: one at a time on each machine, each design in a folder of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from distributed import LocalCluster

from eie.hls.spec.design import Design
from eie.host.cli.main import main
from eie.host.search.explore.builds import build_front
from eie.host.search.explore.result import PointResult

#: Stand-ins for Vitis HLS note when another is running under the same name.
ONE_ON_THIS_MACHINE = "all"
ONE_FOR_EACH_WORKER = "$PPID"


def results(*designs: Design) -> list[PointResult]:
    return [PointResult.of(str(number), each, 100, ()) for number, each in enumerate(designs)]


@pytest.fixture
def stub(tmp_path: Path) -> Callable[[str], Path]:
    """Put a vitis_hls that takes half a second and fails into a folder; gives the folder."""

    def put(name: str) -> Path:
        folder = tmp_path / "tools"
        folder.mkdir()
        tool = folder / "vitis_hls"
        tool.write_text(
            "#!/bin/sh\n"
            f"cd {folder}\n"
            f'mkdir "busy-{name}" || touch clash\n'
            'touch "ran-$PPID"\n'
            "sleep 0.5\n"
            f'rmdir "busy-{name}"\n'
            "exit 1\n"
        )
        tool.chmod(0o755)
        return folder

    return put


def path_with(folder: Path) -> str:
    return f"{folder}:/usr/bin:/bin"


def test_the_command_synthesises_one_at_a_time(stub, random_network, tmp_path, monkeypatch, capsys):
    tools = stub(ONE_ON_THIS_MACHINE)
    monkeypatch.setenv("PATH", path_with(tools))
    # Workers are as many as cores if nobody says otherwise; a machine with one would show nothing.
    monkeypatch.setattr("dask.system.CPU_COUNT", 4)
    random_network(40, 60, 20, golden=1).save(tmp_path / "net.npz")
    command = ["explore", str(tmp_path / "net.npz"), "--out", str(tmp_path / "out"), "--build"]
    command += ["--board", "kv260", "--pes", "1,2,4,8", "--index-bits", "4", "--memory", "bram"]
    assert main(command) == 2
    printed = capsys.readouterr()
    assert printed.out.count("vitis_hls ended with status 1") == 4
    assert printed.err.endswith("eie: 4 of 4 designs could not be synthesised: see above why\n")
    assert not (tools / "clash").exists()


def test_a_worker_of_a_cluster_has_one_at_a_time(stub, tmp_path):
    tools = stub(ONE_FOR_EACH_WORKER)
    front = results(*(Design(pes=1, queue_depth=depth, board="kv260") for depth in range(2, 8)))
    size = {"n_workers": 2, "threads_per_worker": 4, "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(**size) as cluster:
        address = cluster.scheduler_address
        path = path_with(tools)
        builds = list(build_front(front, tmp_path / "builds", scheduler=address, path=path))
    assert len(builds) == 6
    assert all("vitis_hls ended with status 1" in build.text for build in builds)
    assert len(list(tools.glob("ran-*"))) == 2
    assert not (tools / "clash").exists()


def test_each_design_has_a_folder_of_its_own(tmp_path):
    one = Design(pes=2, board="zcu104", clock_mhz=100)
    designs = [one, one.replace(clock_mhz=200), one.replace(board="kv260")]
    front = results(*designs, one)
    builds = list(build_front(front, tmp_path / "builds", path=str(tmp_path)))
    assert {build.design for build in builds} == set(designs)
    assert len(builds) == len({build.project for build in builds}) == 3
    for build in builds:
        assert Design.load(Path(build.project) / "design.toml") == build.design


def test_a_folder_that_cannot_be_written_fails_its_build_alone(tmp_path):
    (tmp_path / "builds").write_text("a file")
    (build,) = build_front(results(Design(pes=1)), tmp_path / "builds", path=os.defpath)
    assert not build.succeeded
    assert "builds" in build.text
