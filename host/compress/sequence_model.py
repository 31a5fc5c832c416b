"""A recurrent model in real numbers, in numpy: Linear and recurrent layers over steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from eie.host.compress.dense_layer import DenseLayer

__all__ = ["GATES", "Batch", "RecurrentLayer", "SequenceModel", "StepLayer"]

#: Gates of a unit as the accelerator has them: a GRU's n is made of two sums.
GATES = 4

Reals = npt.NDArray[np.float64]
Function = Literal["none", "relu", "sigmoid", "tanh"]


@dataclass(frozen=True, eq=False)
class Batch:
    """Vectors of sequences of different lengths, side by side."""

    #: float64, shape (sequences, most steps, width); anything behind a sequence's end.
    values: Reals
    #: int64, shape (sequences,), each at least 1.
    lengths: npt.NDArray[np.int64]

    @classmethod
    def of(cls, sequences: Sequence[npt.NDArray[Any]]) -> Batch:
        """Put sequences (steps, width) side by side, zeros behind each end."""
        lengths = np.array([len(each) for each in sequences], np.int64)
        values = np.zeros((len(sequences), int(lengths.max()), sequences[0].shape[1]))
        for place, each in enumerate(sequences):
            values[place, : len(each)] = each
        return cls(values, lengths)

    def steps(self, values: Reals | None = None) -> Reals:
        """Vectors of all steps that there are, one sequence behind the other: (steps, width)."""
        taken = self.values if values is None else values
        there = np.arange(taken.shape[1]) < self.lengths[:, np.newaxis]
        vectors: Reals = taken[there]
        return vectors

    def last(self, values: Reals) -> Reals:
        """Vectors of the last step of each sequence: (sequences, width)."""
        found: Reals = values[np.arange(len(values)), self.lengths - 1]
        return found


@dataclass(frozen=True, eq=False)
class StepLayer:
    """A Linear that takes each step by itself, and its activation function."""

    #: Weights and bias; its ReLU is :attr:`function`'s.
    dense: DenseLayer
    function: Function = "none"

    @property
    def matrices(self) -> tuple[DenseLayer, ...]:
        """What is pruned and shared."""
        return (self.dense,)

    @property
    def width(self) -> int:
        """Values that it gives for a step."""
        return self.dense.rows

    def with_weights(self, weights: Mapping[str, Reals]) -> StepLayer:
        """Give the layer with other weights, by matrix name."""
        return replace(self, dense=replace(self.dense, weights=weights[self.dense.name]))

    def forward(self, values: Reals) -> Reals:
        """(..., columns) to (..., rows)."""
        sums = values @ self.dense.weights.T.astype(np.float64) + self.dense.bias
        return apply(self.function, sums)


@dataclass(frozen=True, eq=False)
class RecurrentLayer:
    """An LSTM or a GRU, in torch's definition."""

    kind: Literal["LSTM", "GRU"]
    #: What each step is multiplied by, and what the results of the step before are: gates i, f, g,
    #: o, or r, z, n, of as many rows each. Their biases are not used.
    of_input: DenseLayer
    of_state: DenseLayer
    #: float64, shape (4 * units,): added to the sums of i, f, g, o, or of r, z, n_x, n_h.
    bias: Reals

    @property
    def matrices(self) -> tuple[DenseLayer, ...]:
        """What is pruned and shared."""
        return self.of_input, self.of_state

    @property
    def units(self) -> int:
        """Values that it gives for a step."""
        return self.of_state.columns

    @property
    def width(self) -> int:
        """Values that it gives for a step."""
        return self.units

    def with_weights(self, weights: Mapping[str, Reals]) -> RecurrentLayer:
        """Give the layer with other weights, by matrix name."""
        return replace(
            self,
            of_input=replace(self.of_input, weights=weights[self.of_input.name]),
            of_state=replace(self.of_state, weights=weights[self.of_state.name]),
        )

    def expand(self, matrix: npt.NDArray[Any], *, of_state: bool) -> npt.NDArray[Any]:
        """Give a matrix, or codes of one, four gates of rows: a GRU's n_x and n_h apart."""
        if self.kind == "LSTM":
            return matrix
        nothing = np.zeros((self.units, matrix.shape[1]), matrix.dtype)
        both, candidate = matrix[: 2 * self.units], matrix[2 * self.units :]
        parts = (both, nothing, candidate) if of_state else (both, candidate, nothing)
        return np.concatenate(parts)

    def forward(self, values: Reals) -> Reals:
        """(sequences, steps, columns) to (sequences, steps, units), from a state of zero."""
        matrices = (
            self.expand(each.weights.astype(np.float64), of_state=place == 1)
            for place, each in enumerate(self.matrices)
        )
        of_input, of_state = matrices
        given = values @ of_input.T + self.bias
        h = c = np.zeros((len(values), self.units))
        outputs = np.empty((*values.shape[:2], self.units))
        for step in range(values.shape[1]):
            if self.kind == "LSTM":
                sums = given[:, step] + h @ of_state.T
                i, f, g, o = np.split(sums, GATES, axis=1)
                c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
                h = _sigmoid(o) * np.tanh(c)
            else:
                sums = given[:, step] + h @ of_state.T
                r, z, n_x, n_h = np.split(sums, GATES, axis=1)
                n = np.tanh(n_x + _sigmoid(r) * n_h)
                h = n + _sigmoid(z) * (h - n)
            outputs[:, step] = h
        return outputs


@dataclass(frozen=True, eq=False)
class SequenceModel:
    """A model of sequences; what of each step it gives, or of the last one."""

    #: Class of the model's root module, or the name of its file.
    name: str
    #: Values of a step.
    features: int
    #: In order; at least one of them is recurrent.
    parts: tuple[StepLayer | RecurrentLayer, ...]
    #: Whether the model gives the last step alone.
    last: bool

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of a step."""
        return (self.features,)

    @property
    def outputs(self) -> int:
        """Values that it gives for a step."""
        return self.parts[-1].width

    @property
    def layers(self) -> tuple[DenseLayer, ...]:
        """Every matrix, as a layer without activation, in order."""
        return tuple(each for part in self.parts for each in part.matrices)

    def with_weights(self, weights: Mapping[str, Reals]) -> SequenceModel:
        """Give the model with other weights, by matrix name."""
        return replace(self, parts=tuple(part.with_weights(weights) for part in self.parts))

    def part_outputs(self, batch: Batch) -> Iterator[Reals]:
        """Compute what each part gives: float64, (sequences, steps, width)."""
        values = batch.values
        for part in self.parts:
            values = part.forward(values)
            yield values

    def forward(self, sequences: Sequence[npt.NDArray[Any]], *, last: bool | None = None) -> Reals:
        """Compute outputs, float64: of the last steps, (sequences, outputs), or of all.

        Parameters
        ----------
        sequences
            Each (steps, features).
        last
            Whether of the last step alone; as the model does if None. Those of all steps are given
            one sequence behind the other, (steps, outputs).
        """
        batch = Batch.of(sequences)
        *_, values = self.part_outputs(batch)
        only_last = self.last if last is None else last
        return batch.last(values) if only_last else batch.steps(values)


def apply(function: Function, sums: Reals) -> Reals:
    """Apply an activation function."""
    if function == "relu":
        return np.maximum(sums, 0.0)
    if function == "none":
        return sums
    return np.tanh(sums) if function == "tanh" else _sigmoid(sums)


def _sigmoid(values: Reals) -> Reals:
    found: Reals = 0.5 * (1.0 + np.tanh(0.5 * values))
    return found
