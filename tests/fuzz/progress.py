"""What has been done, in a file that a killed campaign is taken up from."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from pathlib import Path

from fuzz.worker import Chunk

ROOT = Path(__file__).parents[2]


def fingerprint() -> str:
    """Identity of the code under test and of the fuzzer: results of other code are not these."""
    whole = hashlib.sha256()
    for folder in ("host", "hls", "templates", "tests/fuzz"):
        for file in sorted((ROOT / folder).rglob("*")):
            # Tests of the fuzzer change nothing about its cases.
            tests = file.name.startswith(("test_", "conftest"))
            if file.suffix in (".py", ".h", ".cpp", ".j2") and not tests:
                whole.update(f"{file.relative_to(ROOT)}\n".encode() + file.read_bytes())
    return whole.hexdigest()[:16]


class Progress:
    """The chunks done, one line of JSON each behind a line that says of what.

    Parameters
    ----------
    file
        Where they are kept.
    identity
        Of the campaign: seed, code. With another one in the file, everything begins anew.
    """

    def __init__(self, file: Path, identity: dict[str, object]) -> None:
        self._file = file
        self.chunks: dict[tuple[str, int, int], Chunk] = {}
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        identity_line = json.dumps(identity, sort_keys=True)
        #: Whether an earlier campaign of another identity was left behind.
        self.anew = bool(lines) and lines[0] != identity_line
        if lines and not self.anew:
            for line in lines[1:]:
                self._take(line)
        # Written anew, so that a line that was cut short is gone.
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        texts = [identity_line, *(_line(chunk) for chunk in self.chunks.values())]
        partial.write_text("\n".join(texts) + "\n", encoding="utf-8")
        partial.replace(file)

    def _take(self, line: str) -> None:
        try:
            values = json.loads(line)
        except ValueError:
            return  # the last line of a campaign that was killed
        values["counts"] = Counter(values["counts"])
        values["slowest"] = tuple(values["slowest"])
        chunk = Chunk(**values)
        self.chunks[chunk.kind, chunk.start, chunk.stop] = chunk

    def add(self, chunk: Chunk) -> None:
        """Keep a chunk, for good."""
        self.chunks[chunk.kind, chunk.start, chunk.stop] = chunk
        with self._file.open("a", encoding="utf-8") as file:
            file.write(_line(chunk) + "\n")
            file.flush()
            os.fsync(file.fileno())


def _line(chunk: Chunk) -> str:
    return json.dumps(vars(chunk))
