"""Files appear whole or not at all, and nothing that is no file is replaced by one."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from folder_contents import names

import eie.hls.boundary.atomic
import eie.hls.boundary.partials
from eie.hls.boundary.atomic import check_writable, open_growing, write_whole
from eie.hls.boundary.partials import (
    is_partial,
    partial_file,
)
from eie.host.network import Network


def kind(path: Path) -> int:
    return stat.S_IFMT(path.lstat().st_mode)


@pytest.fixture
def umask():
    """Set the umask: umask(0o027)."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@pytest.fixture
def node(tmp_path):
    """Make a device: node(number) for the character device 1:number, of memory."""

    def make(number: int, of: int = stat.S_IFCHR) -> Path:
        path = tmp_path / "device"
        try:
            os.mknod(path, of | 0o666, os.makedev(1, number))
            os.close(os.open(path, os.O_WRONLY))
        except PermissionError:
            pytest.skip("devices can only be made by root, outside of most containers")
        return path

    return make


# What there may be at a path ---------------------------------------------------------------


def test_a_new_file_has_the_mode_of_the_umask(tmp_path, umask):
    umask(0o027)
    write_whole(tmp_path / "file", b"bytes")
    write_whole(tmp_path / "program", "text\n", executable=True)
    assert (tmp_path / "file").read_bytes() == b"bytes"
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "program").stat().st_mode) == 0o750


@pytest.mark.parametrize("mode", [0o600, 0o755, 0o666])
def test_an_existing_file_keeps_its_mode(tmp_path, umask, mode):
    path = tmp_path / "file"
    path.touch()
    path.chmod(mode)
    check_writable(path)
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root writes as somebody else")
def test_root_leaves_a_file_to_its_owner(tmp_path):
    path = tmp_path / "file"
    path.touch()
    os.chown(path, 65534, 65534)
    write_whole(path, b"new")
    assert (path.stat().st_uid, path.stat().st_gid) == (65534, 65534)


def test_a_link_stays_and_its_file_is_replaced(tmp_path):
    (tmp_path / "there").mkdir()
    real, link, second = tmp_path / "there/real", tmp_path / "link", tmp_path / "second"
    real.write_bytes(b"old")
    link.symlink_to("there/real")
    second.symlink_to("link")
    check_writable(second)
    write_whole(second, b"new")
    assert second.is_symlink() and link.is_symlink() and not real.is_symlink()
    assert real.read_bytes() == b"new"
    assert names(tmp_path) == ["link", "second", "there"]
    assert names(tmp_path / "there") == ["real"]


def test_a_link_to_nothing_gets_its_file(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there/new")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there/new").read_bytes() == b"new"


@pytest.mark.parametrize("target", ["link", "missing/file"])
def test_a_link_into_nowhere_is_refused(tmp_path, target):
    (tmp_path / "link").symlink_to(target)
    for call in (check_writable, lambda path: write_whole(path, b"")):
        with pytest.raises(OSError, match=r"there is no folder|No such file|Too many levels"):
            call(tmp_path / "link")
    assert str((tmp_path / "link").readlink()) == target
    assert names(tmp_path) == ["link"]


def test_a_fifo_is_written_to(tmp_path):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    check_writable(path)
    with ThreadPoolExecutor(1) as reader:
        found = reader.submit(path.read_bytes)
        write_whole(path, b"x" * 1_000_000)
        assert found.result() == b"x" * 1_000_000
    assert kind(path) == stat.S_IFIFO
    assert names(tmp_path) == ["fifo"]


def test_an_array_goes_through_a_fifo(tmp_path, random_network):
    path = tmp_path / "fifo.npz"
    os.mkfifo(path)
    network = random_network(6, 5, 3, golden=2)
    with ThreadPoolExecutor(1) as reader:
        found = reader.submit(path.read_bytes)
        network.save(path)
        (tmp_path / "copy.npz").write_bytes(found.result())
    assert Network.load(tmp_path / "copy.npz") == network
    assert kind(path) == stat.S_IFIFO


def test_a_fifo_that_is_no_longer_read_is_an_error(tmp_path):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writer = threading.Timer(0.1, os.close, [reader])
    writer.start()
    with pytest.raises(OSError, match="Broken pipe"):
        write_whole(path, b"x" * 10_000_000)
    writer.join()
    assert kind(path) == stat.S_IFIFO


def test_a_device_is_written_to(node):
    path = node(3)  # null
    check_writable(path)
    write_whole(path, b"x" * 100_000)
    assert kind(path) == stat.S_IFCHR
    assert names(path.parent) == ["device"]


def test_a_full_device_is_an_error_and_stays(node):
    path = node(7)  # full
    with pytest.raises(OSError, match="No space left on device"):
        write_whole(path, b"x")
    assert kind(path) == stat.S_IFCHR


def test_a_disk_is_refused(tmp_path):
    path = tmp_path / "disk"
    try:
        os.mknod(path, stat.S_IFBLK | 0o666, os.makedev(7, 255))
    except PermissionError:
        pytest.skip("devices can only be made by root, outside of most containers")
    for call in (check_writable, lambda path: write_whole(path, b"")):
        with pytest.raises(OSError, match="it is a disk"):
            call(path)
    assert kind(path) == stat.S_IFBLK


def test_a_socket_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the path of a socket is a short one
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        for call in (check_writable, lambda path: write_whole(path, b"")):
            with pytest.raises(OSError, match="it is a socket"):
                call(Path("socket"))
    assert kind(tmp_path / "socket") == stat.S_IFSOCK


