"""Measure every operator in every size."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Iterator, Mapping

from calibration.netlist import count
from calibration.operators import OPERATORS, VERILOG, Operator, Variant
from calibration.yosys import FAMILIES, synthesize
from eie.hls.boundary.partials import temporary_folder
from eie.hls.model.area.cost import Cost

__all__ = ["measure", "sources_hash"]


def sources_hash() -> str:
    """Hash of the operators' Verilog, by which a table can be told from one of other operators."""
    found = hashlib.sha256()
    for path in sorted(VERILOG.glob("*.v")):
        found.update(path.read_bytes())
    return found.hexdigest()


def measure(
    yosys: str, operators: tuple[Operator, ...] = OPERATORS
) -> Iterator[tuple[str, str, Mapping[str, int], Cost]]:
    """Measure `operators`: family, operator, sizes, cost."""
    for operator in operators:
        for family in FAMILIES:
            started = time.monotonic()
            for variant, cost in _measure(yosys, operator, family).items():
                yield family, operator.name, {n.lower(): size for n, size in variant.sizes}, cost
            print(
                f"{operator.name} for {family}: {time.monotonic() - started:.0f} s",
                file=sys.stderr,
                flush=True,
            )


def _measure(yosys: str, operator: Operator, family: str) -> dict[Variant, Cost]:
    """Measure all sizes at once: instances of one top, which are never flattened into it."""
    variants = list(operator.variants())
    lines = ["module calibration_top;"]
    for variant in variants:
        sizes = ", ".join(f".{name}({value})" for name, value in variant.sizes)
        lines.append(f"  (* keep *) {variant.operator} #({sizes}) {variant.instance} ();")
    with temporary_folder() as folder:
        top = folder / "top.v"
        top.write_text("\n".join([*lines, "endmodule", ""]), encoding="utf-8")
        modules = synthesize(
            yosys,
            [*sorted(VERILOG.glob("*.v")), top],
            "calibration_top",
            family,
            dsp=operator.dsp,
            flat=operator.flat,
        )
    instances = modules["calibration_top"]["cells"]
    return {variant: count(modules[instances[variant.instance]["type"]]) for variant in variants}
