"""A generated project on disk: what eie wrote is kept up to date, everything else left alone.

Beside the files lies ``SHA256SUMS``, in the format of ``sha256sum``: it says which files are
eie's, and whether one of them was edited since. Only a folder with that file is ever written into,
an edited file is never overwritten, and files that eie did not write, such as what the tools leave
in ``build/``, stay. Nothing outside the folder is touched, whatever ``SHA256SUMS`` or links say.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import InputError, Problems
from eie.hls.boundary.partials import is_partial, partial_folder
from eie.hls.project.folder_lock import LOCK, locked_folder

__all__ = ["LISTING", "read_project", "write_project"]

#: The list of files that eie wrote.
LISTING = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def write_project(files: Mapping[str, str], out: str | os.PathLike[str]) -> Path:
    """Write `files`, texts by relative path, to the folder `out`.

    A new folder appears whole or not at all. In an earlier project every file does; when something
    fails or interrupts, those that were replaced are put back. Only a process that is killed at
    that moment (or loses its power) leaves files of both, and calling this again finishes the work.
    The folder is locked meanwhile: who comes second waits.

    Raises
    ------
    InputError
        If `out` is a file, a folder of something else, or holds files that were edited, or links
        where files must be; names each, and nothing is changed. Also if it cannot be written, or
        somebody else is writing it.
    """
    # Absolute, so that "." means the folder itself and not a name inside of it.
    target = Path(out).absolute()
    folder = Path(os.path.realpath(target))
    name = f"project folder {out}"
    try:
        if os.path.lexists(folder) or not _create(files, folder):
            _check_folder(folder, name)  # first, since a foreign folder is not even locked
            with locked_folder(folder):
                _check_folder(folder, name)
                _update(files, folder, _check_files(files, folder, name))
    except OSError as error:
        # What the system names is a folder of ours, gone by now; the user knows theirs.
        raise InputError(
            f"cannot write {name}: {error.strerror or error}, in the folder {folder.parent}"
        ) from error
    return target


def read_project(folder: str | os.PathLike[str]) -> dict[str, bytes]:
    """Read the files of a project that eie wrote, edited or not, and their listing, by path.

    What tools left in the folder is not among them.

    Raises
    ------
    InputError
        If there is no project, or it lacks files, or has links in their place; names each.
    """
    root = Path(folder)
    problems = Problems(f"project folder {folder}")
    problems.require((root / LISTING).is_file(), f"there must be a {LISTING} in it")
    problems.raise_as(InputError, "`eie generate DESIGN.toml --out PROJECT` writes one")
    known = _read_listing(root / LISTING, problems)
    files = {}
    for path in (*sorted(known), LISTING):
        problem = _in_the_way(root, path)
        if problem is None and not (root / path).exists():
            problem = f"{path} is missing"
        if problems.require(problem is None, problem or ""):
            files[path] = (root / path).read_bytes()
    problems.raise_as(InputError, "`eie generate` writes what is missing")
    return files


def _create(files: Mapping[str, str], folder: Path) -> bool:
    """Make the whole project; False if somebody else has made the folder meanwhile."""
    sums = {path: {_digest(text.encode())} for path, text in files.items()}
    with _parents(folder), partial_folder(folder.parent) as staged:
        for path, text in {**files, LISTING: _listing(sums)}.items():
            _write(staged / path, text)
        try:
            staged.rename(folder)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise
            return False
    return True


@contextlib.contextmanager
def _parents(path: Path) -> Iterator[None]:
    """Make the folders above `path`; those that are new go again when the block fails."""
    missing = [parent for parent in path.parents if not parent.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            for parent in missing:
                parent.rmdir()
        raise


def _update(files: Mapping[str, str], folder: Path, known: Mapping[str, set[str]]) -> None:
    """Put `files` in the place of those that are `known`; the folder is locked and checked."""
    sums = {path: _digest(text.encode()) for path, text in files.items()}
    with partial_folder(folder) as staged:
        for path, text in files.items():
            _write(staged / "new" / path, text)
        changes = _Changes(folder, staged / "old")
        try:
            # Until all is done, both the old and the new contents of a file count as eie's.
            both = {path: known.get(path, set()) | {sums[path]} for path in sums}
            changes.keep(LISTING)
            write_whole(folder / LISTING, _listing({**known, **both}))
            for path in files:
                if _sum_of(folder / path) != sums[path]:  # others keep their time of change
                    changes.replace(path, staged / "new" / path)
            for path in known.keys() - files.keys():
                changes.remove(path)
            write_whole(folder / LISTING, _listing({path: {sums[path]} for path in sums}))
        except BaseException:
            changes.undo()
            raise
    for path in known.keys() - files.keys():
        with contextlib.suppress(OSError):  # other files may be in it
            (folder / path).parent.rmdir()


class _Changes:
    """Changes of files of a folder that can be undone; `aside` is on the same file system."""

    def __init__(self, folder: Path, aside: Path) -> None:
        self._folder = folder
        self._aside = aside
        #: What was touched, in order; and the folders that are new.
        self._touched: list[str] = []
        self._made: list[Path] = []

    def keep(self, path: str) -> None:
        """Keep what is at `path` now."""
        kept = self._aside / path
        kept.parent.mkdir(parents=True, exist_ok=True)
        if (self._folder / path).exists():
            try:
                os.link(self._folder / path, kept)
            except OSError:  # a file system without hard links
                shutil.copy2(self._folder / path, kept)
        self._touched.append(path)  # last: what is not kept must not be undone

    def replace(self, path: str, new: Path) -> None:
        """Put `new` at `path`, with the mode of what was there."""
        file = self._folder / path
        self._made += [parent for parent in reversed(file.parents) if not parent.exists()]
        file.parent.mkdir(parents=True, exist_ok=True)
        self.keep(path)
        if file.exists():
            new.chmod(stat.S_IMODE(file.stat().st_mode))
        new.replace(file)

    def remove(self, path: str) -> None:
        """Remove what is at `path`."""
        self.keep(path)
        (self._folder / path).unlink(missing_ok=True)

    def undo(self) -> None:
        """Put everything back; what cannot be is left, and the listing then names both."""
        with contextlib.suppress(OSError):
            for path in reversed(self._touched):  # the listing was touched first
                kept, file = self._aside / path, self._folder / path
                if kept.exists():
                    kept.replace(file)
                else:
                    file.unlink(missing_ok=True)
            for folder in reversed(self._made):
                folder.rmdir()


def _check_folder(folder: Path, name: str) -> None:
    """Refuse what is neither empty nor a project."""
    if not folder.is_dir():
        raise InputError(f"{name} must be a folder, not a file")
    names = [file.name for file in folder.iterdir() if not is_partial(file.name)]
    if LISTING not in names and names not in ([], [LOCK]):
        raise InputError(f"{name} must be empty or an eie project: it has other files")


def _check_files(files: Mapping[str, str], folder: Path, name: str) -> dict[str, set[str]]:
    """Sums of the files that eie wrote to `folder`, by path; refuse what is not as it wrote it."""
    problems = Problems(name)
    known = _read_listing(folder / LISTING, problems)
    problems.raise_as(InputError)
    for path in sorted(known.keys() | files.keys()):
        problem = _in_the_way(folder, path)
        if problem is None and (found := _sum_of(folder / path)) is not None:
            text = files.get(path)
            if found not in known.get(path, set()):
                problem = (
                    f"{path} is not as eie wrote it: move it away, or generate into a new folder"
                )
            elif text is None or found != _digest(text.encode()):
                problem = _read_only(folder, path)
        problems.require(problem is None, problem or "")
    problems.raise_as(InputError)
    return known


def _read_listing(listing: Path, problems: Problems) -> dict[str, set[str]]:
    """Read ``SHA256SUMS``, which may be anybody's: only plain paths below its folder are taken."""
    if not os.path.lexists(listing):
        return {}
    if not stat.S_ISREG(listing.lstat().st_mode):
        problems.require(False, f"{LISTING} must be a file, not a link, folder or device")
        return {}
    known: dict[str, set[str]] = {}
    lines = listing.read_bytes().decode("utf-8", "replace").splitlines()
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        path = match[2] if match else ""
        plain = path.split("/")[0] not in (LISTING, LOCK) and not any(
            part in ("", ".", "..") or is_partial(part) or "\0" in part for part in path.split("/")
        )
        if problems.require(
            match is not None and plain,
            f"line {number} of {LISTING} must be a sum and a path below the folder, not {line!r}",
        ):
            known.setdefault(path, set()).add(match[1] if match else "")
    return known


