"""docs/explanation/hardware.md shows the design and the memories that the code makes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_diagram_and_memories_are_up_to_date():
    # The other tables take minutes; `make tables` writes them.
    command = [sys.executable, str(DOCS / "make_hardware.py"), "--check"]
    assert subprocess.run(command, check=False).returncode == 0, "run `make tables`"
