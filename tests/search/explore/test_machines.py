"""`eie explore` over several machines, of which some go away and come back.

Four hosts (see conftest.py): a scheduler, two with a worker each, a client; they share no folder.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from eie.host.search.explore import Grid, explore

AXES = {
    "pes": (1, 2, 4, 8),
    "queue_depth": tuple(range(2, 18)),
    "index_bits": (3, 4, 5, 6),
    "memory": ("bram",),
}
POINTS = 2 * 4 * 16 * 4
WORDS = ["--board=pynq-z2", "--board=none", "--pes=1,2,4,8", "--queue-depth=2:17"]
WORDS += ["--index-bits=3:6", "--memory=bram"]
#: What the command says before it hands everything in again.
LOST = ": waiting up to 60 s, then going on"


@pytest.fixture(scope="module")
def network(random_network):
    return random_network(121, 150, 40, density=0.2, golden=1, magnitude=900)


@pytest.fixture(scope="module")
def here(network, tmp_path_factory) -> Path:
    """What this machine finds alone."""
    folder = tmp_path_factory.mktemp("here")
    found = explore(network, Grid.of(["pynq-z2", "none"], AXES), folder)
    assert len(found.results) == POINTS
    found.save(folder)
    return folder


def start(hosts, network, wait: float = 60):
    """Start the command on the client's host, or start it again."""
    path = hosts.client.folder / "net.npz"
    if not path.exists():
        network.save(path)
    command = [str(Path(sys.executable).with_name("eie")), "explore", "net.npz", *WORDS]
    return hosts.client.start(
        [*command, "--out=explored", f"--scheduler={hosts.address}", f"--wait={wait}"]
    )


def points(hosts) -> int:
    """Points that the client has on its disk."""
    path = hosts.client.folder / "explored" / "points.jsonl"
    return max(path.read_bytes().count(b"\n") - 1, 0) if path.exists() else 0


def in_mid_run(hosts, command, more: int = 1) -> int:
    """Wait until there are some points more; gives how many there are, which is not all."""
    before = points(hosts)
    hosts.until(
        lambda: points(hosts) >= before + more or command.process.poll() is not None,
        "points are evaluated",
    )
    assert command.process.poll() is None, command.printed()
    found = points(hosts)
    assert 0 < found < POINTS
    return found


def lines(folder: Path) -> list[str]:
    return (folder / "points.jsonl").read_text().splitlines()


def complete(hosts, here: Path, command) -> None:
    """The command ends well, with every point once, and all else as this machine has it."""
    assert command.ended() == 0, command.printed()
    assert "Traceback" not in command.printed()
    there = hosts.client.folder / "explored"
    assert lines(there)[0] == lines(here)[0]
    assert sorted(lines(there)) == sorted(lines(here))
    assert len(lines(there)) == len(set(lines(there))) == POINTS + 1
    for name in ("points.csv", "pareto.json"):
        assert (there / name).read_bytes() == (here / name).read_bytes()


def refused(command) -> str:
    """The command ends in one message and status 2; gives the message."""
    assert command.ended() == 2, command.printed()
    assert "Traceback" not in command.printed()
    message = command.err.read_text().splitlines()[-1]
    assert message.startswith("eie: ")
    return message


def test_three_hosts_find_what_one_machine_finds_and_a_worker_is_killed(hosts, network, here):
    hosts.scheduler.scheduler()
    left = hosts.left.worker()
    hosts.right.worker()
    command = start(hosts, network)
    in_mid_run(hosts, command)
    left.kill()
    complete(hosts, here, command)


@pytest.mark.slow
def test_all_workers_are_killed_and_others_join(hosts, network, here):
    hosts.scheduler.scheduler()
    left, right = hosts.left.worker(), hosts.right.worker()
    command = start(hosts, network)
    in_mid_run(hosts, command)
    left.kill()
    right.kill()
    hosts.left.worker()
    complete(hosts, here, command)
    assert LOST in command.printed()


@pytest.mark.slow
def test_a_worker_that_joins_later_helps(hosts, network, here):
    """The first one stands still until the second has joined, and then all is the second's."""
    hosts.scheduler.scheduler()
    left = hosts.left.worker()
    command = start(hosts, network)
    in_mid_run(hosts, command)
    left.stop()
    hosts.right.worker()
    left.kill()
    complete(hosts, here, command)


