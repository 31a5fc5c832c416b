"""What a sound packet is, without eie's own code."""

from __future__ import annotations

import enum
import struct
import zlib

from fuzz.verdict import NotValid, require

_KINDS = (1, 2, 3, 4, 5)


class Said(enum.Enum):
    """Statuses, as docs/reference/packets.md numbers them."""

    OK = 0
    BAD_MAGIC = 1
    BAD_VERSION = 2
    BAD_HEADER_CRC = 3
    BAD_KIND = 4
    BAD_LENGTH = 5
    BAD_CRC = 6
    NO_NETWORK = 7
    WRONG_NETWORK = 8
    BAD_BATCH = 9
    BAD_SECTION = 10
    BAD_CONTENTS = 11
    BAD_LAYERS = 12
    BAD_TAG = 13
    NO_STATE = 14


def check_frame(packet: bytes, kinds: tuple[int, ...] = _KINDS) -> None:
    """Check header, length and both CRCs of a packet, filled up to whole beats.

    Raises
    ------
    NotValid
        With the reason.
    """
    packet += bytes(-len(packet) % 8)
    require(len(packet) >= 24, "shorter than header and trailer")
    magic, version, kind, _, length, crc = struct.unpack_from("<4sBBHII", packet)
    require(magic == b"EIEP", "other magic")
    require(version == 3, "other version")
    require(crc == zlib.crc32(packet[:12]), "other CRC of the header")
    require(kind in kinds, "unknown kind")
    require(len(packet) == 8 * (2 + length + 1), "other length")
    (crc,) = struct.unpack_from("<I", packet, len(packet) - 8)
    require(crc == zlib.crc32(packet[:-8]), "other CRC")
    require(packet[-4:] == bytes(4), "something behind its CRC")


def status_of(answer: bytes) -> Said:
    """Status of an answer; an answer that is no sound packet is a NotValid."""
    check_frame(answer, tuple(range(0x80, 0x100)))
    (status,) = struct.unpack_from("<I", answer, len(answer) - 16)
    try:
        return Said(status)
    except ValueError:
        raise NotValid(f"status {status}") from None


def reseal(packet: bytes, *, header: bool = True) -> bytes:
    """Make both CRCs right, and the length where `header` says so."""
    signed = bytearray(packet + bytes(-len(packet) % 8))
    signed += bytes(max(0, 24 - len(signed)))
    if header:
        struct.pack_into("<I", signed, 8, len(signed) // 8 - 3)
    struct.pack_into("<I", signed, 12, zlib.crc32(signed[:12]))
    struct.pack_into("<I", signed, len(signed) - 8, zlib.crc32(signed[:-8]))
    return bytes(signed)
