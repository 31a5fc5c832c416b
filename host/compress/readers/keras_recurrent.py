"""LSTM and GRU of Keras, by their configuration and weights."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from eie.hls.boundary.text import printable, shown
from eie.host.compress.model_graph import LastStep, Operation, Recurrent, RecurrentWeights
from eie.host.compress.readers.keras_layers import Config, Refused

__all__ = ["RECURRENT", "REFUSED", "has_recurrent", "recurrent"]

#: Layers that are read, and those that are refused with a reason of their own.
RECURRENT = ("LSTM", "GRU")
REFUSED = {
    "Bidirectional": "needs the whole sequence before its first output, which is not supported",
    "TimeDistributed": "is not needed: a Dense takes each step by itself, without it",
    "SimpleRNN": "is not supported: use an LSTM or a GRU, which learn longer sequences",
    "Masking": "is not supported: give sequences of different lengths as a list",
    "Flatten": "must keep steps apart: take the last one (return_sequences=False)",
    "Reshape": "must keep steps apart: take the last one (return_sequences=False)",
}
#: Blocks of a GRU's columns in torch's order: Keras has z, r, h. Those of an LSTM are i, f, c, o.
_GRU_ORDER = (1, 0, 2)


def has_recurrent(config: Any) -> bool:
    """Whether a model's configuration has a recurrent layer, in models within it as well."""
    layers = config.get("layers", ()) if isinstance(config, dict) else ()
    return any(
        each.get("class_name") in (*RECURRENT, "Bidirectional", "SimpleRNN")
        or has_recurrent(each.get("config"))
        for each in layers
        if isinstance(each, dict)
    )


def recurrent(
    kind: Literal["LSTM", "GRU"], config: Config, weights: Any, name: str
) -> list[Operation]:
    """Read a recurrent layer: of all steps, or of the last one.

    Raises
    ------
    Refused
        If it computes something else than torch's.
    """
    for key, wanted in (
        ("activation", "tanh"),
        ("recurrent_activation", "sigmoid"),
        ("go_backwards", False),
        ("stateful", False),
        ("return_state", False),
    ):
        given = config.get(key, wanted)
        if given != wanted:
            raise Refused(f"must have {key} {shown(wanted)}, not {shown(given)}")
    biased = bool(config.get("use_bias", True))
    if kind == "GRU" and not config.get("reset_after", True):
        raise Refused(
            "has reset_after=False, which resets the state before its product: not supported; "
            "reset_after=True is Keras' default"
        )
    if len(weights) != 2 + biased:
        raise Refused("must have a kernel, a recurrent kernel and a bias of real numbers")
    gates = 4 if kind == "LSTM" else 3
    kernel, state = (np.asarray(each).T for each in weights[:2])
    rows = state.shape[0] if state.ndim == 2 else 0
    units = state.shape[1] if state.ndim == 2 else 0
    if kernel.ndim != 2 or len(kernel) != rows or rows != gates * units or kernel.dtype.kind != "f":
        raise Refused(f"must have {gates} gates of as many columns each in both kernels")
    biases = np.zeros((2, rows))
    if biased:
        given = np.asarray(weights[2], np.float64)
        if given.shape not in ((rows,), (2, rows)):
            raise Refused(f"must have a bias of {rows} values, or of twice as many")
        biases[: given.reshape(-1, rows).shape[0]] = given.reshape(-1, rows)

    def ordered(array: Any) -> Any:
        if kind == "LSTM":
            return np.ascontiguousarray(array)
        parts = np.split(array, gates)
        return np.concatenate([parts[place] for place in _GRU_ORDER])

    label = printable(name)
    layer = RecurrentWeights(
        f"{label}.weight_ih_l0",
        f"{label}.weight_hh_l0",
        ordered(kernel),
        ordered(state),
        ordered(biases[0]),
        ordered(biases[1]),
    )
    operations: list[Operation] = [Recurrent(kind, (layer,))]
    return operations if config.get("return_sequences", False) else [*operations, LastStep()]
