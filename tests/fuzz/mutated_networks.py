"""Mutated network files: values, arrays, the header, members, the archive, bytes.

A mutation above the archive gets the SHA-256 that belongs to it, mostly: a file that was made on
purpose and not one that was damaged.
"""

from __future__ import annotations

import functools
import json
import random
import zipfile
import zlib
from typing import Any

import numpy as np

from eie.host.network import Network
from fuzz.damage import damage, edge, near
from fuzz.mutated_json import mutate_header, mutate_text
from fuzz.mutated_npy import mutate_npy
from fuzz.network_seeds import make_network, seed_networks
from fuzz.network_writer import write_members, write_npy, write_zip
from fuzz.valid_network import Arrays, digest, read_npy
from fuzz.verdict import Case, NotValid

_DTYPES = ("<i8", "<i4", "<i2", "|u1", "<u8", ">i8", ">i2", "<f8", "|b1", "|S2")


def mutated_network(dice: random.Random) -> Case:
    """Make a case."""
    way = dice.choices(
        ("sound", "bytes", "archive", "member", "npy", "json", "text", "values", "shapes", "other"),
        (4, 18, 10, 5, 12, 18, 5, 18, 6, 4),
    )[0]
    if way == "other":
        # Valid, and of any shape: what is refused here is refused wrongly.
        return Case(_file(*_parts(_any_network(dice))), "another network")
    number = dice.randrange(len(seed_networks()))
    header, arrays = _parts(seed_networks()[number])
    story = f"seed {number}: {way}"
    if way == "sound":
        return Case(_seed_file(number), story)
    if way == "bytes":
        other = _seed_file(dice.randrange(len(seed_networks())))
        return Case(damage(dice, _seed_file(number), other), story)
    if way == "archive":
        data, done = _archive(dice, header, arrays)
    elif way in ("member", "npy"):
        data, done = _member(dice, way, header, arrays)
    elif way == "json":
        changed, done = mutate_header(dice, header)
        if dice.random() < 0.2:
            changed, more = mutate_header(dice, header)
            done += f", {more}"
        data = _file(json.dumps(changed, sort_keys=True).encode(), arrays, _sealed(dice))
    elif way == "text":
        text, done = mutate_text(dice, header)
        data = _file(text, arrays, _sealed(dice))
    else:
        change = _values if way == "values" else _shapes
        done = change(dice, arrays)
        if dice.random() < 0.2:
            done += ", " + change(dice, arrays)
        data = _file(json.dumps(header, sort_keys=True).encode(), arrays, _sealed(dice))
    return Case(data, f"{story}: {done}")


def _sealed(dice: random.Random) -> bool:
    return dice.random() < 0.92


def _any_network(dice: random.Random) -> Network:
    sizes = tuple(dice.randrange(1, 40) for _ in range(dice.randrange(2, 5)))
    fracs = tuple(dice.randrange(-4, 12) for _ in sizes)
    return make_network(
        dice,
        sizes,
        density=dice.random(),
        magnitude=dice.choice((3, 900, 32767)),
        fracs=fracs,
        golden=dice.randrange(3),
    )


def _parts(network: Network) -> tuple[Any, Arrays]:
    """Header and arrays of a network's file, all but the digest; arrays may be changed."""
    header = {
        "magic": "eie-network",
        "version": _version(network),
        "layers": [layer.scalars() for layer in network.layers],
        "metadata": dict(network.metadata),
    }
    arrays: Arrays = {}
    for number, layer in enumerate(network.layers):
        arrays |= {f"layer{number}_{name}": array.copy() for name, array in layer.arrays().items()}
    arrays["golden_inputs"] = network.golden_inputs.copy()
    arrays["golden_outputs"] = network.golden_outputs.copy()
    if network.feature_fracs is not None:
        arrays["feature_fracs"] = network.feature_fracs.copy()
    return header, arrays


def _version(network: Network) -> int:
    """Version of the file that eie writes of it."""
    if any(len(layer.scalars()) > 7 for layer in network.layers):
        return 3
    return 1 if network.feature_fracs is None else 2


