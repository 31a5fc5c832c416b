"""What a retraining is told: every argument checked, all that is wrong said at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from eie.hls.boundary.errors import InputError, Problems
from eie.hls.boundary.real_arrays import real_array
from eie.hls.boundary.text import shown
from eie.hls.spec.boards import find_board
from eie.hls.spec.design import NO_BOARD, RANGES
from eie.hls.spec.fixed_point import ACTIVATION_BITS
from eie.host.compress.calibration import check_calibration
from eie.host.compress.pruning import Density
from eie.host.retrain.schedule import Schedule
from eie.host.retrain.sensitivity import SCAN_DENSITIES

__all__ = ["BUDGET", "Settings", "check_accuracy", "check_densities", "check_settings"]

#: Points of accuracy that may be lost, if nothing is said.
BUDGET = 0.5
#: Fewest bits of an activation: a sign and a number.
_LEAST_BITS = 2


@dataclass(frozen=True, eq=False)
class Settings:
    """Arguments of :func:`eie.retrain` that are no code of the user's, checked."""

    schedule: Schedule
    #: As given; None where the scan finds densities.
    density: Density | None
    #: Share of all weights that the scan spreads over the matrices; None for a budget.
    total_density: float | None
    #: Points of accuracy.
    budget: float
    scan_densities: tuple[float, ...]
    activation_bits: int
    #: PEs that masks are balanced for; None for none.
    balance: int | None
    #: Path of the part; empty for the whole model.
    head: str
    board: str
    seed: int
    #: Real inputs of the whole model, float64; None without calibration.
    calibration: npt.NDArray[np.float64] | None

    def as_texts(self) -> dict[str, str]:
        """What weights and reports depend on, to hold a checkpoint against."""
        data = "none"
        if self.calibration is not None:
            data = hashlib.sha256(np.ascontiguousarray(self.calibration).tobytes()).hexdigest()[:16]
            data = f"of shape {self.calibration.shape} and hash {data}"
        density = dict(self.density) if isinstance(self.density, Mapping) else self.density
        return {
            "schedule": str(astuple(self.schedule)),
            "density": str(density),
            "total_density": str(self.total_density),
            "budget": str(self.budget),
            "scan_densities": str(self.scan_densities),
            "activation_bits": str(self.activation_bits),
            "balance": str(self.balance),
            "head": repr(self.head),
            "board": self.board,
            "seed": str(self.seed),
            "calibration": data,
            "torch": str(torch.__version__),
        }


