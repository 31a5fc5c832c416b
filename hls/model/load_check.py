"""What a load must agree on with itself and with the design.

The CRC protects a load on its way, not from a host that sends nonsense. The accelerator refuses a
load that contradicts itself with the status ``BAD_CONTENTS``; of one that it lets through every
run ends, and stays within the memories. :func:`check_load` is the rule in numpy, ``load_check.h``
in ``templates/kernel`` the same in C++: the two agree on every load.

What neither looks at runs all the same, and alike in both: sums wrap around in accumulators that
no packer proved wide enough, and entries that lead out of a layer's rows are dropped
(:mod:`eie.hls.model.memory_image`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from eie.hls.boundary.errors import Problems
from eie.hls.model.load_sections import LoadSections
from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATIONS_PER_BEAT, MAX_COLUMNS
from eie.hls.spec.pointers import compact_pointers, plain_pointers
from eie.hls.spec.record import Beats

__all__ = ["check_load"]


def check_load(design: Design, network: Mapping[str, int], sections: LoadSections) -> Problems:
    """Find everything in which a load contradicts itself or the design.

    Parameters
    ----------
    design
        The accelerator's design.
    network
        Fields of the load's NETWORK record.
    sections
        What follows it.
    """
    problems = Problems("load")
    require = problems.require
    require(network["network_id"] != 0, "network_id must not be 0, which stands for no network")
    _check_layers(design, network, sections.layers, problems)
    require(
        not sections.codebooks[:, 0].any(),
        "the first weight of every codebook must be 0: code 0 stands for no weight",
    )
    words = sum(_pointer_words(design, layer["columns"]) for layer in sections.layers)
    local_rows = sum(layer["local_rows"] for layer in sections.layers)
    for pe in range(design.pes):
        _check_pe(design, sections, pe, words, local_rows, problems)
    return problems


def _check_layers(
    design: Design,
    network: Mapping[str, int],
    layers: Sequence[Mapping[str, int]],
    problems: Problems,
) -> None:
    """Check that layers lie one behind the other, and take what the one before them gives."""
    inputs, outputs = layers[0]["columns"], layers[-1]["rows"]
    problems.require(
        network["input_beats"] == -(-inputs // ACTIVATIONS_PER_BEAT),
        f"input_beats must be those of {inputs} inputs, not {network['input_beats']}",
    )
    problems.require(
        network["output_beats"] == -(-outputs // ACTIVATIONS_PER_BEAT),
        f"output_beats must be those of {outputs} outputs, not {network['output_beats']}",
    )
    problems.require(
        1 <= inputs <= MAX_COLUMNS, f"columns of layer 0 must be 1 to {MAX_COLUMNS}, not {inputs}"
    )
    pointer_base = bias_base = 0
    for number, layer in enumerate(layers):
        local_rows = design.local_rows(layer["rows"])
        wanted = {"pointer_base": pointer_base, "bias_base": bias_base, "local_rows": local_rows}
        if number:
            wanted["columns"] = layers[number - 1]["rows"]
        for name, value in wanted.items():
            problems.require(
                layer[name] == value, f"{name} of layer {number} must be {value}, not {layer[name]}"
            )
        limits = {
            "local_rows": design.rows_per_pe,
            "shift": design.accumulator_bits - 1,  # the half that rounds must fit
            "relu": 1,
        }
        if number < len(layers) - 1:  # its results are kept on the chip
            limits["local_rows"] = min(design.rows_per_pe, design.hidden_activations // design.pes)
        for name, most in limits.items():
            problems.require(
                layer[name] <= most,
                f"{name} of layer {number} must be at most {most}, not {layer[name]}",
            )
        problems.require(layer["rows"] >= 1, f"rows of layer {number} must be at least 1, not 0")
        pointer_base += _pointer_words(design, layer["columns"])
        bias_base += layer["local_rows"]


def _check_pe(
    design: Design,
    sections: LoadSections,
    pe: int,
    words: int,
    local_rows: int,
    problems: Problems,
) -> None:
    """Check what a PE gets for layers of `words` words of pointers and `local_rows` rows."""
    require = problems.require
    pointers, biases, entries = sections.pointers[pe], sections.biases[pe], sections.entries[pe]
    beats = words * design.beats_per_pointer_word
    require(
        len(pointers) == beats,
        f"pointers of PE {pe} must be {beats} beats for the layers' columns, not {len(pointers)}",
    )
    require(
        len(biases) == local_rows,
        f"biases of PE {pe} must be {local_rows}, one for each local row, not {len(biases)}",
    )
    limit = 1 << (design.accumulator_bits - 1)
    require(
        not ((biases < -limit) | (biases >= limit)).any(),
        f"biases of PE {pe} must fit accumulators of {design.accumulator_bits} bits",
    )
    reached = (_check_compact if design.length_bits else _check_plain)(
        design, pointers, f"pointers of PE {pe}", problems
    )
    full = -(-reached // design.entries_per_word) * design.entries_per_word
    require(
        len(entries) == full,
        f"entries of PE {pe} must be the {reached} that its pointers reach, in whole beats",
    )
    require(
        not (entries >> design.entry_bits).any(),
        f"entries of PE {pe} must have {design.entry_bits} bits",
    )


def _check_plain(design: Design, beats: Beats, name: str, problems: Problems) -> int:
    """Check plain pointers; gives how many entries they reach."""
    pointers = plain_pointers(beats)
    steps = np.diff(pointers, prepend=0)
    problems.require(
        not ((steps < 0) | (steps > design.rows_per_pe)).any(),
        f"{name} must not fall, nor rise by more than {design.rows_per_pe}, a PE's rows",
    )
    return int(pointers[-1]) if len(pointers) else 0


def _check_compact(design: Design, beats: Beats, name: str, problems: Problems) -> int:
    """Check compact pointers; gives how many entries they reach."""
    bases, lengths = compact_pointers(design, beats)
    ends = np.cumsum(lengths.sum(axis=1))
    begins = np.concatenate([[0], ends[:-1]])[: len(ends)]
    problems.require(
        np.array_equal(bases, begins.astype(np.uint64)),
        f"{name} must each be where the lengths before it end",
    )
    problems.require(
        not (lengths >> design.length_bits).any(),
        f"{name} must have lengths of {design.length_bits} bits",
    )
    return int(ends[-1]) if len(ends) else 0


def _pointer_words(design: Design, columns: int) -> int:
    """Words that the pointers of a layer take."""
    return design.pointers_of(columns) // design.columns_per_pointer_word
