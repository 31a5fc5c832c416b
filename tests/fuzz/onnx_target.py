"""What is asked of eie for each ONNX file: refuse it, or compute what onnx's own reference does."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from eie.hls.boundary.errors import EieError, EieWarning
from eie.host.compress import read_model
from fuzz.mutated_onnx import FEATURES, mutated_onnx
from fuzz.verdict import Case, Fault, Usage, no_crash

#: Whole numbers, three vectors.
_INPUTS = (np.arange(3 * FEATURES).reshape(3, FEATURES) * 7 % 11 - 5).astype(np.float32)
#: Beyond this, single precision is not exact.
_EXACT = 1 << 20


#: Changes that make numbers which single precision does not have exactly.
_INEXACT = ("tensor: type", "tensor: not finite", "node: attribute")


class OnnxTarget:
    """Mutated ONNX files.

    Parameters
    ----------
    seed
        Of the campaign.
    folder
        For the files, in memory if possible.
    read
        What reads a file.
    """

    suffix = ".onnx"

    def __init__(self, seed: int, folder: Path, read: Callable[[Path], Any] = read_model) -> None:
        self._seed, self._read = seed, read
        self._file = folder / "case.onnx"

    def make(self, number: int) -> Case:
        """Make a case."""
        return mutated_onnx(random.Random(f"{self._seed} onnx {number}"))

    def judge(self, case: Case, number: int) -> str:
        """Read the file; what is taken must compute what the file says."""
        self._file.write_bytes(case.data)
        try:
            with no_crash("read"), warnings.catch_warnings():
                warnings.simplefilter("ignore", EieWarning)  # an end that is left off
                found = self._read(self._file)
        except EieError as error:
            if case.story == "sound" and "is not supported" not in str(error):
                unlike = ("with no ReLU between", "must follow a Linear", "at least one Linear",
                          "branches", "weights of its own", "must depend")  # fmt: skip
                if not any(reason in str(error) for reason in unlike):
                    raise Fault("wrong refusal", "a sound file", str(error)) from error
            return f"refused: {type(error).__name__}"
        if case.story == "bytes" or found.features != FEATURES:
            return "accepted, and not compared"
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = onnx.ModelProto.FromString(case.data)
            kinds = {node.op_type for node in model.graph.node}
            if kinds & {"Softmax", "LogSoftmax", "Sigmoid"}:
                return "accepted, with an end that is left off"
            if "BatchNormalization" in kinds and model.opset_import[0].version < 14:
                # Of these versions the reference takes the batch's own statistics.
                return "accepted, and not compared"
            try:
                (wanted,) = ReferenceEvaluator(model).run(None, {"x": _INPUTS})
            except Exception:  # whatever it meets in a graph that is none
                return "accepted, and the reference does not run it"
            with no_crash("forward"):
                outputs = found.forward(_INPUTS.astype(np.float64))
        wanted = np.asarray(wanted)
        if not np.isfinite(wanted).all() or np.abs(wanted).max(initial=0) > _EXACT:
            return "accepted, and not compared"
        inexact = 1e-5 if case.story in _INEXACT else 0.0
        same = wanted.size == outputs.size and np.allclose(
            outputs.ravel(), wanted.ravel(), rtol=inexact, atol=inexact
        )
        if not same:
            raise Fault("wrong acceptance", "other outputs", f"{case.story}\n{outputs}\n{wanted}")
        return "accepted and right"

    def reset(self) -> None:
        """Do nothing: nothing is kept from one case to the next."""

    def usage(self) -> Usage:
        """No process but the worker's."""
        return Usage()

    def close(self) -> None:
        """Do nothing: there is nothing to release."""
