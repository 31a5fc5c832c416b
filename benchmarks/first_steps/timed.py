"""Run a script statement by statement: time and words of each, and how its outputs differ.

``python -m benchmarks.first_steps.timed SCRIPT`` prints JSON. The script begins with a ``model``,
and inputs ``x`` of classes ``y``, and assigns ``outputs``.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
import torch

#: Pixels of the digits as they are stored, 0 to 16, which a user may forget to scale to 0 to 1.
UNSCALED = 16


def main(path: str) -> None:
    """Run the script and print what was found."""
    source = Path(path).read_text(encoding="utf-8")
    names: dict[str, Any] = {"__name__": "__main__"}
    steps = []
    for statement in ast.parse(source).body:
        part = ast.Module([statement], [])
        seconds, worked, said = _listened(compile(part, path, "exec"), names)
        steps.append(
            {
                "code": ast.get_source_segment(source, statement),
                "seconds": seconds,
                "processor_seconds": worked,
                "said": said,
            }
        )
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "outputs":
            predicting = compile(part, path, "exec")
    found = {"steps": steps, "scaled": _beside_float(names)}
    names["x"] = np.ascontiguousarray(UNSCALED * names["x"])
    _, _, said = _listened(predicting, names)
    found["unscaled"] = _beside_float(names) | {"said": said}
    print(json.dumps(found))


def _beside_float(names: dict[str, Any]) -> dict[str, float]:
    """Compare outputs with the float model's for the same inputs."""
    with torch.no_grad():
        exact = names["model"](torch.from_numpy(names["x"])).numpy()
    outputs = np.asarray(names["outputs"], dtype=np.float64)
    errors = outputs - exact
    named, right = outputs.argmax(axis=1), exact.argmax(axis=1)
    return {
        "vectors": len(outputs),
        "float_correct": int((right == names["y"]).sum()),
        "correct": int((named == names["y"]).sum()),
        "same_class": int((named == right).sum()),
        "rms_error": float(np.sqrt(np.mean(errors**2) / np.mean(np.square(exact)))),
        "largest_error": float(np.abs(errors).max()),
    }


def _listened(code: CodeType, names: dict[str, Any]) -> tuple[float, float, list[str]]:
    """Run code, time it and its processors' work, and catch what it and its programs say."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with tempfile.TemporaryFile() as heard:
        os.dup2(heard.fileno(), 1)
        os.dup2(heard.fileno(), 2)
        try:
            start, before = time.perf_counter(), _processor_seconds()
            exec(code, names)
            seconds, worked = time.perf_counter() - start, _processor_seconds() - before
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for stream, number in enumerate(kept, 1):
                os.dup2(number, stream)
                os.close(number)
        heard.seek(0)
        lines = heard.read().decode("utf-8", "replace").splitlines()
    return seconds, worked, [line for line in lines if line.strip()]


def _processor_seconds() -> float:
    """Give what this process and the programs that it started have worked, those that run included.

    From Linux's ``/proc``: user and system time, of a process and of its children that ended.
    """
    waiting, ticks = ["self"], 0
    while waiting:
        process = Path("/proc", waiting.pop())
        with contextlib.suppress(OSError):  # it has just ended, and is counted with its parent
            fields = (process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
            for task in (process / "task").iterdir():
                waiting += (task / "children").read_text(encoding="utf-8").split()
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main(sys.argv[1])
