"""Ctrl-C in the middle of an exploration: one message, and no tracebacks of its processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys


def test_an_interrupt_gives_one_message(random_network, tmp_path):
    random_network(121, 150, 40, density=0.2, golden=1, magnitude=900).save(tmp_path / "net.npz")
    words = "explore net.npz --board zcu104 --out explored --workers 2 --queue-depth 2:256"
    with subprocess.Popen(
        [sys.executable, "-m", "eie.host.cli", *words.split()],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        progress = running.stderr.readline()
        assert " points, " in progress, progress
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does, to every process
        out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert out == "interrupted: the same command goes on with what is in explored\n"
    assert err.splitlines()[-1] == "eie: interrupted"
    others = [line for line in err.splitlines()[:-1] if " points, " not in line]
    assert others == []
    assert (tmp_path / "explored" / "points.jsonl").stat().st_size
