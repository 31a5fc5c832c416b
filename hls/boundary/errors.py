"""The errors and warnings of eie: what was wrong, where, and what to do.

Everything that a user's input can cause is an :class:`EieError`, so the command line can turn
it into one message and exit status 2, and a program can catch it without catching bugs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "BeyondBoardWarning",
    "DeadlockError",
    "DesignError",
    "DeviceError",
    "DeviceTimeoutError",
    "DoesNotFitError",
    "EieError",
    "EieWarning",
    "InexactWarning",
    "InputError",
    "KeptDensityWarning",
    "LossWarning",
    "ModelError",
    "NetworkFileError",
    "PacketError",
    "Problems",
    "SaturationWarning",
    "Shortage",
    "SlowModelWarning",
    "ToolError",
    "UncalibratedWarning",
    "UnderflowWarning",
]


@dataclass(frozen=True)
class Shortage:
    """Something of which more is needed than there is: a board's resource, or a capacity."""

    #: Name, as people know it: a resource of a board, or a parameter of a design.
    resource: str
    #: What is needed.
    needed: int
    #: What the budget allows, or the capacity is.
    allowed: int
    #: What the board has; of a parameter the same as `allowed`.
    available: int

    def __str__(self) -> str:
        return (
            f"{self.resource}: needs {self.needed}, may use {self.allowed} of {self.available} "
            f"({self.needed - self.allowed} too many)"
        )


class EieError(Exception):
    """Base of every error that eie raises on purpose."""


class EieWarning(UserWarning):
    """Base of every warning that eie gives: nothing failed, but numbers may not be what they seem.

    They go through :mod:`warnings`, so a program can filter them, turn them into errors or catch
    them. The command line prints each as one line on standard error.
    """


class BeyondBoardWarning(EieWarning):
    """A design takes more of its board than the budget allows; says of what, and by how much.

    Cure: a smaller design (`eie fit`, or fewer PEs, shorter queues), or another board.
    """

    def __init__(self, message: str, shortages: tuple[Shortage, ...] = ()) -> None:
        super().__init__(message)
        #: What there is too little of.
        self.shortages = shortages


class SaturationWarning(EieWarning):
    """Values were cut off because 16 bits could not hold them; says where, and how many.

    Cure: compress with calibration inputs of the range that comes in use; scale inputs as in
    training.
    """


class UnderflowWarning(EieWarning):
    """Values are too small for their format and become 0; says which, and how many.

    Cure: scale inputs or weights up; calibrate without rare inputs that are far larger than the
    rest.
    """


class LossWarning(EieWarning):
    """Compression changed a model's outputs much; says by how much, what did it, and what helps.

    Cure: keep more weights (a higher density, by layer), or retrain the pruned model.
    """


class InexactWarning(EieWarning):
    """A quantised model's own integers are not reproduced for every input; says where.

    Cure: what the message names: scales that are powers of two, biases as real numbers.
    """


class KeptDensityWarning(EieWarning):
    """A layer keeps more weights than the default density, since it was pruned or shared before.

    Cure: nothing, if that is meant; else give the density.
    """


class UncalibratedWarning(EieWarning):
    """A network's error is not known, since it was compressed without calibration data.

    Cure: give calibration inputs, a few dozen of the kind that comes in use.
    """


class SlowModelWarning(EieWarning):
    """Cycles are counted in numpy, exactly but slowly, since there is no compiler; says why.

    Cure: install g++; results are the same without.
    """


class InputError(EieError, ValueError):
    """A value, array or file given by the user is not what it must be.

    Cure: what the message says must be there. All that is wrong is listed at once.
    """

    #: Each thing that is wrong, without what it is wrong with; () where it is the message alone.
    problems: tuple[str, ...] = ()


class DesignError(InputError):
    """A design's parameters contradict each other or leave their ranges.

    Cure: change the parameters that the message names, or let `eie fit` choose them.
    """


class NetworkFileError(InputError):
    """A network file is truncated, altered, of another version, or not one at all.

    Cure: make the file again with `eie compress`, or copy it again from where it came.
    """


class ModelError(InputError):
    """A model holds something that cannot be compressed; the message names the node.

    Cure: change the model as the message says of each node; docs/reference/models.md lists what is
    read.
    """


class PacketError(InputError):
    """A packet's bytes break the format: header, length, CRC or contents.

    Cure: send it again; if it comes from a file, make the file again.
    """


class DoesNotFitError(InputError):
    """A network needs more than a design or a board has; says what, by how much, and what helps.

    Cure: a lower density, a larger board, or passes (`eie fit --passes`), as the message says.
    """

    def __init__(
        self, message: str, shortages: tuple[Shortage, ...] = (), ways: tuple[Any, ...] = ()
    ) -> None:
        super().__init__(message)
        #: What there is too little of.
        self.shortages = shortages
        #: What helps: of a search, :class:`eie.host.search.reasons.Way` values.
        self.ways = ways


class ToolError(EieError, RuntimeError):
    """An external tool (a compiler, Vitis HLS, Vivado) is missing or failed.

    Cure: install what the message names, or read the log whose end it shows.
    """


class DeadlockError(ToolError):
    """The simulated dataflow region stopped: names each blocked process, stream, depth and fill.

    Cure: deepen the stream that is full; of a design that eie made, it is a bug: please report it.
    """


class DeviceError(EieError, RuntimeError):
    """The accelerator or its DMA reported an error, or answered something it must not.

    Cure: call again: the driver loads the bitstream and the network anew where that is needed.
    """


class DeviceTimeoutError(DeviceError, TimeoutError):
    """The accelerator did not answer before the deadline.

    Cure: call again; give large batches a longer `timeout`; at a first call see the board
    checklist.
    """


@dataclass
class Problems:
    """Collects everything that is wrong with an input, then raises once.

    Parameters
    ----------
    subject
        What is being checked, for the message's first line ("design", "network file x.npz").
    """

    subject: str
    found: list[str] = field(default_factory=list)
    #: What there is too little of, for a :class:`DoesNotFitError`.
    shortages: list[Shortage] = field(default_factory=list)

    def require(self, holds: bool, message: str) -> bool:
        """Note `message` unless `holds`; returns `holds`, so that later checks can depend on it."""
        if not holds:
            self.found.append(message)
        return holds

    def raise_as(self, error: type[InputError], advice: str = "") -> None:
        """Raise `error` naming every problem found; do nothing when there is none.

        `advice` says what to do about all of them, on a line of its own.
        """
        if not self.found:
            return
        last = f"\n{advice}" if advice else ""
        if len(self.found) == 1:
            text = f"{self.subject}: {self.found[0]}{last}"
        else:
            listing = "\n".join(f"  - {problem}" for problem in self.found)
            text = f"{self.subject}: {len(self.found)} problems\n{listing}{last}"
        raised = error(text)
        raised.problems = tuple(self.found)
        if isinstance(raised, DoesNotFitError):
            raised.shortages = tuple(self.shortages)
        raise raised
