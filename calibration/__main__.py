"""Measure the operators, write their table, and say what a sum of them is worth."""

from __future__ import annotations

import sys
from pathlib import Path

from calibration.crosscheck import crosscheck_rows
from calibration.evidence import evidence_rows
from calibration.measure import measure, sources_hash
from calibration.yosys import find_yosys, version_of
from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import EieError
from eie.hls.boundary.tables import as_text
from eie.hls.model.area.operator_table import FILE, write_table

_TABLE = Path(__file__).parents[1] / "hls" / "model" / "area" / FILE


def main(arguments: list[str]) -> int:
    """Do everything, or with ``--check`` only what follows from the table that is there."""
    try:
        yosys = find_yosys()
        if "--check" not in arguments:
            version = version_of(yosys)
            print(f"{version}: some minutes", file=sys.stderr)
            write_whole(_TABLE, write_table(version, measure(yosys), sources_hash()))
            print(f"wrote {_TABLE}", file=sys.stderr)
        print("Processes by hand, as one piece and as a sum of operators:\n")
        print(as_text(crosscheck_rows(yosys)))
        print("\nPublished designs, and the sum of their operators:\n")
        print(as_text(evidence_rows()))
    except EieError as error:
        print(f"calibrate: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
