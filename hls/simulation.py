"""Compile a generated project with g++ and send packets to it.

:class:`CompiledKernel` is an :class:`eie.host.engine.Engine` whose accelerator is the generated
C++ itself, with streams as deep as declared. It runs in a process of its own, so a deadlock or a
crash of the kernel is an error here and nothing more.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import queue
import shutil
import struct
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from eie.hls.registers import PORTS
from eie.host.errors import DeadlockError, DeviceTimeoutError, InputError, PacketError, ToolError
from eie.host.packets import BEAT_BYTES

__all__ = ["COMPILE_FLAGS", "CompiledKernel", "ap_types_folder", "compile_program"]

#: What the generated C++ is compiled with. The vendor's arithmetic headers are full of pragmas and
#: of values that are used before they are set, so those two warnings say nothing about the kernel.
COMPILE_FLAGS = (
    "-std=c++14",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Wno-unknown-pragmas",
    "-Wno-unused-label",
    "-Wno-uninitialized",
    "-Wno-maybe-uninitialized",
)
#: Names another folder with ap_int.h, such as the include folder of Vitis HLS.
_HEADERS_VARIABLE = "EIE_AP_TYPES"


def ap_types_folder() -> Path:
    """Folder with the vendor's arithmetic headers: ``$EIE_AP_TYPES``, or that of hls4ml.

    Raises
    ------
    ToolError
        If there is none.
    """
    chosen = os.environ.get(_HEADERS_VARIABLE)
    if chosen:
        folder = Path(chosen)
    else:
        # find_spec reads no code of hls4ml, which would import a lot.
        spec = importlib.util.find_spec("hls4ml")
        if spec is None or spec.origin is None:
            raise ToolError(
                "simulating needs the ap_int headers: pip install 'eie[hls]', or set "
                f"{_HEADERS_VARIABLE} to a folder with ap_int.h"
            )
        folder = Path(spec.origin).parent / "templates" / "vivado" / "ap_types"
    if not (folder / "ap_int.h").is_file():
        raise ToolError(
            f"there is no ap_int.h in {folder}; set {_HEADERS_VARIABLE} to a folder that has it"
        )
    return folder


def compile_program(
    project: Path, sources: Sequence[str], output: Path, *, flags: Sequence[str] = ()
) -> None:
    """Compile files of a generated project to a program.

    Each source is compiled by a g++ of its own, all at the same time.

    Parameters
    ----------
    project
        Folder of the generated project.
    sources
        Files to compile, relative to it.
    output
        The program; it appears whole or not at all.
    flags
        More flags for compiler and linker.

    Raises
    ------
    ToolError
        If there is no g++, or it fails; the message has the compiler's first errors.
    """
    compiler = shutil.which(os.environ.get("CXX", "g++"))
    if compiler is None:
        raise ToolError(
            "simulating needs a C++ compiler: install g++ (on Debian and Ubuntu: "
            "apt install g++), or set CXX"
        )
    includes = ["-Isimulation", "-Ikernel", "-isystem", str(ap_types_folder())]
    with tempfile.TemporaryDirectory(prefix="eie-") as temporary:
        objects = [str(Path(temporary) / f"{number}.o") for number in range(len(sources))]
        running = [
            subprocess.Popen(
                [compiler, *COMPILE_FLAGS, *flags, *includes, "-c", source, "-o", target],
                cwd=project,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for source, target in zip(sources, objects, strict=True)
        ]
        outputs = [process.communicate()[0] for process in running]
        for source, process, text in zip(sources, running, outputs, strict=True):
            if process.returncode != 0:
                raise ToolError(f"{compiler} could not compile {source}:\n{_head(text)}")
        program = Path(temporary) / "program"
        linked = subprocess.run(
            [compiler, *flags, *objects, "-o", str(program)],
            capture_output=True,
            text=True,
            check=False,
        )
        if linked.returncode != 0:
            raise ToolError(f"{compiler} could not link {output.name}:\n{_head(linked.stderr)}")
        output.parent.mkdir(parents=True, exist_ok=True)
        partial = output.with_name(f".{output.name}.{os.getpid()}.partial")
        shutil.copy2(program, partial)
        partial.replace(output)


class CompiledKernel:
    """The accelerator of a generated project, compiled and running.

    Parameters
    ----------
    project
        Folder that :func:`eie.hls.generator.generate` wrote.
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
        if not (source / "kernel" / "eie.cpp").is_file():
            raise InputError(f"{source} must be a generated project: it has no kernel/eie.cpp")
        self._timeout = timeout
        self._folder = tempfile.TemporaryDirectory(prefix="eie-")
        program = Path(self._folder.name) / "server"
        try:
            compile_program(
                source, ["kernel/eie.cpp", "simulation/server.cpp"], program, flags=flags
            )
        except BaseException:
            self._folder.cleanup()
            raise
        self._registers: dict[str, int] = {port.name: 0 for port in PORTS}
        self._process = subprocess.Popen(
            [str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
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
        """Take one packet and give its answer; see :class:`eie.host.engine.Engine`.

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
            raise ToolError(f"the compiled kernel crashed:\n{_head(text)}")
        kind, body = reply
        if kind != 0:
            self.close()
            error = DeadlockError if kind == 1 else ToolError
            raise error(body.decode(errors="replace"))
        values = struct.unpack_from(f"<{len(PORTS)}I", body)
        self._registers = {port.name: value for port, value in zip(PORTS, values, strict=True)}
        return body[4 * len(PORTS) :]

    def close(self) -> None:
        """End the program and remove it; calling it again does nothing."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None and not pipe.closed:
                # A broken pipe holds a request that the program did not live to read.
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self._folder.cleanup()


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


def _head(text: str, lines: int = 30) -> str:
    """First lines of a tool's output: the first error matters most."""
    parts = text.strip().splitlines()
    more = f"\n... {len(parts) - lines} more lines" if len(parts) > lines else ""
    return "\n".join(parts[:lines]) + more
