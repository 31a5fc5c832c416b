"""The paper's machine, as large as a design of ours."""

from __future__ import annotations

from eie.hls.spec.design import Design
from eie.host.network import Network
from eie.host.search.fit import fit

__all__ = ["paper_design"]


def paper_design(network: Network, design: Design) -> Design:
    """Give the paper's machine the PEs, zero runs, depth of queues and clock of `design`.

    Its capacities hold the network: the paper deals rows out as they come, which fills one PE more
    than the others, so that what a design was sized for may be too little.

    Raises
    ------
    DoesNotFitError
        If no design with so many PEs holds the network.
    """
    return fit(
        network,
        assignment="natural",
        pes=design.pes,
        index_bits=design.index_bits,
        queue_depth=design.queue_depth,
        clock_mhz=design.clock_mhz,
    ).design
