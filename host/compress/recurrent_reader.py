"""The weights of an LSTM or a GRU node of torch, layer by layer; what is near them is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from torch import fx

from eie.hls.boundary.errors import ModelError
from eie.host.compress.graph_constants import Constants, describe, operation
from eie.host.compress.model_graph import Recurrent, RecurrentWeights
from eie.host.compress.sequence_axes import Refused

__all__ = ["OTHER_RECURRENT", "PLAIN_RECURRENT", "read_recurrent", "recurrent_results"]

_KINDS: dict[str, Literal["LSTM", "GRU"]] = {"aten.lstm.input": "LSTM", "aten.gru.input": "GRU"}
#: What makes a state of zeros.
_ZEROS = ("aten.zeros.default", "aten.zeros_like.default", "aten.new_zeros.default")
_FILLED = ("aten.full.default", "aten.full_like.default", "aten.new_full.default")
_CELL = "call nn.LSTM or nn.GRU on the whole sequence: it has the same weights"
_PACKED = (
    "leave pack_padded_sequence out of forward: sequences of different lengths are given "
    "to the compressed network as a list"
)
#: Recurrent operations that are not read, and what to do.
OTHER_RECURRENT = {
    "aten.lstm.data": _PACKED,
    "aten.gru.data": _PACKED,
    "aten._pack_padded_sequence.default": _PACKED,
    "aten.lstm_cell.default": _CELL,
    "aten.gru_cell.default": _CELL,
}
#: Of one layer, which a model that is cut may have on the host.
PLAIN_RECURRENT = frozenset({"aten.rnn_tanh.input", "aten.rnn_relu.input"})


def recurrent_results(results: Sequence[fx.Node]) -> bool:
    """Whether a model's results are all that one recurrent layer gives: outputs, and its states."""
    first = results[0].args[0] if results[0].args else None
    return (
        isinstance(first, fx.Node)
        and operation(first) in _KINDS
        and all(operation(each) == "getitem" and each.args[0] is first for each in results)
        and results[0].args[1:] == (0,)
    )


def read_recurrent(
    node: fx.Node,
    arguments: dict[str, Any],
    constants: Constants,
    own: Callable[[str, fx.Node, fx.Node], str],
) -> Recurrent:
    """Read the layers of a node.

    Parameters
    ----------
    node
        Of one of :data:`~eie.host.compress.sequence_axes.RECURRENT`.
    arguments
        By name.
    constants
        Evaluates weights.
    own
        Gives a matrix a unique name, or refuses it if another layer has the same.

    Raises
    ------
    Refused
        If it steps backwards as well, has a projection, or a state to start from.
    """
    kind = _KINDS[operation(node)]
    gates = 4 if kind == "LSTM" else 3
    where = describe(node)
    if arguments["bidirectional"]:
        raise Refused(
            f"{where} is bidirectional, which needs the whole sequence before its first output: "
            "not supported; train it with bidirectional=False"
        )
    params, count = list(arguments["params"]), int(arguments["num_layers"])
    biased = bool(arguments["has_biases"])
    if len(params) != count * (4 if biased else 2):
        raise Refused(
            f"{where} has a projection of its outputs (proj_size), which is not supported: train "
            "it with proj_size=0, and a smaller hidden_size"
        )
    _require_zero_state(node, arguments["hx"], constants)
    base = constants.recurrent_name(node, params[0])
    layers = []
    for number in range(count):
        ours = params[number * len(params) // count : (number + 1) * len(params) // count]
        matrices = [constants.array(each) for each in ours[:2]]
        rows = matrices[0].shape[0]
        biases = [constants.array(each).astype(np.float64) for each in ours[2:]] or [
            np.zeros(rows),
            np.zeros(rows),
        ]
        names = [
            own(f"{base}weight_{part}_l{number}", node, matrix)
            for part, matrix in zip(("ih", "hh"), ours[:2], strict=True)
        ]
        layers.append(_weights(names, matrices, biases, gates, where))
    return Recurrent(kind, tuple(layers))


def _weights(
    names: list[str],
    matrices: list[npt.NDArray[Any]],
    biases: list[npt.NDArray[np.float64]],
    gates: int,
    where: str,
) -> RecurrentWeights:
    of_input, of_state = matrices
    units = of_state.shape[1]
    if any(each.shape[0] != gates * units for each in (*matrices, *biases)):
        shapes = ", ".join(str(each.shape) for each in (*matrices, *biases))
        raise Refused(f"{where} must have {gates} gates of as many rows each, not {shapes}")
    return RecurrentWeights(names[0], names[1], of_input, of_state, biases[0], biases[1])


def _require_zero_state(node: fx.Node, states: Any, constants: Constants) -> None:
    for state in states if isinstance(states, (list, tuple)) else [states]:
        if operation(state) in _ZEROS:
            continue
        filled = operation(state) in _FILLED
        try:
            zero = state.args[-1] == 0 if filled else not constants.array(state).any()
        except ModelError:
            zero = False
        if not zero:
            raise Refused(
                f"{describe(node)} starts from a state, {state.name!r}, that is not zero: the "
                "accelerator takes states from the step before alone, and a sequence starts from "
                "zero"
            )
