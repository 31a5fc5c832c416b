"""The semantics of templates/simulation/region.h once more, as plainly as possible.

Every cycle starts from a snapshot of all streams; every process is resumed in every cycle. Slow,
and written independently of the C++: no wake-ups, no counters of latest transfers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

MASK = (1 << 64) - 1


def splitmix64(seed: int, index: int) -> int:
    """Output `index`, from 0, of the generator SplitMix64."""
    z = (seed + (index + 1) * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
    return z ^ z >> 31


def stalls(seed: int, numerator: int, denominator: int, cycle: int) -> bool:
    """Whether a stream with this stall pattern pauses in `cycle`."""
    return denominator > 0 and splitmix64(seed, cycle) % denominator < numerator


@dataclass(frozen=True)
class StreamSetup:
    """A stream, as network.cpp reads it."""

    depth: int = 2
    external: bool = False
    seed: int = 0
    numerator: int = 0
    denominator: int = 0
    prefill: int = 0


@dataclass(frozen=True)
class ProcessSetup:
    """A process: its operations, and how often they are repeated."""

    repetitions: int
    script: tuple[str, ...]


@dataclass(frozen=True)
class Network:
    """What network.cpp runs."""

    patience: int
    streams: tuple[StreamSetup, ...]
    processes: tuple[ProcessSetup, ...]

    def describe(self, orders: list[list[int]]) -> str:
        """Give the input of network.cpp, to run in each of the spawn orders."""
        words: list[object] = [self.patience, len(self.streams)]
        for s in self.streams:
            words += [s.depth, int(s.external), s.seed, s.numerator, s.denominator, s.prefill]
        words.append(len(self.processes))
        for p in self.processes:
            words += [p.repetitions, len(p.script), *p.script]
        words.append(len(orders))
        for order in orders:
            words += order
        return " ".join(map(str, words))


class PortUsedTwice(Exception):
    """A process moved two elements through one end of a stream in a cycle."""


@dataclass
class Stream:
    name: str
    setup: StreamSetup
    elements: list[int] = field(default_factory=list)
    written: int = 0
    read: int = 0
    high_water: int = 0
    waits: dict[str, int] = field(default_factory=lambda: {"w": 0, "r": 0})
    # In this cycle:
    fill_before: int = 0
    moved: dict[str, int] = field(default_factory=dict)
    stalled: bool = False

    def __post_init__(self) -> None:
        self.elements = list(range(self.setup.prefill))
        self.written = self.high_water = self.setup.prefill

    def start_cycle(self, cycle: int) -> None:
        self.fill_before = len(self.elements)
        self.moved = {"w": 0, "r": 0}
        s = self.setup
        self.stalled = stalls(s.seed, s.numerator, s.denominator, cycle)

    def available(self, end: str) -> bool:
        if end == "r":
            return self.fill_before - self.moved["r"] > 0
        return self.setup.external or self.fill_before + self.moved["w"] < self.setup.depth

    def take(self) -> int:
        self.moved["r"] += 1
        self.read += 1
        return self.elements.pop(0)

    def put(self, value: int) -> None:
        self.moved["w"] += 1
        self.written += 1
        self.elements.append(value)
        self.high_water = max(self.high_water, self.fill_before + self.moved["w"])

    def describe(self) -> str:
        size = "external" if self.setup.external else f"depth {self.setup.depth}"
        return (
            f"stream '{self.name}' ({size}, fill {len(self.elements)}, "
            f"written {self.written}, read {self.read})"
        )


@dataclass
class Process:
    name: str
    setup: ProcessSetup
    log: str = ""
    finished: bool = False
    blocked: tuple[Stream, str, int] | None = None
    polled: tuple[Stream, str] | None = None
    idle_since: int = 0


@dataclass
class Outcome:
    """How a run ended."""

    #: Total of cycles of a run that ended well.
    cycles: int | None
    #: Error messages that the run may end with; lines sorted, as they follow the spawn order.
    errors: frozenset[str]
    #: Log of each process.
    logs: list[str]
    #: (written, read, high water, writer's waits, reader's waits) of each stream.
    stats: list[tuple[int, int, int, int, int]]


class Simulator:
    """Runs one network."""

    def __init__(self, network: Network) -> None:
        self.patience = network.patience
        self.streams = [Stream(f"s{i}", s) for i, s in enumerate(network.streams)]
        self.processes = [Process(f"p{i}", p) for i, p in enumerate(network.processes)]
        self.cycle = 0
        self.progress = False
        self.held_up = False

    def run(self) -> Outcome:
        flows = [self._perform(p) for p in self.processes]
        idle = 0
        while True:
            self.progress = self.held_up = False
            for stream in self.streams:
                stream.start_cycle(self.cycle)
            errors = set()
            for process, flow in zip(self.processes, flows, strict=True):
                if process.finished:
                    continue
                try:
                    process.finished = next(flow, None) is None
                except PortUsedTwice as error:
                    errors.add(str(error))
            if errors:
                return self._outcome(None, errors)
            if all(p.finished for p in self.processes):
                return self._finish()
            idle = 0 if self.progress else idle + (not self.held_up)
            if idle > self.patience or self._all_blocked():
                return self._outcome(None, {self._deadlock_report()})
            self.cycle += 1

    def _all_blocked(self) -> bool:
        for process in self.processes:
            if process.finished:
                continue
            if process.blocked is None:
                return False
            stream, end, _ = process.blocked
            fill, setup = len(stream.elements), stream.setup
            if fill > 0 if end == "r" else setup.external or fill < setup.depth:
                return False
        return True

    def _deadlock_report(self) -> str:
        left = [p for p in self.processes if not p.finished]
        lines = [
            f"region 'network' deadlocked in cycle {self.cycle}: "
            f"{len(left)} of {len(self.processes)} processes cannot go on"
        ]
        for p in left:
            if p.blocked is not None:
                stream, end, since = p.blocked
                doing = "blocked reading empty" if end == "r" else "blocked writing full"
            else:
                assert p.polled is not None
                (stream, end), since = p.polled, p.idle_since
                doing = "polling empty" if end == "r" else "polling full"
            lines.append(f"  process '{p.name}' {doing} {stream.describe()} since cycle {since}")
        return "\n".join(sorted(lines))

    def _finish(self) -> Outcome:
        lines = [
            f"  {s.describe()}"
            for s in self.streams
            if s.elements
            and not s.setup.external
            # The region knows the streams that one of its processes used.
            and any(op[1:] == s.name[1:] for p in self.processes for op in p.setup.script)
        ]
        if lines:
            lines.append("region 'network' ended with elements left in its streams")
            return self._outcome(None, {"\n".join(sorted(lines))})
        return self._outcome(self.cycle, set())

    def _outcome(self, cycles: int | None, errors: set[str]) -> Outcome:
        stats = [
            (s.written, s.read, s.high_water, s.waits["w"], s.waits["r"]) for s in self.streams
        ]
        return Outcome(cycles, frozenset(errors), [p.log for p in self.processes], stats)

    def _perform(self, self_: Process) -> Iterator[bool]:
        """Perform a script; yields True at the end of each cycle spent in it."""
        next_value = 0
        vain = False

        def note(operation: str, result: object = "") -> None:
            self_.log += f"{self.cycle}{operation}:{result} "

        def progress() -> None:
            self.progress = True
            self_.idle_since = self.cycle + 1

        def allowed(stream: Stream, end: str) -> bool:
            if not stream.available(end):
                return False
            self.held_up |= stream.stalled
            return not stream.stalled

        def check_port(stream: Stream, end: str) -> None:
            if stream.moved[end]:
                verb = "read" if end == "r" else "write"
                raise PortUsedTwice(
                    f"process '{self_.name}' must not {verb} stream '{stream.name}' twice in "
                    f"cycle {self.cycle}: a port moves one element a cycle; "
                    "an end_cycle() belongs between"
                )

        for operation in self_.setup.script * self_.setup.repetitions:
            if operation == ".":
                if not vain:
                    progress()
                vain = False
                yield True
                continue
            kind, stream = operation[0], self.streams[int(operation[1:])]
            end = "r" if kind in "rdne" else "w"
            if kind in "ef":
                success = allowed(stream, end)
                note(operation, int(not success))
            else:
                check_port(stream, end)
                success = allowed(stream, end)
            if kind in "rdw" and not success:
                since = self.cycle
                self_.blocked = (stream, end, since)
                while True:
                    yield True
                    if allowed(stream, end):
                        break
                self_.blocked = None
                stream.waits[end] += self.cycle - since
                success = True
            if not success:
                vain = True
                self_.polled = (stream, end)
                if kind in "nm":
                    stream.waits[end] += 1
                    note(operation, -1 if kind == "n" else 0)
            elif kind in "rdn":
                progress()
                value = stream.take()
                note(operation, value)
                for _ in range(value % 3 if kind == "d" else 0):
                    if not vain:
                        progress()
                    vain = False
                    yield True
            elif kind in "wm":
                progress()
                stream.put(next_value)
                next_value += 1
                note(operation, 1 if kind == "m" else "")
