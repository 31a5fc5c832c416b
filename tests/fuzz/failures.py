"""Files of the cases that went wrong: the input, what happened, and how to see it again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from fuzz.worker import Failure

#: Cases of one cause that are kept; all are counted.
_KEPT = 5


class Failures:
    """A folder of failing cases."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder, self._seed = folder, seed
        self._seen: Counter[tuple[str, str, str]] = Counter()

    def replay(self, kind: str, number: int) -> str:
        """The command that runs one case again."""
        return f".venv/bin/python tests/fuzz --seed {self._seed} --case {kind}:{number}"

    def add(self, failure: Failure, suffix: str) -> str | None:
        """Keep a failure; gives a line about it, or None for one of a cause often seen."""
        cause = (failure.kind, failure.fault, failure.signature)
        self._seen[cause] += 1
        if self._seen[cause] > _KEPT:
            return None
        self._folder.mkdir(parents=True, exist_ok=True)
        name = self._folder / f"{failure.kind}-{failure.number}"
        if failure.case.data:
            name.with_suffix(suffix).write_bytes(failure.case.data)
        said = f"{failure.kind} {failure.number}: {failure.fault}: {failure.signature}"
        replay = self.replay(failure.kind, failure.number)
        text = "\n".join([said, failure.case.story, failure.detail, replay, ""])
        name.with_suffix(".txt").write_text(text, encoding="utf-8", errors="backslashreplace")
        return f"{said} ({failure.case.story:.80})"
