"""Mutations of a ``.npy``: of its header, and of what the header says about its bytes."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import numpy.typing as npt

from fuzz.damage import damage, edge, near
from fuzz.network_writer import write_npy

_DTYPES = (
    "<i8", "<i4", "<i2", "|i1", "|u1", "<u2", "<u8", ">i8", ">i4", ">i2", "<f8", "<f4", "|b1",
    "int64", "i8", "=i2", "q", "<U4", "|S8", "|O", "|V8", "<M8[s]", "<c16", "i8,i8", "(2,)i4", "",
    "x", "<i16", "O8", "uint8 ", "|u1 " * 50,
)  # fmt: skip


def mutate_npy(dice: random.Random, array: npt.NDArray[Any]) -> tuple[bytes, str]:
    """Give the bytes of a mutated ``.npy`` of `array`, and what was done."""
    way = dice.randrange(9)
    if way == 0:
        descr = dice.choice(_DTYPES)
        return write_npy(array, descr=descr), f"dtype {descr!r:.20}"
    if way == 1:
        shape = _shape(dice, array.shape)
        return write_npy(array, shape=shape), f"shape {shape!r:.40}"
    if way == 2:
        order = dice.choice((True, 0, 1, None, "F"))
        return write_npy(array, fortran_order=order), f"fortran_order {order}"
    if way == 3:
        version = dice.choice((0, 2, 3, 4, 255))
        return write_npy(array, version=version), f"version {version}"
    if way == 4:
        length = dice.choice((0, 1, 54, 117, 119, 65535, edge(dice)))
        return write_npy(array, length=length), f"header of {length} bytes"
    if way == 5:
        text = dice.choice(
            (
                "(" * 300, "[" * 9000, "{}", "[]", "1", "", "__import__('os')", "{'descr':",
                "-" * 9000,
                "{'shape': (1,), 'descr': '<i8'}", "9" * 5000, "{" + "'a':{" * 200, "\x00", "f''",
            )
        )  # fmt: skip
        return write_npy(array, text=text), f"header {text:.20}"
    if way == 6:
        digits = "1" * dice.choice((30, 4000, 5000, 9000))
        text = f"{{'descr': '<i8', 'fortran_order': False, 'shape': ({digits},), }}"
        return write_npy(array, text=text), "a giant shape"
    if way == 7:
        more = {dice.choice(("shape2", "descr ", 1, ("a",))): dice.choice((0, None, "x"))}
        return write_npy(array, more=more), "a key more"
    return damage(dice, write_npy(array)), "its bytes damaged"


def _shape(dice: random.Random, shape: tuple[int, ...]) -> Any:
    way = dice.randrange(7)
    if way == 0:
        return tuple(near(dice, size) for size in shape)
    if way == 1:
        return dice.choice(((), (1, *shape), (*shape, 1), (0,), (0, *shape), shape[::-1]))
    if way == 2:
        return dice.choice(((1 << 40,), (1 << 62, 4), (1 << 32, 1 << 32), (10**12,), (10**30,)))
    if way == 3:
        return dice.choice(((-1,), (True,), (2.0,), ("3",), (None,), [3], 3, None, ((3,),)))
    if way == 4:
        return (int(np.prod(shape)),)
    if way == 5:
        return (1,) * dice.choice((2, 32, 33, 200))
    return (edge(dice),)
