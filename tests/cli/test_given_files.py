"""A file that goes somewhere else is told what it is, and where it goes."""

from __future__ import annotations

import numpy as np
import pytest

BATCH = "--outputs y.npy --inputs"


@pytest.mark.parametrize(
    ("command", "messages"),
    [
        (
            f"emulate design.toml --design net.npz {BATCH} x.npy",
            ["design.toml and net.npz are exchanged: --design takes design.toml, which is a design",
             "and NET.npz takes net.npz, which is a compressed network"],
        ),
        (f"simulate net.npz project {BATCH} x.npy", ["net.npz and project are exchanged"]),
        (f"emulate x.npy {BATCH} net.npz", ["x.npy and net.npz are exchanged"]),
        (f"run project --emulated-board net.npz {BATCH} x.npy", ["exchanged"]),
        (
            f"emulate net.npz --design net.npz {BATCH} x.npy",
            ["net.npz must be a design file", "not a compressed network", "NET.npz takes it"],
        ),
        (
            f"emulate net.npz --design project {BATCH} design.toml",
            ["project must be a design file", "; its design is project/design.toml\n",
             "design.toml must be a .npy file of numbers", "--design takes it"],
        ),
        (f"run net.npz --bitstream project {BATCH} x.npy", ["(.bit)", "--emulated-board takes it"]),
        ("compress net.npz --out n.npz", ["net.npz must be a saved torch.export program"]),
        ("build design.toml", ["design.toml must be a project folder, as `eie generate` writes"]),
        ("reports net.npz", ["net.npz must be a project folder"]),
        ("generate net.npz --out p", ["net.npz must be a design file"]),
        ("fit design.toml --board kv260 --out d.toml", ["`eie emulate --design`"]),
        ("deploy net.npz root@board", ["net.npz must be a package of `eie package`"]),
        ("package net.npz --bitstream design.toml --out p.zip", ["--design takes it"]),
        ("explore design.toml --board kv260 --out e", ["(.npz) or a folder of `eie"]),
        ("info x.npy", ["x.npy must be a network file", "not a single array"]),
        ("flow design.toml --board kv260 --out f", ["design.toml must be a saved torch.export"]),
        ("flow net.npz --board kv260 --data x.npy net.npz --out f", ["MODEL|NET.npz takes it"]),
        ("selftest --emulated-design project", ["project must be a design file"]),
    ],
)  # fmt: skip
def test_it_says_where_it_goes(command, messages, refused):
    said = refused(command)
    assert all(message in said for message in messages), said


def test_a_folder_of_an_exploration_is_known(refused, folder):
    (folder / "explored").mkdir()
    (folder / "explored" / "points.jsonl").touch()
    said = refused("fit explored --board kv260 --out d.toml")
    assert "not a folder of `eie explore`: `eie explore FOLDER --pick N" in said


def test_a_file_to_write_may_be_anything(eie):
    np.save("out.npy", np.zeros(3))
    assert eie(f"emulate net.npz --design design.toml {BATCH} x.npy --report r.json").status == 0
    assert eie("generate design.toml --out project").status == 0