@pytest.mark.slow
def test_a_worker_is_cut_off_and_the_others_do_its_work(hosts, network, here):
    hosts.scheduler.scheduler()
    hosts.left.worker()
    hosts.right.keep_a_worker()
    hosts.until(lambda: "Registered to:" in hosts.right.running[0].printed(), "a worker registers")
    command = start(hosts, network)
    in_mid_run(hosts, command)
    hosts.right.link("down")
    complete(hosts, here, command)
    hosts.right.link("up")
    # Its worker has ended, and the next one finds the scheduler.
    hosts.until(lambda: hosts.right.running[0].printed().count("Registered to:") > 1, "it is back")


@pytest.mark.slow
@pytest.mark.parametrize("which", ["scheduler", "left", "client"])
def test_a_host_is_cut_off_for_a_while(hosts, network, here, which):
    """For longer than connections last; every worker is of a host that is cut off, or sees it."""
    hosts.scheduler.scheduler()
    hosts.left.keep_a_worker()
    hosts.until(lambda: "Registered to:" in hosts.left.running[0].printed(), "a worker registers")
    command = start(hosts, network)
    in_mid_run(hosts, command)
    host = getattr(hosts, which)
    host.link("down")
    hosts.until(lambda: LOST in command.printed(), "the command notices")
    host.link("up")
    complete(hosts, here, command)


@pytest.mark.slow
def test_a_host_is_cut_off_for_a_moment(hosts, network, here):
    """For less than connections last, so nothing is noticed."""
    hosts.scheduler.scheduler()
    hosts.left.worker()
    command = start(hosts, network)
    in_mid_run(hosts, command)
    hosts.left.link("down")
    hosts.left.link("up")
    complete(hosts, here, command)


@pytest.mark.slow
def test_the_scheduler_is_stopped_and_started_again(hosts, network, here):
    scheduler = hosts.scheduler.scheduler()
    hosts.left.keep_a_worker()
    hosts.right.keep_a_worker()
    command = start(hosts, network)
    in_mid_run(hosts, command)
    scheduler.kill()
    hosts.until(lambda: LOST in command.printed(), "the command notices")
    hosts.scheduler.scheduler()
    complete(hosts, here, command)


@pytest.mark.slow
def test_the_scheduler_is_gone_for_good_and_the_command_is_given_again(hosts, network, here):
    scheduler = hosts.scheduler.scheduler()
    hosts.left.worker()
    command = start(hosts, network, wait=5)
    in_mid_run(hosts, command)
    scheduler.kill()
    message = refused(command)
    assert f"the Dask scheduler at '{hosts.address}' has not answered for 5 s" in message
    assert "the same call goes on where this one stopped" in message
    kept = lines(hosts.client.folder / "explored")
    assert 1 < len(kept) < POINTS + 1
    hosts.scheduler.scheduler()
    hosts.left.worker()
    again = start(hosts, network)
    complete_but_evaluated(hosts, here, again, POINTS + 1 - len(kept))
    assert lines(hosts.client.folder / "explored")[: len(kept)] == kept


def complete_but_evaluated(hosts, here: Path, command, evaluated: int) -> None:
    complete(hosts, here, command)
    assert f"; {evaluated} evaluated in" in command.out.read_text()


@pytest.mark.slow
def test_the_scheduler_is_stopped_like_a_machine_that_hangs(hosts, network, here):
    """It keeps its connections, and does not answer."""
    scheduler = hosts.scheduler.scheduler()
    hosts.left.worker()
    command = start(hosts, network, wait=5)
    in_mid_run(hosts, command)
    scheduler.process.send_signal(signal.SIGSTOP)
    assert "has not answered for 5 s" in refused(command)


@pytest.mark.slow
def test_the_workers_are_gone_for_good(hosts, network):
    hosts.scheduler.scheduler()
    left = hosts.left.worker()
    command = start(hosts, network, wait=5)
    found = in_mid_run(hosts, command)
    left.kill()
    assert "has had no workers with this eie for 5 s" in refused(command)
    assert points(hosts) >= found


@pytest.mark.slow
def test_there_are_no_workers(hosts, network):
    hosts.scheduler.scheduler()
    command = start(hosts, network, wait=5)
    assert f"the Dask scheduler at '{hosts.address}' has no workers; start `dask worker" in refused(
        command
    )


