"""Models to compress, or to compare with; torch is loaded here, and only when one is given."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from eie.hls.boundary.errors import EieWarning, InputError
from eie.hls.boundary.progress import tell
from eie.host.flow.data import ModelSizes
from eie.host.network import Network
from eie.host.network.head_record import HeadRecord

if TYPE_CHECKING:
    from eie.host.compress.dense_layer import DenseModel
    from eie.host.cut import Cut, HostParts, ModelParts

__all__ = ["read_dense", "read_matching", "read_with_shape", "sizes_of", "sizes_of_whole"]


def read_with_shape(
    model: Any,
    input_shape: Sequence[int] | None = None,
    likely: Sequence[int] | None = None,
    state_dict: Any = None,
    cut: Cut = None,
) -> ModelParts:
    """Read a model, in parts if the accelerator cannot take all of it.

    `likely` is the shape of one input of a module if `input_shape` does not say it; all else has
    its own, and refuses another. `state_dict` has weights for a module, and `cut` says where it is
    cut.
    """
    tell("reading the model")
    # Says what is missing if torch is.
    from eie.host.compress.reader import takes_input_shape
    from eie.host.cut import read_parts

    if input_shape is None and takes_input_shape(model):
        input_shape = likely
    return read_parts(model, input_shape=input_shape, state_dict=state_dict, cut=cut)


def read_dense(
    model: Any,
    input_shape: Sequence[int] | None = None,
    likely: Sequence[int] | None = None,
    cut: Cut = None,
) -> ModelParts:
    """Read a model without a recurrent layer, in parts.

    Raises
    ------
    InputError
        If it has one.
    """
    found = read_with_shape(model, input_shape, likely, cut=cut)

    from eie.host.compress.sequence_model import SequenceModel

    if isinstance(found.dense, SequenceModel):
        raise InputError(
            "model has a recurrent layer, and this takes vectors, each by itself: in Python, "
            "eie.convert(model, calibration=sequences) takes it (docs/how-to/recurrent.md)"
        )
    return found


def sizes_of(model: ModelParts | Network) -> ModelSizes:
    """Give what data for a model must agree with; of a network, for it alone."""
    if isinstance(model, Network):
        return ModelSizes(model.input_shape, model.layers[-1].rows)
    if model.host is None:
        return ModelSizes(model.dense.input_shape, model.dense.layers[-1].rows)
    return sizes_of_whole(model.host)


def sizes_of_whole(host: HostParts) -> ModelSizes:
    """Give what data for a whole model must agree with, of what the host does of it."""
    return ModelSizes(host.record.input_shape, host.outputs)


def read_matching(network: Network, model: Any) -> DenseModel:
    """Read a model to compare `network` with: the part of it that the network is, if it is one.

    Raises
    ------
    InputError
        If its layers have other sizes.
    """
    record = HeadRecord.of(network)
    likely = network.input_shape if record is None else record.input_shape
    cut = None if record is None else (network.layers[0].name, network.layers[-1].name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EieWarning)  # known since it was converted
        found = read_dense(model, None, likely, cut).dense
    sizes = [(layer.columns, layer.rows) for layer in found.layers]
    wanted = [(layer.columns, layer.rows) for layer in network.layers]
    if sizes != wanted:
        raise InputError(
            f"model must have the network's layers, {_text(wanted)}, not {_text(sizes)}"
        )
    return found


def _text(sizes: Sequence[tuple[int, int]]) -> str:
    return ", ".join(f"{columns} -> {rows}" for columns, rows in sizes)
