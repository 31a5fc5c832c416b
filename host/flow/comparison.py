"""A compressed network beside its model, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.text import counted
from eie.host.flow.activations import (
    LayerActivations,
    layer_activations,
    sequence_activations,
)
from eie.host.flow.evaluation import root_mean_square
from eie.host.network import Layer, Network
from eie.host.network.input_codes import quantize_inputs, saturated_inputs
from eie.host.network.sequence_codes import sequence_codes
from eie.host.network.table import Summarized, Table

if TYPE_CHECKING:
    from eie.host.compress.dense_layer import DenseModel
    from eie.host.compress.sequence_model import SequenceModel

__all__ = ["Comparison", "LayerComparison", "compare_sequences", "compare_with"]


@dataclass(frozen=True)
class LayerComparison:
    """What a layer gives in the compressed network and in the model, over all vectors.

    Attributes
    ----------
    name
        Of the layer.
    low, high
        Smallest and largest output of the model.
    format_low, format_high
        Smallest and largest output that the layer's format holds.
    rms_error
        Root mean square of the error against the model, as a share of that of the model's outputs;
        errors of the layers before are in it. None where the model gives only zeros.
    largest_error
        Largest magnitude of an error, in the unit of the outputs.
    saturated
        Outputs that 16 bits could not hold.
    outputs
        Outputs over all vectors.
    """

    name: str
    low: float
    high: float
    format_low: float
    format_high: float
    rms_error: float | None
    largest_error: float
    saturated: int
    outputs: int


@dataclass(frozen=True, repr=False)
class Comparison(Summarized):
    """A compressed network beside its model, layer by layer.

    Attributes
    ----------
    vectors
        Vectors that both were given.
    inputs_saturated
        Input values that 16 bits could not hold.
    layers
        The layers in order.
    unit
        What a vector is: ``"vector"``, or ``"step"`` of a sequence.
    """

    vectors: int
    inputs_saturated: int
    layers: tuple[LayerComparison, ...]
    unit: str = "vector"

    def summary(self) -> Table:
        """Give range, error and saturation by layer as a table.

        Returns
        -------
        Table
        """
        head = ("layer", "model's range", "format's range", "rms error", "largest", "saturated")
        rows = [
            (
                layer.name,
                f"{layer.low:.4g} to {layer.high:.4g}",
                f"{layer.format_low:.4g} to {layer.format_high:.4g}",
                "-" if layer.rms_error is None else f"{100 * layer.rms_error:.2f} %",
                f"{layer.largest_error:.4g}",
                f"{layer.saturated} of {layer.outputs}",
            )
            for layer in self.layers
        ]
        notes = [f"{counted(self.inputs_saturated, 'input value')} saturated"]
        return Table(f"against the model, {counted(self.vectors, self.unit)}", head, rows, notes)

    def __repr__(self) -> str:
        return str(self.summary())


def compare_with(network: Network, model: DenseModel, inputs: npt.NDArray[Any]) -> Comparison:
    """Compare what the layers of a network give with what the model's layers give.

    Layers that accumulate are left out: they give nothing by themselves.

    Parameters
    ----------
    network
        The compressed network.
    model
        A model of the same layers, in real numbers.
    inputs
        Real numbers, shape (vectors, inputs), at least one vector.

    Warns
    -----
    SaturationWarning
        If 16 bits could not hold inputs.
    """
    codes = quantize_inputs(network, inputs, name="x")
    exact = model.layer_outputs(inputs.astype(np.float64))
    found = layer_activations(network, codes)
    # A layer that accumulates gives nothing that could be compared.
    given = [
        values for layer, values in zip(network.layers, exact, strict=True) if not layer.accumulate
    ]
    lost = int(saturated_inputs(network, inputs, codes).sum())
    return Comparison(len(inputs), lost, _each(network, found, given))


def compare_sequences(
    network: Network, model: SequenceModel, sequences: Sequence[npt.NDArray[Any]]
) -> Comparison:
    """Compare what layers give in every step, each sequence from a state of zero.

    Both go from step to step on what they gave before, so errors of earlier steps are in those of
    later ones.

    Parameters
    ----------
    network
        The compressed network, a recurrent one.
    model
        A model of the same layers, in real numbers.
    sequences
        Real numbers, each of shape (steps, inputs); at least one.

    Warns
    -----
    SaturationWarning
        If 16 bits could not hold inputs.
    """
    from eie.host.compress.sequence_model import Batch  # whoever has a model has torch

    given = [each.astype(np.float64) for each in sequences]
    taken = sequence_codes(network, given, name="x")
    batch = Batch.of(given)
    exact = [batch.steps(values) for values in model.part_outputs(batch)]
    found = sequence_activations(network, taken.codes)
    return Comparison(taken.steps, taken.saturated, _each(network, found, exact), "step")


def _each(
    network: Network,
    found: Sequence[LayerActivations],
    exact: Sequence[npt.NDArray[np.float64]],
) -> tuple[LayerComparison, ...]:
    """Compare the layers that give something."""
    pairs = zip(network.layers, found, strict=True)
    giving = [(layer, mine) for layer, mine in pairs if not layer.accumulate]
    return tuple(
        _compared(layer, mine, theirs) for (layer, mine), theirs in zip(giving, exact, strict=True)
    )


def _compared(
    layer: Layer, mine: LayerActivations, exact: npt.NDArray[np.float64]
) -> LayerComparison:
    errors = mine.values - exact
    size = root_mean_square(exact)
    low, high = (code * 2.0**-layer.output_frac for code in (layer.low, layer.high))
    return LayerComparison(
        name=layer.name,
        low=float(exact.min()),
        high=float(exact.max()),
        format_low=low,
        format_high=high,
        rms_error=root_mean_square(errors) / size if size else None,
        largest_error=float(np.abs(errors).max()),
        saturated=mine.saturated,
        outputs=mine.values.size,
    )
