"""What Vitis HLS says in its log of loops that miss their II, and of paths that miss the clock.

The reports have the figures, the log has the reasons. Its lines look so (2021.2 to 2024.2; the
numbers are the same in all of them, ``[v++ 200-885]`` in the unified flow)::

    INFO: [HLS 200-42] -- Implementing module 'decode_Pipeline_DECODE_LOOP'
    INFO: [SCHED 204-61] Pipelining loop 'DECODE_LOOP'.
    WARNING: [HLS 200-880] The II Violation in module 'hist_Pipeline_HIST' (loop 'HIST'): Unable to
      enforce a carried dependence constraint (II = 1, distance = 2, offset = 1) between ...
    WARNING: [HLS 200-885] The II Violation in module 'decode' (loop 'DECODE_LOOP'): Unable to
      schedule 'load' operation ('t_load_4') on array 't' due to limited memory ports (II = 2). ...
    WARNING: [HLS 200-878] Unable to schedule the loop exit test ('icmp' operation 1 bit
      ('icmp_ln27', fir.cpp:27)) in the first pipeline iteration (II = 1 cycles).
    WARNING: [HLS 200-448] Lower bound of II is 2 due to multiple operations accessing core:...
    INFO: [HLS 200-1470] Pipelining result : Target II = 1, Final II = 3, Depth = 4, loop 'NAME'
    WARNING: [HLS 200-871] Estimated clock period (4.194 ns) exceeds the target (target clock
      period: 3.330 ns, clock uncertainty: 0.899 ns, effective delay budget: 2.431 ns).
    WARNING: [HLS 200-1016] The critical path in module 'NAME' consists of the following:
      <tab>'add' operation 32 bit ('add_ln502', decode.cpp:502) [567]  (0.705 ns)

each in one line but for the path, of which every operation has one. Until 2021 II violations were
``[SCHED 204-68]``, went on in a second, indented line, and named the ``(Loop: NAME)``; results
were ``[SCHED 204-61] Pipelining result : ...`` without the loop. A message is written once for each
II that was tried, so the last is why the final II is not lower. UG1448 explains them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from eie.hls.boundary.errors import InputError

__all__ = ["HlsLog", "MissedClock", "PathStep", "PipelinedLoop", "read_log"]

_MESSAGE = re.compile(r"(?:INFO|WARNING|ERROR): \[[A-Za-z+]+ (\d+-\d+)\] ?(.*)")
_MODULE = re.compile(r"-- Implementing module '([^']+)'")
_PIPELINING = re.compile(r"Pipelining (?:loop|function) '([^']+)'")
_VIOLATION = re.compile(
    r"The II Violation in module '([^']+)'(?: \((?:loop '([^']+)'|function '([^']+)'|"
    r"[A-Z][a-z]+: ([^)]+))\))?: (.*)"
)
_RESULT = re.compile(
    r"Pipelining result ?: ?Target II ?[=:] ?(\d+|NA), Final II ?[=:] ?(\d+), "
    r"Depth ?[=:] ?(\d+)(?:, (?:loop|function) '([^']+)')?"
)
_CLOCK = re.compile(
    r"Estimated clock period \(([\d.]+) ?ns\) exceeds the target \(target clock period: "
    r"([\d.]+) ?ns, clock uncertainty: ([\d.]+) ?ns, effective delay budget: ([\d.]+) ?ns\)"
)
_PATH = re.compile(r"The critical path in module '([^']+)' consists of the following:\s*(.*)")
_STEP = re.compile(r"(.+?)\s+(?:\[\d+\]\s+)?\(([\d.]+) ?ns\)")
#: Messages that say why an II is not lower without naming module and loop; the latest do.
_REASONS = ("200-878", "200-448")
#: Messages of an II violation, the last of them an INFO since 2025.
_VIOLATIONS = ("200-880", "200-885", "200-2199", "204-68", "204-69")


@dataclass(frozen=True)
class PipelinedLoop:
    """A loop, or a function, that was pipelined, and why its II is not lower."""

    #: The module that has it.
    module: str
    #: Its label.
    loop: str
    #: The II that was asked for; None if the tool was free.
    target_ii: int | None
    #: The II that it got.
    final_ii: int
    #: Stages.
    depth: int
    #: Why not less: the last message of the tool, with its number; empty if there is none.
    reason: str


@dataclass(frozen=True)
class PathStep:
    """An operation of a critical path."""

    #: The operation, as the tool names it.
    operation: str
    #: Its delay, in ns.
    delay_ns: float


@dataclass(frozen=True)
class MissedClock:
    """A module whose longest path does not fit the period."""

    #: The module.
    module: str
    #: Its longest path, in ns.
    estimated_ns: float
    #: What the period leaves for it, in ns: without the clock uncertainty.
    budget_ns: float
    #: The path, from its start.
    path: tuple[PathStep, ...]


@dataclass(frozen=True)
class HlsLog:
    """What the log of a synthesis says of II and clock."""

    #: The file that was read.
    path: Path
    #: Every loop that was pipelined, in the order of the log.
    loops: tuple[PipelinedLoop, ...]
    #: Every module that misses the clock.
    clocks: tuple[MissedClock, ...]

    def reason(self, module: str, loop: str) -> str:
        """Say why the II of a loop is what it is, in the tool's words; empty if it does not say."""
        found = [each.reason for each in self.loops if (each.module, each.loop) == (module, loop)]
        return found[-1] if found else ""


