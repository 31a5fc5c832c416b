"""A design: every parameter of the hardware, validated, in one frozen value.

What each parameter is, and its range, is in :mod:`eie.hls.spec.design_fields`. The generator writes
a design into ``config.h`` and ``design.toml``, the accelerator reports it in its answer to an
identify packet, and packer, emulator and driver work from the same value.
"""

from __future__ import annotations

import dataclasses
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import indent
from typing import Any, Literal

from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import DesignError, Problems
from eie.hls.boundary.tables import as_html, as_text
from eie.hls.boundary.text import shown
from eie.hls.spec import design_fields
from eie.hls.spec.boards import BOARDS, Board
from eie.hls.spec.design_fields import MEMORIES, NO_BOARD
from eie.hls.spec.design_toml import parse_design, read_text, write_design
from eie.hls.spec.packets import ACTIVATIONS_PER_WORD, DESIGN
from eie.hls.spec.parameter import (
    GROUPS,
    Parameter,
    numpydoc,
    parameters_of,
)
from eie.hls.spec.record import BEAT_BITS

__all__ = [
    "COMPACT_BASE_BITS",
    "COMPACT_LANE_BITS",
    "NO_BOARD",
    "PARAMETERS",
    "RANGES",
    "Design",
    "target_board",
]

#: Words up to which LUTs hold a memory better than a block RAM.
_LUTRAM_WORDS = 256
_POINTER_LUTRAM_WORDS = 64

#: Bits of a compact pointer in a load.
COMPACT_BASE_BITS = 24
#: Bits of each of the eight lengths that share a beat with their pointer.
COMPACT_LANE_BITS = (BEAT_BITS - COMPACT_BASE_BITS) // 8


