"""The simulation by hand of the tests of lanes."""

from __future__ import annotations

import sys
from pathlib import Path

# The folder of tests is no package.
sys.path.insert(0, str(Path(__file__).parent))