def test_a_folder_is_refused(tmp_path):
    for path in (tmp_path, Path(), Path()):
        for call in (check_writable, lambda path: write_whole(path, b"")):
            with pytest.raises(IsADirectoryError, match="it is a folder"):
                call(path)
    assert names(tmp_path) == []


def test_a_read_only_file_is_refused_even_to_root(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"kept")
    path.chmod(0o444)
    for call in (check_writable, lambda path: write_whole(path, b"")):
        with pytest.raises(PermissionError, match=r"the file is read-only: chmod u\+w"):
            call(path)
    assert path.read_bytes() == b"kept"
    assert names(tmp_path) == ["file"]


@pytest.mark.skipif(os.geteuid() != 0, reason="a user without rights is made by root")
def test_a_read_only_folder_is_refused():
    """As a user who is not root: what that is told, by the call before and by the call itself."""
    code = """
import os, sys
from eie.hls.boundary.atomic import check_writable, write_whole
os.chdir(sys.argv[1])
os.setuid(65534)
for call in (check_writable, lambda path: write_whole(path, b"")):
    for name in ("new", "old"):
        try:
            call(name)
        except OSError as error:
            print(name, error.strerror)
"""
    with tempfile.TemporaryDirectory() as made:  # others cannot look into pytest's folders
        folder = Path(made)
        (folder / "old").touch()
        (folder / "old").chmod(0o666)
        folder.chmod(0o755)
        ran = subprocess.run(
            [sys.executable, "-c", code, folder], check=True, capture_output=True, text=True
        )
        told = [f"{name} the folder {folder} is read-only" for name in ("new", "old")]
        assert ran.stdout.splitlines() == 2 * told
        assert names(folder) == ["old"]


def test_the_longest_name_that_a_file_may_have(tmp_path):
    path = tmp_path / ("x" * 255)
    write_whole(path, b"whole")
    assert path.read_bytes() == b"whole"


def test_an_error_names_the_target(tmp_path):
    with pytest.raises(OSError) as refusal:
        write_whole(tmp_path / "nowhere" / "file", b"")
    assert refusal.value.filename == str(tmp_path / "nowhere" / "file")


def test_a_growing_file_is_a_file(tmp_path):
    flags = os.O_WRONLY | os.O_TRUNC
    (tmp_path / "kept").write_bytes(b"kept")
    (tmp_path / "link").symlink_to("kept")
    os.mkfifo(tmp_path / "fifo")
    reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    for name, why in (("link", "not a link"), ("fifo", "not a device or FIFO")):
        with pytest.raises(OSError, match=why):
            open_growing(tmp_path / name, flags)
    os.close(reader)
    assert (tmp_path / "kept").read_bytes() == b"kept"
    os.close(open_growing(tmp_path / "kept", flags))
    assert (tmp_path / "kept").read_bytes() == b""


# Whole, whoever else is at it --------------------------------------------------------------


def test_a_failure_in_the_middle_leaves_all_as_it_was(tmp_path, monkeypatch):
    def full(descriptor: int, content: memoryview) -> None:
        os.write(descriptor, content[:1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(eie.hls.boundary.atomic, "_write_all", full)
    (tmp_path / "old").write_bytes(b"old")
    for name in ("old", "new"):
        with pytest.raises(OSError, match="No space left on device"):
            write_whole(tmp_path / name, b"content")
    assert names(tmp_path) == ["old"]
    assert (tmp_path / "old").read_bytes() == b"old"


def test_six_threads_on_one_path_and_every_load_is_intact(tmp_path, random_network):
    path = tmp_path / "net.npz"
    networks = [random_network(12, 8, 4, seed=seed, golden=1) for seed in range(6)]
    networks[0].save(path)

    def save_and_load(network: Network) -> bool:
        intact = []
        for _ in range(40):
            network.save(path)
            intact.append(Network.load(path) in networks)
        return all(intact)

    with ThreadPoolExecutor(6) as threads:
        assert all(threads.map(save_and_load, networks))
    assert names(tmp_path) == ["net.npz"]


def test_several_processes_on_one_path_and_every_reading_is_whole(tmp_path):
    code = """
import sys
from eie.hls.boundary.atomic import write_whole
for _ in range(150):
    write_whole(sys.argv[1], sys.argv[2] * 50_000)
"""
    path = tmp_path / "file"
    path.write_text("a" * 50_000)
    writers = [
        subprocess.Popen([sys.executable, "-c", code, path, letter]) for letter in ("a", "b", "c")
    ]
    wholes = {letter * 50_000 for letter in "abc"}
    while any(writer.poll() is None for writer in writers):
        assert path.read_text() in wholes
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert names(tmp_path) == ["file"]


def test_no_name_is_used_twice_and_none_is_opened_that_exists(tmp_path, monkeypatch):
    with partial_file(tmp_path) as (first, one), partial_file(tmp_path) as (second, two):
        assert first != second and is_partial(first.name) and is_partial(second.name)
        os.close(one)
        os.close(two)
    # Somebody who could foresee the name after all, and left a link of it.
    monkeypatch.setattr("secrets.token_hex", lambda count: "0" * 2 * count)
    (tmp_path / "victim").write_bytes(b"kept")
    (tmp_path / f".eie-{'0' * 32}.partial").symlink_to("victim")
    with pytest.raises(FileExistsError):
        write_whole(tmp_path / "file", b"through the link")
    assert (tmp_path / "victim").read_bytes() == b"kept"
