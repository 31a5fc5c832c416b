"""Sequences through a compressed network, on whatever engine: real numbers in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from eie.hls.boundary.errors import InputError
from eie.hls.spec.fixed_point import dequantize
from eie.host.flow.activations import sequence_activations
from eie.host.flow.engines import Engine, Engines
from eie.host.flow.evaluation import Evaluation, evaluate_outputs
from eie.host.flow.sequence_data import labels_of_outputs
from eie.host.network import Network
from eie.host.network.sequence_codes import (
    Outputs,
    SequenceCodes,
    as_sequences,
    only_last,
    sequence_codes,
)
from eie.host.network.sequence_state import States, given_state

if TYPE_CHECKING:
    from eie.host.compress.sequence_model import SequenceModel

__all__ = ["evaluate_sequences", "predict_sequences", "trace_sequences"]


def predict_sequences(
    network: Network,
    engines: Engines,
    x: Any,
    engine: Engine,
    *,
    outputs: Outputs | None,
    keep: bool,
    state: States | None = None,
) -> Any:
    """Do what :meth:`~eie.host.flow.inference.Inference.predict` does with sequences."""
    last = only_last(network, outputs)
    taken = _real_codes(network, x, empty=not last)
    begins = given_state(network, state, len(taken.codes), keep=keep)
    found = engines.run_sequences(taken.codes, engine, last=last, keep=keep, state=begins)
    return taken.answer(network, found, last=last)


def trace_sequences(network: Network, x: Any) -> dict[str, Any]:
    """Do what :meth:`~eie.host.flow.inference.Inference.trace` does with sequences."""
    taken = _real_codes(network, x)
    ends = np.cumsum([len(each) for each in taken.codes])[:-1]
    return {
        each.name: taken.shaped(np.split(each.values, ends))
        for each in sequence_activations(network, taken.codes)
    }


def _real_codes(network: Network, x: Any, *, empty: bool = False) -> SequenceCodes:
    """Take real numbers alone."""
    taken = sequence_codes(network, x, empty=empty, name="x")
    if not taken.real:
        raise InputError(
            "x must be real numbers, not int16, which are fixed-point codes elsewhere "
            "(eie.emulate): give astype(numpy.float32)"
        )
    return taken


def evaluate_sequences(
    network: Network, engines: Engines, model: object, x: Any, y: Any, engine: Engine
) -> Evaluation:
    """Do what :meth:`~eie.host.flow.inference.Inference.evaluate` does with sequences.

    There is an output for each sequence if the model gives its last step alone, else for each step;
    so are labels.
    """
    last = only_last(network, None)
    given = as_sequences(x, network.inputs, name="x")
    if given.form == "single":
        raise InputError(f"x must be several sequences, not a single one of shape {np.shape(x)}")
    if y is None and model is None:
        raise InputError(
            "y must be given, since the model that this network was made of is not known"
        )
    labels = None
    if y is not None:  # before minutes of emulating
        labels = labels_of_outputs(y, given, network.outputs, last=last, name="y")
    codes = sequence_codes(network, list(given.arrays), name="x").codes
    found = engines.run_sequences(codes, engine, last=last, keep=False)
    exact = None
    if model is not None:
        exact = cast("SequenceModel", model).forward(given.arrays, last=last)
    values = dequantize(np.concatenate(found), network.output_frac)
    return evaluate_outputs(values, labels=labels, float_outputs=exact, name="y")
