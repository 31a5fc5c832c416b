"""Mutated design files: values, forms of TOML, lines, bytes."""

from __future__ import annotations

import random

from fuzz.damage import damage, edge, near
from fuzz.valid_design import INTEGERS
from fuzz.verdict import Case

_BOARDS = ("none", "pynq-z1", "pynq-z2", "ultra96-v2", "aup-zu3", "kv260", "zcu104", "rfsoc4x2")
_ODD = (
    "true", "false", "1.0", "4e0", "inf", "nan", '"4"', "''", "[4]", "[]", "{}", "{pes = 4}", "0x4",
    "0b100", "0o4", "1_6", "+4", "-4", "04", "4 # four", "2026-01-01", "07:30:00", '"""4"""', "4 4",
    "\u0664", "four", "", '"\\u0000"', '"\\ud800"', "1__6", "0x", "- 4", "4.", ".4", "1e400",
)  # fmt: skip
_LINES = (
    "[design]", "[[design]]", "[design.pes]", "[other]", "other = 1", "format = 1", "format = 2",
    "design = 1", "design.pes = 4", "pes = 4", '"pes" = 4', "'pes' = 8", "a.b.c = 1", "= 1", "pes",
    "# a comment", "\t", "x = [", "x = {", 'x = """', "[", "]", "pes.x = 1", "\x00", "\ufeff",
)  # fmt: skip


