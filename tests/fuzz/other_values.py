"""Other values for the fields of a record."""

from __future__ import annotations

import random
from collections.abc import Sequence

from eie.hls.spec.record import Record


def other_value(dice: random.Random, value: int, bits: int, neighbours: Sequence[int] = ()) -> int:
    """Give a value for a field: near the right one, at a limit, a neighbour's, or any."""
    most = (1 << bits) - 1
    limit = dice.choice((0, 1, 2, 16, 256, 1 << 16, 1 << 17, 1 << bits // 2, most, 1 << bits - 1))
    ways = (
        value + dice.choice((-2, -1, 1, 2, 4, 16)),
        value ^ 1 << dice.randrange(bits),
        limit + dice.choice((-1, 0, 1)),
        dice.choice(neighbours) if neighbours else 2 * value,
        dice.randrange(most + 1),
    )
    return dice.choice(ways) & most


def change_field(dice: random.Random, record: Record, values: dict[str, int], name: str) -> str:
    """Change a field of a record's values, in place."""
    described = next(each for each in record.fields if each.name == name)
    values[name] = other_value(dice, values[name], described.bits, list(values.values()))
    return f"{name} = {values[name]}"
