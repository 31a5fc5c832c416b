"""Which boards are refused a package, and what they are told to do."""

from __future__ import annotations

import dataclasses

import pytest

from eie.hls.boundary.errors import DeviceError, InputError
from eie.hls.spec.design import Design
from eie.host.deploy.preflight import BoardFacts, check_board
from eie.host.deploy.zip_file import read_package

Z2 = BoardFacts(
    python=(3, 10, 4),
    executable="/usr/local/share/pynq-venv/bin/python3",
    machine="armv7l",
    model="TUL PYNQ-Z2",
    image="Release 2022_09_07 3cb700e",
    pynq="3.0.1",
    numpy="1.21.5",
    root=True,
    sudo=False,
    folder="/home/xilinx/eie",
    writable=True,
    free=1 << 30,
)


def refusal(package, *, emulated=False, can_ask=False, **changes) -> str:
    facts = dataclasses.replace(Z2, **changes)
    try:
        check_board(facts, package, emulated=emulated, can_ask=can_ask, name="root@pynq")
    except InputError as error:
        assert str(error).startswith("board root@pynq: ")
        return str(error)
    return ""


@pytest.fixture(scope="module")
def built(built_package):
    return read_package(built_package)


@pytest.fixture(scope="module")
def kv260(built):
    facts = dataclasses.replace(built.facts, design=Design(pes=4, board="kv260"))
    return dataclasses.replace(built, facts=facts)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"root": False, "sudo": True},
        {"root": False, "can_ask": True},
        {"pynq": "3.1.2"},
        {"numpy": "1.26.4", "python": (3, 12, 3)},
    ],
)
def test_boards_that_will_do(built, changes):
    assert refusal(built, **changes) == ""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"python": (3, 8, 10), "pynq": "3.0.1"}, "as images of PYNQ 3.0 have, not 3.8.10"),
        ({"python": (3, 6, 5), "pynq": None, "numpy": None}, "not 3.6.5"),
        ({"pynq": None}, "pynq must be 3.0.1 or later, before 4, and /usr/local"),
        ({"pynq": "2.7.0"}, "not '2.7.0'"),
        ({"pynq": "4.0.0"}, "pynq must be 3.0.1 or later, before 4, not '4.0.0'"),
        ({"numpy": None}, "numpy must be 1.21 or later, before 2, and"),
        ({"numpy": "2.1.0"}, "not '2.1.0'"),
        ({"machine": "aarch64"}, "the processor of a pynq-z2 is armv7l, not aarch64"),
        ({"machine": "x86_64"}, "another board, or an image for another one"),
        ({"root": False}, "sudo asks for a password here"),
        ({"writable": False}, "/home/xilinx/eie cannot be written: see --dir"),
        ({"free": 1000}, "MB free for /home/xilinx/eie, not 0 MB"),
    ],
)
def test_boards_that_will_not_do(built, changes, message):
    assert message in refusal(built, **changes)


def test_everything_is_said_at_once(built):
    found = refusal(built, pynq=None, machine="x86_64", root=False, free=0)
    assert found.startswith("board root@pynq: 4 problems")


def test_ultrascale_boards(kv260):
    assert refusal(kv260, machine="aarch64", pynq="4.0.0") == ""
    assert "must be 3.0.1 or later, before 5" in refusal(kv260, machine="aarch64", pynq="5.0")
    assert "the processor of a kv260 is aarch64, not armv7l" in refusal(kv260)


def test_an_emulated_board_may_be_any_machine(built, project_package):
    before = read_package(project_package)
    elsewhere = {"machine": "x86_64", "root": False, "pynq": "4.0.0"}
    assert refusal(before, emulated=True, **elsewhere) == ""
    assert "no bitstream yet" in refusal(before)
    assert "pynq must be" in refusal(before, emulated=True, pynq=None)


def test_a_board_describes_itself():
    assert str(Z2) == (
        "TUL PYNQ-Z2, image Release 2022_09_07 3cb700e, armv7l, Python 3.10.4, pynq 3.0.1, "
        "numpy 1.21.5, root, 1.1 GB free"
    )
    bare = dataclasses.replace(Z2, model="", image="", pynq=None, root=False)
    assert "a board of unknown model, no PYNQ image" in str(bare)
    assert "pynq not installed" in str(bare)
    assert "no root" in str(bare)


def answer(**changes):
    return {**dataclasses.asdict(Z2), "python": list(Z2.python), **changes}


def test_answers_are_read():
    assert BoardFacts.parse(answer()) == Z2
    assert "\x1b" not in BoardFacts.parse(answer(model="\x1b[2J")).model


@pytest.mark.parametrize(
    "changes",
    [{"free": "much"}, {"python": "3.10"}, {"python": ["a"]}, {"root": 1}, {"folder": None}],
)
def test_answers_that_make_no_sense_are_refused(changes):
    with pytest.raises(DeviceError, match=r"makes? sense"):
        BoardFacts.parse(answer(**changes))
