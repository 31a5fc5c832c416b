"""``python -m eie`` is the command ``eie``."""

from __future__ import annotations

import sys

from eie.host.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
