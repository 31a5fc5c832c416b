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
from eie.hls.model.memory_image import GATES
from eie.hls.spec.design import Design
from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN
from eie.hls.spec.packets import ACTIVATIONS_PER_WORD, MAX_COLUMNS, MOST_LANES, Function
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
    _check_lanes(design, network, sections.layers[0], problems)
    _check_layers(design, network, sections.layers, problems)
    require(
        not sections.codebooks[:, 0].any(),
        "the first weight of every codebook must be 0: code 0 stands for no weight",
    )
    words = sum(_pointer_words(design, layer["columns"]) for layer in sections.layers)
    local_rows = sum(layer["local_rows"] for layer in sections.layers if layer["accumulate"] != 1)
    for pe in range(design.pes):
        _check_pe(design, sections, pe, words, local_rows, problems)
    return problems


def _check_lanes(
    design: Design,
    network: Mapping[str, int],
    first: Mapping[str, int],
    problems: Problems,
) -> None:
    """Check how the held words are shared out, and where a network holds its inputs."""
    require = problems.require
    lanes, stride = network["lanes"], network["stride"]
    require(network["reserved"] == 0, f"reserved must be 0, not {network['reserved']}")
    require(lanes <= MOST_LANES, f"lanes must be at most {MOST_LANES}, not {lanes}")
    require(
        lanes * stride * design.abreast <= design.held_words,
        f"{lanes} lanes of {_of_each(design, stride)} must fit the {design.held_words} held words",
    )
    require((lanes == 0) == (stride == 0), f"lanes of {stride} words must not be {lanes} of them")
    require(network["hold"] <= 1, f"hold must be 0 or 1, not {network['hold']}")
    if network["hold"] == 1:
        _require_within(network, network["hold_base"], first["columns"], "held inputs", problems)
    else:
        require(network["hold_base"] == 0, "hold_base must be 0 where no inputs are held")


def _of_each(design: Design, words: int) -> str:
    """Name the held words of a lane: so many of every vector of a group."""
    return f"{words} words" + (f" for each of {design.abreast} vectors" * (design.abreast > 1))


def _require_within(
    network: Mapping[str, int], base: int, count: int, what: str, problems: Problems
) -> None:
    words = -(-count // ACTIVATIONS_PER_WORD)
    problems.require(
        network["lanes"] != 0 and base + words <= network["stride"],
        f"{what} must lie within a lane's {network['stride']} words, not in {base} to "
        f"{base + words}",
    )


def _check_layers(
    design: Design,
    network: Mapping[str, int],
    layers: Sequence[Mapping[str, int]],
    problems: Problems,
) -> None:
    """Check that layers lie one behind the other, and what each takes and gives."""
    require = problems.require
    pointer_base = bias_base = 0
    for number, layer in enumerate(layers):
        before = layers[number - 1] if number else None
        local_rows = design.local_rows(layer["rows"])
        wanted = {"pointer_base": pointer_base, "bias_base": bias_base, "local_rows": local_rows}
        if before is not None and before["accumulate"] == 1:
            wanted |= {"source": 1, "rows": before["rows"]}
        elif before is not None and layer["source"] == 0:
            wanted["columns"] = _results(before)
        if before is None:
            wanted |= {"source": 0, "begins": 1}
        if number == len(layers) - 1:
            wanted["ends"] = 1
        if layer["source"] == 0:
            wanted["source_base"] = 0
        if layer["hold"] == 0:
            wanted["hold_base"] = 0
        for name, value in wanted.items():
            require(
                layer[name] == value, f"{name} of layer {number} must be {value}, not {layer[name]}"
            )
        _check_function(design, network, number, layer, problems)
        limits = {
            "local_rows": design.rows_per_pe,
            "shift": design.accumulator_bits - 1,  # the half that rounds must fit
            "columns": MAX_COLUMNS,
            **dict.fromkeys(("rounding", "accumulate", "source", "hold", "begins", "ends"), 1),
        }
        if number < len(layers) - 1 or _is_cell(layer):  # its results come back
            if layer["accumulate"] != 1 and _is_cell(layer):
                # Of a cell's results no words of padding rows only come back.
                words = -(-_results(layer) // ACTIVATIONS_PER_WORD)
                require(
                    words <= design.hidden_words,
                    f"results of layer {number} must take at most {design.hidden_words} words "
                    f"where they wait, not {words}",
                )
            elif layer["accumulate"] != 1:
                most = design.hidden_activations // design.pes // design.abreast
                limits["local_rows"] = min(design.rows_per_pe, most)
        for name, most in limits.items():
            require(
                layer[name] <= most,
                f"{name} of layer {number} must be at most {most}, not {layer[name]}",
            )
        for name in ("rows", "columns"):
            require(layer[name] >= 1, f"{name} of layer {number} must be at least 1, not 0")
        pointer_base += _pointer_words(design, layer["columns"])
        bias_base += 0 if layer["accumulate"] == 1 else layer["local_rows"]


def _check_function(
    design: Design,
    network: Mapping[str, int],
    number: int,
    layer: Mapping[str, int],
    problems: Problems,
) -> None:
    """Check what becomes of a layer's sums and results."""
    require = problems.require
    what = f"of layer {number}"
    most = max(Function) if design.cell_units else Function.LINEAR
    require(
        layer["function"] <= most,
        f"function {what} must be at most {most}, not {layer['function']}",
    )
    low, high = (code - ((code & 0x8000) << 1) for code in (layer["low"], layer["high"]))
    require(low <= high, f"low {what} must not be above its high, {high}, as {low} is")
    plain = high == CODE_MAX and low in (0, CODE_MIN) and layer["rounding"] == 0
    require(
        bool(design.bounds) or plain,
        f"bounds and rounding {what} must be those of a ReLU or of none: the design has no others",
    )
    if layer["function"] != Function.LEAKY_RELU:
        require(layer["slope"] == 0, f"slope {what}, which is no LeakyReLU, must be 0")
    if layer["accumulate"] == 1:
        for name in ("function", "hold", "ends"):
            require(layer[name] == 0, f"{name} {what}, which accumulates, must be 0")
    if layer["source"] == 1:
        require(layer["begins"] == 0, f"begins {what}, which takes held words, must be 0")
        _require_within(network, layer["source_base"], layer["columns"], f"source {what}", problems)
    if layer["hold"] == 1:
        _require_within(
            network, layer["hold_base"], _results(layer), f"held results {what}", problems
        )
    if _is_cell(layer):
        require(layer["rows"] % GATES == 0, f"rows {what} must be a multiple of {GATES}")
        own = (1, 1, layer["hold_base"], _results(layer))
        require(
            tuple(layer[name] for name in ("source", "hold", "source_base", "columns")) == own,
            f"a recurrent layer must take its own results, as layer {number} does not",
        )


def _is_cell(layer: Mapping[str, int]) -> bool:
    return layer["function"] in (Function.LSTM, Function.GRU)


def _results(layer: Mapping[str, int]) -> int:
    """Codes that a layer gives."""
    return layer["rows"] // GATES if _is_cell(layer) else layer["rows"]


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
