"""Models to compress, or to compare with; torch is loaded here, and only when one is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.progress import tell
from eie.host.flow.data import ModelSizes
from eie.host.network import Network

if TYPE_CHECKING:
    from eie.host.compress.dense_layer import DenseModel
    from eie.host.compress.sequence_model import SequenceModel

__all__ = ["read_dense", "read_matching", "read_with_shape", "sizes_of"]


def read_with_shape(
    model: Any,
    input_shape: Sequence[int] | None = None,
    likely: Sequence[int] | None = None,
    state_dict: Any = None,
) -> DenseModel | SequenceModel:
    """Read a model.

    `likely` is the shape of one input of a module if `input_shape` does not say it; all else has
    its own, and refuses another. `state_dict` has weights for a module.
    """
    tell("reading the model")
    # Says what is missing if torch is.
    from eie.host.compress.reader import read_model, takes_input_shape

    if input_shape is None and takes_input_shape(model):
        input_shape = likely
    return read_model(model, input_shape=input_shape, state_dict=state_dict)


def read_dense(
    model: Any,
    input_shape: Sequence[int] | None = None,
    likely: Sequence[int] | None = None,
) -> DenseModel:
    """Read a model without a recurrent layer.

    Raises
    ------
    InputError
        If it has one.
    """
    found = read_with_shape(model, input_shape, likely)

    from eie.host.compress.sequence_model import SequenceModel

    if isinstance(found, SequenceModel):
        raise InputError(
            "model has a recurrent layer, and this takes vectors, each by itself: in Python, "
            "eie.convert(model, calibration=sequences) takes it (docs/recurrent.md)"
        )
    return found


def sizes_of(model: DenseModel | Network) -> ModelSizes:
    """Give what data for a model must agree with."""
    return ModelSizes(model.input_shape, model.layers[-1].rows)


def read_matching(network: Network, model: Any) -> DenseModel:
    """Read a model to compare `network` with.

    Raises
    ------
    InputError
        If its layers have other sizes.
    """
    found = read_dense(model, None, network.input_shape)
    sizes = [(layer.columns, layer.rows) for layer in found.layers]
    wanted = [(layer.columns, layer.rows) for layer in network.layers]
    if sizes != wanted:
        raise InputError(
            f"model must have the network's layers, {_text(wanted)}, not {_text(sizes)}"
        )
    return found


def _text(sizes: Sequence[tuple[int, int]]) -> str:
    return ", ".join(f"{columns} -> {rows}" for columns, rows in sizes)
