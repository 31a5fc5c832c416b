"""Which networks run on the paper's machine, and how they lie in it."""

from __future__ import annotations

import numpy as np

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.voice import argument
from eie.hls.spec.design import Design
from eie.host.network import Network
from eie.host.packing.packer import pack
from eie.host.packing.tiling import Pass, Plan

__all__ = ["paper_plan", "refuse_paper"]


def refuse_paper(network: Network) -> None:
    """Refuse a network that the paper's machine has no way to run.

    Raises
    ------
    InputError
        If it is recurrent.
    """
    if network.recurrent:
        raise InputError(
            f"{argument('paper', True)} must be left out for a recurrent network: the paper's "
            "machine multiplies by matrices, and has no cell that keeps states"
        )


def paper_plan(network: Network, design: Design) -> Plan:
    """Rows in natural order, and no passes: the paper's machine has none."""
    packed = pack(network, design, assignment="natural")
    return Plan(network, design, ((Pass(packed, np.arange(network.outputs)),),))
