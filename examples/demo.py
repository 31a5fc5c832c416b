"""The whole way once, on real data: `make demo`.

Handwritten digits: train, compress, fit a design for a PYNQ-Z2, generate the HLS project, compile
it, run every test digit through four engines, and compare every output bit for bit.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import DeviceError, EieError
from eie.hls.boundary.progress import tell
from eie.hls.boundary.text import counted
from eie.hls.spec.design import Design
from eie.hls.tools.compiled_kernel import CompiledKernel
from eie.host.board.driver import Accelerator
from eie.host.board_emulator import EmulatedBoard
from eie.host.cli.arrays import check_target
from eie.host.cli.progress import clear_line, showing
from eie.host.cli.signals import Ended, raising_signals
from eie.host.network.input_codes import quantize_inputs
from eie.host.network.sizes import float32_bytes, loaded_text
from eie.host.packing.packer import pack
from eie.host.packing.tiling import plan_passes
from eie.host.project.generate import generate
from eie.host.run.batch import RunResult, emulate, simulate
from eie.host.run.report import RunReport
from eie.host.search.fit import fit

if TYPE_CHECKING:
    from digits import CompressedDigits

BOARD = "pynq-z2"
#: Seconds between lines that say what goes on, at most.
PATIENCE = 2.0

Codes = npt.NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What the demo found."""

    digits: CompressedDigits
    design: Design
    #: Outputs of every engine, by name; int16 (vectors, 10).
    outputs: dict[str, Codes]
    emulated: RunResult
    #: Bytes of the dense float32 model, and of everything that is loaded onto the chip.
    bytes_before: int
    bytes_after: int

    @property
    def agree(self) -> bool:
        """Whether all engines gave the same bits."""
        first, *others = self.outputs.values()
        return all(np.array_equal(first, other) for other in others)


