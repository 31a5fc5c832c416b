"""Help shows the way in order; errors of usage put the fact first and say what was meant."""

from __future__ import annotations

import pytest

WAY = ["try", "flow", "compress", "info", "fit", "explore", "view", "generate"]
WAY += ["emulate", "simulate", "build", "rtl-check", "reports", "run", "selftest"]


def test_nothing_shows_the_way(eie):
    ended = eie("")
    assert (ended.status, ended.out) == (2, "")
    places = [ended.err.index(f"\n    {command} ") for command in WAY]
    assert places == sorted(places)
    assert "eie try" in ended.err[places[-1] :]
    # What `--help` shows, on the stream for errors, since nothing was done.
    assert ended.err == eie("--help").out


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("fitt net.npz", "there is no command 'fitt'; did you mean fit? (`eie --help` lists"),
        ("fly", "there is no command 'fly' (`eie --help` lists what there is)"),
        ("net.npz", "a command must come first, not net.npz, which is a compressed network (.npz)"),
        ("--bord x fit", "there is no option --bord: a command comes first"),
        ("fit net.npz --bord kv260 --out d.toml", "are required: --board; did you mean --board?"),
        (
            "emulate net.npz --inputs x.npy --outputs y.npy --lables z.npy",
            "unrecognized arguments: --lables z.npy; did you mean --labels? (`eie emulate --help`",
        ),
        ("compress model.pt2", "the following arguments are required: --out"),
    ],
)
def test_the_fact_comes_first(command, message, eie, refused):
    assert message in refused(command)
    ended = eie(command)
    assert ended.err.startswith("eie: ")
    assert ended.err.count("\n") == 1


def test_every_command_says_what_it_does(eie):
    for command in WAY:
        lines = eie(command, "--help").out.splitlines()
        assert lines[0].startswith(f"usage: eie {command} ")
        assert any(line.endswith(".") for line in lines)
