"""What ``run.py`` does on the board once the package is known to be whole: try it, and report."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.atomic import check_writable, write_whole
from eie.hls.boundary.errors import DoesNotFitError, EieError, InputError
from eie.hls.boundary.text import counted
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import target_board
from eie.hls.tools.manifest import BITSTREAM, Manifest
from eie.host.board.driver import Accelerator
from eie.host.board_emulator import EmulatedBoard
from eie.host.deploy.layout import (
    BITSTREAM_FOLDER,
    NETWORK,
    PackageFacts,
)
from eie.host.deploy.vectors import Vectors
from eie.host.network import Network
from eie.host.network.summary import sizes_text
from eie.host.run.batch import emulate
from eie.host.run.selftest import Check, SelfTest, selftest_checks

__all__ = ["package_checks", "run_checks"]

#: Seconds at least that throughput is measured for, after one batch to warm up.
_MEASURED_SECONDS = 1.0


def run_checks(
    folder: str | os.PathLike[str],
    *,
    emulated: bool,
    report: str | os.PathLike[str],
    timeout: float = 10.0,
) -> int:
    """Try an unpacked package out, print what is found as it is found, and write the report.

    Parameters
    ----------
    folder
        The package's folder, whose sums were compared before.
    emulated
        Whether on an emulated board in place of its bitstream.
    report
        File to write.
    timeout
        Seconds that a packet may take.

    Returns
    -------
    int
        0 if all is well, 1 if a check failed, 2 if it could not be tried.
    """
    try:
        check_writable(report)
        found = _try(Path(folder), emulated=emulated, timeout=timeout)
        write_whole(report, found.as_text() + "\n")
    except (EieError, OSError) as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 2
    print(found.as_text().rpartition("\n")[2])
    print(f"report: {report}")
    return 0 if found.passed else 1


def _try(folder: Path, *, emulated: bool, timeout: float) -> SelfTest:
    facts = PackageFacts.load(folder)
    network = Network.load(folder / NETWORK)
    if not emulated and not facts.built:
        raise InputError(
            "this package has no bitstream yet, but the project to build one from: `eie build "
            "project` where Vitis HLS and Vivado are, then `eie package` with --bitstream; "
            "`python3 run.py --emulated` tries it without a board"
        )
    if not emulated and os.geteuid() != 0:
        raise InputError("the fabric belongs to root: sudo python3 run.py, in PYNQ's environment")
    found = [Check("package", True, f"made by eie {facts.eie}; SHA-256 of every file is right")]
    print("eie selftest\n")
    print(found[0], flush=True)
    with ExitStack() as stack:
        if emulated:
            design = facts.design
            board = EmulatedBoard(target_board(design), lambda: Emulator(design))
            bitfile = stack.enter_context(board).bitfile
        else:
            bitfile = folder / BITSTREAM_FOLDER / BITSTREAM
            Manifest.load(bitfile.parent).verify(bitfile.parent)
        accelerator = stack.enter_context(Accelerator(bitfile, timeout=timeout))
        for checks in (
            package_checks(accelerator, folder, facts, network, emulated=emulated),
            selftest_checks(accelerator, emulated=emulated),
        ):
            for check in checks:
                print(check, flush=True)
                found.append(check)
    print()
    return SelfTest(tuple(found))


def package_checks(
    accelerator: Accelerator,
    folder: Path,
    facts: PackageFacts,
    network: Network,
    *,
    emulated: bool,
) -> Iterator[Check]:
    """Check the package's own network on an accelerator, one thing after the other.

    Parameters
    ----------
    accelerator
        Takes the package's network in place of the one that it holds.
    folder, facts, network
        The unpacked package, what it is for, and its network.
    emulated
        Whether the board is emulated: then cycles must be the model's, and times say nothing.
    """
    yield _same_design(accelerator, facts)
    sizes = sizes_text(network)
    try:
        vectors = Vectors.read(folder, facts)
        accelerator.load(network)
        passes = accelerator.info().passes
        weights = f"{_weights(network)} weights"
        passes_text = "1 pass" if passes == 1 else f"{passes} passes"
        yield Check("the network", None, f"{sizes}, {weights}, {passes_text}")
        outputs = _run(accelerator, vectors)
        yield _equal(vectors, outputs, golden=facts.golden)
        if vectors.labels is not None:
            right, of = vectors.right(outputs), len(vectors.labels)
            yield Check(
                "accuracy", None, f"{right} of {of} classes right, {100 * right / of:.2f} %"
            )
        yield _throughput(accelerator, vectors, emulated=emulated)
        yield _cycles(accelerator, network, vectors, emulated=emulated)
    except DoesNotFitError as error:
        yield Check("the network", False, f"does not fit the accelerator: {error}")
    except EieError as error:
        yield Check("test vectors", False, f"{type(error).__name__}: {error}")


def _weights(network: Network) -> int:
    return sum(layer.nonzeros for layer in network.layers)


def _same_design(accelerator: Accelerator, facts: PackageFacts) -> Check:
    same = accelerator.design.id == facts.design.id
    text = "it reports the design that the package was made for"
    if not same:
        text = (
            f"it reports design {accelerator.design.id:#010x}, the package was made "
            f"for {facts.design.id:#010x}: the bitstream is another one"
        )
    return Check("accelerator", same, text)


def _run(accelerator: Accelerator, vectors: Vectors) -> npt.NDArray[np.int16]:
    """Outputs of all vectors, or of all steps, one sequence behind the other."""
    if vectors.lengths is None:
        return accelerator.run(vectors.inputs)
    return vectors.together(accelerator.run(vectors.given, outputs="all"))


def _equal(vectors: Vectors, outputs: npt.NDArray[np.int16], *, golden: bool) -> Check:
    kind, expected = "golden" if golden else "given", vectors.outputs
    of = counted(len(expected), f"{kind} vector")
    if vectors.lengths is not None:
        of = f"{len(expected)} steps of {counted(len(vectors.lengths), f'{kind} sequence')}"
    wrong = np.argwhere(outputs != expected)
    if not len(wrong):
        return Check("test vectors", True, f"{expected.size} outputs of {of} are right")
    row, output = (int(index) for index in wrong[0])
    return Check(
        "test vectors",
        False,
        f"{len(wrong)} of {expected.size} outputs are wrong; the first is output {output} of "
        f"{vectors.place_of(row)}: {outputs[row, output]} instead of {expected[row, output]}; did "
        "the build meet timing?",
    )


def _throughput(accelerator: Accelerator, vectors: Vectors, *, emulated: bool) -> Check:
    calls, start = 0, time.perf_counter()
    while True:
        _run(accelerator, vectors)
        calls += 1
        seconds = time.perf_counter() - start
        if seconds >= _MEASURED_SECONDS:
            break
    count = calls * len(vectors.inputs)
    unit, together = "vector", f"batches of {len(vectors.inputs)}"
    if vectors.lengths is not None:
        unit, together = "step", f"calls of {counted(len(vectors.lengths), 'sequence')}"
    text = (
        f"{count / seconds:.0f} {unit}s a second in {together}, {1e6 * seconds / count:.1f} us each"
    )
    if emulated:
        text += "; of this machine's emulator, which says nothing of a board"
    return Check("throughput", None, text)


def _cycles(
    accelerator: Accelerator, network: Network, vectors: Vectors, *, emulated: bool
) -> Check:
    """Compare the cycles of a vector alone, or of a sequence alone, with the model's."""
    some, name = vectors.some, "one vector" if vectors.lengths is None else "one sequence"
    accelerator.run(some)
    cycles = accelerator.counters()
    result = emulate(network, accelerator.design, some)
    predicted, report = result.counters, result.report
    assert predicted is not None and report is not None
    if report.passes > 1:
        text = f"{report.passes} passes, of which the accelerator counts the last alone"
        return Check(name, None, text)
    clock = accelerator.design.clock_mhz
    allowed = report.allowance_cycles or 0
    steps = "" if vectors.lengths is None else f" for {counted(report.vectors, 'step')}"
    text = (
        f"{cycles.cycles} cycles counted{steps}, {predicted.cycles} predicted at least and "
        f"{predicted.cycles + allowed} with pipeline stages ({report.allowance_source}): at least "
        f"{cycles.cycles / clock:.2f} us at {clock} MHz"
    )
    expected = predicted.reported(by_pes=bool(accelerator.design.counters))
    return Check(name, cycles.same_as(expected) if emulated else None, text)
