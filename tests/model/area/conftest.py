"""The calibration's package."""

from __future__ import annotations

import sys
from pathlib import Path

# Calibration is run from the repository's root and is no part of the installed package.
sys.path.insert(0, str(Path(__file__).parents[3]))
