"""Packages, and a board to deploy them to: a real sshd on loopback, and an ssh for it alone."""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from eie.hls.spec.design import Design
from eie.hls.tools.manifest import Manifest, sha256_of
from eie.host.deploy.deploy import deploy
from eie.host.deploy.package import package
from eie.host.deploy.ssh import Connection, Target
from eie.host.deploy.zip_file import zip_bytes
from eie.host.network import Network
from eie.host.run.batch import emulate

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
DESIGN = Design(pes=4, entries_per_pe=8192, board="pynq-z2")


@pytest.fixture(scope="session")
def network(random_network) -> Network:
    """A network whose golden outputs are right."""
    drawn = random_network(20, 30, 10, golden=6)
    outputs = emulate(drawn, DESIGN, drawn.golden_inputs, report=False).outputs
    return Network(drawn.layers, drawn.golden_inputs, outputs, drawn.metadata)


@pytest.fixture(scope="session")
def project_package(tmp_path_factory, network) -> Path:
    """A package before a build, with labels of which half are right."""
    path = tmp_path_factory.mktemp("package") / "project.zip"
    labels = network.golden_outputs.argmax(axis=1)
    labels[::2] = (labels[::2] + 1) % 10
    return package(path, network=network, design=DESIGN, labels=labels)


@pytest.fixture(scope="session")
def recurrent_package(tmp_path_factory, recurrent_network, recurrent_design) -> Path:
    """One of a recurrent network, with its golden vectors as sequences."""
    path = tmp_path_factory.mktemp("package") / "recurrent.zip"
    return package(path, network=recurrent_network, design=recurrent_design)


@pytest.fixture(scope="session")
def build(tmp_path_factory) -> Path:
    """A folder as `eie build` leaves it, with a bitstream that no FPGA would take."""
    folder = tmp_path_factory.mktemp("build")
    (folder / "eie.bit").write_bytes(b"no bitstream" * 1000)
    (folder / "eie.hwh").write_text("<EDKSYSTEM/>")
    manifest = Manifest(
        design=DESIGN,
        part="xc7z020clg400-1",
        board_part="none",
        tool="Vivado v2023.2",
        date="2024-01-01",
        clock_hz=100_000_000,
        wns_ns=0.1,
        whs_ns=0.01,
        files={name: sha256_of(folder / name) for name in ("eie.bit", "eie.hwh")},
    )
    (folder / "manifest.json").write_text(manifest.to_json())
    return folder


@pytest.fixture(scope="session")
def built_package(tmp_path_factory, network, build) -> Path:
    path = tmp_path_factory.mktemp("package") / "built.zip"
    return package(path, network=network, bitstream=build / "eie.bit")


def repack(
    source: Path, changes: dict[str, bytes | None], path: Path, *, right: bool = True
) -> Path:
    """Write a package with some files changed or left out; sums are made `right`, or left."""
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    top = next(iter(members)).partition("/")[0]
    for name, data in changes.items():
        if data is None:
            del members[f"{top}/{name}"]
        else:
            members[f"{top}/{name}"] = data
    if right:
        del members[f"{top}/SHA256SUMS"]
        lines = [
            f"{hashlib.sha256(data).hexdigest()}  {name.partition('/')[2]}\n"
            for name, data in sorted(members.items())
        ]
        members[f"{top}/SHA256SUMS"] = "".join(lines).encode()
    path.write_bytes(zip_bytes(members))
    return path


@pytest.fixture
def repacked(tmp_path) -> Callable[..., Path]:
    """Change files of a package: ``repacked(zip, {name: bytes or None})``."""

    def change(source: Path, changes: dict[str, bytes | None], **options: bool) -> Path:
        return repack(source, changes, tmp_path / "changed.zip", **options)

    return change


