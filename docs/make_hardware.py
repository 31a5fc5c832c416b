"""Rewrite the diagram and the tables in hardware.md: ``make tables``, some minutes.

Markers are those of ``make_tables.py``. With ``--check`` only what is quick is worked out, and the
exit status says whether it has changed; names of parts limit the work to those.
"""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from make_tables import table

from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import DoesNotFitError
from eie.hls.boundary.partials import temporary_folder
from eie.hls.model.allowance import allowance_of
from eie.hls.model.area import AREA_HEAD, estimate
from eie.hls.model.emulator import Emulator
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.dataflow import wire
from eie.hls.spec.design import Design
from eie.hls.tools.compiled_kernel import CompiledKernel
from eie.host.network import Layer, Network
from eie.host.packing.packer import pack
from eie.host.project.generate import generate
from eie.host.protocol.client import Session
from eie.host.search.fit import fit

# Benchmarks and calibration are run from the root, and are no part of the installed package.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.paper.layers import LAYERS
from calibration.crosscheck import crosscheck_rows
from calibration.evidence import evidence_rows
from calibration.savings import savings_rows
from calibration.yosys import find_yosys

PAGE = Path(__file__).parent / "explanation" / "hardware.md"
SHAPE = (64, 256, 128, 10)


def main() -> int:
    """Rewrite the page, or check with --check that the quick parts are up to date."""
    parts: dict[str, Callable[[], str]] = {
        "diagram": diagram,
        "stages": stages,
        "memories": memories,
        "area": area,
        "evidence": evidence,
        "changes": changes,
    }
    if "--check" not in sys.argv:
        parts |= {
            "wholes": wholes, "agreement": agreement, "boards": boards, "largest": largest
        }  # fmt: skip
    chosen = [name for name in sys.argv[1:] if name in parts]
    if chosen:
        parts = {name: parts[name] for name in chosen}
    before = text = PAGE.read_text(encoding="utf-8")
    for name, make in parts.items():
        print(f"{name} ...", file=sys.stderr, flush=True)
        text = replace_part(text, name, make())
    if "--check" in sys.argv:
        return int(text != before)
    write_whole(PAGE, text)
    return 0


