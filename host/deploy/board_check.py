"""What ``run.py`` does on the board once the package is known to be whole: try it, and report."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.atomic import check_writable, write_whole
from eie.hls.boundary.errors import DoesNotFitError, EieError, InputError
from eie.hls.boundary.npy import parse_array, parse_header
from eie.hls.boundary.text import counted
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import target_board
from eie.hls.tools.manifest import BITSTREAM, Manifest
from eie.host.board.driver import Accelerator
from eie.host.board_emulator import EmulatedBoard
from eie.host.deploy.layout import (
    BITSTREAM_FOLDER,
    INPUTS,
    LABELS,
    NETWORK,
    OUTPUTS,
    PackageFacts,
)
from eie.host.network import Network
from eie.host.run.batch import emulate
from eie.host.run.selftest import Check, SelfTest, selftest_checks

__all__ = ["package_checks", "read_vectors", "run_checks"]

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
    sizes = "-".join(str(size) for size in (network.inputs, *(x.rows for x in network.layers)))
    try:
        inputs, expected, labels = read_vectors(folder, facts)
        accelerator.load(network)
        passes = accelerator.info().passes
        weights = f"{_weights(network)} weights"
        passes_text = "1 pass" if passes == 1 else f"{passes} passes"
        yield Check("the network", None, f"{sizes}, {weights}, {passes_text}")
        outputs = accelerator.run(inputs)
        yield _equal(outputs, expected, golden=facts.golden)
        if labels is not None:
            right = int(np.count_nonzero(outputs.argmax(axis=1) == labels))
            share = 100 * right / len(labels)
            yield Check("accuracy", None, f"{right} of {len(labels)} classes right, {share:.2f} %")
        yield _throughput(accelerator, inputs, emulated=emulated)
        yield _one_vector(accelerator, network, inputs[:1], emulated=emulated)
    except DoesNotFitError as error:
        yield Check("the network", False, f"does not fit the accelerator: {error}")
    except EieError as error:
        yield Check("test vectors", False, f"{type(error).__name__}: {error}")


def read_vectors(
    folder: Path, facts: PackageFacts
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16], npt.NDArray[np.int64] | None]:
    """Read a package's test vectors: inputs, expected outputs, and classes if it has them.

    Returns
    -------
    inputs, outputs
        int16 codes, shapes (vectors, inputs) and (vectors, outputs).
    labels
        int64, shape (vectors,), or None.

    Raises
    ------
    InputError
        If one is missing, or is not what it must be.
    """
    inputs = _read_array(folder / INPUTS, np.dtype(np.int16))
    outputs = _read_array(folder / OUTPUTS, np.dtype(np.int16))
    labels = _read_array(folder / LABELS, np.dtype(np.int64)) if facts.labelled else None
    lengths = {len(array) for array in (inputs, outputs, labels) if array is not None}
    if lengths != {facts.vectors}:
        raise InputError(f"there must be {facts.vectors} vectors of each kind, not {lengths}")
    return inputs, outputs, labels


def _read_array(path: Path, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path.name}: {error.strerror}") from error
    array = parse_array(parse_header(data), data)
    if array.dtype != dtype:
        raise InputError(f"{path.name} must be of {dtype}, not {array.dtype}")
    return array


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


def _equal(
    outputs: npt.NDArray[np.int16], expected: npt.NDArray[np.int16], *, golden: bool
) -> Check:
    kind = "golden" if golden else "given"
    wrong = np.argwhere(outputs != expected)
    if not len(wrong):
        vectors = counted(len(expected), f"{kind} vector")
        return Check("test vectors", True, f"{expected.size} outputs of {vectors} are right")
    vector, output = (int(index) for index in wrong[0])
    return Check(
        "test vectors",
        False,
        f"{len(wrong)} of {expected.size} outputs are wrong; the first is output {output} of "
        f"vector {vector}: {outputs[vector, output]} instead of {expected[vector, output]}; did "
        "the build meet timing?",
    )


def _throughput(
    accelerator: Accelerator, inputs: npt.NDArray[np.int16], *, emulated: bool
) -> Check:
    calls, start = 0, time.perf_counter()
    while True:
        accelerator.run(inputs)
        calls += 1
        seconds = time.perf_counter() - start
        if seconds >= _MEASURED_SECONDS:
            break
    vectors = calls * len(inputs)
    text = (
        f"{vectors / seconds:.0f} vectors a second in batches of {len(inputs)}, "
        f"{1e6 * seconds / vectors:.1f} us each"
    )
    if emulated:
        text += "; of this machine's emulator, which says nothing of a board"
    return Check("throughput", None, text)


def _one_vector(
    accelerator: Accelerator,
    network: Network,
    one: npt.NDArray[np.int16],
    *,
    emulated: bool,
) -> Check:
    accelerator.run(one)
    cycles = accelerator.counters()
    result = emulate(network, accelerator.design, one)
    predicted, report = result.counters, result.report
    assert predicted is not None and report is not None
    if report.passes > 1:
        text = f"{report.passes} passes, of which the accelerator counts the last alone"
        return Check("one vector", None, text)
    clock = accelerator.design.clock_mhz
    allowed = report.allowance_cycles or 0
    text = (
        f"{cycles.cycles} cycles counted, {predicted.cycles} predicted at least and "
        f"{predicted.cycles + allowed} with pipeline stages ({report.allowance_source}): at least "
        f"{cycles.cycles / clock:.2f} us at {clock} MHz"
    )
    return Check("one vector", cycles.same_as(predicted) if emulated else None, text)