def _file(header: Any, arrays: Arrays, sealed: bool = True) -> bytes:
    return write_zip(list(write_members(header, arrays, sealed=sealed).items()))


@functools.cache
def _seed_file(number: int) -> bytes:
    header, arrays = _parts(seed_networks()[number])
    return write_zip(list(write_members(header, arrays).items()), zipfile.ZIP_DEFLATED)


# Values and shapes of arrays ------------------------------------------------------------------


def _values(dice: random.Random, arrays: Arrays) -> str:
    """Change some values of one array."""
    name = dice.choice([name for name, array in arrays.items() if array.size])
    array = arrays[name]
    flat = array.reshape(-1)
    done = []
    for _ in range(dice.choice((1, 1, 2, 4))):
        place = dice.choice((0, len(flat) - 1, dice.randrange(len(flat))))
        value = dice.choice((near(dice, int(flat[place])), edge(dice)))
        limits = np.iinfo(array.dtype)
        value = value if dice.random() < 0.7 else dice.randrange(limits.min, limits.max + 1)
        flat[place] = min(max(value, int(limits.min)), int(limits.max))
        done.append(f"{name}[{place}] = {flat[place]}")
    if dice.random() < 0.15:
        first, second = dice.randrange(len(flat)), dice.randrange(len(flat))
        flat[first], flat[second] = flat[second], flat[first]
        done.append(f"{first} and {second} swapped")
    return ", ".join(done)


def _shapes(dice: random.Random, arrays: Arrays) -> str:
    """Change the length, shape or type of one array."""
    name = dice.choice(list(arrays))
    array = arrays[name]
    way = dice.randrange(5)
    if way == 0:
        arrays[name] = array.astype(dice.choice(_DTYPES))
    elif way == 1:
        arrays[name] = array[: dice.randrange(len(array) + 1)]
    elif way == 2:
        arrays[name] = np.concatenate([array, array[: dice.choice((1, 2, len(array)))]])
    elif way == 3:
        arrays[name] = dice.choice((array[None], array[..., None], array[:0], array.reshape(-1)))
    else:
        other = dice.choice(list(arrays))
        arrays[name], arrays[other] = arrays[other], array
        return f"{name} and {other} swapped"
    return f"{name} of {arrays[name].dtype} {arrays[name].shape}"


# Members and the archive ----------------------------------------------------------------------


def _member(dice: random.Random, way: str, header: Any, arrays: Arrays) -> tuple[bytes, str]:
    """Change the bytes of one member, and seal what they say now."""
    members = write_members(header, arrays)
    name = dice.choice(list(members))
    array = read_npy(members[name])
    if way == "npy":
        members[name], done = mutate_npy(dice, array)
    else:
        members[name], done = damage(dice, members[name]), "damaged"
    if name != "sha256.npy" and dice.random() < 0.9:
        try:
            whole = {each.removesuffix(".npy"): read_npy(body) for each, body in members.items()}
            del whole["sha256"]
            members["sha256.npy"] = write_npy(digest(whole))
        except NotValid:
            pass  # there is nothing to seal
    return write_zip(list(members.items())), f"{name}: {done}"


@functools.cache
def bomb() -> bytes:
    """Deflate half a gigabyte of zeros behind a ``.npy`` header that declares them."""
    compress = zlib.compressobj(9, zlib.DEFLATED, -15)
    size = 1 << 29
    parts = [compress.compress(write_npy(np.zeros(0, np.uint8), shape=(size,)))]
    block = bytes(1 << 20)
    parts += [compress.compress(block) for _ in range(size >> 20)]
    return b"".join([*parts, compress.flush()])


