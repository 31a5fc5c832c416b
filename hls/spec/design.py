"""A design: every parameter of the hardware, validated, in one frozen value.

The generator writes a design into ``config.h`` and ``design.toml``, the accelerator reports it in
its answer to an identify packet, and packer, emulator and driver work from the same value.
"""

from __future__ import annotations

import dataclasses
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import DesignError, Problems
from eie.hls.boundary.text import shown
from eie.hls.spec.boards import BOARDS, Board
from eie.hls.spec.design_toml import TOML_VERSION, parse_design, read_text
from eie.hls.spec.packets import ACTIVATIONS_PER_WORD, BEAT_BITS, DESIGN

__all__ = ["COMPACT_BASE_BITS", "COMPACT_LANE_BITS", "NO_BOARD", "RANGES", "Design", "target_board"]

#: Board name of a design that is only emulated or simulated.
NO_BOARD = "none"
_MEMORIES: tuple[Literal["bram"], Literal["uram"]] = ("bram", "uram")

#: Words up to which LUTs hold a memory better than a block RAM.
_LUTRAM_WORDS = 256
_POINTER_LUTRAM_WORDS = 64

#: Bits of a compact pointer in a load.
COMPACT_BASE_BITS = 24
#: Bits of each of the eight lengths that share a beat with their pointer.
COMPACT_LANE_BITS = (BEAT_BITS - COMPACT_BASE_BITS) // 8

#: Smallest and largest value of each integer parameter.
RANGES: Mapping[str, tuple[int, int]] = {
    "pes": (1, 256),
    "weight_bits": (4, 4),
    "index_bits": (3, 8),
    "queue_depth": (2, 256),
    "entries_per_pe": (8, (1 << 24) - 8),
    "pointers_per_pe": (2, 1 << 18),
    "length_bits": (0, 8),
    "rows_per_pe": (1, 1 << 16),
    "biases_per_pe": (1, 1 << 16),
    "layers": (1, 256),
    "hidden_activations": (16, 1 << 16),
    "accumulator_bits": (24, 48),
    "result_depth": (2, 1024),
    "clock_mhz": (1, 1000),
}


@dataclass(frozen=True)
class Design:
    """Parameters of one accelerator.

    A network fits a design when, for every PE, its entries, column pointers, rows and biases do
    (see :func:`eie.host.packing.packer.pack`, which says by how much it does not).

    Raises
    ------
    DesignError
        On construction, naming every parameter that is out of range.
    """

    #: Processing elements: a power of two, 1 to 256.
    pes: int
    #: Zero-run bits z of an entry, 3 to 8 (paper: 4).
    index_bits: int = 4
    #: Depth of each PE's activation queue, 2 to 256 (paper: 8).
    queue_depth: int = 8
    #: Entries (weights and padding) that a PE's sparse matrix memory holds, over all layers.
    entries_per_pe: int = 8192
    #: Column pointers that a PE holds over all layers, in whole words
    #: (:attr:`columns_per_pointer_word`). A layer of C columns takes C + 1 of them, or C where
    #: pointers are compact, rounded up.
    pointers_per_pe: int = 2048
    #: 0: a pointer for each column (paper). 1 to 8, compact pointers: eight columns share one,
    #: and each has a length of this many bits.
    length_bits: int = 0
    #: Accumulators of a PE: local rows of the largest layer.
    rows_per_pe: int = 64
    #: Biases that a PE holds: local rows summed over all layers.
    biases_per_pe: int = 256
    #: Layers that may be resident at once.
    layers: int = 8
    #: Activations that each of the two hidden-vector memories holds; a multiple of
    #: :data:`~eie.hls.spec.packets.ACTIVATIONS_PER_WORD`.
    hidden_activations: int = 4096
    #: Width of an accumulator; the packer proves per row that it cannot overflow.
    accumulator_bits: int = 40
    #: Results of a PE that may wait for their turn on the way to the sender, 2 to 1024. As deep as
    #: a layer has local rows, a PE need not wait to start on the next layer or vector.
    result_depth: int = 2
    #: Where the sparse matrix lives: ``"bram"`` or ``"uram"``.
    memory: Literal["bram", "uram"] = "bram"
    #: Bits of a weight code (paper: 4); fixed for now.
    weight_bits: int = 4
    #: Name in :data:`eie.hls.spec.boards.BOARDS`, or ``"none"``.
    board: str = NO_BOARD
    #: Clock of the fabric in MHz: a target until a build has met it.
    clock_mhz: int = 100

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
            self.memory in _MEMORIES, f"memory must be 'bram' or 'uram', not {shown(self.memory)}"
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
        self, which: Literal["biases", "rows", "bases", "lengths"]
    ) -> Literal["bram", "lutram"]:
        """Where a small memory of a PE lives: in LUTs where a block RAM would be mostly empty.

        Biases and accumulators do up to 256 words; of pointers a PE has two memories, which are
        wider, up to 64.
        """
        words, most = {
            "biases": (self.biases_per_pe, _LUTRAM_WORDS),
            "rows": (self.rows_per_pe, _LUTRAM_WORDS),
            "bases": (self.pointer_words_per_pe, _POINTER_LUTRAM_WORDS),
            "lengths": (self.pointer_words_per_pe, _POINTER_LUTRAM_WORDS),
        }[which]
        return "lutram" if words <= most else "bram"

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

    def record(self) -> dict[str, int]:
        """Fields of the packet format's DESIGN record, in its order."""
        values: dict[str, int] = {"id": self.id}
        for field in DESIGN.fields[1:]:
            value = getattr(self, field.name)
            values[field.name] = _MEMORIES.index(value) if field.name == "memory" else value
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
        if memory >= len(_MEMORIES):
            raise DesignError(f"memory must be 0 to {len(_MEMORIES) - 1}, not {memory}")
        design = cls(**known, memory=_MEMORIES[memory], board=board)
        if design.id != values["id"]:
            raise DesignError(
                f"the accelerator reports design {values['id']:#010x}, but its parameters make "
                f"{design.id:#010x}: it was generated by another version of eie"
            )
        return design

    # The file ------------------------------------------------------------------------------

    def to_toml(self) -> str:
        """Write the design as the text of a ``DESIGN.toml``."""
        lines = ["# An eie design: `eie generate` makes an HLS project of it.", ""]
        lines += [f"format = {TOML_VERSION}", "", "[design]"]
        for name, value in self.parameters().items():
            lines.append(f"{name} = {value}" if isinstance(value, int) else f'{name} = "{value}"')
        return "\n".join(lines) + "\n"

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


#: Boards that stand in for none: the smallest part with the memory asked for.
_STAND_IN = {"bram": "pynq-z2", "uram": "kv260"}
#: Parameters that do not change what the accelerator computes from given packets.
_NOT_HARDWARE = ("board", "clock_mhz")


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
    elif name == "hidden_activations":
        lanes = ACTIVATIONS_PER_WORD
        problems.require(
            value % lanes == 0, f"hidden_activations must be a multiple of {lanes}, not {value}"
        )
