"""Compress a model to several densities, and see what each costs and keeps."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eie.hls.boundary.errors import DoesNotFitError, EieWarning, InputError, Problems
from eie.hls.boundary.progress import tell
from eie.hls.boundary.text import counted
from eie.hls.spec.design import NO_BOARD
from eie.host.flow.data import Data, through
from eie.host.flow.evaluation import Evaluation
from eie.host.flow.reading import read_with_shape, sizes_of
from eie.host.flow.sequence_data import SequenceData, check_model_data
from eie.host.flow.task import GivenArrays
from eie.host.network import Network
from eie.host.network.loss_record import LossRecord
from eie.host.network.sequence_codes import sequence_codes
from eie.host.network.sizes import float32_bytes, model_weights

if TYPE_CHECKING:
    from eie.host.cut import Cut, ModelParts

__all__ = ["DENSITIES", "Sweep", "SweepPoint", "sweep_densities"]

#: Densities that are tried if none are named.
DENSITIES = (0.05, 0.1, 0.2, 0.3, 0.5, 1.0)


@dataclass(frozen=True, eq=False)
class SweepPoint:
    """A density, and what came of it."""

    #: Share of the weights that was asked for.
    density: float
    #: What compress made.
    network: Network
    #: Against the model, and the labels if there are any.
    evaluation: Evaluation
    #: Error of the median vector against the model.
    median_error: float
    #: Predicted cycles of one vector, at least, and microseconds with the allowance for pipeline
    #: stages; None if it fits no design of the board.
    cycles: int | None
    latency_us: float | None
    #: Bytes that are loaded onto the chip of that design; None if there is none.
    loaded_bytes: int | None
    #: PEs of that design; None if there is none.
    pes: int | None
    #: What compress warned of.
    warnings: tuple[Warning, ...]

    @property
    def loss(self) -> float:
        """What is lost, in points: of accuracy if it is known, else of the median error."""
        found = self.evaluation
        if found.accuracy is not None and found.float_accuracy is not None:
            return 100 * (found.float_accuracy - found.accuracy)
        return 100 * self.median_error


@dataclass(frozen=True, eq=False)
class Sweep:
    """Several densities of a model, the smallest first."""

    points: tuple[SweepPoint, ...]
    #: Points of accuracy, or of error, that may be lost.
    budget: float
    #: The board that latencies are for; ``"none"`` for a design without one.
    board: str

    @property
    def best(self) -> SweepPoint | None:
        """The smallest density that loses no more than the budget."""
        return next((each for each in self.points if each.loss <= self.budget), None)

    def as_text(self) -> str:
        """Give a table, with the best marked."""
        graded = self.points[0].evaluation.accuracy is not None
        head = "accuracy" if graded else "median error"
        lines = [f"   density    kept  {head:>12}  same class  bytes on chip  ratio   latency"]
        for point in self.points:
            lines.append(f"{'->' if point is self.best else '  '} {_row(point, graded)}")
        what = "accuracy" if graded else "error of the median vector"
        if graded:
            found = self.points[0].evaluation
            assert found.float_accuracy is not None
            lines.append(f"accuracy of the model: {100 * found.float_accuracy:.2f} %")
        if self.best is None:
            lines.append(
                f"no density keeps the {what} within {_points(self.budget)}: retrain while "
                "pruning, or allow more (--budget)"
            )
        else:
            lines.append(
                f"-> the smallest density that keeps the {what} within {_points(self.budget)}"
            )
        unit = "step" if self.points[0].network.recurrent else "vector"
        lines.append(
            f"bytes and latency of one {unit} are those on {self._designs()}, with what is allowed "
            "for pipeline stages (assumed; not synthesised)"
        )
        return "\n".join(lines)

    def _designs(self) -> str:
        """Say what the latencies are of."""
        pes = sorted({each.pes for each in self.points if each.pes is not None})
        board = "" if self.board == NO_BOARD else f" for {self.board}"
        if not pes:
            return f"designs{board}, none of which holds it"
        if len(pes) == 1:
            return f"a design of {counted(pes[0], 'PE')}{board}"
        return f"designs of {pes[0]} to {pes[-1]} PEs{board}, each density on its own"


def sweep_densities(
    model: Path,
    calibration: GivenArrays,
    *,
    labels: GivenArrays | None = None,
    densities: Sequence[float] = DENSITIES,
    board: str = NO_BOARD,
    budget: float = 1.0,
    cut: Cut = None,
) -> Sweep:
    """Compress a model to each density, and evaluate it on the calibration.

    Parameters
    ----------
    model
        A saved model: ``.pt2``, ``.onnx`` or ``.keras``.
    calibration
        Real inputs, shape (n, features) or (n, ...) with the model's input shape; of a recurrent
        model sequences, (n, steps, features) or (steps, features) of each by name.
    labels
        Classes, shape (n,), or targets, shape (n, outputs); of a model that gives every step, for
        each step.
    densities
        Shares of the weights to keep, above 0 and at most 1.
    board
        Whose design predicts the latency.
    budget
        Points of accuracy that may be lost (without labels: percent of median error).
    cut
        Where to cut the model, as :func:`eie.convert` takes it.

    Raises
    ------
    InputError
        If an argument is not what it must be.
    ModelError
        If the model cannot be compressed.
    """
    problems = Problems("sweep")
    problems.require(len(densities) > 0, "there must be at least one density")
    for each in densities:
        problems.require(0 < each <= 1, f"density must be above 0 and at most 1, not {each}")
    problems.require(
        budget >= 0 and np.isfinite(budget), f"budget must be 0 or more points, not {budget}"
    )
    problems.raise_as(InputError)
    parts = read_with_shape(model, cut=cut)
    given = check_model_data(calibration, labels, sizes_of(parts), name="calibration")
    data = through(given, parts.host)

    from eie.host.cut import compress_parts

    points = []
    ordered = sorted(set(densities))
    for number, density in enumerate(ordered):
        tell("densities", number, len(ordered))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            network = compress_parts(parts, density=density, calibration=data.calibration)
        point = _evaluated(parts, network, density, data, board)
        told = tuple(each.message for each in caught if isinstance(each.message, EieWarning))
        points.append(dataclasses.replace(point, warnings=told))
    return Sweep(tuple(points), budget, board)


def _evaluated(
    parts: ModelParts, network: Network, density: float, data: Data, board: str
) -> SweepPoint:
    from eie.host.flow.model_quality import evaluate_compressed
    from eie.host.packing.tiling import plan_passes
    from eie.host.run.costs import measure_costs
    from eie.host.run.step_costs import measure_step_costs
    from eie.host.search.fit import fit
    from eie.host.search.prediction import example_input

    found = evaluate_compressed(parts, network, data)
    cycles = latency = loaded = pes = None
    with warnings.catch_warnings():  # compress has told of the calibration already
        warnings.simplefilter("ignore", EieWarning)
        try:
            design = fit(network, board, passes=True).design
        except DoesNotFitError:
            pass
        else:
            plan = plan_passes(network, design)
            if isinstance(data, SequenceData):
                single = measure_step_costs(
                    plan, sequence_codes(network, list(data.sequences)).codes
                ).single
            else:
                single = measure_costs(network, design, example_input(network), plan=plan).single
            pes = design.pes
            cycles, latency = single.total_cycles, single.allowed_us
            loaded = plan.loaded_bytes
    record = LossRecord.of(network)
    error = record.error if record is not None else None
    median = error.median if error is not None else (found.rms_error or 0.0)
    return SweepPoint(density, network, found, median, cycles, latency, loaded, pes, ())


def _row(point: SweepPoint, graded: bool) -> str:
    found, network = point.evaluation, point.network
    weights = sum(model_weights(network.layers))
    kept = sum(layer.nonzeros for layer in network.layers) / weights
    quality = found.accuracy if graded else point.median_error
    same = "-" if found.same_class is None else f"{100 * found.same_class / found.vectors:.1f} %"
    size, ratio, latency = "-", "-", "too large"
    if point.loaded_bytes is not None and point.latency_us is not None:
        size = f"{point.loaded_bytes:,}"
        ratio = f"{float32_bytes(network) / point.loaded_bytes:.1f}x"
        latency = f"{point.latency_us:.2f} us"
    return (
        f"{point.density:>7g} {100 * kept:>6.1f} %  {100 * (quality or 0):>10.2f} %  {same:>10}  "
        f"{size:>11} {ratio:>7}  {latency:>8}"
    )


def _points(budget: float) -> str:
    return "one point" if budget == 1 else f"{budget:g} points"
