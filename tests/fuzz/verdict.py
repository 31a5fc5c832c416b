"""What can be wrong with a case."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from eie.hls.boundary.errors import EieError

#: Faults in the order of the report.
FAULTS = {
    "crash": "an exception that is no EieError, or a kernel that ended",
    "hang": "no answer in time",
    "memory": "more memory than the bound",
    "wrong acceptance": "taken although it is not valid, or taken for something else",
    "wrong refusal": "refused although it is valid",
    "disagreement": "two engines, or an engine and the reference, differ",
}


class Fault(Exception):
    """A case that went wrong.

    Parameters
    ----------
    kind
        One of :data:`FAULTS`.
    signature
        What went wrong without the case's own values: cases of one signature have one cause.
    detail
        Everything that helps to see why.
    """

    def __init__(self, kind: str, signature: str, detail: str = "") -> None:
        assert kind in FAULTS, kind
        super().__init__(f"{kind}: {signature}" + (f"\n{detail}" if detail else ""))
        self.kind, self.signature, self.detail = kind, signature, detail


class NotValid(Exception):
    """Why an input is not valid, as the oracles see it.

    Details of the case stand behind a colon: what is before it names the cause.
    """

    @property
    def cause(self) -> str:
        """The reason without the case's own values."""
        return str(self).split(":")[0]


class Damaged(NotValid):
    """What holds an input is damaged, and what it holds may still be whole."""


def require(holds: bool, message: str) -> None:
    """Raise NotValid unless `holds`."""
    if not holds:
        raise NotValid(message)


class OutOfTimeError(BaseException):
    """The case took too long. No Exception, so that nothing that catches those goes on."""


@dataclass(frozen=True)
class Case:
    """One input."""

    #: The bytes under test, as they are kept of a failing case.
    data: bytes
    #: How they came about, for people.
    story: str


@dataclass(frozen=True)
class Usage:
    """What processes took."""

    #: Most memory of any of them, in bytes.
    peak_bytes: int = 0
    #: Seconds of a processor, of all of them.
    seconds: float = 0.0


class Target(Protocol):
    """Makes and judges the cases of one kind."""

    #: Suffix of the file that keeps a failing case.
    suffix: str

    def make(self, number: int) -> Case:
        """Make a case; the same for the same number."""
        ...

    def judge(self, case: Case, number: int) -> str:
        """Give the case to eie; say how it ended, or raise a :class:`Fault`."""
        ...

    def reset(self) -> None:
        """Forget everything: a case before may have left anything behind."""
        ...

    def usage(self) -> Usage:
        """What other processes than this one have taken for this target so far."""
        ...

    def close(self) -> None:
        """Release everything."""
        ...


@contextmanager
def no_crash(what: str) -> Iterator[None]:
    """Turn everything but an EieError and a Fault into a fault."""
    try:
        yield
    except (EieError, Fault):
        raise
    except MemoryError as error:
        raise Fault("memory", f"{what}: {where(error)}", repr(error)) from error
    except Exception as error:
        raise Fault("crash", f"{what}: {where(error)}", repr(error)) from error


def where(error: BaseException) -> str:
    """Name an exception and the last line of eie that it passed."""
    place, trace = "", error.__traceback__
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if {"host", "hls"} & set(file.parts) and "site-packages" not in file.parts:
            place = f" in {file.name}, {trace.tb_frame.f_code.co_name}"
        trace = trace.tb_next
    return type(error).__name__ + place
