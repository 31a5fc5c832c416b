"""Section of the page on the speed of the host's side."""

from __future__ import annotations

from benchmarks.host_calls import BOARD, MADE_AGAIN, SIDES
from benchmarks.host_speed import HostRow
from benchmarks.prose import bullets, paragraphs
from benchmarks.results import Results
from benchmarks.tables import percent, table
from eie.hls.spec.boards import BOARDS

__all__ = ["host"]

#: What moves data, and what is done to it on the way.
_WAYS = {"write": "packet written", "read": "answer read"}


def host(results: Results) -> str:
    """Packets written and answers read beside memcpy, and what a call costs."""
    rows: list[HostRow] = list(results.rows("host"))
    text = paragraphs(
        """
        How fast the driver is where the accelerator is not concerned. *Measured*, all that is
        compared in turn in the same rounds; these times are so short that whatever else runs shows
        in them, and it only adds, so they are the best of up to 31 rounds. The medians are in
        evaluation.json.
        """
    )
    parts = (text, _bytes(rows), _call(rows), _transfer(rows))
    return "## Speed of the host side\n\n" + "\n\n".join(parts)


def _by_what(rows: list[HostRow], group: str) -> dict[str, HostRow]:
    return {row.what: row for row in rows if row.group == group}


def _bytes(rows: list[HostRow]) -> str:
    lines = []
    shares: dict[str, list[float]] = {way: [] for way in _WAYS}
    for way, name in _WAYS.items():
        cases = [row for row in rows if (row.group, row.what) == (way, "int16")]
        for case in cases:
            found = {
                row.what: row
                for row in rows
                if (row.group, row.width, row.batch) == (way, case.width, case.batch)
            }
            copied = found["memcpy"].best_us
            shares[way].append(found["crc"].best_us / case.best_us)
            lines.append(
                [
                    f"{name}, {case.batch:,} x {case.width:,}",
                    f"{case.size:,}",
                    _rate(found["memcpy"]),
                    _rate(case),
                    f"{case.best_us / copied:.0f}",
                    percent(shares[way][-1]),
                    _rate(found["float32"]),
                    f"{found['float32'].best_us / copied:.0f}",
                ]
            )
    head = ["vectors x inputs or outputs", "bytes", "memcpy, MB/s", "int16, MB/s"]
    head += ["times memcpy", "CRC of it", "float32, MB/s", "times memcpy"]
    board = BOARDS[BOARD]
    low, high = ([f(shares[way]) for way in _WAYS] for f in (min, max))
    text = paragraphs(
        """
        What `Accelerator.run` does to vectors: a request is written into a buffer of
        `pynq.allocate`, its inputs in the order in which the packer wants them sent, with CRCs; an
        answer is checked, and its outputs put back in order into an array that is there. *float32*
        is what most programs call: inputs are quantised first, outputs made real numbers last.
        *memcpy* is numpy's `copyto` of as many bytes into the same buffer, or out of it, in the
        same rounds. Megabytes (10^6) a second of packet, in one thread.
        """
    )
    bounds = paragraphs(
        f"""
        Copies of these sizes seem to stay in the caches: memcpy is as fast as it gets. *CRC of it*
        is the time of zlib's CRC-32 of the same bytes, alone: {percent(low[0])} to
        {percent(high[0])} of a packet written, {percent(low[1])} to {percent(high[1])} of an answer
        read. The rest of a large batch is the order: two bytes at a time from anywhere in the
        vector. The rest of a small one are the calls of Python and numpy, whatever its size. From
        float32 it is six passes over each value, and memory that is new each time.
        For comparison: the DMA of a {board.title} moves 8 bytes a cycle at most, which is
        {8 * board.clock_mhz:,} MB/s at its starting clock.
        """
    )
    return f"### Bytes\n\n{text}\n\n{table(head, lines)}\n\n{bounds}"


def _rate(row: HostRow) -> str:
    return f"{row.size / row.best_us:,.0f}"


