"""The notebook of a package: its network on the board, or on an emulated one, cell by cell."""

from __future__ import annotations

import json

from eie.host.deploy.layout import PackageFacts

__all__ = ["notebook_text"]

_INTRODUCTION = """# A network on {title}

The network and the accelerator of this package, {pes} PEs. With a bitstream, as root on the board,
it runs in the fabric; otherwise on an emulated board: the real `pynq` and the same driver, with a
model of the accelerator behind. Nothing else differs. Nothing is installed; `run.py` compares the
SHA-256 of every file before eie is imported from the package's wheel."""

_PREPARE = """import os
from pathlib import Path

import numpy as np

import run

run.prepare()  # compares every file of this package, and takes eie from its wheel

from eie.hls.model.emulator import Emulator
from eie.host.board.driver import Accelerator
from eie.host.board_emulator import EmulatedBoard
from eie.host.deploy.layout import PackageFacts
from eie.host.deploy.vectors import Vectors
from eie.host.network import Network

here = Path(run.__file__).parent
facts = PackageFacts.load(here)
network = Network.load(here / "network.npz")
vectors = Vectors.read(here, facts)
print(network.summary())"""

_ACCELERATOR = """board = None
if facts.built and os.geteuid() == 0:
    accelerator = Accelerator(here / "bitstream" / "eie.bit")
else:
    board = EmulatedBoard(facts.design.board, lambda: Emulator(facts.design))
    board.__enter__()
    accelerator = Accelerator(board.bitfile)
print("an emulated board" if board else "a board", "with", accelerator.design.pes, "PEs")"""

_VECTORS = """accelerator.load(network)
outputs = accelerator.run(vectors.inputs)
print("all outputs right:", np.array_equal(outputs, vectors.outputs))
if vectors.labels is not None:
    print(f"accuracy: {100 * vectors.right(outputs) / len(vectors.labels):.2f} %")"""

_OWN = """x = np.zeros((1, network.inputs), np.float32)  # yours, real numbers
print(accelerator.run(x))"""

_CYCLES = """accelerator.run(vectors.some)
counters = accelerator.counters()
us = counters.cycles / facts.design.clock_mhz
print("at least", counters.cycles, "cycles for one vector,", us, "us")"""

_SEQUENCES = """accelerator.load(network)
outputs = vectors.together(accelerator.run(vectors.given, outputs="all"))
print("all outputs right:", np.array_equal(outputs, vectors.outputs))
if vectors.labels is not None:
    print(f"accuracy: {100 * vectors.right(outputs) / len(vectors.labels):.2f} %")"""

_OWN_SEQUENCES = """x = np.zeros((2, 5, network.inputs), np.float32)  # yours: 2 of 5 steps
print(accelerator.run(x))
for y in accelerator.stream(x[0]):  # a step in, its outputs out
    print(y)"""

_SEQUENCE_CYCLES = """accelerator.run(vectors.some)
counters, steps = accelerator.counters(), len(vectors.some[0])
us = counters.cycles / facts.design.clock_mhz
print("at least", counters.cycles, "cycles for", steps, "steps of one sequence,", us, "us")"""

_END = """accelerator.close()
if board:
    board.__exit__(None, None, None)"""


def notebook_text(facts: PackageFacts, title: str) -> str:
    """Write the notebook of a package as the text of an ``.ipynb``; `title` names the board."""
    recurrent = facts.sequences > 0
    cells = [
        ("markdown", _INTRODUCTION.format(title=title, pes=facts.design.pes)),
        ("code", _PREPARE),
        ("markdown", "## The accelerator"),
        ("code", _ACCELERATOR),
        ("markdown", f"## The test {'sequences' if recurrent else 'vectors'}, compared with `==`"),
        ("code", _SEQUENCES if recurrent else _VECTORS),
        ("markdown", "## Inputs of your own, and cycles"),
        ("code", _OWN_SEQUENCES if recurrent else _OWN),
        ("code", _SEQUENCE_CYCLES if recurrent else _CYCLES),
        ("code", _END),
    ]
    document = {
        "cells": [_cell(number, *cell) for number, cell in enumerate(cells)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, indent=1) + "\n"


def _cell(number: int, kind: str, source: str) -> dict[str, object]:
    cell: dict[str, object] = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}}
    cell["source"] = source.splitlines(keepends=True)
    return cell if kind == "markdown" else {**cell, "execution_count": None, "outputs": []}
