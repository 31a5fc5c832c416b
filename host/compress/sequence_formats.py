"""Fraction lengths of a model of sequences: as for others, but for what a cell asks for.

A recurrent layer's two matrices add to the same sums, ``f_x + f_W_ih = f_h + f_W_hh``, where h has
15 fraction bits; sums are written back with 11, which holds -16 to 16. So either the codebook with
the larger weights takes digits from the other one, or the inputs give some up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import ModelError
from eie.hls.spec.cell import RESULT_FRAC, SUM_FRAC
from eie.hls.spec.fixed_point import ACTIVATION_BITS, FRAC_MIN, MAX_SHIFT
from eie.host.compress.formats import codebook_frac, largest_frac, largest_sum_frac
from eie.host.compress.ranges import HEADROOM, Range, robust_range
from eie.host.compress.sequence_model import Batch, RecurrentLayer, SequenceModel, StepLayer
from eie.host.compress.sharing import SharedWeights

__all__ = ["PartFormats", "choose_sequence_formats"]

#: Bits that a codebook may lose to the sums before the inputs give up some as well.
_FEW_BITS = 4
#: Bits of a codebook, sign included, below which that is said.
_KEPT_BITS = 8

Shared = Mapping[str, SharedWeights]


@dataclass(frozen=True)
class PartFormats:
    """Fraction lengths of a Linear or of a recurrent layer."""

    #: Of what it takes for each step.
    input_frac: int
    #: Of the sums of all its matrices.
    sum_frac: int
    #: Of its results.
    output_frac: int


def choose_sequence_formats(
    model: SequenceModel, shared: Shared, batch: Batch
) -> tuple[tuple[PartFormats, ...], tuple[str, ...]]:
    """Choose the formats of each part by what calibration sequences give.

    Parameters
    ----------
    model
        With its shared weights in place.
    shared
        The same as codes, by matrix name.
    batch
        Calibration sequences.

    Returns
    -------
    formats
        Of each part.
    told
        What is to be warned of: inputs that had to take a coarser format, and weights with few
        bits.

    Raises
    ------
    ModelError
        If numbers are too large for any format; names the layer.
    """
    wanted: list[int | None] = [_frac(batch.steps(), "model: inputs")]
    for part, values in zip(model.parts, model.part_outputs(batch), strict=True):
        free = isinstance(part, StepLayer) and part.function in ("none", "relu")
        name = f"layer {part.matrices[-1].name!r}: outputs"
        wanted.append(_frac(batch.steps(values), name) if free else None)
    told: list[str] = []
    chosen: list[PartFormats] = []
    arriving = wanted[0]
    assert arriving is not None
    for number, part in enumerate(model.parts):
        if wanted[number] is not None:
            # What gives it may still be told to give fewer bits.
            arriving = _leave_room(part, shared, arriving, told)
            if chosen:
                before = chosen[-1]
                chosen[-1] = PartFormats(before.input_frac, before.sum_frac, arriving)
        sum_frac = _sum_frac(part, shared, arriving)
        output_frac = wanted[number + 1]
        if output_frac is None:
            _require(sum_frac >= SUM_FRAC, part)
            sum_frac = min(sum_frac, SUM_FRAC + MAX_SHIFT)
            output_frac = RESULT_FRAC
        else:
            sum_frac = min(sum_frac, output_frac + MAX_SHIFT)
            output_frac = min(output_frac, sum_frac)
        _require(min(sum_frac - arriving, output_frac) >= FRAC_MIN, part)
        _tell_of_few_bits(part, shared, arriving, sum_frac, told)
        chosen.append(PartFormats(arriving, sum_frac, output_frac))
        arriving = output_frac
    return tuple(chosen), tuple(told)


def _frac(values: npt.NDArray[np.float64], name: str) -> int:
    low, high = _widened(robust_range(values))
    return largest_frac(low, high, name=name)


def _widened(held: Range) -> Range:
    return HEADROOM * held[0], HEADROOM * held[1]


def _matrix_fracs(
    part: StepLayer | RecurrentLayer, shared: Shared, arriving: int
) -> Sequence[tuple[Any, int, int]]:
    """Each matrix, the fraction bits of what it takes, and the most of its codebook."""
    inputs = (arriving, RESULT_FRAC)
    return [
        (matrix, frac, codebook_frac(matrix, shared[matrix.name]))
        for matrix, frac in zip(part.matrices, inputs, strict=False)
    ]


def _most_sums(part: StepLayer | RecurrentLayer) -> int:
    """Fraction bits of sums at which the bias leaves room for products."""
    return largest_sum_frac(part.bias if isinstance(part, RecurrentLayer) else part.dense.bias)


def _sum_frac(part: StepLayer | RecurrentLayer, shared: Shared, arriving: int) -> int:
    matrices = _matrix_fracs(part, shared, arriving)
    return min(_most_sums(part), *(frac + most for _, frac, most in matrices))


def _leave_room(
    part: StepLayer | RecurrentLayer, shared: Shared, arriving: int, told: list[str]
) -> int:
    """Fraction bits of what a part takes, so that its first codebook keeps some as well."""
    (matrix, _, most), *others = _matrix_fracs(part, shared, arriving)
    limits = [_most_sums(part), *(frac + other for _, frac, other in others)]
    if isinstance(part, StepLayer):
        excess = arriving + most - _most_sums(part)
        return arriving - max(0, excess) // 2
    given_up = (max(0, arriving + most - min(limits) - _FEW_BITS) + 1) // 2
    if given_up:
        told.append(
            f"layer {matrix.name!r}: its inputs take {arriving - given_up} fraction bits, not "
            f"{arriving}, since {part.of_state.name!r} has weights so much larger than its own, "
            "and both add to the same sums: scale the inputs up, or regularise the weights of the "
            "state"
        )
    return arriving - given_up


def _tell_of_few_bits(
    part: StepLayer | RecurrentLayer, shared: Shared, arriving: int, sums: int, told: list[str]
) -> None:
    for matrix, frac, most in _matrix_fracs(part, shared, arriving):
        kept = ACTIVATION_BITS - (most - (sums - frac))
        if isinstance(part, RecurrentLayer) and kept < _KEPT_BITS:
            told.append(
                f"layer {matrix.name!r}: its largest weight keeps {kept} bits, since the sums "
                "that it adds to have no more fraction bits: bring the inputs to unit scale"
            )


def _require(fits: bool, part: StepLayer | RecurrentLayer) -> None:
    if not fits:
        raise ModelError(
            f"layer {part.matrices[-1].name!r}: weights, bias and inputs must be small enough for "
            "sums with 11 fraction bits: scale the model's inputs or weights down"
        )