@pytest.mark.slow
def test_workers_are_waited_for(hosts, network, here):
    """Scheduler and worker are started after the command."""
    command = start(hosts, network)
    hosts.until(lambda: "for a Dask scheduler at" in command.printed(), "it waits for a scheduler")
    hosts.scheduler.scheduler()
    hosts.until(lambda: "for workers of" in command.printed(), "it waits for workers")
    hosts.left.worker()
    complete(hosts, here, command)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_the_client_is_stopped_and_the_command_is_given_again(hosts, network, here, how):
    hosts.scheduler.scheduler()
    hosts.left.worker()
    hosts.right.worker()
    command = start(hosts, network)
    in_mid_run(hosts, command)
    os.killpg(command.process.pid, how)
    assert command.ended() == (130 if how == signal.SIGINT else -how)
    assert "Traceback" not in command.printed()
    if how == signal.SIGINT:
        assert command.err.read_text().endswith("eie: interrupted\n")
        assert "the same command goes on with what is in explored" in command.out.read_text()
    kept = points(hosts)
    assert 0 < kept < POINTS
    complete_but_evaluated(hosts, here, start(hosts, network), POINTS - kept)


def without_eie(folder: Path) -> dict[str, str]:
    """An environment that has Dask and all else, but no eie; for ``python -S``."""
    folder.mkdir()
    for entry in Path(pytest.__file__).parents[1].iterdir():
        if "eie" not in entry.name.lower():
            (folder / entry.name).symlink_to(entry)
    return {"PYTHONPATH": str(folder)}


def with_another_eie(folder: Path) -> dict[str, str]:
    """An environment in which one of the models is another."""
    import eie.hls.boundary.errors
    import eie.hls.spec.boards

    for module in (eie.hls.spec.boards, eie.hls.boundary.errors):
        source = Path(str(module.__file__)).resolve().parent
        shutil.copytree(source, folder / "eie" / source.name)
    with (folder / "eie" / "hls" / "boards.py").open("a") as file:
        file.write("# changed\n")
    return {"PYTHONPATH": str(folder)}


@pytest.mark.slow
def test_workers_with_another_eie_or_none_are_named_before_work_starts(hosts, network, tmp_path):
    hosts.scheduler.scheduler()
    hosts.client.worker()
    hosts.left.worker(flags=["-S"], **without_eie(tmp_path / "without"))
    hosts.right.worker(**with_another_eie(tmp_path / "other"))
    message = refused(start(hosts, network))
    first, second = (text for text in message.split("; ") if "worker tcp://" in text)
    assert f"worker tcp://{hosts.left.address}:" in first
    assert first.endswith("has no eie")
    assert f"worker tcp://{hosts.right.address}:" in second
    version = json.loads(lines(hosts.client.folder / "explored")[0])["version"]
    assert f"instead of {version}: install the same on every machine" in second
    assert points(hosts) == 0


@pytest.mark.slow
def test_a_worker_with_another_eie_that_joins_later_is_left_out(hosts, network, here, tmp_path):
    hosts.scheduler.scheduler()
    left = hosts.left.worker()
    command = start(hosts, network)
    in_mid_run(hosts, command)
    left.stop()
    hosts.right.worker(**with_another_eie(tmp_path / "other"))
    hosts.client.worker(flags=["-S"], **without_eie(tmp_path / "without"))
    named = [f"worker tcp://{host.address}:" for host in (hosts.right, hosts.client)]
    hosts.until(lambda: all(name in command.printed() for name in named), "both are named")
    left.stop(how=signal.SIGCONT)
    complete(hosts, here, command)
    assert "it is left out" in command.printed()


def test_the_hosts_see_each_other_and_nothing_else(hosts):
    for host in (hosts.left, hosts.client):
        ping = "import socket, sys; socket.create_connection((sys.argv[1], 9), 5)"
        run = ["ip", "netns", "exec", host.namespace, sys.executable, "-c", ping]
        near = subprocess.run([*run, hosts.scheduler.address], capture_output=True, text=True)
        assert "ConnectionRefusedError" in near.stderr
        far = subprocess.run([*run, "192.0.2.1"], capture_output=True, text=True)
        assert "Network is unreachable" in far.stderr
