"""The bench that cocotb runs in the simulator: plays packets, stalls streams, records every beat.

It judges nothing: what it saw goes into a file. The environment names the job and that file, by
:data:`~eie.hls.tools.rtl.recording.JOB` and :data:`~eie.hls.tools.rtl.recording.SEEN`. Nothing else
imports this module, since cocotb is there only within a simulator.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Awaitable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.result import SimTimeoutError
from cocotb.triggers import RisingEdge, with_timeout
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiStreamBus,
    AxiStreamFrame,
    AxiStreamSink,
    AxiStreamSource,
)

from eie.hls.spec.packets import BEAT_BYTES
from eie.hls.spec.registers import AUTO_RESTART, PORTS, START, offset_of
from eie.hls.tools.rtl.recording import JOB, SEEN, BeatSeen, ExchangeSeen, Pass, PassSeen
from eie.hls.tools.rtl.sources import TOP

_PERIOD_NS = 10
_RESET_CYCLES = 16
#: Cycles after an answer in which a beat too many would show.
_QUIET_CYCLES = 24
#: Beats of an answer that has no end.
_TOO_MANY = 256


class _Hang(Exception):
    """Something was waited for in vain."""


class _Bench:
    """The kernel with its streams, its registers, and a record of what passes."""

    def __init__(self, dut: Any, ports: list[str]) -> None:
        # Handles by name: Verilator has a copy of each port within the module, which is written in
        # vain, and which a list of the module's signals has. In lower case, as the bus names them.
        handles = SimpleNamespace(
            _name=TOP, _log=dut._log, **{port.lower(): getattr(dut, port) for port in ports}
        )
        self._dut = dut
        bus = {"reset": dut.ap_rst_n, "reset_active_level": False}
        self.source = AxiStreamSource(
            AxiStreamBus.from_prefix(handles, "packets_in"), dut.ap_clk, **bus
        )
        self.sink = AxiStreamSink(
            AxiStreamBus.from_prefix(handles, "packets_out"), dut.ap_clk, **bus
        )
        self._registers = AxiLiteMaster(
            AxiLiteBus.from_prefix(handles, "s_axi_control"), dut.ap_clk, **bus
        )
        for part in (self.source, self.sink):
            part.log.setLevel("WARNING")
        for part in (self._registers.write_if, self._registers.read_if):
            part.log.setLevel("WARNING")
        # Every byte counts; nothing else drives it.
        dut.packets_in_TSTRB.value = (1 << BEAT_BYTES) - 1
        self.cycle = self.stalled = self.moved_at = 0
        self.seen = ExchangeSeen("")
        self._held: tuple[int, ...] | None = None

    async def watch(self) -> None:
        """Record every beat that is taken, and beats that change while they wait."""
        dut = self._dut
        while True:
            await RisingEdge(dut.ap_clk)
            self.cycle += 1
            if dut.packets_in_TVALID.value and dut.packets_in_TREADY.value:
                self.moved_at = self.cycle
                self.seen.request.append(BeatSeen(self.cycle, self.stalled))
            valid = bool(dut.packets_out_TVALID.value)
            if not valid and self._held is None:
                continue
            beat = (
                int(dut.packets_out_TDATA.value),
                int(dut.packets_out_TKEEP.value),
                int(dut.packets_out_TSTRB.value),
                int(dut.packets_out_TLAST.value),
            )
            if self._held is not None and (not valid or beat != self._held):
                what = "changed" if valid else "was taken back"
                self.seen.breaches.append(
                    f"beat {len(self.seen.answer)} of the answer {what} while it waited for "
                    "packets_out_TREADY"
                )
            self._held = None
            if not valid:
                continue
            if dut.packets_out_TREADY.value:
                self.moved_at = self.cycle
                data, keep, strb, last = beat
                self.seen.answer.append(
                    BeatSeen(self.cycle, self.stalled, data, keep, strb, bool(last))
                )
            else:
                self.stalled += 1
                self._held = beat

    async def reset(self) -> None:
        """Reset the kernel; cycles count from here."""
        self._dut.ap_rst_n.value = 0
        await self.wait(_RESET_CYCLES)
        self._dut.ap_rst_n.value = 1
        await self.wait(_RESET_CYCLES)
        self.cycle = self.stalled = self.moved_at = 0
        self._held = None

    async def wait(self, cycles: int) -> None:
        """Let some cycles pass."""
        for _ in range(cycles):
            await RisingEdge(self._dut.ap_clk)

    async def start(self, patience: int) -> None:
        """Start the kernel as the driver does: once, with auto-restart."""
        value = START | AUTO_RESTART
        offset = offset_of("CTRL")
        write = self._registers.write_dword(offset, value)
        await self._within(write, patience, "s_axi_control to take a write of CTRL")

    async def read(self, patience: int) -> dict[str, int]:
        """Read the kernel's own registers."""
        return {
            port.name: await self._within(
                self._registers.read_dword(port.offset),
                patience,
                f"s_axi_control to give register {port.name}",
            )
            for port in PORTS
        }

    async def _within(self, awaitable: Awaitable[Any], cycles: int, what: str) -> Any:
        try:
            return await with_timeout(cocotb.start_soon(awaitable), cycles * _PERIOD_NS, "ns")
        except SimTimeoutError:
            raise _Hang(f"waited {cycles} cycles for {what}") from None

    async def play(self, packet: dict[str, Any], patience: int) -> None:
        """Send a request and take the answer."""
        beats = packet["request"]
        data = b"".join(beat.to_bytes(BEAT_BYTES, "little") for beat in beats)
        self.moved_at = self.cycle
        await self.source.send(AxiStreamFrame(data))
        while not (self._answered() and len(self.seen.request) == len(beats)):
            await RisingEdge(self._dut.ap_clk)
            if len(self.seen.answer) > 2 * len(packet["answer"]) + _TOO_MANY:
                raise _Hang(
                    f"waited for an end of the answer: {len(self.seen.answer)} beats came, "
                    f"{len(packet['answer'])} were expected"
                )
            if self.cycle - self.moved_at > patience:
                raise _Hang(self._waited_for(len(beats), len(packet["answer"]), patience))
        registers: dict[str, int] = {}
        for _ in range(1 + patience // 100):
            registers = await self.read(patience)
            if registers["packets"] == packet["packets"]:
                break
            await self.wait(50)
        self.seen.registers = registers
        await self.wait(_QUIET_CYCLES)

    def _answered(self) -> bool:
        return any(beat.last for beat in self.seen.answer[-1:])

    def _waited_for(self, request: int, answer: int, patience: int) -> str:
        taken, given = len(self.seen.request), len(self.seen.answer)
        if taken < request:
            return (
                f"waited {patience} cycles for packets_in_TREADY to take beat {taken} of "
                f"{request} of the request; {given} of {answer} beats of the answer had come"
            )
        if given >= answer:
            return (
                f"waited {patience} cycles for TLAST: all {answer} beats of the answer had come, "
                "none with TLAST"
            )
        return (
            f"waited {patience} cycles for packets_out_TVALID with beat {given} of {answer} of the "
            "answer"
        )


def _pauses(plan: Pass, chance: float, which: str) -> Iterator[bool]:
    """Whether a stream is held up, cycle after cycle."""
    draw = random.Random(f"{plan.seed} {which}")
    while True:
        if draw.random() < chance:
            yield from [True] * draw.randint(1, plan.longest)
        else:
            yield False


async def _play_pass(bench: _Bench, plan: Pass, packets: list[dict[str, Any]]) -> PassSeen:
    seen = PassSeen(plan.name)
    bench.source.clear_pause_generator()
    bench.sink.clear_pause_generator()
    bench.source.pause = bench.sink.pause = False
    bench.sink.clear()
    bench.seen = ExchangeSeen("")
    await bench.reset()
    try:
        # Stalls make everything slower, but nothing stops.
        slower = 1 + plan.longest if plan.stall_in or plan.stall_out else 1
        seen.registers = await bench.read(packets[0]["patience"])
        await bench.start(packets[0]["patience"])
    except _Hang as hang:
        seen.hang = str(hang)
        return seen
    if slower > 1:
        bench.source.set_pause_generator(_pauses(plan, plan.stall_in, "in"))
        bench.sink.set_pause_generator(_pauses(plan, plan.stall_out, "out"))
    for packet in packets:
        # What has come before its request belongs to it as well: nobody asked for it.
        if not bench.seen.answer or bench.seen.name:
            bench.seen = ExchangeSeen(packet["name"])
        bench.seen.name = packet["name"]
        seen.exchanges.append(bench.seen)
        try:
            await bench.play(packet, slower * packet["patience"])
        except _Hang as hang:
            bench.seen.hang = str(hang)
            break
    seen.cycles = bench.cycle
    return seen


@cocotb.test()  # type: ignore[untyped-decorator]
async def play(dut: Any) -> None:
    """Play every pass of the job and write what was seen."""
    job = json.loads(Path(os.environ[JOB]).read_text(encoding="utf-8"))
    bench = _Bench(dut, job["ports"])
    cocotb.start_soon(Clock(dut.ap_clk, _PERIOD_NS, "ns").start())
    cocotb.start_soon(bench.watch())
    passes = []
    for plan in job["passes"]:
        passes.append(await _play_pass(bench, Pass(**plan), job["packets"]))
        if passes[-1].hang or any(each.hang for each in passes[-1].exchanges):
            break
    text = json.dumps([each.to_document() for each in passes])
    Path(os.environ[SEEN]).write_text(text, encoding="utf-8")
