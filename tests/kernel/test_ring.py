"""The ring of the kernel under the model checker spin: every interleaving of a small one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

MODEL = Path(__file__).with_name("ring.pml")
SMALL = ("-DWORDS=1",)


def errors_of(folder: Path, *options: str) -> int:
    """How many errors an exhaustive search finds: 0, or 1 as it stops at the first."""
    spin, compiler = shutil.which("spin"), shutil.which("gcc")
    if spin is None or compiler is None:
        pytest.skip("spin and gcc are not both installed")
    for command in (
        [spin, *options, "-a", str(MODEL)],
        [compiler, "-O2", "-w", "-DSAFETY", "-DCOLLAPSE", "-o", "pan", "pan.c"],
    ):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    command = [str(folder / "pan"), "-m100000"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert "max search depth too small" not in done.stdout
    assert "Search not completed" in done.stdout or "errors: 0" in done.stdout
    return int(done.stdout.partition("errors: ")[2].split()[0])


@pytest.mark.parametrize(
    "options",
    [(), ("-DABREAST=2", "-DVECTORS=2"), ("-DCHAINS",), ("-DCHAINS", "-DLANES=1")],
    ids=["plain", "groups", "chains", "chains, a lane"],
)
def test_the_ring_never_stops(tmp_path: Path, options: tuple[str, ...]) -> None:
    assert errors_of(tmp_path, *SMALL, *options) == 0


@pytest.mark.slow  # eight and ten million states
@pytest.mark.parametrize("options", [(), ("-DCHAINS",)], ids=["plain", "chains"])
def test_the_ring_never_stops_with_more_words(tmp_path: Path, options: tuple[str, ...]) -> None:
    assert errors_of(tmp_path, *options) == 0


@pytest.mark.parametrize(
    "options",
    [
        ("-DKEEPS_ENDS",),
        ("-DKEEPS_ENDS", "-DABREAST=2", "-DVECTORS=2"),
        ("-DNO_RESERVATION", "-DVECTORS=8", "-DROOM=1", "-DLAYERS=2"),
        ("-DCHAINS", "-DKEEPS_ENDS"),
        ("-DCHAINS", "-DLETS_OTHERS_IN"),
        ("-DCHAINS", "-DLANES=1", "-DBUSY_LANES"),
    ],
    ids=[
        "keeps-ends",
        "groups-keep-ends",
        "no-reservation",
        "chains-keep-ends",
        "others-in-chains",
        "busy-lanes",
    ],
)
def test_without_its_rules_it_does(tmp_path: Path, options: tuple[str, ...]) -> None:
    assert errors_of(tmp_path, *SMALL, *options) == 1
