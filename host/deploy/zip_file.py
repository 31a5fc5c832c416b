"""Zip files of packages and wheels: the same members, the same bytes; and read with care."""

from __future__ import annotations

import hashlib
import io
import os
import re
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from eie.hls.boundary.archives import Archive
from eie.hls.boundary.errors import InputError, Problems
from eie.hls.boundary.file_kinds import identify
from eie.hls.boundary.text import counted, shown
from eie.host.deploy.layout import FACTS, RUN, SUMS, PackageFacts

__all__ = ["PackageFile", "read_package", "zip_bytes"]

#: When members were written, in which the same inputs must not differ; zip knows nothing earlier.
_DATE = (1980, 1, 1, 0, 0, 0)
#: Modes of files and programs, where zip keeps them.
_FILE_MODE, _PROGRAM_MODE = 0o100644 << 16, 0o100755 << 16
#: Bytes of an unpacked package at most; the largest bitstreams are a tenth of it.
_MOST_BYTES = 512 << 20
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_MOST_NAMED = 6


def zip_bytes(members: Mapping[str, bytes], *, programs: Collection[str] = ()) -> bytes:
    """Give a zip file of `members` by name; those named in `programs` can be run."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in sorted(members.items()):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system = 3  # Unix, whose modes these are
            entry.external_attr = _PROGRAM_MODE if name in programs else _FILE_MODE
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED, compresslevel=6)
    return stream.getvalue()


@dataclass(frozen=True)
class PackageFile:
    """A package that was found whole."""

    facts: PackageFacts
    #: Bytes of the zip.
    size: int
    #: Bytes of all files in it, unpacked.
    unpacked: int
    #: SHA-256 of the zip, hexadecimal.
    sha256: str
    #: Names of the files in its folder.
    members: tuple[str, ...]


def read_package(path: str | os.PathLike[str]) -> PackageFile:
    """Check a package: names, sizes, and the SHA-256 of every file.

    Nothing is unpacked to disk. The zip may come from anywhere.

    Raises
    ------
    InputError
        If it is no package, or is damaged or altered; names each file that is.
    """
    file = Path(path)
    kind = identify(file)
    if kind.name not in ("package", "zip"):
        raise InputError(
            f"no file {file}"
            if kind.name == "missing"
            else f"{file} must be a package of `eie package` (.zip), not {kind.text}"
        )
    try:
        with file.open("rb") as opened:
            size = opened.seek(0, os.SEEK_END)
            opened.seek(0)
            digest = hashlib.sha256()
            while block := opened.read(1 << 20):
                digest.update(block)
            with Archive(opened) as archive:
                folder = _folder(archive, str(file))
                facts = PackageFacts.parse(archive.read(f"{folder}/{FACTS}"))
                members = _check_sums(archive, folder, f"package {file}")
            if folder != facts.folder:
                raise InputError(f"its folder must be {facts.folder}, not {shown(folder)}")
            unpacked = sum(archive.sizes.values())
            return PackageFile(facts, size, unpacked, digest.hexdigest(), members)
    except OSError as error:
        raise InputError(f"cannot read package {file}: {error.strerror or error}") from error
    except _DamagedError:
        raise
    except InputError as error:
        raise InputError(f"{file} is damaged, or no package of `eie package`: {error}") from error


class _DamagedError(InputError):
    """The message is complete."""


def _folder(archive: Archive, name: str) -> str:
    """Name of the one folder; refuse what would be unpacked to anywhere else."""
    problems = Problems(f"package {name}")
    tops = set()
    for member in archive.sizes:
        parts = member.split("/")
        tops.add(parts[0])
        problems.require(
            len(parts) > 1
            and not any(part in ("", ".", "..") for part in parts)
            and member.isprintable()
            and "\\" not in member,
            f"a file must have a plain path in the package's folder, not {shown(member)}",
        )
    problems.require(len(tops) == 1, f"there must be one folder in it, not {len(tops)}")
    total = sum(archive.sizes.values())
    problems.require(total <= _MOST_BYTES, f"must have at most {_MOST_BYTES} bytes, not {total}")
    if problems.found:
        problems.found[_MOST_NAMED:] = []
    problems.raise_as(_DamagedError)
    return tops.pop()


def _check_sums(archive: Archive, folder: str, subject: str) -> tuple[str, ...]:
    """Compare every file with the listing; gives the names of all in the folder."""
    listing: dict[str, str] = {}
    for line in archive.read(f"{folder}/{SUMS}").decode("utf-8", "replace").splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            raise InputError(
                f"its {SUMS} must have a sum and a name in each line, not {line!r:.80}"
            )
        listing[match[2]] = match[1]
    members = sorted(name.partition("/")[2] for name in archive.sizes)
    problems = Problems(subject)
    for name in (RUN, FACTS):
        problems.require(name in listing, f"{name} must be in {SUMS}")
    for name in sorted({*listing, *members} - {SUMS}):
        if name not in listing:
            problems.require(False, f"{name} is not in {SUMS}")
        elif name not in members:
            problems.require(False, f"{name} is missing")
        else:
            try:
                found = hashlib.sha256(archive.read(f"{folder}/{name}")).hexdigest()
            except InputError as error:
                problems.require(False, f"{name} is damaged: {error}")
                continue
            problems.require(found == listing[name], f"{name} is not the file that was packed")
    wrong = len(problems.found)
    if wrong > _MOST_NAMED:
        problems.found[_MOST_NAMED:] = [f"and {counted(wrong - _MOST_NAMED, 'file')} more"]
    problems.raise_as(_DamagedError, "it was altered or damaged on its way: make or copy it again")
    return tuple(members)