@dataclass(frozen=True)
class Design:
    """Parameters of one accelerator.

    Printed, it is a table; its ``repr`` is an expression that makes it again.

    A network fits a design when, for every PE, its entries, column pointers, rows and biases do
    (see :func:`eie.host.packing.packer.pack`, which says by how much it does not).

    Raises
    ------
    DesignError
        On construction, naming every parameter that is out of range.
    """

    pes: int = field(metadata=design_fields.PES)
    abreast: int = field(default=1, metadata=design_fields.ABREAST)
    index_bits: int = field(default=4, metadata=design_fields.INDEX_BITS)
    queue_depth: int = field(default=8, metadata=design_fields.QUEUE_DEPTH)
    entries_per_pe: int = field(default=8192, metadata=design_fields.ENTRIES_PER_PE)
    pointers_per_pe: int = field(default=2048, metadata=design_fields.POINTERS_PER_PE)
    length_bits: int = field(default=0, metadata=design_fields.LENGTH_BITS)
    rows_per_pe: int = field(default=64, metadata=design_fields.ROWS_PER_PE)
    biases_per_pe: int = field(default=256, metadata=design_fields.BIASES_PER_PE)
    layers: int = field(default=8, metadata=design_fields.LAYERS)
    hidden_activations: int = field(default=4096, metadata=design_fields.HIDDEN_ACTIVATIONS)
    held_activations: int = field(default=0, metadata=design_fields.HELD_ACTIVATIONS)
    cell_units: int = field(default=0, metadata=design_fields.CELL_UNITS)
    bounds: int = field(default=0, metadata=design_fields.BOUNDS)
    counters: int = field(default=1, metadata=design_fields.COUNTERS)
    spare_luts: int = field(default=0, metadata=design_fields.SPARE_LUTS)
    accumulator_bits: int = field(default=40, metadata=design_fields.ACCUMULATOR_BITS)
    result_depth: int = field(default=2, metadata=design_fields.RESULT_DEPTH)
    memory: Literal["bram", "uram"] = field(default="bram", metadata=design_fields.MEMORY)
    weight_bits: int = field(default=4, metadata=design_fields.WEIGHT_BITS)
    board: str = field(default=NO_BOARD, metadata=design_fields.BOARD)
    clock_mhz: int = field(default=100, metadata=design_fields.CLOCK_MHZ)
    clock_uncertainty: int = field(default=27, metadata=design_fields.CLOCK_UNCERTAINTY)

    def __post_init__(self) -> None:
        problems = Problems("design")
        require = problems.require
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if require(
                type(value) is int and low <= value <= high,
                f"{name} must be an integer from {low} to {high}, not {shown(value)}",
            ):
                _check_shape(self, name, value, problems)
        require(
            self.memory in MEMORIES, f"memory must be 'bram' or 'uram', not {shown(self.memory)}"
        )
        if (
            require(
                isinstance(self.board, str) and (self.board == NO_BOARD or self.board in BOARDS),
                f"board must be {NO_BOARD!r} or one of {', '.join(BOARDS)}, not "
                f"{shown(self.board)}",
            )
            and self.board in BOARDS
        ):
            require(
                self.memory != "uram" or BOARDS[self.board].uram > 0,
                f"memory must be 'bram' on {self.board!r}, which has no UltraRAM",
            )
        problems.raise_as(DesignError)

    # Widths and counts that follow from the parameters -------------------------------------

    @property
    def entry_bits(self) -> int:
        """Bits of one entry: weight code above zero run."""
        return self.weight_bits + self.index_bits

    @property
    def entries_per_word(self) -> int:
        """Entries of one 64-bit beat and memory word: 8 when an entry fits a byte, else 4.

        The paper reads its matrix memory 64 bits at a time for the same reason: one wide read
        serves several cycles (section IV, figure 5).
        """
        return 8 if self.entry_bits <= 8 else 4

    @property
    def entry_words_per_pe(self) -> int:
        """Words of a PE's sparse matrix memory."""
        return self.entries_per_pe // self.entries_per_word

    @property
    def pointer_bits(self) -> int:
        """Bits of a column pointer; it may point one past the last entry."""
        return self.entries_per_pe.bit_length()

    @property
    def columns_per_pointer_word(self) -> int:
        """Columns looked up in the same place: a pair of pointers, or a pointer and 8 lengths."""
        return 8 if self.length_bits else 2

    @property
    def beats_per_pointer_word(self) -> int:
        """Beats of a load for each word of pointers.

        One holds two plain pointers, or a compact one with eight lengths of up to five bits.
        """
        return 2 if self.length_bits > COMPACT_LANE_BITS else 1

    @property
    def pointer_words_per_pe(self) -> int:
        """Words of a PE's pointer memory."""
        return self.pointers_per_pe // self.columns_per_pointer_word

    def small_memory(
        self, which: Literal["biases", "rows", "words", "bases", "lengths", "hidden", "held"]
    ) -> Literal["bram", "lutram"]:
        """Where a small memory lives: in LUTs where a block RAM would be mostly empty.

        Biases and both banks of accumulators do up to 256 words; of pointers a PE has two
        memories, which are wider, up to 64; so do the queue of hidden vectors and the memory of
        held ones. The queues of words that come in and go out are never deep. But ``spare_luts``
        moves what there is in every PE, and these queues, to block RAM that would be idle.
        """
        if self.spare_luts and which in ("biases", "rows", "words"):
            return "bram"
        if which == "words":
            return "lutram"
        words, most = {
            "biases": (self.biases_per_pe, _LUTRAM_WORDS),
            "rows": (2 * self.rows_per_pe, _LUTRAM_WORDS),
            "bases": (self.pointer_words_per_pe, _POINTER_LUTRAM_WORDS),
            "lengths": (self.pointer_words_per_pe, _POINTER_LUTRAM_WORDS),
            "hidden": (self.hidden_words, _POINTER_LUTRAM_WORDS),
            "held": (self.held_words, _POINTER_LUTRAM_WORDS),
        }[which]
        return "lutram" if words <= most else "bram"

    @property
    def write_latency(self) -> int:
        """Iterations of the multiplier that miss a sum written just before them.

        One to read, one to add, one to write, and one for the output register of a block RAM.
        """
        return 3 if self.small_memory("rows") == "lutram" else 4

    @property
    def hidden_words(self) -> int:
        """Words of activations that wait between layers."""
        return self.hidden_activations // ACTIVATIONS_PER_WORD

    @property
    def held_words(self) -> int:
        """Words of activations that layers may hold."""
        return self.held_activations // ACTIVATIONS_PER_WORD

    @property
    def block_words(self) -> int:
        """Words of a vector that travel together, between those of the group's other vectors."""
        return self.row_alignment // ACTIVATIONS_PER_WORD

    @property
    def row_alignment(self) -> int:
        """Rows are padded to a multiple of this, so that every PE and every word is full."""
        return max(self.pes, ACTIVATIONS_PER_WORD)

    def local_rows(self, rows: int) -> int:
        """Rows of a layer that each PE works on, padding included."""
        return -(-rows // self.row_alignment) * self.row_alignment // self.pes

    def pointers_of(self, columns: int) -> int:
        """Pointers that a layer of `columns` columns takes in each PE."""
        word = self.columns_per_pointer_word
        pointers = columns if self.length_bits else columns + 1
        return -(-pointers // word) * word

    @property
    def id(self) -> int:
        """Identity that the accelerator reports: CRC-32 of all parameters but board and clock."""
        relevant = {
            name: value for name, value in self.parameters().items() if name not in _NOT_HARDWARE
        }
        return zlib.crc32(repr(sorted(relevant.items())).encode())

    def parameters(self) -> dict[str, int | str]:
        """Every parameter by name, in the order of declaration."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def replace(self, **changes: Any) -> Design:
        """Copy this design with some parameters changed, and validate the copy."""
        return dataclasses.replace(self, **changes)

    def __str__(self) -> str:
        return as_text(self._table())

    def _repr_html_(self) -> str:
        return as_html(self._table(), head=("parameter", "value", "what it is"))

    def _table(self) -> list[tuple[str, str, str]]:
        values = self.parameters()
        return [
            (name, f"{values[name]} {each.unit}".rstrip(), each.text)
            for group in GROUPS
            for name, each in PARAMETERS.items()
            if each.group == group
        ]

    def record(self) -> dict[str, int]:
        """Fields of the packet format's DESIGN record, in its order."""
        values: dict[str, int] = {"id": self.id}
        for each in DESIGN.fields[1:]:
            value = getattr(self, each.name)
            values[each.name] = MEMORIES.index(value) if each.name == "memory" else value
        return values

    @classmethod
    def from_record(cls, values: Mapping[str, int], board: str = NO_BOARD) -> Design:
        """Build the design that an accelerator reports; a record does not name the board.

        Raises
        ------
        DesignError
            If the record is no valid design, or its identity is that of another version of eie.
        """
        known = {name: value for name, value in values.items() if name != "id"}
        memory = known.pop("memory")
        if memory >= len(MEMORIES):
            raise DesignError(f"memory must be 0 to {len(MEMORIES) - 1}, not {memory}")
        design = cls(**known, memory=MEMORIES[memory], board=board)
        if design.id != values["id"]:
            raise DesignError(
                f"the accelerator reports design {values['id']:#010x}, but its parameters make "
                f"{design.id:#010x}: it was generated by another version of eie"
            )
        return design

    # The file ------------------------------------------------------------------------------

    def to_toml(self) -> str:
        """Write the design as the text of a ``DESIGN.toml``."""
        return write_design(self.parameters(), PARAMETERS)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a ``DESIGN.toml``; it appears whole or not at all.

        Raises
        ------
        DesignError
            If the file cannot be written.
        """
        target = Path(path)
        try:
            write_whole(target, self.to_toml())
        except OSError as error:
            raise DesignError(f"cannot write design {target}: {error.strerror}") from error

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Design:
        """Read a ``DESIGN.toml``.

        Raises
        ------
        DesignError
            If the file is missing, is not TOML, or names a parameter that does not exist.
        ToolError
            If Python is 3.10 and has no tomli.
        """
        source = Path(path)
        return cls.from_toml(read_text(source), str(source))

    @classmethod
    def from_toml(cls, text: str, source: str = "design") -> Design:
        """Parse the text of a ``DESIGN.toml``; `source` names it in errors."""
        table = parse_design(text, source)
        known = [field.name for field in dataclasses.fields(cls)]
        problems = Problems(source)
        for name in table:
            problems.require(
                name in known, f"{shown(name)} is not a parameter; there are {', '.join(known)}"
            )
        problems.require("pes" in table, "pes must be given")
        problems.raise_as(DesignError)
        try:
            return cls(**table)
        except DesignError as error:
            raise DesignError(f"{source}: {error}") from error


#: Every parameter by name, with all that is known of it.
PARAMETERS: Mapping[str, Parameter] = parameters_of(dataclasses.fields(Design))
#: Smallest and largest value of each integer parameter.
RANGES: Mapping[str, tuple[int, int]] = {
    name: parameter.range for name, parameter in PARAMETERS.items() if parameter.range is not None
}
if Design.__doc__ is not None:  # there is none under `python -OO`
    # Before the section on errors, as numpydoc has it.
    Design.__doc__ = Design.__doc__.replace(
        "    Raises\n", f"{indent(numpydoc(PARAMETERS), '    ')}\n\n    Raises\n", 1
    )

#: Boards that stand in for none: the smallest part with the memory asked for.
_STAND_IN = {"bram": "pynq-z2", "uram": "kv260"}
#: Parameters that do not change what the accelerator computes from given packets.
_NOT_HARDWARE = ("board", "clock_mhz", "clock_uncertainty")


def target_board(design: Design) -> Board:
    """Return the board whose part a design is synthesized for.

    A design without a board can be synthesized all the same, to look at its schedule and size:
    for the smallest part that has its kind of memory.
    """
    return BOARDS[_STAND_IN[design.memory] if design.board == NO_BOARD else design.board]


def _check_shape(design: Design, name: str, value: int, problems: Problems) -> None:
    """Check what a parameter's range alone does not say."""
    if name == "pes":
        problems.require(
            value & (value - 1) == 0, f"pes must be a power of two from 1 to 256, not {value}"
        )
    elif name == "entries_per_pe":
        problems.require(value % 8 == 0, f"entries_per_pe must be a multiple of 8, not {value}")
    elif name == "pointers_per_pe":
        # Whether length_bits is in its range is said elsewhere.
        word = design.columns_per_pointer_word
        problems.require(
            value % word == 0,
            f"pointers_per_pe must be a multiple of {word}"
            f"{' with compact pointers' if word == 8 else ''}, not {value}",
        )
    elif name in ("hidden_activations", "held_activations"):
        lanes = ACTIVATIONS_PER_WORD
        problems.require(value % lanes == 0, f"{name} must be a multiple of {lanes}, not {value}")
    elif name == "cell_units":
        problems.require(value != 3, "cell_units must be 0, 1, 2 or 4, not 3")
    elif name == "abreast":
        problems.require(value != 3, "abreast must be 1, 2 or 4, not 3")
        problems.require(
            value == 1 or design.cell_units == 0,
            f"cell_units must be 0 where {value} vectors go abreast, not "
            f"{shown(design.cell_units)}: a cell unit takes one at a time",
        )