@pytest.fixture(scope="session")
def quick_package(project_package) -> Path:
    """A package whose run.py checks nothing, for tests of the way there and back."""
    script = b"""
import sys
with open(sys.argv[sys.argv.index("--out") + 1], "w") as file:
    file.write("nothing was checked\\n")
print("All checks passed.")
"""
    return repack(project_package, {"run.py": script}, project_package.with_name("quick.zip"))


@pytest.fixture
def unpacked(tmp_path) -> Callable[[Path], Path]:
    """Unpack a package; gives its folder."""

    def unpack(source: Path) -> Path:
        with zipfile.ZipFile(source) as archive:
            archive.extractall(tmp_path / "unpacked")
        (folder,) = (tmp_path / "unpacked").iterdir()
        return folder

    return unpack


@dataclass(frozen=True)
class Sshd:
    """A server on loopback that lets one key in."""

    port: int
    #: Its process.
    pid: int
    #: The key, and one that it refuses.
    key: Path
    wrong_key: Path
    #: ssh's configuration: it knows the server, and no key.
    config: Path

    @property
    def target(self) -> str:
        return f"{getpass.getuser()}@127.0.0.1"

    def sessions(self) -> list[int]:
        """Processes that serve a connection."""
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                status = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(status[1]) == self.pid and status[0] != "Z":
                    found.append(int(entry.name))
        return found


@pytest.fixture(scope="session")
def eventually() -> Callable[[Callable[[], object], str], None]:
    """Wait until something holds that another process brings about."""

    def wait(holds: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < deadline, what
            time.sleep(0.02)

    return wait


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Give a port of loopback that nobody listens on."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return find


@pytest.fixture(scope="session")
def sshd(tmp_path_factory, eventually, free_port) -> Iterator[Sshd]:
    if SSHD is None or not all(map(shutil.which, ("ssh", "ssh-keygen"))):
        pytest.skip("there is no sshd: apt install openssh-server openssh-client")
    folder = tmp_path_factory.mktemp("sshd")
    folder.chmod(0o700)
    for name in ("host", "user", "wrong"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True)
    shutil.copy(folder / "user.pub", folder / "authorized_keys")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where root's sshd separates rights
    port = free_port()
    (folder / "sshd_config").write_text(
        f"""Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
"""
    )
    host_key = (folder / "host.pub").read_text().split()[:2]
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {' '.join(host_key)}\n")
    (folder / "ssh_config").write_text(
        f"""UserKnownHostsFile {folder}/known_hosts
GlobalKnownHostsFile /dev/null
StrictHostKeyChecking yes
IdentityAgent none
IdentityFile none
"""
    )
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", str(folder / "sshd_config")], stdin=subprocess.DEVNULL,
            stdout=log, stderr=log,
        )  # fmt: skip
    try:

        def listens() -> bool:
            assert server.poll() is None, (folder / "log").read_text()
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        eventually(listens, "sshd does not listen")
        yield Sshd(port, server.pid, folder / "user", folder / "wrong", folder / "ssh_config")
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def board(sshd, tmp_path, monkeypatch) -> Sshd:
    """The server, with an ssh first on PATH that does not read the user's own configuration."""
    folder = tmp_path / "bin"
    folder.mkdir()
    ssh = shutil.which("ssh")
    (folder / "ssh").write_text(f'#!/bin/sh\nexec {ssh} -F {sshd.config} "$@"\n')
    (folder / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return sshd


@pytest.fixture
def there(tmp_path) -> Path:
    """Where packages go on the board; a name that a shell would take apart."""
    return tmp_path / "a board's $(folder)"


@pytest.fixture
def to_board(board, there):
    """Deploy a package; gives what came of it, and the lines that were said."""

    def run(package, **changes):
        said: list[str] = []
        values = {
            "port": board.port,
            "identity": board.key,
            "python": sys.executable,
            "folder": str(there),
            "emulated": True,
            "say": said.append,
            **changes,
        }
        return deploy(package, board.target, **values), said

    return run


@pytest.fixture
def connection(board) -> Connection:
    return Connection(Target.parse(board.target), board.port, board.key, sys.executable)
