"""What the wheel holds, and what type checkers see."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]

USER = """
import numpy as np
import eie

network = eie.Network.load("network.npz")
acc = eie.convert(network, board="pynq-z2", pes=16)
reveal_type(acc)
reveal_type(acc.predict(np.zeros((1, 4)), "c++"))
reveal_type(acc.evaluate(np.zeros((1, 4)), [1]).accuracy)
reveal_type(eie.fit(network).design)
reveal_type(eie.__version__)
reveal_type(eie.compress)
reveal_type(acc.findings.costs.latency_us)
acc.predict(np.zeros((1, 4)), engine="gpu")
eie.nothing
"""


def test_the_wheel_has_the_package(tmp_path):
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"eie/__init__.py", "eie/__main__.py", "eie/py.typed"} <= names
    assert {"eie/hls/__init__.py", "eie/host/flow/convert.py", "eie/notebooks/digits.npz"} <= names
    assert "eie/templates/kernel/eie.cpp" in names or any(
        n.startswith("eie/templates/") for n in names
    )
    assert {"eie/host/view/page/player.js", "eie/host/report/page/report.css"} <= names
    assert not any(name.startswith("front/") for name in names)


@pytest.mark.slow
def test_a_user_gets_types(tmp_path):
    (tmp_path / "user.py").write_text(USER)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "user.py"],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(ROOT / "build" / "links")},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    revealed = [line.partition('"')[2].rstrip('"') for line in lines if "Revealed type" in line]
    assert revealed[0] == "eie.host.flow.accelerated_model.AcceleratedModel"
    assert revealed[1] == "Any"  # of the kind that the inputs are
    assert "builtins.float" in revealed[2]
    assert "None" in revealed[2]
    assert revealed[3] == "eie.hls.spec.design.Design"
    assert revealed[4] == "builtins.str"
    assert "calibration" in revealed[5]
    assert revealed[6] == "builtins.float"
    errors = [line for line in lines if "error:" in line and line.startswith("user.py")]
    assert len(errors) == 2, done.stdout
    assert "'gpu'" in errors[0]
    assert '"nothing"' in errors[1]
