"""Every example, and the table of them in docs/examples.md: `make examples`.

Runs offline; minutes. ``python examples/run_all.py NAME...`` runs some and prints their table
without writing it.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from outcome import Outcome

import eie
from benchmarks.sections import markdown_table, write_section

PAGE = Path(__file__).parents[1] / "docs" / "examples.md"
EXAMPLES = ("digits", "mnist", "lenet5", "japanese_vowels", "brevitas_model", "onnx_file")
HEADS = (
    "example", "network", "model", "at the end", "weights kept", "bytes, float32", "bytes",
    "cycles", "note",
)  # fmt: skip


def main(names: Sequence[str]) -> int:
    """Run the examples; returns 2 for a name that is none."""
    unknown = [name for name in names if name not in EXAMPLES]
    if unknown:
        print(f"examples are {', '.join(EXAMPLES)}, not {', '.join(unknown)}", file=sys.stderr)
        return 2
    rows = []
    for name in names or EXAMPLES:
        begin = time.monotonic()
        print(f"== {name}", flush=True)
        outcome = digits() if name == "digits" else importlib.import_module(name).main()
        print(f"{outcome} ({time.monotonic() - begin:.0f} s)\n", flush=True)
        rows.append((f"[{name}.py](../examples/{name}.py)", *outcome.cells()[1:]))
    table = markdown_table(HEADS, rows)
    print(table)
    if not names:
        write_section(PAGE, "examples", table)
    return 0


def digits() -> Outcome:
    """Give the network of `make demo`, whose loop is written out with eie's building blocks."""
    from digits import compress_digits
    from outcome import BOARD, measured

    found = compress_digits()
    acc = eie.convert(found.network, board=BOARD)
    return measured("digits", acc, found.inputs, found.labels, found.accuracies.float32)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
