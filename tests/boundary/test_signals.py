"""SIGTERM and SIGHUP end a command as Ctrl-C does: tidied up, with a message and a status."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from folder_contents import tree

from eie.hls.spec.design import Design
from eie.host.cli.signals import Ended, raising_signals
from eie.host.project.generate import generate

#: The command line, but for a write of its outputs that stops in the middle. The compiled model may
#: be written before.
STOPPED_WRITE = """
import os, sys, time
import eie.hls.boundary.atomic
from eie.host.cli.main import main
write = eie.hls.boundary.atomic._write_all
def stop(descriptor, content):
    if "/out/" not in os.readlink(f"/proc/self/fd/{descriptor}"):
        return write(descriptor, content)
    os.write(descriptor, content[:1])
    print("writing", flush=True)
    time.sleep(600)
eie.hls.boundary.atomic._write_all = stop
sys.exit(main(sys.argv[1:]))
"""
#: The command line, but for a project whose fifth file takes for ever to be put in place.
STOPPED_UPDATE = """
import sys, time
from pathlib import Path
import eie.hls.project.project_folder as folder
from eie.host.cli.main import main
replace = folder._Changes.replace
calls = []
def stop(self, path, new):
    replace(self, path, new)
    calls.append(path)
    if len(calls) == 5:
        print("writing", flush=True)
        time.sleep(600)
folder._Changes.replace = stop
sys.exit(main(sys.argv[1:]))
"""
#: A compiler that says who it and its child are, and takes for ever.
COMPILER = """#!/bin/sh
[ "$1" = --version ] && exit
sleep 600 &
echo $$ $! > "$PIDS/$$.new"
mv "$PIDS/$$.new" "$PIDS/$$"
wait
"""


def start(code: str, *words: object, **environment: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **{name: str(value) for name, value in environment.items()}},
    )


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def lives(process: int) -> bool:
    """Whether a process does more than wait to be counted (a zombie)."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def words(tmp_path: Path, random_network) -> list[object]:
    """A command that writes y.npy, which is there already."""
    random_network(20, 30, 10, golden=2, magnitude=30).save(tmp_path / "net.npz")
    np.save(tmp_path / "x.npy", np.zeros((3, 20)))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "y.npy").write_bytes(b"old")
    files = ["--inputs", tmp_path / "x.npy", "--outputs", tmp_path / "out" / "y.npy"]
    return ["emulate", tmp_path / "net.npz", *files]


@pytest.mark.parametrize(
    ("number", "status", "message"),
    [
        (signal.SIGTERM, 143, "eie: ended by SIGTERM\n"),
        (signal.SIGHUP, 129, "eie: ended by SIGHUP\n"),
        (signal.SIGINT, 130, "eie: interrupted\n"),
    ],
)
def test_in_the_middle_of_a_write(tmp_path, words, number, status, message):
    process = start(STOPPED_WRITE, *words)
    assert process.stdout.readline() == "writing\n"
    assert len(list((tmp_path / "out").iterdir())) == 2
    process.send_signal(number)
    _, errors = process.communicate()
    # What comes before is on values that were saturated.
    assert (process.returncode, errors.splitlines(keepends=True)[-1]) == (status, message)
    assert "Traceback" not in errors
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["y.npy"]
    assert (tmp_path / "out" / "y.npy").read_bytes() == b"old"


def test_a_signal_that_is_ignored_stays_so(words):
    """As under nohup."""
    process = start(
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + STOPPED_WRITE, *words
    )
    assert process.stdout.readline() == "writing\n"
    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 143


def test_in_the_middle_of_a_compilation(tmp_path, words):
    """What the compiler has started ends, too, and its files go."""
    project = generate(Design(pes=2, queue_depth=4, entries_per_pe=512), tmp_path / "project")
    compiler, pids, temporary = (tmp_path / name for name in ("compiler", "pids", "temporary"))
    compiler.write_text(COMPILER)
    compiler.chmod(0o755)
    pids.mkdir()
    temporary.mkdir()
    from_eie = "import sys; from eie.host.cli.main import main; sys.exit(main(sys.argv[1:]))"
    process = start(
        from_eie,
        *("simulate", project, *words[1:]),
        CXX=compiler,
        PIDS=pids,
        TMPDIR=temporary,
    )
    wait_for(lambda: len([path for path in pids.iterdir() if path.suffix == ""]) == 2)
    started = [int(pid) for path in pids.iterdir() for pid in path.read_text().split()]
    assert len(started) == 4 and all(map(lives, started))
    assert list(temporary.iterdir()) != []
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate()
    assert (process.returncode, errors) == (143, "eie: ended by SIGTERM\n")
    wait_for(lambda: not any(map(lives, started)))
    assert list(temporary.iterdir()) == []
    assert not (project / "build").exists()


def test_in_the_middle_of_an_update_of_a_project(tmp_path):
    """All that was put in place is taken back."""
    project = generate(Design(pes=4, board="pynq-z2"), tmp_path / "project")
    before = tree(project)
    Design(pes=2).save(tmp_path / "design.toml")
    process = start(STOPPED_UPDATE, "generate", tmp_path / "design.toml", "--out", project)
    assert process.stdout.readline() == "writing\n"
    during = {path: data for path, data in tree(project).items() if path in before}
    assert during != before
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 143
    assert tree(project) == before


def test_a_killed_update_is_finished_by_the_next(tmp_path):
    """Until then every file is whole, of the old project or of the new one."""
    project = generate(Design(pes=4, board="pynq-z2"), tmp_path / "project")
    old = tree(project)
    Design(pes=2).save(tmp_path / "design.toml")
    process = start(STOPPED_UPDATE, "generate", tmp_path / "design.toml", "--out", project)
    assert process.stdout.readline() == "writing\n"
    process.kill()
    process.communicate()
    fresh = generate(Design(pes=2), tmp_path / "fresh")
    new = {path.replace("/fresh/", "/project/"): data for path, data in tree(fresh).items()}
    for path, data in tree(project).items():
        if ".partial/" not in path and Path(path).name not in ("SHA256SUMS", ".eie.lock"):
            assert data in (old.get(path), new.get(path)), path
    # The next process, since one looks once for what is left.
    again = "import sys; from eie.host.cli.main import main; sys.exit(main(sys.argv[1:]))"
    ended = start(again, "generate", tmp_path / "design.toml", "--out", project)
    ended.communicate()
    assert ended.returncode == 0
    assert tree(project) == new


def test_handlers_are_put_back():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Ended, match="15"), raising_signals():
        assert signal.getsignal(signal.SIGTERM) != before
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)
    assert signal.getsignal(signal.SIGTERM) == before


def test_what_a_caller_handles_is_left_to_it():
    seen = []
    before = signal.signal(signal.SIGTERM, lambda number, _: seen.append(number))
    try:
        with raising_signals():
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen == [signal.SIGTERM]
