"""Which test vectors, or sequences, a package brings, and what they must give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.real_arrays import real_array
from eie.hls.spec.design import Design
from eie.hls.spec.fixed_point import dequantize, quantize
from eie.host.deploy.vectors import Vectors
from eie.host.network import Network
from eie.host.network.input_codes import quantize_inputs
from eie.host.network.sequence_codes import (
    GOLDEN_SEQUENCE,
    Sequences,
    as_sequences,
    golden_sequence_crc,
    only_last,
    sequence_codes,
)
from eie.host.run.batch import emulate

__all__ = ["choose_vectors"]

Codes = npt.NDArray[np.int16]


def choose_vectors(
    network: Network, design: Design, inputs: Any, outputs: Any, labels: Any
) -> Vectors:
    """Take what is given, or the golden vectors, and compute what they must give.

    Parameters are those of :func:`eie.host.deploy.package.package`.

    Raises
    ------
    InputError
        If they are not what they must be, or give other outputs.
    """
    if inputs is None and outputs is not None:
        raise InputError("outputs must not be given without inputs")
    if inputs is None and not len(network.golden_inputs):
        raise InputError(
            "there must be test vectors: the network has no golden ones, so give inputs"
        )
    if network.recurrent:
        return _sequences(network, design, inputs, outputs, labels)
    if inputs is None:
        codes, name = network.golden_inputs, "the network's golden outputs"
        expected: Codes | None = network.golden_outputs
    else:
        codes, name = _input_codes(network, inputs), "outputs"
        expected = None if outputs is None else _output_codes(network, outputs, len(codes))
    if not len(codes):
        raise InputError("inputs must have at least one vector, not 0")
    classes = None if labels is None else _classes(labels, len(codes), network.outputs)
    found = Vectors(codes, emulate(network, design, codes, report=False).outputs, classes)
    if expected is not None:
        _compare(found, found.outputs, expected, name)
    return found


def _sequences(network: Network, design: Design, inputs: Any, outputs: Any, labels: Any) -> Vectors:
    """Do the same with sequences, of which every step is compared on the board."""
    if inputs is None:
        if labels is not None:
            raise InputError(
                "labels must be given with inputs: the golden vectors of a recurrent network are "
                "steps of no sequence whose class is known"
            )
        return _golden(network, design)
    last = only_last(network, None)
    given = as_sequences(inputs, network.inputs)
    codes = sequence_codes(network, inputs).codes
    wanted = None if outputs is None else _each_output(network, given, outputs, last=last)
    classes = None
    if labels is not None:
        if last and isinstance(labels, Mapping):
            raise InputError("labels must be one array, with a class for each sequence in order")
        flat = labels if last else given.of_steps(labels, "labels")
        count = len(codes) if last else sum(given.lengths)
        classes = _classes(flat, count, network.outputs)
    found = _computed(network, design, list(codes), classes)
    if wanted is not None:
        assert found.lengths is not None
        computed = found.outputs[np.cumsum(found.lengths) - 1] if last else found.outputs
        _compare(found, computed, wanted, "outputs", last=last)
    return found


def _golden(network: Network, design: Design) -> Vectors:
    """Take the golden vectors as the steps of one sequence, and each by itself."""
    golden = network.golden_inputs
    found = _computed(network, design, [golden, *golden[:, np.newaxis]], None)
    alone = Vectors(golden, found.outputs[len(golden) :])
    _compare(alone, alone.outputs, network.golden_outputs, "the network's golden outputs")
    wanted = network.metadata.get(GOLDEN_SEQUENCE)
    if wanted not in (None, golden_sequence_crc(found.outputs[: len(golden)])):
        raise InputError(
            f"the network's golden vectors as the {len(golden)} steps of one sequence must give "
            f"what its file says of them ({GOLDEN_SEQUENCE}), and give other outputs"
        )
    return found


def _computed(
    network: Network, design: Design, codes: list[Codes], classes: npt.NDArray[np.int64] | None
) -> Vectors:
    outputs = emulate(network, design, codes, report=False, outputs="all").outputs
    lengths = np.array([len(each) for each in codes], np.int64)
    return Vectors(np.concatenate(codes), np.concatenate(outputs), classes, lengths)


def _each_output(network: Network, given: Sequences, outputs: Any, *, last: bool) -> Codes:
    """Give wanted outputs of each sequence, or of each step, one behind the other."""
    if last:
        rows = real_array(outputs, "outputs")
        rows = rows[np.newaxis] if given.form == "single" else rows
        return _output_codes(network, rows, len(given.arrays))
    return _output_codes(network, given.of_steps(outputs, "outputs"), sum(given.lengths))


def _compare(
    found: Vectors, computed: Codes, expected: Codes, name: str, *, last: bool = False
) -> None:
    wrong = np.argwhere(computed != expected)
    if not len(wrong):
        return
    row, output = (int(index) for index in wrong[0])
    where = f"sequence {row}" if last else found.place_of(row)
    raise InputError(
        f"{name} must be those of this network in integers: {len(wrong)} of {expected.size} "
        f"differ; the first is output {output} of {where}: code {expected[row, output]} instead "
        f"of {computed[row, output]}. `eie emulate` gives them; those of the float model are other "
        "numbers"
    )


def _input_codes(network: Network, inputs: npt.ArrayLike) -> Codes:
    array = real_array(inputs, "inputs")
    if array.dtype.kind != "f":
        if array.dtype != np.int16:
            raise InputError(
                f"inputs must be real numbers or int16 codes, not {array.dtype}: for numbers, "
                "inputs.astype(numpy.float32)"
            )
        return network.check_inputs(array)
    return quantize_inputs(network, array)


def _output_codes(network: Network, outputs: npt.ArrayLike, vectors: int) -> Codes:
    array = real_array(outputs, "outputs")
    if array.shape != (vectors, network.outputs):
        raise InputError(f"outputs must have shape {(vectors, network.outputs)}, not {array.shape}")
    if array.dtype.kind != "f":
        if array.dtype != np.int16:
            raise InputError(f"outputs must be real numbers or int16 codes, not {array.dtype}")
        return np.ascontiguousarray(array)
    codes = quantize(array, network.output_frac, name="outputs")
    inexact = int(np.count_nonzero(dequantize(codes, network.output_frac) != array))
    if inexact:
        raise InputError(
            f"outputs must be numbers that the network's outputs can be (multiples of "
            f"2**-{network.output_frac}), which {inexact} of {array.size} are not: `eie emulate` "
            "gives them; those of the float model are other numbers"
        )
    return codes


def _classes(labels: npt.ArrayLike, vectors: int, outputs: int) -> npt.NDArray[np.int64]:
    array = real_array(labels, "labels")
    if array.dtype.kind not in "iu" or array.shape != (vectors,):
        raise InputError(
            f"labels must be classes, integers of shape ({vectors},), not {array.dtype} of shape "
            f"{array.shape}"
        )
    beyond = int(np.count_nonzero((array < 0) | (array >= outputs)))
    if beyond:
        raise InputError(
            f"labels must be classes from 0 to {outputs - 1}, which {beyond} of {vectors} are not"
        )
    return array.astype(np.int64)