def _in_the_way(folder: Path, path: str) -> str | None:
    """Say what at a path, or above it, is neither missing nor what it must be: links are none."""
    parts = path.split("/")
    for length in range(1, len(parts) + 1):
        here = "/".join(parts[:length])
        try:
            mode = (folder / here).lstat().st_mode
        except FileNotFoundError:
            return None
        wanted = "file" if length == len(parts) else "folder"
        if stat.S_ISLNK(mode):
            return f"{here} must be a {wanted}, not a link: nothing is written through links"
        if not (stat.S_ISREG(mode) if wanted == "file" else stat.S_ISDIR(mode)):
            found = "folder" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "device"
            return f"{here} must be a {wanted}, not a {found}"
    return None


def _read_only(folder: Path, path: str) -> str | None:
    """Say that a file to be replaced is protected; to root, too, who could replace it."""
    if (folder / path).stat().st_mode & 0o222:
        return None
    return f"{path} is read-only: chmod u+w makes it writable"


def _listing(sums: Mapping[str, set[str]]) -> str:
    return "".join(f"{each}  {path}\n" for path in sorted(sums) for each in sorted(sums[path]))


def _sum_of(file: Path) -> str | None:
    """SHA-256 of a file, None if there is none."""
    try:
        return _digest(file.read_bytes())
    except FileNotFoundError:
        return None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _write(file: Path, text: str) -> None:
    """Write a file of a folder that is not yet in its place."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
