"""Sums that are still open while a graph is folded: what may yet be added to them, or folded in.

A value of a graph is a sum of terms, each a matrix times what an earlier layer gives, plus a bias.
A *placed* term is no matrix of weights: it puts values at their places, each times a scale. The
model's input, the results of a layer, a BatchNorm of them and vectors one behind the other are made
of placed terms alone, and a Linear that takes them takes them into its own weights.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.host.compress.model_graph import Affine, Linear

__all__ = ["Matrix", "OpenSum", "Placed", "Term"]

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Matrix:
    """Weights of the model."""

    #: Layer whose results they are multiplied with; INPUT for the model's input.
    giver: int
    #: Of the layer that they become.
    name: str
    #: float32 or float64, shape (rows, columns).
    weights: npt.NDArray[Any]
    #: Whether a BatchNorm or a scale was folded in.
    normalized: bool = False


@dataclass(frozen=True, eq=False)
class Placed:
    """Values of a layer, one behind the other from a place on."""

    giver: int
    #: How many.
    width: int
    #: Where the first of them goes.
    place: int = 0
    #: float64, shape (width,): what they are multiplied by; None for 1.
    scale: Reals | None = None

    def weights(self, rows: int) -> Reals:
        """Give them as a matrix of `rows` rows."""
        matrix = np.zeros((rows, self.width))
        columns = np.arange(self.width)
        matrix[self.place + columns, columns] = 1.0 if self.scale is None else self.scale
        return matrix


Term = Matrix | Placed


@dataclass(frozen=True, eq=False)
class OpenSum:
    """``sum of terms + bias``, of `rows` values."""

    rows: int
    terms: tuple[Term, ...]
    #: float64, shape (rows,); None for nothing.
    bias: Reals | None = None

    @property
    def pure(self) -> int | None:
        """The layer whose results it is, as they are; None if it is anything else."""
        if len(self.terms) == 1 and self.bias is None:
            (term,) = self.terms
            if isinstance(term, Placed) and term.scale is None and term.width == self.rows:
                return term.giver
        return None

    @property
    def placed(self) -> bool:
        """Whether values have places only, and none has two."""
        places: set[int] = set()
        for term in self.terms:
            if not isinstance(term, Placed):
                return False
            own = range(term.place, term.place + term.width)
            if not places.isdisjoint(own):
                return False
            places.update(own)
        return True

    def scaled(self, step: Affine) -> OpenSum:
        """Give it times a scale and plus a shift."""
        with np.errstate(all="ignore"):  # what is not finite is reported when layers are made
            bias = np.broadcast_to(step.shift, (self.rows,)).astype(np.float64)
            if step.scale is None:
                return replace(self, bias=bias if self.bias is None else self.bias + bias)
            scale = np.broadcast_to(step.scale, (self.rows,)).astype(np.float64)
            if self.bias is not None:
                bias = scale * self.bias + bias
        terms: list[Term] = []
        for term in self.terms:
            with np.errstate(all="ignore"):
                if isinstance(term, Placed):
                    own = scale[term.place : term.place + term.width]
                    own = own if term.scale is None else term.scale * own
                    terms.append(replace(term, scale=own))
                else:
                    weights = scale[:, np.newaxis] * term.weights.astype(np.float64)
                    terms.append(replace(term, weights=weights, normalized=True))
        return replace(self, terms=tuple(terms), bias=bias)

    def plus(self, other: OpenSum) -> OpenSum:
        """Add another one of as many rows."""
        terms = [*self.terms]
        for term in other.terms:
            same = [each for each in terms if _same_place(each, term)]
            if same and isinstance(term, Placed):
                # The same values twice: once, times the sum of their scales.
                terms.remove(same[0])
                scale = _scale_of(same[0]) + _scale_of(term)
                term = replace(term, scale=scale)
            terms.append(term)
        biases = [each for each in (self.bias, other.bias) if each is not None]
        return OpenSum(self.rows, tuple(terms), sum(biases[1:], biases[0]) if biases else None)

    def behind(self, rows: int, place: int) -> OpenSum:
        """Give its placed values in a vector of `rows`, from `place` on."""
        terms = tuple(
            replace(term, place=term.place + place)
            for term in self.terms
            if isinstance(term, Placed)
        )
        bias = None
        if self.bias is not None:
            bias = np.zeros(rows)
            bias[place : place + self.rows] = self.bias
        return OpenSum(rows, terms, bias)

    def times(self, step: Linear) -> OpenSum:
        """Give what a Linear makes of it; of placed values alone."""
        rows = len(step.weights)
        bias = step.bias
        if self.bias is not None:
            with np.errstate(all="ignore"):
                bias = step.weights.astype(np.float64) @ self.bias + bias
        terms = []
        placed = [term for term in self.terms if isinstance(term, Placed)]
        for number, term in enumerate(placed):
            weights = step.weights
            if len(placed) > 1:
                weights = weights[:, term.place : term.place + term.width]
            if term.scale is not None:
                with np.errstate(all="ignore"):
                    weights = weights.astype(np.float64) * term.scale
            # A part for each of what was put together; the last has the Linear's own name.
            part = len(placed) - 1 - number
            name = f"{step.name}.part{number}" if part else step.name
            terms.append(Matrix(term.giver, name, weights, term.scale is not None))
        return OpenSum(rows, tuple(terms), bias)


def _same_place(one: Term, other: Term) -> bool:
    return (
        isinstance(one, Placed)
        and isinstance(other, Placed)
        and (one.giver, one.place, one.width) == (other.giver, other.place, other.width)
    )


def _scale_of(term: Term) -> Reals:
    assert isinstance(term, Placed)
    return np.ones(term.width) if term.scale is None else term.scale
