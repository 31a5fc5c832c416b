"""Output that nobody reads any more ends a command quietly."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("arguments", ["info net.npz", "--help", "info missing.npz"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_closed_pipe(arguments, unbuffered, folder):
    reading, writing = os.pipe()
    os.close(reading)
    nobody = os.fdopen(writing, "wb")
    wrong = "missing" in arguments
    with nobody:
        ended = subprocess.run(
            [sys.executable, "-m", "eie", *arguments.split()],
            stdout=subprocess.PIPE if wrong else nobody,
            stderr=nobody if wrong else subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            check=False,
        )
    # argparse itself passes over a help that cannot be written.
    assert ended.returncode in ((0, 141) if arguments == "--help" else (141,))
    assert not ended.stdout and not ended.stderr