def replace_part(text: str, name: str, body: str) -> str:
    """Put `body` between the markers of the part called `name`."""
    pattern = re.compile(rf"<!-- table {name} -->.*?<!-- end -->", re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise SystemExit(f"{PAGE.name} must have one marker for {name!r}")
    return pattern.sub(lambda _: f"<!-- table {name} -->\n\n{body}\n\n<!-- end -->", text)


def demo_design() -> Design:
    """The design of the diagram and of the tables of memories and area: 16 PEs.

    A PYNQ-Z2's budget does not allow for so many, by what is expected of them; the tree with two
    levels and the sizes of the other tables are what they are there for.
    """
    wide = {"pes": 16, "index_bits": 5, "lut_budget": 1, "lut_edge": "low"}
    # What the sums of the demo's network need; those of this random one need less.
    wide |= {"accumulator_bits": 36}
    return fit(network(SHAPE, 0.1, 0.5), "pynq-z2", **wide).design


def network(shape: tuple[int, ...], density: float, active: float, seed: int = 0) -> Network:
    """Make a random network with one golden input of the given density of activations."""
    random = np.random.default_rng(seed)
    layers = []
    for number, (columns, rows) in enumerate(itertools.pairwise(shape)):
        kept = random.random((rows, columns)) < density
        codes = (random.integers(1, 16, kept.shape, np.uint8) * kept).astype(np.uint8)
        codebook = random.integers(-300, 300, 16).astype(np.int16)
        codebook[0] = 0
        relu = "relu" if number < len(shape) - 2 else "none"
        layers.append(
            Layer.from_dense_codes(f"layer{number}", codes, codebook=codebook, activation=relu)
        )
    inputs = activations(shape[0], active, seed)
    return Network(tuple(layers), inputs, np.zeros((1, shape[-1]), np.int16))


def activations(count: int, active: float, seed: int) -> npt.NDArray[np.int16]:
    """One vector of non-zero codes with the given share kept."""
    random = np.random.default_rng(seed + 1)
    values = random.integers(1, 2000, (1, count)) * random.choice((-1, 1), (1, count))
    return (values * (random.random((1, count)) < active)).astype(np.int16)


def diagram() -> str:
    """Processes and streams of the design, those of a kind as one."""
    wiring = wire(demo_design())
    counts: dict[str, int] = {}
    writer: dict[str, str] = {}
    for process in wiring.processes:
        name = process.function.split("<")[0]
        counts[name] = counts.get(name, 0) + 1
        writer |= dict.fromkeys(process.writes, name)
    lines = ["```mermaid", "flowchart LR"]
    lines += ["  packets_in([packets_in]) --> take_crc", "  add_crc --> packets_out([packets_out])"]
    for name, count in counts.items():
        lines.append(f'  {name}["{name}{f" x {count}" if count > 1 else ""}"]')
    edges: dict[tuple[str, str, str], int] = {}
    for process in wiring.processes:
        for stream in process.reads:
            if stream == "packets_in":
                continue
            key = (writer[stream], process.function.split("<")[0], stream.split("[")[0])
            edges[key] = edges.get(key, 0) + 1
    for (source, target, stream), count in edges.items():
        label = f"{stream}{f' x {count}' if count > 1 else ''}"
        lines.append(f'  {source} -- "{label}" --> {target}')
    return "\n".join([*lines, "```"])


def stages() -> str:
    """What pipelines and loops are allowed in the demo's design, process by process."""
    allowed = allowance_of(demo_design())
    rows = [
        (when, f"`{each.process}`", f"{each.passed}", f"{each.cycles}", each.reason)
        for when, parts in (("a layer", allowed.layer), ("a run", allowed.run))
        for each in parts
    ]
    text = table(("once", "process", "passed", "cycles", "loop: what they are"), rows)
    total = (
        f"Together {allowed.layer_cycles} cycles a layer and vector and {allowed.run_cycles} a "
        f"run: {allowed.of(layers=3)} for one vector of the demo's three layers."
    )
    return f"{text}\n\n{total}"


def memories() -> str:
    """What takes what in the demo's design."""
    design = demo_design()
    needed = estimate(design)
    rows = [
        (m.name, f"{m.count}", f"{m.depth} x {m.width}", m.kind, f"{m.bram18}", f"{m.uram}")
        for m in needed.memories
    ]
    table_text = table(("memory", "copies", "words x bits", "in", "BRAM18", "UltraRAM"), rows)
    total = f"Together {needed.bram36} BRAM36, {needed.uram} UltraRAM and {needed.dsp} DSP."
    return f"{table_text}\n\n{total}"


def area() -> str:
    """What each process of the demo's design takes."""
    needed = estimate(demo_design())
    total = (
        f"{needed.lut.parts:,} LUTs by parts; {needed.lut} by what published designs take beyond "
        f"their parts. Flip-flops: {needed.ff.parts:,} by parts; {needed.ff}."
    )
    return f"{table(AREA_HEAD, needed.area_table())}\n\n{total}"


def evidence() -> str:
    """Published designs beside the sums of their operators."""
    head, *rows = evidence_rows()
    lines = [row for row in rows if len(row) == len(head)]
    last = "; ".join(row[0] for row in rows if len(row) != len(head))
    return f"{table(head, lines)}\n\n{last}."


def wholes() -> str:
    """Processes by hand, as one piece and as a sum: needs yosys."""
    head, *rows = crosscheck_rows(find_yosys())
    return table(head, rows)


def changes() -> str:
    """What changes of the kernel would save of the demo's design."""
    head, *rows = savings_rows(demo_design())
    lines = [row for row in rows if len(row) == len(head)]
    return f"{table(head, lines)}\n\n{rows[-1][0]}."


def agreement() -> str:
    """Cycles of the C++ simulation and of the model, over designs and patterns."""
    rows = []
    with temporary_folder() as folder:
        for pes in (1, 4, 16, 64):
            design = Design(pes=pes, entries_per_pe=1 << 16, rows_per_pe=256, biases_per_pe=512)
            with CompiledKernel(generate(design, folder / f"{pes}")) as kernel:
                rows += [agree(design, kernel, *pattern) for pattern in patterns()]
    head = ("PEs", "pattern", "simulated", "model", "busy, starved, full of every PE")
    return table(head, rows)


def patterns() -> Iterator[tuple[str, Network, npt.NDArray[np.int16]]]:
    """Networks and inputs that stress different parts."""
    for name, density, active in (
        ("10 % of weights, 40 % of activations", 0.10, 0.4),
        ("10 % of weights, no activations", 0.10, 0.0),
        ("all weights, all activations", 1.0, 1.0),
        ("1 % of weights, all activations", 0.01, 1.0),
    ):
        yield name, network(SHAPE, density, active), activations(SHAPE[0], active, 7)


def agree(
    design: Design, kernel: CompiledKernel, name: str, net: Network, inputs: npt.NDArray[np.int16]
) -> tuple[str, ...]:
    """Run one pattern on both, and compare."""
    packed = pack(net, design)
    counted = []
    for engine in (kernel, Emulator(design)):
        session = Session(engine, packed)
        session.run(np.repeat(inputs, 3, axis=0))
        counted.append(session.counters())
    simulated, model = counted
    same = "equal" if simulated.same_as(model) else "DIFFERENT"
    return f"{design.pes}", name, f"{simulated.cycles}", f"{model.cycles}", same


def boards() -> str:
    """The nine layers on every board."""
    nets = [
        network((one.inputs, one.outputs), one.weight_density, one.activation_density)
        for one in LAYERS
    ]
    rows = []
    for board in BOARDS.values():
        cells = [board.title]
        for net in nets:
            print(f"  {board.title}", file=sys.stderr, flush=True)
            cells.append(fitted(net, board.name))
        rows.append(tuple(cells))
    return table(("board", *(one.name for one in LAYERS)), rows)


def fitted(net: Network, board: str) -> str:
    """PEs and predicted latency, or what is short."""
    try:
        result = fit(net, board)
    except DoesNotFitError as error:
        lacks = error.shortages[0]
        # LUTs are said to be estimated elsewhere on the page.
        resource = lacks.resource.split(" ")[0]
        return f"no: {lacks.needed} {resource}, may use {lacks.allowed}"
    return f"{result.design.pes} PEs, {result.chosen.latency_us:.0f} us"


def largest() -> str:
    """Side of the largest square layer that fits each board, by bisection in steps of 128."""
    rows = []
    for board in BOARDS.values():
        cells = [board.title]
        for density in (0.09, 0.04):
            low, high = 1, 96  # in units of 128: 1 always fits, 96 x 128 = 12,288
            while high - low > 1:
                middle = (low + high) // 2
                side = 128 * middle
                print(f"  {board.title} {density} {side}", file=sys.stderr, flush=True)
                fits = not fitted(network((side, side), density, 0.35), board.name).startswith("no")
                low, high = (middle, high) if fits else (low, middle)
            cells.append(f"{128 * low} x {128 * low}")
        rows.append(tuple(cells))
    return table(("board", "AlexNet-like, 9 %", "VGG-like, 4 %"), rows)


if __name__ == "__main__":
    sys.exit(main())
