"""The host side is Python 3.10, which boards have. (CI also imports and runs it there.)"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for folder in ("front", "host", "hls", "templates")
    for path in (ROOT / folder).rglob("*.py")
]
COMPILE = "import sys; [compile(open(path, 'rb').read(), path, 'exec') for path in sys.argv[1:]]"


@pytest.fixture(scope="module")
def python310() -> list[str]:
    """How to call Python 3.10; pyenv's stand-ins need to be told the version."""
    command = shutil.which("python3.10")
    for version in ("3.10", None):
        environment = {**os.environ, **({"PYENV_VERSION": version} if version else {})}
        if command is None:
            break
        tried = subprocess.run(
            [command, "-c", "import sys; print(sys.executable)"],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if tried.returncode == 0:
            return [tried.stdout.strip()]
    pytest.skip("there is no python3.10 here")


def test_every_file_compiles(python310):
    assert len(SOURCES) > 50
    done = subprocess.run(
        [*python310, "-c", COMPILE, *map(str, SOURCES)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.version_info < (3, 11), reason="this Python is as old itself")
def test_newer_syntax_would_be_noticed(python310, tmp_path):
    newer = tmp_path / "newer.py"
    newer.write_text("try:\n    pass\nexcept* OSError:\n    pass\n")
    compile(newer.read_text(), "newer", "exec")
    done = subprocess.run(
        [*python310, "-c", COMPILE, str(newer)], capture_output=True, text=True, check=False
    )
    assert "SyntaxError" in done.stderr
