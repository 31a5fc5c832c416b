"""Damage to bytes of any kind, and values at the edges of everything."""

from __future__ import annotations

import random

#: Integers at which ranges begin and end, and some beyond any of them.
EDGES = tuple(
    sorted(
        {sign * (1 << bits) + step for bits in (*range(0, 9), 12, 15, 16, 17, 24, 31, 32, 47, 48)
         for sign in (1, -1) for step in (-1, 0, 1)}
        | {(1 << bits) + step for bits in (53, 62, 63, 64) for step in (-1, 0)}
        | {-(1 << 63), -(1 << 63) - 1, 10**30}
    )
)  # fmt: skip
#: Patterns that mean something to some reader or other.
_PATTERNS = (
    b"\x00", b"\xff", b"\x80", b"\x7f", b"\n", b"\r\n", b"\xef\xbb\xbf", b"PK\x03\x04",
    b"PK\x01\x02", b"PK\x05\x06", b"\x93NUMPY\x01\x00", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f",
    b"\x00\x00\x00\x80", b"EIEP", b"'", b'"', b"[[[[", b"{}", b"1" * 5000,
)  # fmt: skip


def edge(dice: random.Random) -> int:
    """Give an integer at an edge."""
    return dice.choice(EDGES)


def near(dice: random.Random, value: int) -> int:
    """Give another integer, mostly close to `value` in one way or another."""
    changed = dice.choice(
        (
            value + dice.choice((-2, -1, 1, 2)),
            value ^ 1 << dice.randrange(40),
            value * 2,
            value // 2,
            -value,
            dice.randrange(max(2 * abs(value), 20)),
            edge(dice),
        )
    )
    return changed if changed != value else value + 1


def damage(dice: random.Random, data: bytes, other: bytes = b"") -> bytes:
    """Damage bytes in one to three places; `other` is a file to take pieces from."""
    damaged = data
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        damaged = _once(dice, damaged, other or data)
    return damaged


def _once(dice: random.Random, data: bytes, other: bytes) -> bytes:
    if not data:
        return dice.randbytes(dice.randrange(1, 100))
    # Beginnings and ends hold what readers rest on.
    place = dice.randrange(len(data))
    if dice.random() < 0.2:
        place = min(len(data) - 1, dice.randrange(64))
    elif dice.random() < 0.2:
        place = max(0, len(data) - 1 - dice.randrange(100))
    size = dice.choice((1, 1, 2, 4, 8, dice.randrange(1, 100)))
    head, tail = data[:place], data[place:]
    start = dice.randrange(len(other))
    way = dice.randrange(11)
    if way <= 2:
        return head + bytes([tail[0] ^ 1 << dice.randrange(8)]) + tail[1:]
    if way == 3:
        return head + bytes([dice.randrange(256)]) + tail[1:]
    if way == 4:
        return head
    if way == 5:
        return head + tail[size:]
    if way == 6:
        return head + tail[:size] + tail
    if way == 7:
        return head + dice.randbytes(size) + tail[dice.choice((0, size)) :]
    if way == 8:
        pattern = dice.choice(_PATTERNS)
        return head + pattern + tail[dice.choice((0, len(pattern))) :]
    if way == 9:
        return head + other[start : start + size] + tail[dice.choice((0, size)) :]
    return data + dice.choice((dice.randbytes(size), bytes(size), data))
