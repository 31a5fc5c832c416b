"""Every option of `eie fit` and `eie explore`: a value that is none gives status 2 and a message.

Values that are in range may be too small for the network: then the same, and otherwise a design
that holds it. Nothing ends in a traceback.
"""

from __future__ import annotations

import argparse
import json

import pytest

from eie.hls.spec.boards import BOARDS
from eie.hls.spec.design import RANGES, Design
from eie.host.cli.main import _parser
from eie.host.network import Network
from eie.host.packing.packer import pack

FIT = ["fit", "net.npz", "--out", "fitted.toml"]
EXPLORE = ["explore", "net.npz", "--out", "explored"]
#: Integer parameters of a design that the command line knows.
PARAMETERS = sorted(RANGES.keys() - {"weight_bits"})
#: Values that no parameter has as it goes to a command.
NONE = ["x", "", "4.5", "--", "9" * 5000, "1_6", " 16", "\u0661\u0666"]
NO_MEMORY = ["sram", "", "--", "BRAM"]
NO_BOARD = ["pynq-z9", "", "--"]


def option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def outside(name: str) -> list[str]:
    low, high = RANGES[name]
    return [str(value) for value in (low - 1, -low - 1, high + 1, 10**30)]


def inside(name: str) -> list[int]:
    """The ends of a range, and all of it where it is short."""
    low, high = RANGES[name]
    between = list(range(low, high + 1)) if high - low < 10 else [low, high]
    return [value for value in between if value != 3 or name not in ("abreast", "cell_units")]


BAD_GOAL = [
    *(("goal", text) for text in ("", "speed", "--")),
    *(("latency_us", text) for text in ("x", "", "--", "0", "-1", "nan", "inf", "1_0")),
    *(("lut_budget", text) for text in ("x", "", "--", "0", "-1", "nan", "101%", "0%", "%")),
    *(("lut_edge", text) for text in ("", "middle", "--")),
]
BAD_FIT = [
    *((name, text) for name in PARAMETERS for text in (*NONE, *outside(name))),
    *(("memory", text) for text in NO_MEMORY),
    *(("board", text) for text in NO_BOARD),
    *(("out", text) for text in ("", ".", "--", "missing/d.toml", "net.npz", "n" * 300)),
    ("passes", "yes"),
    *BAD_GOAL,
]
BAD_EXPLORE = [
    *(
        (name, text)
        for name in PARAMETERS
        for text in (*NONE, *outside(name), "9:8", "1:9:0", "1:2:3:4", "8,", "1:99999999")
    ),
    *(("memory", text) for text in (*NO_MEMORY, ",", "bram,sram")),
    *(("board", text) for text in NO_BOARD),
    *(("out", text) for text in ("net.npz", "--", "net.npz/explored", "n" * 300)),
    *(("workers", text) for text in ("x", "", "0", "-1", "1.5", "9" * 5000)),
    *(("build_workers", text) for text in ("x", "", "0", "-1", "1", "1.5")),  # without --build
    ("build", "yes"),
    ("scheduler", "--"),
    *BAD_GOAL,
    *(("pick", text) for text in ("x", "", "--", "0", "1")),  # of a network, not a folder
    *(("wait", text) for text in ("x", "", "--", "0", "-1", "nan", "inf")),
]


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    """Evaluate without processes of its own, unless there is a scheduler to look for."""
    from eie.host.search.explore import exploration, fan_out

    everywhere = fan_out.fan_out

    def here(function, shared, items, *, scheduler, wait, **_):
        if scheduler is not None:
            yield from everywhere(function, shared, items, scheduler=scheduler, wait=wait)
        for item in items:
            yield item, function(shared, item)

    monkeypatch.setattr(exploration, "fan_out", here)


def names(pairs: list[tuple[str, str]]) -> list[str]:
    return [f"{name}={text[:20]}" for name, text in pairs]


def words(command: list[str], name: str, text: str) -> list[str]:
    """The command with a value for one option, and all else that it must have."""
    kept = command[:2] if name == "out" else command
    board = [] if name == "board" else ["--board=pynq-z2"]
    wait = ["--wait=0.2"] if name == "scheduler" else []
    return [*kept, *board, *wait, f"{option(name)}={text}"]


