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
from eie.host.network.sequence_codes import only_last

if TYPE_CHECKING:
    from eie.host.compress.dense_layer import DenseModel
    from eie.host.compress.sequence_model import SequenceModel
    from eie.host.cut import Cut, HostParts, ModelParts

__all__ = ["read_matching", "read_with_shape", "sizes_of", "sizes_of_whole"]


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


def sizes_of(model: ModelParts | Network) -> ModelSizes:
    """Give what data for a model must agree with; of a network, for it alone."""
    if isinstance(model, Network):
        last = only_last(model, None) if model.recurrent else None
        return ModelSizes(model.input_shape, model.outputs, last)
    if model.host is None:
        from eie.host.compress.sequence_model import SequenceModel

        dense: DenseModel | SequenceModel = model.dense
        if isinstance(dense, SequenceModel):
            return ModelSizes(dense.input_shape, dense.outputs, dense.last)
        return ModelSizes(dense.input_shape, dense.layers[-1].rows)
    return sizes_of_whole(model.host)


def sizes_of_whole(host: HostParts) -> ModelSizes:
    """Give what data for a whole model must agree with, of what the host does of it."""
    return ModelSizes(host.record.input_shape, host.outputs)


def read_matching(network: Network, model: Any) -> DenseModel | SequenceModel:
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
        found: DenseModel | SequenceModel = read_with_shape(model, None, likely, cut=cut).dense

    from eie.host.compress.sequence_model import GATES, RecurrentLayer, SequenceModel

    wanted = [
        (layer.columns, layer.rows, layer.activation if layer.recurrent else "")
        for layer in network.layers
    ]
    sizes: list[tuple[int, int, str]] = []
    if not isinstance(found, SequenceModel):
        sizes = [(layer.columns, layer.rows, "") for layer in found.layers]
    for part in found.parts if isinstance(found, SequenceModel) else ():
        if isinstance(part, RecurrentLayer):  # two on the accelerator
            rows = GATES * part.units
            sizes += [(part.of_input.columns, rows, ""), (part.units, rows, part.kind.lower())]
        else:
            sizes.append((part.dense.columns, part.dense.rows, ""))
    if sizes != wanted:
        raise InputError(
            f"model must have the network's layers, {_text(wanted)}, not {_text(sizes)}"
        )
    return found


def _text(sizes: Sequence[tuple[int, int, str]]) -> str:
    return ", ".join(
        f"{columns} -> {rows}{f' ({kind})' if kind else ''}" for columns, rows, kind in sizes
    )