def read_log(path: Path) -> HlsLog:
    """Read the log of a synthesis, which may go on with other steps or have those of several runs.

    What is not among the messages above is passed over: a log is for people, and a line that a
    release words in another way is no error. Of several runs the last counts.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"cannot read log {path}: {error.strerror}") from error
    reading = _Reading()
    for number, line in _messages(text):
        reading.take(number, line)
    return HlsLog(path, tuple(reading.loops), tuple(reading.clocks))


def _messages(text: str) -> Iterator[tuple[str, str]]:
    """Messages with their numbers; a line that goes on, indented, belongs to the one before."""
    number, parts = "", [""]
    for line in text.splitlines():
        if match := _MESSAGE.match(line):
            yield number, "\n".join(parts)
            number, parts = match[1], [match[2]]
        elif line[:1] in " \t" and line.strip():
            parts.append(line.strip())
        else:  # the end of it: an empty line, "Resolution: ..."
            yield number, "\n".join(parts)
            number, parts = "", [""]
    yield number, "\n".join(parts)


class _Reading:
    """Where in a log we are."""

    def __init__(self) -> None:
        self.loops: list[PipelinedLoop] = []
        self.clocks: list[MissedClock] = []
        self._enter("")

    def _enter(self, module: str) -> None:
        self._module, self._loop, self._reason = module, "", ""
        self._clock: MissedClock | None = None

    def take(self, number: str, text: str) -> None:
        """Take the next message."""
        flat = " ".join(text.split())
        if number == "200-10" and flat.startswith("Starting hardware synthesis"):
            # Another run of the tool, perhaps, in the same file.
            self.loops.clear()
            self.clocks.clear()
            self._enter("")
        elif match := _MODULE.match(flat):
            self._enter(match[1])
        elif match := _PIPELINING.match(flat):
            self._loop, self._reason = match[1], ""
        elif number in _VIOLATIONS and (match := _VIOLATION.match(flat)):
            self._module = match[1]
            self._loop = match[2] or match[3] or match[4] or self._loop
            self._reason = _worded(number, match[5])
        elif number in _REASONS:
            self._reason = _worded(number, flat)
        elif match := _RESULT.match(flat):
            self._take_result(match)
        elif match := _CLOCK.match(flat):
            self._clock = MissedClock(self._module, float(match[1]), float(match[4]), ())
            self.clocks.append(self._clock)
        elif match := _PATH.match(text):
            self._take_path(match[1], text)

    def _take_result(self, match: re.Match[str]) -> None:
        target, final, depth, loop = match.groups()
        self.loops.append(
            PipelinedLoop(
                self._module,
                loop or self._loop,
                None if target == "NA" else int(target),
                int(final),
                int(depth),
                self._reason,
            )
        )
        self._reason = ""

    def _take_path(self, module: str, text: str) -> None:
        """The path that the clock was missed by just before; others are in the way of none."""
        if self._clock is None:
            return
        steps = tuple(
            PathStep(_shortened(found[1]), float(found[2]))
            for line in text.partition("following:")[2].splitlines()
            if (found := _STEP.fullmatch(line.strip()))
        )
        self.clocks[-1] = self._clock = replace(self._clock, module=module, path=steps)


def _worded(number: str, text: str) -> str:
    """What a message says, with its number, but for its advice and for lists."""
    said = text.partition(". Please consider")[0].partition(": operation list")[0]
    return f"[{number}] {_shortened(said.rstrip('.'))}"


def _shortened(text: str) -> str:
    """Leave folders out, in which files of the tool and of people's machines lie."""
    return re.sub(r"(?:[A-Za-z]:)?(?:[\w.~-]*[/\\])+([\w.-]+:\d+)", r"\1", text)
