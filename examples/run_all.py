"""Every example, and the table of them in docs/tutorial/examples.md: `make examples`.

Runs offline; minutes. Names of examples run those alone; the others' lines stay as they are kept
in docs/tutorial/examples.json.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from outcome import Outcome

import eie
from benchmarks.sections import markdown_table, write_section
from eie.hls.boundary.atomic import write_whole

PAGE = Path(__file__).parents[1] / "docs" / "tutorial" / "examples.md"
KEPT = PAGE.with_suffix(".json")
EXAMPLES = (
    "digits", "mnist", "lenet5", "residual_mlp", "recurrent", "brevitas_model", "onnx_file",
)  # fmt: skip
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
    for name in names or EXAMPLES:
        begin = time.monotonic()
        print(f"== {name}", flush=True)
        found = digits() if name == "digits" else importlib.import_module(name).main()
        outcomes = found if isinstance(found, list) else [found]
        print(*outcomes, f"({time.monotonic() - begin:.0f} s)\n", sep="\n", flush=True)
        rows = kept() | {name: [list(outcome.cells()) for outcome in outcomes]}
        write_whole(KEPT, json.dumps(rows, indent=1, sort_keys=True) + "\n")
        write_section(PAGE, "examples", table(rows))
    print(table(kept()))
    return 0


def kept() -> dict[str, list[list[str]]]:
    """Lines of the table by example, as they were found last."""
    if not KEPT.exists():
        return {}
    found: dict[str, list[list[str]]] = json.loads(KEPT.read_text(encoding="utf-8"))
    return found


def table(rows: Mapping[str, Sequence[Sequence[str]]]) -> str:
    """Lay out the lines in the order of the examples."""
    return markdown_table(
        HEADS,
        [
            (f"[{row[0]}](../../examples/{name}.py)", *row[1:])
            for name in EXAMPLES
            for row in rows.get(name, ())
        ],
    )


def digits() -> Outcome:
    """Give the network of `make demo`, whose loop is written out with eie's building blocks."""
    from digits import compress_digits
    from outcome import BOARD, measured

    found = compress_digits()
    acc = eie.convert(found.network, board=BOARD)
    return measured("digits, by hand", acc, found.inputs, found.labels, found.accuracies.float32)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
