"""docs/explanation/first-steps.md shows the scripts as they are run, and one of them runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "benchmarks" / "first_steps"


@pytest.mark.parametrize("name", ["with_eie.py", "with_hls4ml.py"])
def test_the_page_shows_the_script_that_was_run(name):
    script = (FOLDER / name).read_text(encoding="utf-8")
    page = (ROOT / "docs" / "explanation" / "first-steps.md").read_text(encoding="utf-8")
    assert f"```python\n{script}```" in page


def test_a_script_is_timed_statement_by_statement(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import os\n"
        "import numpy as np\n"
        "import torch\n"
        "model = torch.nn.Linear(3, 2)\n"
        "x, y = np.ones((4, 3), np.float32), np.zeros(4)\n"
        "os.system('echo from a program')\n"
        "outputs = model(torch.from_numpy(x)).detach().numpy() + x.max()\n"
    )
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.first_steps.timed", str(script)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = json.loads(ran.stdout)
    assert [len(step["said"]) for step in found["steps"]] == [0, 0, 0, 0, 0, 1, 0]
    assert found["steps"][5]["said"] == ["from a program"]
    assert found["scaled"]["vectors"] == found["scaled"]["same_class"] == 4
    # What the script adds is an error of 1, and of 16 where inputs are 16 times as large.
    assert found["scaled"]["largest_error"] == pytest.approx(1, abs=1e-5)
    assert found["unscaled"]["largest_error"] == pytest.approx(16, abs=1e-4)
