"""A generated project on disk: what eie wrote is kept up to date, everything else left alone.

Beside the files lies ``SHA256SUMS``, in the format of ``sha256sum``: it says which files are
eie's, and whether one of them was edited since. Only a folder with that file is ever written into,
an edited file is never overwritten, and files that eie did not write, such as what the tools leave
in ``build/``, stay.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from eie.hls.boundary.atomic import whole_file
from eie.hls.boundary.errors import InputError, Problems

__all__ = ["LISTING", "write_project"]

#: The list of files that eie wrote.
LISTING = "SHA256SUMS"


def write_project(files: Mapping[str, str], out: str | os.PathLike[str]) -> Path:
    """Write `files`, texts by relative path, to the folder `out`.

    Every file appears whole. When this is interrupted, calling it again finishes the work.

    Raises
    ------
    InputError
        If `out` is a file, a folder of something else, or holds files that were edited; names
        each, and nothing is changed. Also if it cannot be written.
    """
    # Absolute, so that "." means the folder itself and not a name inside of it.
    target = Path(out).absolute()
    name = f"project folder {out}"
    known = _check(files, target, name)
    try:
        _update(files, target, known)
    except OSError as error:
        # What the system names is a folder of ours, gone by now; the user knows theirs.
        raise InputError(
            f"cannot write {name}: {error.strerror or error}, in the folder {target.parent}"
        ) from error
    return target


def _update(files: Mapping[str, str], target: Path, known: Mapping[str, set[str]]) -> None:
    """Write `files` beside `target`, then put them, or the whole folder, in place."""
    sums = {path: _digest(text.encode()) for path, text in files.items()}
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        for path, text in files.items():
            _write(staged / path, text)
        if not target.exists():
            _write(staged / LISTING, _listing({path: {sums[path]} for path in sums}))
            staged.chmod(0o755)
            staged.replace(target)
            return
        # Until all is done, both the old and the new contents of a file count as eie's.
        both = {path: known.get(path, set()) | {sums[path]} for path in sums}
        _replace(target / LISTING, _listing({**known, **both}))
        for path in files:
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (staged / path).replace(target / path)
        for path in known.keys() - files.keys():
            (target / path).unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # other files may be in it
                (target / path).parent.rmdir()
        _replace(target / LISTING, _listing({path: {sums[path]} for path in sums}))
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _check(files: Mapping[str, str], target: Path, name: str) -> dict[str, set[str]]:
    """Sums of the files that eie wrote to `target`; refuse a folder that is not its own."""
    if not target.exists():
        return {}
    if not target.is_dir():
        raise InputError(f"{name} must be a folder, not a file")
    listing = target / LISTING
    if not listing.is_file():
        if any(target.iterdir()):
            raise InputError(f"{name} must be empty or an eie project: it has other files")
        return {}
    known: dict[str, set[str]] = {}
    for line in listing.read_text(encoding="utf-8").splitlines():
        digest, _, path = line.partition("  ")
        known.setdefault(path, set()).add(digest)
    problems = Problems(name)
    for path in sorted(known.keys() | files.keys()):
        file = target / path
        if file.is_dir():
            problems.require(False, f"{path} must be a file, not a folder")
        elif file.is_file():
            problems.require(
                _digest(file.read_bytes()) in known.get(path, set()),
                f"{path} is not as eie wrote it: move it away, or generate into a new folder",
            )
    problems.raise_as(InputError)
    return known


def _listing(sums: Mapping[str, set[str]]) -> str:
    return "".join(f"{each}  {path}\n" for path in sorted(sums) for each in sorted(sums[path]))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _replace(file: Path, text: str) -> None:
    with whole_file(file) as partial:
        partial.write_text(text, encoding="utf-8")