def _with_bomb(name: str, members: list[tuple[str, bytes]]) -> bytes:
    """Put a bomb into an archive, by hand: zipfile would inflate it first."""
    data = write_zip([*members, (name, b"")])
    inflated, size = bomb(), (1 << 29) + 128
    local = data.rindex(b"PK\x03\x04")
    central = data.index(b"PK\x01\x02", local)
    entry = data.rindex(b"PK\x01\x02")

    def patched(start: int, fields: int, end: int) -> bytes:
        # Method, two of date, CRC, both sizes: in a row in both headers.
        part = bytearray(data[start:end])
        part[fields : fields + 2] = (8).to_bytes(2, "little")
        part[fields + 10 : fields + 14] = len(inflated).to_bytes(4, "little")
        part[fields + 14 : fields + 18] = size.to_bytes(4, "little")
        return bytes(part)

    end = bytearray(data[data.rindex(b"PK\x05\x06") :])
    end[16:20] = (central + len(inflated)).to_bytes(4, "little")
    return (
        data[:local]
        + patched(local, 8, central)
        + inflated
        + data[central:entry]
        + patched(entry, 10, data.rindex(b"PK\x05\x06"))
        + bytes(end)
    )


def _archive(dice: random.Random, header: Any, arrays: Arrays) -> tuple[bytes, str]:
    """Change the archive around sound members, or which members there are."""
    members = list(write_members(header, arrays).items())
    way = dice.randrange(12)
    if way == 0:
        dice.shuffle(members)
        return write_zip(members), "other order"
    if way == 1:
        gone = members.pop(dice.randrange(len(members)))[0]
        return write_zip(members), f"no {gone}"
    if way == 2:
        name, body = dice.choice(members)
        body = dice.choice((body, damage(dice, body)))
        members.insert(dice.choice((0, len(members))), (name, body))
        return write_zip(members), f"{name} twice"
    if way == 3:
        name = dice.choice(
            ("x.npy", "layer9_codes.npy", "../x.npy", "/x.npy", "a/", "x", "x.pkl", "", "é.npy",
             "x" * 999 + ".npy", "header", "HEADER.npy", "header.npy.npy")
        )  # fmt: skip
        body = dice.choice((members[0][1], b"", b"cos\nsystem\n(S'x'\ntR.", b"text"))
        seal = dice.random() < 0.5
        if seal and body == members[0][1] and name.endswith(".npy"):
            whole = {each.removesuffix(".npy"): read_npy(part) for each, part in members[:-1]}
            whole[name.removesuffix(".npy")] = read_npy(body)
            members[-1] = ("sha256.npy", write_npy(digest(whole)))
        members.insert(dice.randrange(len(members)), (name, body))
        return write_zip(members), f"a member {name!r:.20} more"
    if way == 4:
        number = dice.randrange(len(members))
        name, body = members[number]
        other = dice.choice((name.upper(), name.removesuffix(".npy"), name + " ", "./" + name))
        members[number] = (other, body)
        return write_zip(members), f"{name} is called {other}"
    if way <= 6:
        method = dice.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
        return write_zip(members, method), f"compressed by {method}"
    if way == 7:
        data = write_zip(members)
        behind = data.rindex(b"PK\x05\x06") + 20
        comment = dice.randbytes(dice.choice((1, 22, 4000)))
        data = data[:behind] + len(comment).to_bytes(2, "little") + comment
        return data, "a comment"
    if way == 8:
        return dice.choice((b"#!/bin/sh\n", bytes(64), b"PK")) + write_zip(
            members
        ), "something before it"
    if way == 9 and dice.random() < 0.01:
        name = dice.choice(("x.npy", members[0][0], "golden_inputs.npy"))
        return _with_bomb(name, [each for each in members if each[0] != name]), f"a bomb, {name}"
    # Fields of the archive's own records: sizes, methods, flags, offsets, counts.
    data = bytearray(write_zip(members, dice.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))))
    record = dice.choice((b"PK\x01\x02", b"PK\x01\x02", b"PK\x05\x06", b"PK\x03\x04"))
    places = [at for at in range(len(data)) if data[at : at + 4] == record]
    at = dice.choice(places) + 4 + 2 * dice.randrange(9 if record == b"PK\x05\x06" else 20)
    size = dice.choice((1, 2, 4))
    value = dice.choice((0, 1, 0xFFFFFFFF, 0x7FFFFFFF, dice.getrandbits(32), edge(dice)))
    data[at : at + size] = (value % (1 << 8 * size)).to_bytes(size, "little")
    return bytes(data), f"archive record at {at}"
