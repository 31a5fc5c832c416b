"""Compile a generated project with g++ and send packets to it.

:class:`CompiledKernel` is an :class:`eie.host.protocol.engine.Engine` whose accelerator is the
generated C++ itself, with streams as deep as declared. It runs in a process of its own, so a
deadlock or a crash of the kernel is an error here and nothing more.
"""

from __future__ import annotations

import contextlib
import os
import queue
import struct
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from eie.hls.boundary.errors import (
    DeadlockError,
    DeviceTimeoutError,
    InputError,
    PacketError,
    ToolError,
)
from eie.hls.boundary.warning import warn
from eie.hls.compiler.cxx import first_lines
from eie.hls.project.project_check import foreign_sources, warning_text
from eie.hls.spec.packets import BEAT_BYTES
from eie.hls.spec.registers import PORTS
from eie.hls.tools.gxx import kept_program

__all__ = ["CompiledKernel"]

_SOURCES = ("kernel/eie.cpp", "simulation/server.cpp")


class CompiledKernel:
    """The accelerator of a generated project, compiled and running.

    The folder's code is run with the rights of the caller. Where it is not what this version of
    eie generates for the folder's design, an :class:`eie.hls.boundary.errors.EieWarning` says so.

    The program is kept (:mod:`eie.hls.compiler.program_store`), and used again until the sources,
    the compiler or its flags change.

    Parameters
    ----------
    project
        Folder that :func:`eie.hls.project.generator.generate` wrote.
    timeout
        Seconds that one packet may take.
    flags
        More compiler flags, such as sanitizers.

    Raises
    ------
    InputError
        If the folder is no generated project.
    ToolError
        If it cannot be compiled.
    """

    def __init__(
        self, project: str | os.PathLike[str], *, timeout: float = 600.0, flags: Sequence[str] = ()
    ) -> None:
        source = Path(project)
        for file in ("kernel/eie.cpp", "Makefile"):
            if not (source / file).is_file():
                raise InputError(f"{source} must be a generated project: it has no {file}")
        foreign = foreign_sources(source)
        if foreign:
            warn(warning_text(source, foreign))
        self._timeout = timeout
        with kept_program(source, _SOURCES, flags=flags) as program:
            self._process = subprocess.Popen(
                [str(program)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        self._registers: dict[str, int] = {port.name: 0 for port in PORTS}
        self._replies: queue.Queue[tuple[int, bytes] | None] = queue.Queue()
        assert self._process.stdout is not None
        self._reader = threading.Thread(
            target=_read_replies, args=(self._process.stdout, self._replies), daemon=True
        )
        self._reader.start()

    def __enter__(self) -> CompiledKernel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def registers(self) -> Mapping[str, int]:
        """The kernel's AXI4-Lite registers after the last packet."""
        return dict(self._registers)

    def process(self, packet: bytes) -> bytes:
        """Take one packet and give its answer; see :class:`eie.host.protocol.engine.Engine`.

        Raises
        ------
        DeadlockError
            If the dataflow region stopped; names processes and streams.
        ToolError
            If the program ended otherwise; the kernel is then closed.
        DeviceTimeoutError
            If the answer takes longer than the time-out; the kernel is then closed.
        """
        if not packet:
            raise PacketError("a packet must have at least one byte, not 0")
        whole = packet + bytes(-len(packet) % BEAT_BYTES)
        if self._process.stdin is None or self._process.poll() is not None:
            raise ToolError("the compiled kernel has ended; start a new one")
        try:
            self._process.stdin.write(struct.pack("<I", len(whole)) + whole)
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # The reply below says why the program ended.
        try:
            reply = self._replies.get(timeout=self._timeout)
        except queue.Empty:
            self.close()
            raise DeviceTimeoutError(
                f"the compiled kernel did not answer within {self._timeout} s; raise timeout, or "
                "look for an endless loop in it"
            ) from None
        if reply is None:
            assert self._process.stderr is not None
            text = self._process.stderr.read().decode(errors="replace")
            self.close()
            raise ToolError(f"the compiled kernel crashed:\n{first_lines(text)}")
        kind, body = reply
        if kind != 0:
            self.close()
            error = DeadlockError if kind == 1 else ToolError
            raise error(body.decode(errors="replace"))
        values = struct.unpack_from(f"<{len(PORTS)}I", body)
        self._registers = {port.name: value for port, value in zip(PORTS, values, strict=True)}
        return body[4 * len(PORTS) :]

    def close(self) -> None:
        """End the program; calling it again does nothing."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None and not pipe.closed:
                # A broken pipe holds a request that the program did not live to read.
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


def _read_replies(pipe: IO[bytes], replies: queue.Queue[tuple[int, bytes] | None]) -> None:
    """Move replies from the program's output to a queue, so that waiting can have a deadline."""
    while True:
        head = pipe.read(8)
        if len(head) < 8:
            break
        kind, length = struct.unpack("<II", head)
        body = pipe.read(length)
        if len(body) < length:
            break
        replies.put((kind, body))
    replies.put(None)
