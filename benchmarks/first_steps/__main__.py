"""The first steps with eie and with hls4ml: ``python -m benchmarks.first_steps``.

Prints docs/explanation/first-steps.md. Takes a minute or two on an idle machine.
"""

from __future__ import annotations

import ast
import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.measure.timing import Environment
from eie.host.flow.digits import digits_network, save_program, test_digits

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
#: Where :mod:`benchmarks.first_steps.yours` looks for the model and its inputs.
FOLDER = ROOT / "build" / "first-steps"
SCRIPTS = ("with_eie.py", "with_hls4ml.py")
#: Runs of each script, of which the fastest counts for each step: what else runs only adds.
RUNS = 3


def main() -> None:
    """Print the page."""
    make_files()
    environment = Environment.here()
    print(page([measured(HERE / name) for name in SCRIPTS], environment), end="")


def make_files() -> None:
    """Write the demo's network as a torch module's state, with test digits and their classes."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    save_program(digits_network(), FOLDER / "model.pt2")
    state = torch.export.load(FOLDER / "model.pt2").state_dict
    torch.save(dict(state), FOLDER / "model.pt")
    x, y = test_digits()
    np.save(FOLDER / "x.npy", x)
    np.save(FOLDER / "y.npy", y)


def measured(script: Path) -> dict[str, Any]:
    """Run a script a few times, each in a process of its own, and take the best of its steps."""
    runs = [
        json.loads(
            subprocess.run(
                [sys.executable, "-m", "benchmarks.first_steps.timed", str(script)],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for _ in range(RUNS)
    ]
    found: dict[str, Any] = runs[0]
    for number, step in enumerate(found["steps"]):
        for time in ("seconds", "processor_seconds"):
            step[time] = min(run["steps"][number][time] for run in runs)
    return found


def page(found: list[dict[str, Any]], environment: Environment) -> str:
    """Lay out the page from what was found of each script."""
    ours, theirs = found
    version = importlib.metadata.version("hls4ml")
    sources = [(HERE / name).read_text(encoding="utf-8") for name in SCRIPTS]
    vectors = ours["scaled"]["vectors"]
    parts = [
        "# First steps, beside hls4ml\n",
        "`python -m benchmarks.first_steps` prints this page. One trained network (the demo's: "
        "64-256-128-10, a tenth of the\nweights kept, 15 values for a layer's weights) and "
        f"{vectors} digits, taken by eie and by hls4ml {version} to compiled C++\nand to "
        "predictions, for the part of a PYNQ-Z2, with the options that a first user meets. Both go "
        "as far as g++ takes\nthem: neither's hardware was synthesised here, so nothing is said of "
        "area, clock or latency.\n",
        "Both scripts begin with the same [model and inputs](../benchmarks/first_steps/yours.py), "
        "and are run as they stand\nhere.\n",
        f"## eie\n\n```python\n{sources[0]}```\n\n{_steps(ours)}",
        f"## hls4ml\n\n```python\n{sources[1]}```\n\n{_steps(theirs)}",
        "## What came of it\n",
        _table(
            ["", "eie", f"hls4ml {version}"],
            [
                ["lines", *map(_lines, sources)],
                ["imports, besides the model", *map(_imports, sources)],
                ["seconds, all in all", *(f"{_sum(each, 'seconds'):.1f}" for each in found)],
                [
                    "processors' seconds, all in all",
                    *(f"{_sum(each, 'processor_seconds'):.1f}" for each in found),
                ],
                *_rows(found, "scaled"),
            ],
        ),
        f"The float model names {ours['scaled']['float_correct']} of {vectors} right. Most of "
        "the time is g++'s; `convert` of eie also chooses a\ndesign for the board. Of differences "
        "from the model a user is told on asking: the last statement prints, of eie,\n",
        _block(ours["steps"][-1]["said"]),
        "and of hls4ml the accuracy, which the script computes itself:\n",
        _block(theirs["steps"][-1]["said"]),
        "## When the inputs are others than thought\n",
        "The same digits with pixels from 0 to 16, as they are stored, where 0 to 1 was meant. The "
        f"float model still names\n{ours['unscaled']['float_correct']} of {vectors} right.\n",
        _table(
            ["", "eie", f"hls4ml {version}"],
            [
                *_rows(found, "unscaled"),
                ["lines said", *(len(each["unscaled"]["said"]) for each in found)],
            ],
        ),
        "eie has formats from the calibration, cuts off what their 16 bits cannot hold, and counts "
        "and warns:\n",
        _block([line.partition(": ")[2] for line in ours["unscaled"]["said"][::2]]),
        "hls4ml gave the values between layers the type "
        + " and ".join(f"`{each}`" for each in _between_layers())
        + " (`firmware/defines.h` of\nits project), the default of a configuration that is not "
        "told of ranges, in which what is too large wraps around. Other\nformats can be set layer "
        "by layer.\n",
        f"Seconds are the best of {RUNS} runs on {environment.cores} cores of "
        f"{environment.processor}, beside other programs (load {environment.load}),\nwhich add to "
        "them; to the processors' seconds, which a statement and the programs that it started "
        f"worked, hardly.\n{environment.versions}.",
    ]
    return "\n".join(parts) + "\n"


def _steps(found: dict[str, Any]) -> str:
    rows = [
        (
            f"`{_short(step['code'])}`",
            f"{step['seconds']:.2f}",
            f"{step['processor_seconds']:.2f}",
        )
        for step in found["steps"]
    ]
    return _table(["statement", "seconds", "processors' seconds"], rows)


def _short(code: str) -> str:
    """Name a statement: an import, or the call that it makes."""
    (statement,) = ast.parse(code).body
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return code
    calls = [each for each in ast.walk(statement) if isinstance(each, ast.Call)]
    return f"{ast.unparse(calls[0].func)}(...)"


def _between_layers() -> list[str]:
    """Read the types of the values between layers from the project that hls4ml wrote."""
    text = (FOLDER / "hls4ml" / "firmware" / "defines.h").read_text(encoding="utf-8")
    return sorted(set(re.findall(r"typedef (\S+) layer\d+_t;", text)))


def _rows(found: list[dict[str, Any]], inputs: str) -> list[list[object]]:
    each = [one[inputs] for one in found]
    vectors = each[0]["vectors"]
    return [
        [f"named right, of {vectors}", *(one["correct"] for one in each)],
        [f"same class as the float model, of {vectors}", *(one["same_class"] for one in each)],
        ["error of the outputs, rms, of the float model's"]
        + [f"{100 * one['rms_error']:.2g} %" for one in each],
        ["largest error of an output", *(f"{one['largest_error']:.3g}" for one in each)],
    ]


def _table(heads: list[str], rows: list[Any]) -> str:
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def _block(lines: list[str]) -> str:
    return "```text\n" + "\n".join(lines) + "\n```\n"


def _lines(source: str) -> int:
    return sum(bool(line.strip()) for line in source.splitlines())


def _imports(source: str) -> int:
    return sum(isinstance(each, ast.Import) for each in ast.parse(source).body)


def _sum(found: dict[str, Any], time: str) -> float:
    return sum(float(step[time]) for step in found["steps"])


if __name__ == "__main__":
    main()
