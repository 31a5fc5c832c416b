"""What is better, on the command line; and designs beyond their board."""

from __future__ import annotations

import re

import pytest

from eie.hls.spec.design import PARAMETERS, Design
from eie.host.cli.parameters import OPTIONS
from eie.host.network import Network
from eie.host.search.fit import fit

FIT = "fit net.npz --board kv260 --out d.toml"


@pytest.mark.parametrize(
    ("options", "keywords"),
    [
        ("", {}),
        ("--goal area", {"goal": "area"}),
        ("--goal throughput", {"goal": "throughput"}),
        ("--latency-us 2.5", {"latency_us": 2.5}),
        ("--lut-edge high", {"lut_edge": "high"}),
        ("--lut-budget 40%", {"lut_budget": 0.4}),
        ("--lut-budget 0.4", {"lut_budget": 0.4}),
        ("--lut-budget 50000", {"lut_budget": 50000}),
    ],
)
def test_options_say_what_is_better(options, keywords, eie):
    ended = eie(f"{FIT} {options}")
    assert ended.status == 0
    assert Design.load("d.toml") == fit(Network.load("net.npz"), "kv260", **keywords).design


def test_the_board_none_is_taken(eie):
    ended = eie("fit net.npz --board none --out d.toml --pes 8")
    assert ended.status == 0
    assert Design.load("d.toml") == fit(Network.load("net.npz"), pes=8).design


def test_help_has_groups_and_a_line_for_each_parameter(eie):
    for command in ("fit", "explore", "emulate"):
        text = " ".join(eie(f"{command} --help").out.split())
        for name in OPTIONS:
            assert f"--{name.replace('_', '-')}" in text
            assert re.sub(r"\s+", " ", PARAMETERS[name].text) in text.replace("- ", "-")


def test_an_explored_design_is_picked_without_the_network(eie, folder):
    command = "explore net.npz --board kv260 --pes 2,4 --index-bits 4 --queue-depth 32 --workers 1"
    assert eie(f"{command} --out explored").status == 0
    (folder / "net.npz").unlink()
    ended = eie("explore explored --pick 1 --out picked.toml")
    assert ended.status == 0
    assert str(Design.load("picked.toml")) in ended.out


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("explore explored --pick 1 --out d.txt", "--out must end in .toml"),
        ("explore explored --pick 1 --pes 4 --out d.toml", "must not be given with --pes"),
        ("explore project --out explored", "or a folder of `eie explore`, not a project"),
        ("explore net.npz --pick 1 --out d.toml", "cannot read net.npz/pareto.json"),
        ("explore net.npz --out explored", "boards must name at least one board"),
    ],
)
def test_what_picking_cannot_do_is_refused(command, message, refused):
    assert message in refused(command)


def test_a_design_beyond_its_board_is_told_so(eie, folder):
    Design(pes=64, board="pynq-z2").save("large.toml")
    for command in (
        "info large.toml",
        "generate large.toml --out new",
        "emulate net.npz --design large.toml --inputs x.npy --outputs y.npy",
    ):
        ended = eie(command)
        assert ended.status == 0
        assert "the design is beyond the budget of PYNQ-Z2" in ended.err, command
        assert "LUT (estimated): needs " in ended.err
    lut = next(line for line in eie("info large.toml").out.splitlines() if "LUT:" in line)
    assert " of 53200 (estimated by parts" in lut


def test_the_papers_machine_is_as_large_as_a_design_for_a_board(eie):
    assert eie(FIT).status == 0
    ended = eie("emulate net.npz --paper --design d.toml --inputs x.npy --outputs y.npy")
    assert ended.status == 0
    assert "the paper's machine has neither its capacities nor its board" in ended.out
