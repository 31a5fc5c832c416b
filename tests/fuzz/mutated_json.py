"""Mutations of a network file's header: of its values, and of its text."""

from __future__ import annotations

import copy
import json
import random
import re
from typing import Any

from fuzz.damage import damage, edge, near

_ODD: tuple[Any, ...] = (
    None, True, False, "", "relu", "8", 1.0, 8.5, -0.0, float("nan"), float("inf"), 1e300, [], [1],
    {}, {"rows": 1}, [[]], "\x00", "\ud800", "name" * 300, "../x", "none\n",
)  # fmt: skip


def odd_value(dice: random.Random, value: Any) -> Any:
    """Give another value than a header's `value`, of its own type or of another."""
    if isinstance(value, int) and dice.random() < 0.6:
        return near(dice, value)
    if isinstance(value, str) and dice.random() < 0.3:
        return dice.choice((value.upper(), value + " ", value[:-1], value * 2))
    if dice.random() < 0.3:
        return edge(dice)
    return copy.deepcopy(dice.choice(_ODD))


def mutate_header(dice: random.Random, header: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Change one value, or which ones there are; gives a new header and what was done."""
    header = copy.deepcopy(header)
    layers = header["layers"]
    number = dice.randrange(len(layers))
    layer = layers[number]
    way = dice.choice(
        ("field", "field", "field", "field", "top", "gone", "extra", "layers", "metadata", "chain")
    )
    if way == "field":
        name = dice.choice(sorted(layer))
        layer[name] = odd_value(dice, layer[name])
        return header, f"layer {number}: {name} = {layer[name]!r:.60}"
    if way == "top":
        name = dice.choice(sorted(header))
        header[name] = odd_value(dice, header[name])
        return header, f"{name} = {header[name]!r:.60}"
    if way == "gone":
        where = dice.choice((header, layer))
        name = dice.choice(sorted(where))
        del where[name]
        return header, f"no {name}"
    if way == "extra":
        where = dice.choice((header, layer))
        where["nonzeros"] = odd_value(dice, 3)
        return header, "a field more"
    if way == "layers":
        header["layers"] = dice.choice(
            ([], layers[::-1], layers[:-1], layers + layers[-1:], [layers], dict(enumerate(layers)))
        )
        return header, "other layers"
    if way == "metadata":
        key = dice.choice(("", "model", "\ud800", "k" * 1000))
        header["metadata"] = {key: odd_value(dice, "text")}
        return header, "other metadata"
    # Two fields that belong together: what one gains the other loses.
    step = dice.choice((-3, -1, 1, 2, 9))
    first, second = dice.sample(("input_frac", "weight_frac", "output_frac"), 2)
    layer[first] += step
    layer[second] += step if "output_frac" in (first, second) else -step
    return header, f"layer {number}: {first} and {second} by {step}"


def mutate_text(dice: random.Random, header: dict[str, Any]) -> tuple[bytes, str]:
    """Change the text of a header; gives its bytes and what was done."""
    text = json.dumps(header, sort_keys=True)
    way = dice.randrange(9)
    if way == 0:
        return text.encode(dice.choice(("utf-16", "utf-8-sig", "utf-32"))), "another encoding"
    if way == 1:
        opening = dice.choice(("[", '{"a":', "[["))
        return (opening * dice.choice((10, 900, 20_000)) + text).encode(), "nested"
    if way == 2:
        digits = "9" * dice.choice((20, 400, 4301, 9000))
        return re.sub('"version": [12]', f'"version": {digits}', text).encode(), "a giant version"
    if way == 3:
        digits = "7" * dice.choice((20, 400, 4301, 9000))
        return text.replace('"rows": ', f'"rows": {digits}').encode(), "giant rows"
    if way == 4:
        twice = '"rows": 3, "rows": '
        return text.replace('"rows": ', twice, 1).encode(), "a field twice"
    if way == 5:
        return json.dumps(header, indent=2).encode() + b"\n" * dice.randrange(3), "indented"
    if way == 6:
        return text.encode() + dice.choice((b"x", b"\x00", b"{}", b"  ")), "something behind it"
    return damage(dice, text.encode()), "its bytes damaged"