@pytest.mark.parametrize(("name", "text"), BAD_FIT, ids=names(BAD_FIT))
def test_fit_refuses(name, text, refused):
    message = refused(*words(FIT, name, text))
    assert "\n" not in message
    assert len(message) < 400 + len(text)


@pytest.mark.parametrize(("name", "text"), BAD_EXPLORE, ids=names(BAD_EXPLORE))
def test_explore_refuses(name, text, refused):
    message = refused(*words(EXPLORE, name, text))
    assert "Error" not in message


@pytest.mark.parametrize(
    "address", ["", "x", "x:y", "x://y", "tcp://127.0.0.1:99999", "tls://127.0.0.1:9"]
)
def test_explore_refuses_what_is_no_scheduler(address, eie):
    """The file of results is there by then: it is locked while somebody may write to it."""
    ended = eie(*EXPLORE, "--board=kv260", f"--scheduler={address}", "--wait=0.2")
    assert ended.status == 2
    assert ended.err.startswith(f"eie: no Dask scheduler answers at {address!r} (")


def options_of(command: str) -> set[str]:
    (commands,) = (
        action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    actions = commands.choices[command]._actions
    return {action.dest for action in actions if action.option_strings} - {"help"}


def test_no_option_is_left_out():
    assert {name for name, _ in BAD_FIT} == options_of("fit")
    assert {name for name, _ in BAD_EXPLORE} == options_of("explore")


IN_RANGE = [(name, value) for name in PARAMETERS for value in inside(name)]


@pytest.mark.parametrize("more", [[], ["--passes"], ["--pes=1"]], ids=["", "passes", "one"])
@pytest.mark.parametrize(("name", "value"), IN_RANGE)
def test_fit_holds_the_network_or_says_what_is_short(name, value, more, eie, folder):
    if name == "pes" and "--pes=1" in more:
        more = []
    ended = eie(*FIT, "--board=zcu104", f"{option(name)}={value}", *more)
    if ended.status == 0:
        design = Design.load("fitted.toml")
        assert getattr(design, name) == value
        if "in passes" not in ended.out:
            pack(Network.load("net.npz"), design)
    else:
        assert ended.status == 2
        assert ended.err.startswith("eie: ")
        assert f"{name}: needs " in ended.err or "may use " in ended.err
        assert not (folder / "fitted.toml").exists()


@pytest.mark.parametrize(("name", "value"), IN_RANGE)
def test_explore_says_what_a_point_lacks(name, value, eie, folder):
    fixed = {"pes": 2, "queue_depth": 8, "index_bits": 4, "memory": "bram", name: value}
    given = [f"{option(each)}={v}" for each, v in fixed.items()]
    ended = eie(*EXPLORE, "--board=zcu104", *given)
    assert "1 point, " in ended.out
    front = json.loads((folder / "explored" / "pareto.json").read_text())["front"]
    if front:
        design = Design(**front[0]["design"])
        assert getattr(design, name) == value
        pack(Network.load("net.npz"), design)
        assert ended.status == 0
    else:
        assert ended.status == 2
        assert "no design fits; the closest, " in ended.out
        assert ended.err.splitlines()[-1].startswith("eie: no design that was looked at holds")
        assert "(eie fit --passes)" in ended.err


@pytest.mark.parametrize("command", [FIT, EXPLORE], ids=["fit", "explore"])
@pytest.mark.parametrize("board", [*BOARDS, "ZCU 104"])
def test_every_board_is_taken(command, board, eie):
    assert eie(*command, f"--board={board}", "--pes=4", "--index-bits=4").status == 0


def test_explore_says_all_problems_at_once(refused):
    message = refused(
        *EXPLORE, "--board=kv260", "--pes=x", "--layers=9:8", "--workers=0", "--build-workers=1"
    )
    assert message.startswith("explore: 4 problems\n")
    message = refused(*EXPLORE, "--board=a", "--board=b", "--pes=3")
    assert message.startswith("grid: 3 problems\n")


def test_a_cluster_has_workers_of_its_own(refused):
    for name in ("--workers", "--build-workers"):
        message = refused(
            *EXPLORE, "--board=kv260", "--build", "--scheduler=tcp://127.0.0.1:9", f"{name}=2"
        )
        assert f"{name} must not be given with --scheduler" in message