class Progress:
    """Says what is going on, and how long it took."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def __call__(self, text: str) -> None:
        """Say that `text` begins; it is repeated while nothing else is told of."""
        tell(text)
        clear_line()
        print(f"[{time.monotonic() - self._start:5.1f} s] {text}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; returns 0 when all engines agree, 1 if not, 2 for what cannot be done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder for the results")
    out: Path = parser.parse_args(arguments).out
    try:
        with raising_signals():
            out.mkdir(parents=True, exist_ok=True)
            check_target(out / "digits.npz")  # before the training, which takes a while
            with showing("", rarely=PATIENCE):
                outcome = run(out, Progress())
    except Ended as ended:
        print(f"demo: ended by {ended.name}", file=sys.stderr)
        return ended.status
    except KeyboardInterrupt:
        print("demo: interrupted", file=sys.stderr)
        return 130
    except EieError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"demo: cannot write to --out {out}: {error}", file=sys.stderr)
        return 2
    print()
    print(tables(outcome))
    print(f"\nIn {out}/: digits.npz, design.toml, project/ (HLS), digits.png (look at it), and")
    print("model.pt2, inputs.npy, labels.npy to try commands on, such as")
    print(
        f"  eie flow {out}/model.pt2 --board kv260 --data {out}/inputs.npy {out}/labels.npy "
        "--out kv260"
    )
    if not outcome.agree:
        print("ERROR: the engines differ", file=sys.stderr)
        return 1
    return 0


def run(out: Path, progress: Progress) -> Outcome:
    """Take the digits all the way, leaving files in `out`."""
    progress("loading torch and scikit-learn")
    import torch
    from digits import compress_digits
    from picture import draw

    from eie.host.compress import TorchReference

    progress("training a 64-256-128-10 network on scikit-learn's handwritten digits")
    digits = compress_digits(progress=progress)
    network = digits.network
    network.save(out / "digits.npz")
    example = torch.zeros(1, network.inputs)
    torch.export.save(torch.export.export(digits.model, (example,)), out / "model.pt2")
    np.save(out / "inputs.npy", digits.inputs)
    np.save(out / "labels.npy", digits.labels)
    codes = quantize_inputs(network, digits.inputs)

    progress(f"fitting a design for {BOARD}")
    chosen = fit(network, BOARD)
    design = chosen.design
    design.save(out / "design.toml")
    progress(f"generating the HLS project for {counted(design.pes, 'PE')}")
    project = generate(design, out / "project")

    outputs: dict[str, Codes] = {}
    progress(f"running {len(codes)} test digits through the torch integer reference")
    outputs["torch integer reference"] = TorchReference(network)(codes)
    progress("... the numpy emulator, counting cycles")
    emulated = emulate(network, design, codes)
    outputs["numpy emulator"] = emulated.outputs
    progress("... the generated C++: compiling it with g++")
    with CompiledKernel(project) as kernel:
        progress("... the generated C++: running it")
        outputs["generated C++"] = simulate(network, design, kernel, codes, report=False).outputs
    progress("... the pynq driver on an emulated board")
    with (
        EmulatedBoard(BOARD, lambda: CompiledKernel(project)) as board,
        Accelerator(board.bitfile, timeout=120) as accelerator,
    ):
        accelerator.load(network)
        accelerator.verify()
        outputs["pynq driver, emulated board"] = accelerator.run(codes)
        # One packet, whose every counter must be the emulator's.
        assert emulated.counters is not None
        expected = emulated.counters.reported(by_pes=bool(design.counters))
        if not expected.same_as(accelerator.counters()):
            raise DeviceError("the C++ and the emulator count different cycles: please report it")

    packed = pack(network, design)
    assert emulated.report is not None
    draw(packed, emulated.counters, emulated.report, out / "digits.png")
    progress("done")
    loaded = plan_passes(network, design).loaded_bytes
    return Outcome(digits, design, outputs, emulated, float32_bytes(network), loaded)


def tables(outcome: Outcome) -> str:
    """Everything in one table, as text."""
    accuracies = outcome.digits.accuracies
    report = outcome.emulated.report
    assert report is not None
    vectors = report.vectors
    lines = ["Model                      Accuracy    Bytes"]
    for name, value, size in (
        ("float32, dense", accuracies.float32, f"{outcome.bytes_before:,}"),
        ("pruned", accuracies.pruned, ""),
        ("pruned, 15 shared weights", accuracies.shared, ""),
        ("16-bit fixed point", accuracies.fixed_point, f"{outcome.bytes_after:,}"),
    ):
        lines.append(f"{name:<26} {100 * value:6.2f} %  {size:>9}")
    lines.append(f"{loaded_text(outcome.digits.network, outcome.bytes_after)}\n")
    lines += layer_table(report, vectors)
    design = outcome.design
    work = sum(layer.ideal_cycles for layer in report.layers) / vectors
    lines += [
        f"at least {report.total_cycles / vectors:.0f} cycles a vector in the batch on "
        f"{counted(design.pes, 'PE')}, {work:.0f} of them for weights: layers of several vectors",
        f"overlap. {report.latency_us:.2f} us at {design.clock_mhz} MHz if timing is met (not "
        "synthesised),",
        f"{report.allowed_us:.2f} us with what is allowed for pipeline stages "
        f"({report.allowance_source})",
        "",
        "Engine                       Vectors  Accuracy  Same bits as the torch reference",
    ]
    first = next(iter(outcome.outputs.values()))
    for name, outputs in outcome.outputs.items():
        right = float(np.mean(outputs.argmax(axis=1) == outcome.digits.labels))
        same = int(np.sum(outputs == first))
        verdict = "yes" if same == first.size else "NO"
        lines.append(
            f"{name:<28} {len(outputs):>7}  {100 * right:6.2f} %  "
            f"{verdict} ({same} of {first.size})"
        )
    lines.append(
        "All four agree bit for bit." if outcome.agree else "The engines DIFFER: please report it."
    )
    return "\n".join(lines)


def layer_table(report: RunReport, vectors: int) -> list[str]:
    """Lines on each layer; the cycles of its work, per vector."""
    lines = ["Layer       Size       Weights kept  Entries  Padding  Weights met / PEs"]
    for layer in report.layers:
        size = f"{layer.columns} x {layer.rows}"
        kept = 100 * layer.nonzeros / (layer.rows * layer.columns)
        lines.append(
            f"{layer.name:<11} {size:<10} {layer.nonzeros:>5} ({kept:4.1f} %) {layer.entries:>8} "
            f"{layer.padding_entries:>8} {layer.ideal_cycles / vectors:>18.0f}"
        )
    return lines


if __name__ == "__main__":
    sys.exit(main())
