"""Records of the packet format: fixed groups of fields in 64-bit beats, built and parsed.

Which there are is in :mod:`eie.hls.spec.packets`.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import PacketError, Problems

__all__ = ["BEAT_BITS", "Beats", "Field", "Record", "record_of"]

#: Bits of a beat of the AXI4-Stream.
BEAT_BITS = 64
#: uint64, little-endian: a beat each.
Beats = npt.NDArray[np.uint64]

#: How :mod:`struct` calls an unsigned integer of so many bits.
_STRUCT_CODES = {8: "B", 16: "H", 32: "I", 64: "Q"}


@dataclass(frozen=True)
class Field:
    """A field of a record: little-endian, unsigned, within one beat."""

    #: Name in Python, C++ and the documentation.
    name: str
    #: Position of the lowest bit, counted from the record's first bit.
    offset: int
    #: Width in bits: 8, 16, 32 or 64.
    bits: int
    #: Meaning, with units.
    text: str

    @property
    def beat(self) -> int:
        """Beat of the record that holds the field."""
        return self.offset // BEAT_BITS

    @property
    def low(self) -> int:
        """Lowest bit within the beat."""
        return self.offset % BEAT_BITS


@dataclass(frozen=True)
class Record:
    """A fixed group of fields, in whole beats."""

    name: str
    text: str
    fields: tuple[Field, ...]

    @cached_property
    def beats(self) -> int:
        """Beats that the record takes."""
        return -(-(self.fields[-1].offset + self.fields[-1].bits) // BEAT_BITS)

    @cached_property
    def bytes_layout(self) -> struct.Struct:
        """The record as bytes, field by field, for what has no time to build beats."""
        position, codes = 0, ["<"]
        for field in self.fields:
            codes.append(f"{(field.offset - position) // 8}x{_STRUCT_CODES[field.bits]}")
            position = field.offset + field.bits
        return struct.Struct("".join(codes))

    def offset_of(self, name: str) -> int:
        """Byte in which the field called `name` starts."""
        return next(field.offset for field in self.fields if field.name == name) // 8

    @cached_property
    def _places(self) -> dict[str, tuple[int, int, int]]:
        """Beat, lowest bit and largest value of each field: worked out once, not each time."""
        return {field.name: (field.beat, field.low, (1 << field.bits) - 1) for field in self.fields}

    def build(self, **values: int) -> Beats:
        """Pack `values`, one for each field, into uint64 beats."""
        beats = [0] * self.beats
        places = self._places
        for name, value in values.items():
            beat, low, most = places.get(name, (0, 0, -1))
            if not 0 <= value <= most:
                self._refuse(values)
            beats[beat] |= int(value) << low
        return np.array(beats, "<u8")

    def _refuse(self, values: Mapping[str, int]) -> None:
        """Say all that is wrong with `values`."""
        problems = Problems(f"record {self.name}")
        for name, value in values.items():
            if problems.require(
                name in self._places, f"{name!r} is not a field; there are {list(self._places)}"
            ):
                _, _, most = self._places[name]
                problems.require(
                    0 <= value <= most,
                    f"{name} must fit {most.bit_length()} bits, not {int(value)!r}",
                )
        problems.raise_as(PacketError)

    def parse(self, beats: Beats) -> dict[str, int]:
        """Every field of the record at the start of `beats`, by name."""
        if len(beats) < self.beats:
            raise PacketError(
                f"record {self.name} must have {self.beats} beats, not {len(beats)}: truncated"
            )
        numbers = beats[: self.beats].tolist()
        return {
            name: numbers[beat] >> low & most for name, (beat, low, most) in self._places.items()
        }


def record_of(name: str, text: str, *fields: tuple[str, int, str]) -> Record:
    """Lay fields out one after another, lowest bits first; a name of "" leaves a gap."""
    placed, offset = [], 0
    for field_name, bits, field_text in fields:
        if field_name:
            placed.append(Field(field_name, offset, bits, field_text))
        offset += bits
    return Record(name, text, tuple(placed))
