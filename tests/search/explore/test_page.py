"""docs/how-to/exploring.md shows a script that runs as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "exploring.md"


def test_the_example_runs_as_a_script(random_network, tmp_path):
    (example,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    (tmp_path / "example.py").write_text(example)
    random_network(40, 60, 20, golden=1).save(tmp_path / "net.npz")
    ran = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    # 3 PEs, 2 depths, 5 zero runs, 2 memories; every process but the first leaves nothing behind.
    assert "60 points, 60 of which fit; 60 evaluated" in ran.stdout
    assert len((tmp_path / "explored" / "points.jsonl").read_text().splitlines()) == 61