def sound_values(dice: random.Random) -> dict[str, int | str]:
    """Give parameters of a valid design, all or some of them."""
    values: dict[str, int | str] = {}
    for name, (low, high, step) in INTEGERS.items():
        span = (high - low) // step
        # As often small as large, and often at an end.
        value = dice.choice((0, span, dice.randrange(span + 1), dice.randrange(span + 1) >> 8))
        values[name] = low + value * step
    values["pes"] = 1 << dice.randrange(9)
    values["abreast"] = dice.choice((1, 1, 2, 4))
    values["cell_units"] = dice.choice((0, 1, 2, 4)) if values["abreast"] == 1 else 0
    if values["length_bits"]:
        values["pointers_per_pe"] = max(8, int(values["pointers_per_pe"]) // 8 * 8)
    values["board"] = dice.choice(_BOARDS[:7])
    uram = values["board"] in ("none", "kv260", "zcu104")
    values["memory"] = dice.choice(("bram", "uram") if uram else ("bram",))
    for name in list(values):
        # Pointers and lengths belong together.
        if name not in ("pes", "pointers_per_pe", "length_bits", "board") and dice.random() < 0.1:
            del values[name]
    return values


def _lines(values: dict[str, int | str]) -> list[str]:
    items = [
        f'{name} = "{value}"' if isinstance(value, str) else f"{name} = {value}"
        for name, value in values.items()
    ]
    return ["# A design.", "format = 1", "", "[design]", *items, ""]


def mutated_design(dice: random.Random) -> Case:
    """Make a case."""
    values = sound_values(dice)
    way = dice.choices(
        ("sound", "value", "odd", "key", "line", "form", "format", "bytes", "deep"),
        (15, 28, 12, 6, 10, 8, 4, 16, 1),
    )[0]
    if way == "sound":
        lines = _lines(values)
        head, tail = lines[:4], lines[4:]
        dice.shuffle(tail)
        return Case("\n".join(head + tail).encode(), "sound")
    if way == "value":
        done = []
        for _ in range(dice.choice((1, 1, 1, 2, 3))):
            name = dice.choice(list(values))
            values[name] = _value(dice, name, values[name])
            done.append(f"{name} = {values[name]}")
        return Case("\n".join(_lines(values)).encode(), f"value: {', '.join(done):.100}")
    lines = _lines(values)
    if way in ("odd", "key", "line"):
        done_once = {"odd": _odd, "key": _key, "line": _line}[way](dice, lines)
        return Case(_encoded(lines), f"{way}: {done_once!r:.100}")
    text = "\n".join(lines)
    if way == "form":
        data, form = _form(dice, text, lines[4:-1])
        return Case(data, f"form: {form}")
    if way == "format":
        other = dice.choice((*_ODD, "2", "0", str(edge(dice)), "1.0", "true", "01", "0x1", "+1"))
        return Case(_encoded([text.replace("format = 1", f"format = {other}")]), f"format {other}")
    if way == "deep":
        depth, opening = dice.choice((50, 500, 3000, 20_000)), dice.choice(("[", "{a=", "a."))
        return Case((f"x = {opening * depth}\n{text}").encode(), f"{depth} deep")
    return Case(damage(dice, text.encode()), "bytes damaged")


def _encoded(lines: list[str]) -> bytes:
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _value(dice: random.Random, name: str, value: int | str) -> int | str:
    if isinstance(value, str):
        return dice.choice(("bram", "uram", "BRAM", "", "none", "bram ", *_BOARDS, "x" * 300))
    low, high, step = INTEGERS[name]
    return dice.choice(
        (low - 1, low, high, high + 1, low + step, high - step, near(dice, value), edge(dice))
    )


def _odd(dice: random.Random, lines: list[str]) -> str:
    number = dice.randrange(4, len(lines) - 1)
    name = lines[number].split(" ")[0]
    odd = dice.choice(_ODD)
    if dice.random() < 0.02:
        odd = "9" * dice.choice((20, 400, 4301, 20_000))
    lines[number] = f"{name} = {odd}"
    return lines[number]


def _key(dice: random.Random, lines: list[str]) -> str:
    number = dice.randrange(4, len(lines) - 1)
    name, rest = lines[number].split(" ", 1)
    way = dice.randrange(5)
    if way == 0:
        return lines.pop(number)
    if way == 1:
        lines.append(lines[number])
        return lines[-1]
    other = dice.choice((name.upper(), name + "s", f'"{name}"', f"'{name}'", name[:-1], "id", "é"))
    lines[number] = f"{other} {rest}"
    return lines[number]


def _line(dice: random.Random, lines: list[str]) -> str:
    way = dice.randrange(4)
    number = dice.randrange(len(lines))
    if way == 0:
        return lines.pop(number)
    if way == 1:
        other = dice.randrange(len(lines))
        lines[number], lines[other] = lines[other], lines[number]
        return f"{number} and {other} swapped"
    lines.insert(number, dice.choice(_LINES))
    return lines[number]


def _form(dice: random.Random, text: str, items: list[str]) -> tuple[bytes, str]:
    """The same design in another form of text or TOML."""
    way = dice.randrange(9)
    if way == 0:
        encoding = dice.choice(("utf-16", "utf-8-sig", "utf-32", "latin-1"))
        return (text + "# é").encode(encoding), encoding
    if way == 1:
        end = dice.choice(("\r\n", "\r", "\n\n", "\n\r", "\x0b", "\u2028"))
        return text.replace("\n", end).encode(), f"line ends {end!r}"
    if way == 2:
        return f"format = 1\ndesign = {{{', '.join(items)}}}\n".encode(), "inline"
    if way == 3:
        dotted = "\n".join(f"design.{item}" for item in items)
        return f"format = 1\n{dotted}\n".encode(), "dotted"
    if way == 4:
        return text.replace("[design]", "[[design]]").encode(), "an array of tables"
    if way == 5:
        return text.replace(" = ", dice.choice(("=", "  =\t", " =\n"))).encode(), "other blanks"
    if way == 6:
        name = dice.choice(("[ design ]", '["design"]', "['design']", "[DESIGN]", "[design.x]"))
        return text.replace("[design]", name).encode(), name
    if way == 7:
        number = dice.randrange(len(items))
        name, value = items[number].split(" = ")
        odd = {"0": hex, "1": bin, "2": oct}[str(dice.randrange(3))]
        if value.isdigit():
            return text.replace(items[number], f"{name} = {odd(int(value))}").encode(), "other base"
    return (text + "\n[other]\nx = 1\n").encode(), "another table"
