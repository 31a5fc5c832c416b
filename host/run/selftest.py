"""A report on a board that its user can attach to an issue.

Small networks of several shapes are made here, run on the accelerator, and every output is compared
with plain integer products in numpy: nothing of packer, emulator or torch is in the reference.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import DoesNotFitError, EieError, SaturationWarning
from eie.host.board.driver import Accelerator
from eie.host.board.overlay import CLOCK_TOLERANCE
from eie.host.network import Network
from eie.host.network.example_networks import lstm_network, plain_network, residual_network
from eie.host.run.batch import emulate
from eie.host.run.layer_results import States, layer_results

__all__ = ["Check", "SelfTest", "selftest", "selftest_checks"]

#: Inputs, hidden layers and outputs of the networks that are tried, and how many vectors of each.
_SHAPES = (((1, 1), 3), ((16, 16), 5), ((33, 17, 5), 7), ((100, 64, 40, 10), 64), ((300, 200), 9))
_VERSIONS = ("eie", "pynq", "numpy")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    #: Whether it is as it should be; None for what is only shown.
    passed: bool | None
    text: str

    def __str__(self) -> str:
        mark = {True: "ok", False: "FAILED", None: "-"}[self.passed]
        return f"{mark:<7} {self.name}: {self.text}"


@dataclass(frozen=True)
class SelfTest:
    """Everything that was looked at."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return all(check.passed is not False for check in self.checks)

    def as_text(self) -> str:
        """Give the report as text; it holds no paths and no names of people or machines."""
        verdict = "All checks passed." if self.passed else "SOMETHING FAILED: see above."
        return "\n".join(["eie selftest", "", *map(str, self.checks), "", verdict])


def selftest(accelerator: Accelerator, *, emulated: bool) -> SelfTest:
    """Try an accelerator out.

    Parameters
    ----------
    accelerator
        The accelerator; the network that it holds is replaced.
    emulated
        Whether its board is emulated. Then counted cycles must equal the model's; in the fabric
        pipelines take some more to fill, so the difference is only shown.
    """
    return SelfTest(tuple(selftest_checks(accelerator, emulated=emulated)))


def selftest_checks(accelerator: Accelerator, *, emulated: bool) -> Iterator[Check]:
    """Make the checks of :func:`selftest`, one after the other as they are asked for."""
    yield Check("board", None, "emulated" if emulated else _board())
    yield Check("software", None, _software())
    info = accelerator.info()
    yield Check("bitstream", None, _bitstream(info.bitfile, emulated=emulated))
    # The accelerator does not report which board it is on; the line above says it.
    parameters = ", ".join(
        f"{name} {value}" for name, value in info.design.parameters().items() if name != "board"
    )
    yield Check("design", None, parameters)
    registers = ", ".join(f"{name} {value:#x}" for name, value in info.registers.items())
    yield Check("registers", None, registers)
    yield _clock(info.clock_mhz, info.design.clock_mhz)
    same = info.registers["design_id"] == info.design.id
    yield Check("identity", same, f"register and answer say {info.design.id:#010x}")
    for number, (name, network, batch) in enumerate(_networks()):
        inputs = _inputs(network.inputs, batch, number)
        yield _guarded(f"network {name}", partial(_outputs, accelerator, network, inputs))
        compare = partial(_cycles, accelerator, network, inputs[:1], emulated=emulated)
        yield _guarded(f"cycles {name}", compare)
    yield _guarded("time of a call", partial(_time, accelerator))


def _networks() -> Iterator[tuple[str, Network, int]]:
    """Give name, network and how many vectors of it; those last that not every design can run."""
    for number, (sizes, batch) in enumerate(_SHAPES):
        yield "-".join(map(str, sizes)), plain_network(sizes, number), batch
    yield "residual 40-24-40-7", residual_network((40, 24, 7), 0), 20
    # The small one is for designs that were chosen for small networks.
    for sizes in ((20, 12, 5), (6, 4, 3)):
        yield f"LSTM {'-'.join(map(str, sizes))}", lstm_network(sizes, 0), 20


