"""Activations in fixed point while the model trains: hooks that round as write-back does.

A hook rounds what a Linear gives, before its ReLU: rounding never falls, and 0 stays 0, so the
ReLU behind it sees what the hardware's ReLU before the rounding gives. Rounding is torch's own
``fake_quantize``, whose gradient is 1 within the bounds and 0 outside; torch.export keeps it as one
operation, and :func:`eie.compress` reads it as a quantiser with its step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from eie.hls.spec.fixed_point import ACTIVATION_BITS, CODE_MAX, CODE_MIN, FRAC_MAX, FRAC_MIN
from eie.host.compress.codebook_ranges import hold_codebooks
from eie.host.compress.dense_layer import DenseModel
from eie.host.compress.formats import choose_formats
from eie.host.compress.ranges import observed_ranges
from eie.host.compress.sharing import keep_shared

__all__ = ["ActivationFormat", "LayerFormats", "choose_layer_formats", "round_activations"]

Reals = npt.NDArray[np.float64]
#: Fraction bits beyond those that hold the whole range which are tried, with the range cut off.
_FINER = 4


@dataclass(frozen=True)
class ActivationFormat:
    """Fixed-point numbers of some bits."""

    #: Fraction bits.
    frac: int
    #: Smallest and largest number of steps.
    low: int
    high: int

    @property
    def step(self) -> float:
        """Real value of one step."""
        return math.ldexp(1.0, -self.frac)

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        """Round values of any shape."""
        rounded: torch.Tensor = torch.fake_quantize_per_tensor_affine(
            values, self.step, 0, self.low, self.high
        )
        return rounded


@dataclass(frozen=True)
class LayerFormats:
    """Formats of one Linear."""

    #: Of its inputs, if it is the first one; the others read what the one before writes.
    inputs: ActivationFormat | None
    #: Fraction bits of its shared weights, which have 16 bits.
    weight_frac: int
    outputs: ActivationFormat


class _RoundInputs:
    """A forward pre-hook; a class, so that a model with it can be copied and pickled."""

    def __init__(self, rule: ActivationFormat) -> None:
        self._rule = rule

    def __call__(self, _: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self._rule(inputs[0]), *inputs[1:])


class _RoundOutputs:
    """A forward hook."""

    def __init__(self, rule: ActivationFormat) -> None:
        self._rule = rule

    def __call__(self, _: nn.Module, __: tuple[Any, ...], outputs: torch.Tensor) -> torch.Tensor:
        return self._rule(outputs)


def round_activations(
    layers: Mapping[str, nn.Module], formats: Mapping[str, LayerFormats]
) -> tuple[RemovableHandle, ...]:
    """Round inputs and outputs of Linears in every forward pass.

    Returns
    -------
    tuple of handles
        To take the hooks away with.
    """
    handles = []
    for name, chosen in formats.items():
        if chosen.inputs is not None:
            handles.append(layers[name].register_forward_pre_hook(_RoundInputs(chosen.inputs)))
        handles.append(layers[name].register_forward_hook(_RoundOutputs(chosen.outputs)))
    return tuple(handles)


def choose_layer_formats(
    model: DenseModel, calibration: Reals, bits: int
) -> dict[str, LayerFormats]:
    """Choose the formats of a model whose weights are shared.

    Parameters
    ----------
    model
        As it was read: at most 15 distinct non-zero weights a layer.
    calibration
        Inputs, shape (n, features).
    bits
        Of activations, 2 to 16. With 16 the formats are those that :func:`eie.compress` chooses,
        with a bit to spare. With fewer there is none to spare: the step is the one whose squared
        error on the calibration is least, and where values are never negative all codes count
        from 0.
    """
    shared = hold_codebooks(model.layers, keep_shared(model.layers), calibration)
    ranges = observed_ranges(model.layers, shared, calibration)
    chosen = choose_formats(model.layers, shared, ranges)
    values = model.layer_outputs(calibration)
    found = {}
    for number, (layer, own, outputs) in enumerate(zip(model.layers, chosen, values, strict=True)):
        sums = own.input_frac + own.weight_frac
        given = _format(calibration, bits, own.input_frac, sums) if number == 0 else None
        found[layer.name] = LayerFormats(
            given, own.weight_frac, _format(outputs, bits, own.output_frac, sums)
        )
    return found


def _format(values: Reals, bits: int, full: int, most: int) -> ActivationFormat:
    """Choose a format: `full` fraction bits for 16 bits, and at most `most` for fewer."""
    if bits == ACTIVATION_BITS:
        return ActivationFormat(full, CODE_MIN, CODE_MAX)
    low, high = _bounds(bits, signed=bool((values < 0).any()))
    peak = float(np.abs(values).max())
    # Holds the largest value; the finer ones cut it off.
    coarsest = math.floor(math.log2(high / peak)) if peak else full
    candidates = range(max(FRAC_MIN, coarsest), min(FRAC_MAX, coarsest + _FINER, most) + 1)
    errors: Sequence[float] = [_squared_error(values, frac, low, high) for frac in candidates]
    best = candidates[int(np.argmin(errors))] if errors else min(coarsest, most)
    return ActivationFormat(best, low, high)


def _bounds(bits: int, *, signed: bool) -> tuple[int, int]:
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)


def _squared_error(values: Reals, frac: int, low: int, high: int) -> float:
    codes = np.clip(np.rint(np.ldexp(values, frac)), low, high)
    return float(np.square(np.ldexp(codes, -frac) - values).sum())
