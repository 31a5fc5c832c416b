"""What a valid design file is, written without eie's own checks; tomllib reads the TOML."""

from __future__ import annotations

from typing import Any

import tomllib

from eie.hls.spec.boards import BOARDS
from fuzz.verdict import NotValid, require

#: Smallest and largest value of each integer, and what it must be a multiple of.
INTEGERS = {
    "pes": (1, 256, 1),
    "index_bits": (3, 8, 1),
    "queue_depth": (2, 256, 1),
    "entries_per_pe": (8, 16_777_208, 8),
    "pointers_per_pe": (2, 262_144, 2),
    "length_bits": (0, 8, 1),
    "rows_per_pe": (1, 65_536, 1),
    "biases_per_pe": (1, 65_536, 1),
    "layers": (1, 256, 1),
    "hidden_activations": (16, 65_536, 16),
    "held_activations": (0, 1_048_576, 16),
    "cell_units": (0, 4, 1),
    "abreast": (1, 4, 1),
    "bounds": (0, 1, 1),
    "counters": (0, 1, 1),
    "spare_luts": (0, 1, 1),
    "accumulator_bits": (24, 48, 1),
    "result_depth": (2, 1024, 1),
    "weight_bits": (4, 4, 1),
    "clock_mhz": (1, 1000, 1),
    "clock_uncertainty": (0, 90, 1),
}
_WITHOUT_ULTRARAM = ("pynq-z1", "pynq-z2", "ultra96-v2", "aup-zu3")
_DEFAULTS: dict[str, int | str] = {
    "index_bits": 4,
    "queue_depth": 8,
    "entries_per_pe": 8192,
    "pointers_per_pe": 2048,
    "length_bits": 0,
    "rows_per_pe": 64,
    "biases_per_pe": 256,
    "layers": 8,
    "hidden_activations": 4096,
    "held_activations": 0,
    "cell_units": 0,
    "abreast": 1,
    "bounds": 0,
    "counters": 1,
    "spare_luts": 0,
    "accumulator_bits": 40,
    "result_depth": 2,
    "memory": "bram",
    "weight_bits": 4,
    "board": "none",
    "clock_mhz": 100,
    "clock_uncertainty": 27,
}


def read_design(data: bytes) -> dict[str, Any]:
    """Read and check a whole file; gives every parameter, defaults included.

    Raises
    ------
    NotValid
        With the reason.
    """
    try:
        # A text file's line ends are all one.
        text = data.decode().replace("\r\n", "\n").replace("\r", "\n")
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotValid(f"no TOML: {str(error)[:100]}") from error
    require(type(document.get("format")) is int and document["format"] == 1, "other format")
    table = document.get("design")
    require(isinstance(table, dict), "no table")
    assert isinstance(table, dict)
    require("pes" in table, "no pes")
    values = {**_DEFAULTS, **table}
    require(set(values) == {"pes", *_DEFAULTS}, "an unknown parameter")
    for name, (low, high, step) in INTEGERS.items():
        value = values[name]
        require(type(value) is int, f"{name} is {type(value).__name__}, no integer")
        require(low <= value <= high and value % step == 0, f"{name} out of range")
    require(values["cell_units"] != 3, "three cell units")
    require(values["abreast"] != 3, "three abreast")
    require(values["abreast"] == 1 or values["cell_units"] == 0, "a cell unit for groups")
    require(values["pes"].bit_count() == 1, "pes no power of two")
    require(not values["length_bits"] or values["pointers_per_pe"] % 8 == 0, "pointers in no words")
    require(values["memory"] in ("bram", "uram"), "unknown memory")
    board = values["board"]
    require(isinstance(board, str) and (board == "none" or board in BOARDS), "unknown board")
    require(values["memory"] == "bram" or board not in _WITHOUT_ULTRARAM, "no UltraRAM there")
    return values


def is_plain(data: bytes) -> bool:
    """Whether a valid file must be taken.

    One with line ends of old machines, with tables that are no design's, or far longer than any
    design, may be refused.
    """
    text = data.decode()
    lone = "\r" in text.replace("\r\n", "")
    return not lone and len(data) < 10_000 and set(tomllib.loads(text)) == {"format", "design"}