def _clock(clock_mhz: float | None, built_for: int) -> Check:
    if clock_mhz is None:
        return Check("clock", None, f"not known, built for {built_for} MHz")
    text = f"clock 0 of the fabric is {clock_mhz:.3f} MHz, built for {built_for} MHz"
    return Check("clock", clock_mhz <= CLOCK_TOLERANCE * built_for, text)


def _guarded(name: str, check: Callable[[], tuple[bool | None, str]]) -> Check:
    """Make a check of what may raise: an error of the device is a failure, and the rest goes on."""
    try:
        with warnings.catch_warnings():
            # That values are saturated is what the networks are for.
            warnings.simplefilter("ignore", SaturationWarning)
            passed, text = check()
    except DoesNotFitError:
        passed, text = None, "left out: larger than this design"
    except EieError as error:
        passed, text = False, f"{type(error).__name__}: {error}"
    return Check(name, passed, text)


def _outputs(
    accelerator: Accelerator, network: Network, inputs: npt.NDArray[np.int16]
) -> tuple[bool, str]:
    accelerator.load(network)
    outputs, (expected, saturated) = accelerator.run(inputs), _reference(network, inputs)
    wrong = int(np.count_nonzero(outputs != expected))
    if wrong:
        return False, f"{wrong} of {expected.size} outputs are wrong; did the build meet timing?"
    told = accelerator.saturation
    counted = [] if told is None else list(told.layers.values())
    if counted != saturated:
        return False, f"{counted} saturated values of the layers were counted, not {saturated}"
    return True, f"{expected.size} outputs and {sum(saturated)} saturated values are right"


def _cycles(
    accelerator: Accelerator, network: Network, inputs: npt.NDArray[np.int16], *, emulated: bool
) -> tuple[bool | None, str]:
    accelerator.load(network)
    accelerator.run(inputs)
    counted = accelerator.counters()
    result = emulate(network, accelerator.design, inputs)
    predicted, report = result.counters, result.report
    assert predicted is not None and report is not None
    if report.passes > 1:
        return None, f"{report.passes} passes, of which the accelerator counts the last alone"
    same = counted.same_as(predicted.reported(by_pes=bool(accelerator.design.counters)))
    text = f"{counted.cycles} counted, {predicted.cycles} predicted for one vector"
    return (same if emulated else None), text


def _time(accelerator: Accelerator) -> tuple[None, str]:
    sizes, _ = _SHAPES[0]
    accelerator.load(plain_network(sizes, 0))
    inputs = _inputs(sizes[0], 1, 0)
    seconds = []
    for _ in range(20):
        start = time.perf_counter()
        accelerator.run(inputs)
        seconds.append(time.perf_counter() - start)
    return None, f"{1e6 * sorted(seconds)[10]:.0f} us for the smallest network (median of 20)"


def _inputs(width: int, batch: int, seed: int) -> npt.NDArray[np.int16]:
    random = np.random.default_rng(seed)
    values = random.integers(-3000, 3000, (batch, width))
    return (values * (random.random(values.shape) < 0.5)).astype(np.int16)


def _reference(
    network: Network, inputs: npt.NDArray[np.int16]
) -> tuple[npt.NDArray[np.int16], list[int]]:
    """Outputs, and how many results of each layer are saturated.

    What a recurrent network takes are the steps of one sequence, as the accelerator takes them.
    """
    if not network.recurrent:
        results, saturated = layer_results(network, inputs)
        return results[-1], saturated
    states: States = {}
    steps = [layer_results(network, step[np.newaxis], states=states) for step in inputs]
    outputs = np.concatenate([results[-1] for results, _ in steps])
    return outputs, [sum(counts) for counts in zip(*(own for _, own in steps), strict=True)]


def _board() -> str:
    """The board as its device tree names it."""
    try:
        return Path("/proc/device-tree/model").read_text(encoding="utf-8").strip("\0\n")
    except OSError:
        return "unknown"


def _software() -> str:
    found = [f"Python {platform.python_version()}", f"{platform.system()} {platform.release()}"]
    for name in _VERSIONS:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} not installed")
    return ", ".join(found)


def _bitstream(file: Path, *, emulated: bool) -> str:
    """Name the bitstream with its hash; on an emulated board the file is empty, and has none."""
    if emulated:
        return "none, since no fabric is configured on an emulated board"
    return f"{file.name}, SHA-256 {_hash(file)}"


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]