def check_settings(
    model: object,
    callables: Mapping[str, Callable[..., Any] | None],
    *,
    calibration: npt.ArrayLike | torch.Tensor | None = None,
    density: Density | None = None,
    total_density: float | None = None,
    budget: float = BUDGET,
    scan_densities: Sequence[float] = SCAN_DENSITIES,
    schedule: Schedule | None = None,
    activation_bits: int = ACTIVATION_BITS,
    balance: int | None = None,
    head: str = "",
    board: str | None = None,
    seed: int = 0,
) -> Settings:
    """Check all arguments.

    Raises
    ------
    InputError
        Naming everything that is wrong.
    """
    problems = Problems("retrain")
    if problems.require(
        isinstance(model, nn.Module),
        f"model must be a torch.nn.Module, not {type(model).__name__}",
    ):
        assert isinstance(model, nn.Module)
        _check_head(model, head, problems)
    for name, given in callables.items():
        problems.require(callable(given), f"{name} must be a function, not {shown(given)}")
    problems.require(
        density is None or total_density is None,
        "density and total_density must not both be given",
    )
    problems.require(
        total_density is None or _is_share(total_density),
        f"total_density must be above 0 and at most 1, not {shown(total_density)}",
    )
    if density is not None:
        for name, value in _named(density).items():
            problems.require(
                _is_share(value), f"{name} must be above 0 and at most 1, not {shown(value)}"
            )
    problems.require(
        _is_real(budget) and 0 <= budget <= 100,
        f"budget must be 0 to 100 points of accuracy, not {shown(budget)}",
    )
    problems.require(
        len(scan_densities) > 0 and all(_is_share(each) and each < 1 for each in scan_densities),
        f"scan_densities must be above 0 and below 1, not {shown(scan_densities)}",
    )
    problems.require(
        schedule is None or isinstance(schedule, Schedule),
        f"schedule must be a Schedule, not {shown(schedule)}",
    )
    problems.require(
        _is_integer(activation_bits) and _LEAST_BITS <= activation_bits <= ACTIVATION_BITS,
        f"activation_bits must be {_LEAST_BITS} to {ACTIVATION_BITS}, not {shown(activation_bits)}",
    )
    most = RANGES["pes"][1]
    problems.require(
        balance is None or (_is_integer(balance) and 1 <= balance <= most),
        f"balance must be a number of PEs, 1 to {most}, not {shown(balance)}",
    )
    problems.require(
        _is_integer(seed) and 0 <= seed < 2**63,
        f"seed must be an integer of at least 0, not {shown(seed)}",
    )
    samples = None
    try:
        if calibration is not None:
            samples = check_calibration(_as_array(calibration))
    except InputError as error:
        problems.require(False, str(error))
    name = NO_BOARD
    try:
        name = NO_BOARD if board in (None, NO_BOARD) else find_board(str(board)).name
    except InputError as error:
        problems.require(False, str(error))
    problems.raise_as(InputError)
    return Settings(
        Schedule() if schedule is None else schedule,
        density,
        total_density,
        float(budget),
        tuple(sorted(set(scan_densities))),
        activation_bits,
        balance,
        head,
        name,
        seed,
        samples,
    )


def check_densities(density: Density, names: Sequence[str]) -> dict[str, float]:
    """Give the density of every matrix; each must have one.

    Raises
    ------
    InputError
        Naming matrices that do not exist, or have no density.
    """
    if not isinstance(density, Mapping):
        return dict.fromkeys(names, float(density))
    problems = Problems("density")
    for name in density:
        problems.require(
            name in names, f"layer {name!r} must be one of {', '.join(map(repr, names))}"
        )
    for name in names:
        problems.require(name in density, f"layer {name!r} must have one (1.0 prunes nothing)")
    problems.raise_as(InputError)
    return {name: float(density[name]) for name in names}


def check_accuracy(value: object) -> float:
    """Check what the user's evaluate gave.

    Raises
    ------
    InputError
        If it is not a share.
    """
    if isinstance(value, (torch.Tensor, np.ndarray, np.generic)) and value.ndim == 0:
        value = value.item()
    if not _is_real(value) or not 0 <= value <= 1:  # type: ignore[operator]
        raise InputError(
            f"evaluate must return the share that is right, 0 to 1, not {shown(value)}"
        )
    return float(value)  # type: ignore[arg-type]


def _check_head(model: nn.Module, head: object, problems: Problems) -> None:
    if not isinstance(head, str):
        problems.require(False, f"head must be the path of a module, not {shown(head)}")
        return
    try:
        model.get_submodule(head)
    except AttributeError:
        paths = ", ".join(repr(path) for path, _ in model.named_children())
        problems.require(False, f"head must be the path of a module, such as {paths}, not {head!r}")


def _as_array(values: npt.ArrayLike | torch.Tensor) -> npt.ArrayLike:
    if isinstance(values, torch.Tensor):
        return values.detach().cpu().numpy()
    return real_array(values, "calibration")


def _named(density: Density) -> dict[str, object]:
    if isinstance(density, Mapping):
        return {f"density of layer {name!r}": value for name, value in density.items()}
    return {"density": density}


def _is_share(value: object) -> bool:
    return _is_real(value) and 0 < value <= 1  # type: ignore[operator]


def _is_real(value: object) -> bool:
    return (
        isinstance(value, (int, float)) and not isinstance(value, bool) and bool(np.isfinite(value))
    )


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
