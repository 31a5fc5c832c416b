"""Hosts of a network of their own: namespaces of Linux on a bridge, for tests that run as root.

Each host has one link, to a switch that is a namespace, too; nothing outside them is touched. What
a test started is killed and the namespaces are removed when it ends, also when it fails; what a
killed test run left is removed by the next one.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

NETWORK = "10.213.77"
SCHEDULER = f"tcp://{NETWORK}.1:8786"
#: How soon Dask notices what is cut off; half a minute is its default, and this its minimum.
TCP_SECONDS = 11
#: A test that waits this long has failed.
PATIENCE = 400


def until(holds: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    """Wait for an event that has no handle to wait on."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"waited {seconds:g} s in vain: {what}"
        time.sleep(0.02)


@dataclass
class Running:
    """A program on a host, and what it prints."""

    process: subprocess.Popen[bytes]
    out: Path
    err: Path

    def printed(self) -> str:
        return self.out.read_text() + self.err.read_text()

    def kill(self) -> None:
        """SIGKILL it, and all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self, *, how: signal.Signals = signal.SIGSTOP) -> None:
        """Make it stand still, and all that it started; `how` SIGCONT lets it go on."""
        os.killpg(self.process.pid, how)

    def ended(self, seconds: float = PATIENCE) -> int:
        """Wait until it ends by itself; gives its status."""
        return self.process.wait(seconds)


@dataclass
class Host:
    """A machine with an address, a link and a folder of its own."""

    namespace: str
    address: str
    switch: str
    port: str
    folder: Path
    running: list[Running] = field(default_factory=list)

    def start(self, command: Sequence[str], **environment: str) -> Running:
        number = len(self.running)
        out, err = (self.folder / f"{number}.{name}" for name in ("out", "err"))
        with out.open("wb") as out_file, err.open("wb") as err_file:
            process = subprocess.Popen(
                ["ip", "netns", "exec", self.namespace, *command],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out_file,
                stderr=err_file,
                start_new_session=True,
                env={
                    **os.environ,
                    "HOME": str(self.folder),
                    "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": f"{TCP_SECONDS}s",
                    "DASK_TEMPORARY_DIRECTORY": str(self.folder),
                    **environment,
                },
            )
        self.running.append(Running(process, out, err))
        return self.running[-1]

    def dask(self, *words: str, flags: Sequence[str] = (), **environment: str) -> Running:
        return self.start([sys.executable, *flags, "-m", "dask", *words], **environment)

    def scheduler(self) -> Running:
        """Start a scheduler, and wait until it listens."""
        started = self.dask("scheduler", "--host", self.address, "--port", "8786", "--no-dashboard")
        until(lambda: "Scheduler at:" in started.printed(), "a scheduler listens")
        return started

    def worker(self, *, flags: Sequence[str] = (), wait: bool = True, **env: str) -> Running:
        """Start a worker with one thread, and wait until it has registered."""
        words = ["worker", SCHEDULER, "--nthreads", "1", "--no-dashboard"]
        started = self.dask(*words, flags=flags, **env)
        if wait:
            until(lambda: "Registered to:" in started.printed(), "a worker registers")
        return started

    def keep_a_worker(self) -> Running:
        """Start workers for ever (docs/how-to/exploring.md): one ends when its scheduler does."""
        worker = f"{sys.executable} -m dask worker {SCHEDULER} --nthreads 1 --no-dashboard"
        return self.start(["sh", "-c", f"while :; do {worker}; sleep 1; done"])

    def link(self, state: str) -> None:
        """Cut the host off (``down``), or put its plug back in (``up``)."""
        ip("-n", self.switch, "link", "set", self.port, state)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def remove(namespace: str) -> None:
    """Kill what runs in a namespace that a test made, and remove it."""
    for _ in range(50):
        pids = subprocess.run(
            ["ip", "netns", "pids", namespace], capture_output=True, text=True, check=False
        ).stdout.split()
        if not pids:
            break
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        time.sleep(0.02)
    subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)


def namespaces() -> list[str]:
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=False)
    return [line.split()[0] for line in listed.stdout.splitlines() if line]


def sweep() -> None:
    """Remove what test runs left that are no more; a name has the process that made it."""
    for name in namespaces():
        first, _, rest = name.partition("-")
        if first == "eietest" and not Path("/proc", rest.partition("-")[0]).exists():
            remove(name)


@dataclass(frozen=True)
class Hosts:
    """One for the scheduler, two for workers, one for the client."""

    scheduler: Host
    left: Host
    right: Host
    client: Host
    #: Of the scheduler.
    address: str = SCHEDULER
    until: Callable[..., None] = until


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    if os.geteuid() != 0:
        pytest.skip("hosts are network namespaces, which only root can make")
    if shutil.which("ip") is None:
        pytest.skip("hosts are network namespaces, made by `ip` of iproute2, which is not here")
    sweep()
    prefix = f"eietest-{os.getpid()}"
    switch = f"{prefix}-switch"
    made: list[str] = []
    machines: list[Host] = []
    try:
        try:
            ip("netns", "add", switch)
            made.append(switch)
            ip("-n", switch, "link", "add", "bridge", "type", "bridge")
        except subprocess.CalledProcessError as error:
            pytest.skip(f"this machine lets root make no namespaces or bridges: {error.stderr!r}")
        ip("-n", switch, "link", "set", "bridge", "up")
        for number, name in enumerate(("scheduler", "left", "right", "client"), 1):
            namespace, port = f"{prefix}-{name}", f"port{number}"
            ip("netns", "add", namespace)
            made.append(namespace)
            peer = ("peer", "name", "eth0", "netns", namespace)
            ip("-n", switch, "link", "add", port, "type", "veth", *peer)
            ip("-n", switch, "link", "set", port, "master", "bridge", "up")
            address = f"{NETWORK}.{number}"
            ip("-n", namespace, "address", "add", f"{address}/24", "dev", "eth0")
            ip("-n", namespace, "link", "set", "lo", "up")
            ip("-n", namespace, "link", "set", "eth0", "up")
            folder = tmp_path / name
            folder.mkdir()
            machines.append(Host(namespace, address, switch, port, folder))
        yield Hosts(*machines)
    finally:
        for namespace in reversed(made):
            remove(namespace)
        for host in machines:
            for program in host.running:
                program.process.wait()
        assert not set(made) & set(namespaces())
