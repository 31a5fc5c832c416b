"""Zip archives from anywhere: their directory is checked first, and no member exceeds it.

A zip file is a few bytes of directory and streams that may grow a thousandfold: what a member's
header promises is looked at before anything is decompressed, and reading stops where it ends.
"""

from __future__ import annotations

import zipfile
from typing import IO

from eie.hls.boundary.errors import InputError

__all__ = ["Archive"]

#: Bit of a member's flags that says that it is encrypted.
_ENCRYPTED = 0x1


class Archive:
    """A zip file with a directory that makes sense; a context manager.

    Every member has a name of its own, is stored or deflated and not encrypted.

    Parameters
    ----------
    file
        The file, opened to be read; it is not closed.

    Raises
    ------
    InputError
        If it is no zip file, or one with members that are not as above. Messages do not name the
        file.
    """

    def __init__(self, file: IO[bytes]) -> None:
        try:
            self._zip = zipfile.ZipFile(file)
            members = self._zip.infolist()
        except Exception as error:  # zipfile raises half a dozen kinds for damaged bytes
            raise InputError(str(error) or type(error).__name__) from error
        self._members = {member.filename: member for member in members}
        if len(self._members) != len(members):
            raise InputError("it has two members of one name")
        for member in members:
            if member.flag_bits & _ENCRYPTED:
                raise InputError(f"its member {member.filename[:80]!r} is encrypted")
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                # lzma and bzip2 take memory of their own, as much as a member says.
                raise InputError(
                    f"its member {member.filename[:80]!r} must be stored or deflated, not of "
                    f"compression type {member.compress_type}"
                )
        #: Bytes of each member as the directory says, by name.
        self.sizes = {name: member.file_size for name, member in self._members.items()}

    @property
    def stored(self) -> bool:
        """Whether no member is compressed."""
        return all(
            member.compress_type == zipfile.ZIP_STORED and member.compress_size == member.file_size
            for member in self._members.values()
        )

    def head(self, name: str, length: int) -> bytes:
        """First bytes of a member, at most `length`.

        Raises
        ------
        InputError
            If there is no such member, or it is damaged.
        """
        return self._read(name, length)

    def read(self, name: str) -> bytes:
        """Contents of a member: exactly as many bytes as :attr:`sizes` says.

        Raises
        ------
        InputError
            If there is no such member, or it is damaged: shorter, longer, or with another CRC.
        """
        size = self.sizes.get(name, 0)
        # One more than there are: only at the end is the CRC checked.
        data = self._read(name, size + 1)
        if len(data) != size:
            raise InputError(f"its member {name[:80]!r} must have {size} bytes, not {len(data)}")
        return data

    def _read(self, name: str, length: int) -> bytes:
        if name not in self._members:
            raise InputError(f"no {name[:80]!r}")
        try:
            with self._zip.open(self._members[name]) as member:
                return member.read(length)
        except Exception as error:  # as above
            raise InputError(f"its member {name[:80]!r} cannot be read: {error}") from error

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()