def _call(rows: list[HostRow]) -> str:
    found = _by_what(rows, "call")
    whole = found["run"]
    clocked = {side: found[side].best_us for side in SIDES}
    alone = {
        side: sum(found[f"alone: {part}"].best_us for part in parts)
        for side, parts in MADE_AGAIN.items()
    }
    own = clocked["eie"] + clocked["pynq"]
    own_alone = alone["eie"] + alone["pynq"]
    names = {"eie": "eie", "pynq": "pynq", "device": "emulated device and null kernel"}
    lines = [[name, f"{clocked[side]:.1f}", f"{alone[side]:.1f}"] for side, name in names.items()]
    lines.append(["all three", f"{sum(clocked.values()):.1f}", f"{sum(alone.values()):.1f}"])
    lines.append(["eie and pynq", f"{own:.1f}", f"{own_alone:.1f}"])
    shares = [percent(clocked["pynq"] / own), percent(alone["pynq"] / own_alone)]
    lines.append(["pynq's share of these two", *shares])
    together = sum(alone.values()) / whole.best_us
    off = sum(clocked.values()) / whole.best_us - 1
    text = paragraphs(
        f"""
        `Accelerator.run` of one vector of {whole.width} int16 inputs on an emulated
        {BOARDS[BOARD].title}, with a kernel that does nothing: the answer is prepared. A call takes
        {whole.best_us:.0f} µs, and {found["run, float32"].best_us:.0f} µs from float32 to
        float32; {whole.reads} registers are read and {whole.writes} written. The emulation's part
        does not exist on a board, and is nobody's overhead.
        """
    )
    ways = bullets(
        f"""
        *In the call*: clocks around all that eie calls of pynq (registers, flush, invalidate, parts
        of buffers, whether the overlay is loaded) and around all that pynq calls of the device,
        less what the clocks take, which is measured by clocking nothing. All three together are
        {percent(abs(off), 1)} {"more" if off > 0 else "less"} than the call without clocks in the
        same rounds.
        """,
        f"""
        *Alone*: the same call on an overlay that is a dict of registers and plain arrays (eie);
        the calls into pynq, noted once and made again on a device that does nothing (pynq); the
        calls into the device, made again on it. All three together are {percent(together)} of
        the call. What is missing is no code that was left out: the same calls into the device take
        {percent(clocked["device"] / alone["device"] - 1)} longer within a call. A short piece of
        code that runs over and over again finds the processor's caches warm, presumably.
        """,
    )
    limits = paragraphs(
        f"""
        Not covered: nothing was measured on a board. Its registers are behind an uncached access
        over a bus, its flush and invalidate work on caches or call the operating system, and its
        ARM runs Python more slowly; here the first takes nothing and the second is the device's.
        `pynq.MMIO` also goes another way on a board: into mapped memory, while the emulated device
        gets each access through pynq's slower hook. The same accesses alone take
        {found["alone: registers"].best_us:.1f} µs by the hook and
        {found["alone: mapped registers"].best_us:.1f} µs into mapped memory that is ordinary.
        Waiting is not in it either: the answer is there at the first look.
        """
    )
    head = ["µs of a call", "in the call", "alone"]
    return f"### A call\n\n{text}\n\n{table(head, lines)}\n\n{ways}\n\n{limits}"


def _transfer(rows: list[HostRow]) -> str:
    found = _by_what(rows, "transfer")
    lines = []
    rest = {}
    for name, title in (("eie", "eie: start, finish"), ("pynq", "pynq: transfer, wait, twice")):
        whole, device = found[name], found[f"{name}: device"]
        rest[name] = whole.best_us - device.best_us
        lines.append(
            [
                title,
                whole.reads,
                whole.writes,
                f"{whole.best_us:.1f}",
                f"{device.best_us:.1f}",
                f"{rest[name]:.1f}",
            ]
        )
    ratio = found["eie"].best_us / found["pynq"].best_us
    text = paragraphs(
        f"""
        The transfer alone, packet there and answer back, by our DMA driver and by pynq's
        (`recvchannel.transfer`, `sendchannel.transfer`, `wait` and `wait`), on one emulated board
        with the null kernel, in turn. Ours takes {ratio:.2f} times pynq's time, and
        {rest["eie"] / rest["pynq"]:.2f} times without the device's, whose calls were made again
        alone. It touches {_registers(found["eie"])} registers instead of
        {_registers(found["pynq"])}, each a bus access on a board, and has a deadline, which pynq's
        has not.
        """
    )
    head = ["", "registers read", "written", "µs", "of it emulated device", "rest"]
    return f"### A transfer, beside pynq's driver\n\n{text}\n\n{table(head, lines)}"


def _registers(row: HostRow) -> int:
    return row.reads + row.writes
