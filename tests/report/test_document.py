"""docs/reference/report.md shows a script that runs as it stands, and pictures of a report."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "report.md"


def test_the_example_runs_as_a_script(tmp_path):
    (example,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    (tmp_path / "example.py").write_text(example)
    for name in ("digits.npz", "design.toml"):
        shutil.copy(ROOT / "notebooks" / name, tmp_path)
    ran = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")
    assert (tmp_path / "report.json").exists()


def test_the_pictures_are_there_and_small():
    for name in re.findall(r"\.\./images/report-\w+\.png", PAGE.read_text(encoding="utf-8")):
        assert (PAGE.parent / name).stat().st_size < 300_000
