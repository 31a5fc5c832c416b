"""What a package says of itself: its README, facts, notebook, script and wheel."""

from __future__ import annotations

import importlib.resources

from eie.hls.boundary.partials import temporary_folder
from eie.hls.spec.design import target_board
from eie.host.deploy.layout import (
    FACTS,
    HOST_FOLDER,
    NETWORK,
    NOTEBOOK,
    README,
    RUN,
    WHEEL_FOLDER,
    PackageFacts,
)
from eie.host.deploy.notebook import notebook_text
from eie.host.deploy.wheel import Wheel
from eie.host.network import Network
from eie.host.network.head_record import HeadRecord
from eie.host.network.input_shape import shape_text

__all__ = ["own_files"]


def own_files(
    facts: PackageFacts, network: Network, wheel: Wheel, with_host: bool
) -> dict[str, bytes]:
    """Everything that is neither hardware nor vectors, by path in the package."""
    with temporary_folder() as folder:
        network.save(folder / NETWORK)
        network_data = (folder / NETWORK).read_bytes()
    script = importlib.resources.files("eie.host.deploy") / RUN
    title = target_board(facts.design).title
    return {
        FACTS: facts.to_json().encode(),
        README: _readme(facts, title, wheel.name, _head_text(network, with_host)).encode(),
        RUN: script.read_bytes(),
        NOTEBOOK: notebook_text(facts, title).encode(),
        NETWORK: network_data,
        f"{WHEEL_FOLDER}/{wheel.name}": wheel.data,
    }


_BUILT = """On the board, in PYNQ's environment (a terminal of Jupyter, or a shell):

    sudo -s
    . /etc/profile.d/pynq_venv.sh; . /etc/profile.d/xrt_setup.sh
    python3 run.py
"""
_NOT_BUILT = """**It has no bitstream yet.** Where Vitis HLS and Vivado are, and eie:

    eie build project --out build
    eie package network.npz --bitstream build/eie.bit --out package.zip

Until then, on an emulated board, anywhere that has numpy and pynq:

    python3 run.py --emulated
"""


def _head_text(network: Network, with_host: bool) -> str:
    """Say what is not in the network, where it is the head of a model; empty of a whole one."""
    record = HeadRecord.of(network)
    if record is None:
        return ""
    parts = [f"before it: {record.front}"] if record.front else []
    parts += [f"behind it: {record.behind}"] if record.behind else []
    there = (
        f"`{HOST_FOLDER}/` has it as programs of torch (`torch.export.load`)"
        if with_host
        else "It is not in this package"
    )
    each = f", {record.vectors} vectors for each input" if record.vectors > 1 else ""
    return f"""**The network is the head of a model.** The rest runs on the host, with torch
({"; ".join(parts) or "rearranging alone"}). {there}; this board needs torch only for that.
Without torch here, compute on another machine what the head takes, of shape
{shape_text(record.features)} for each input of shape {shape_text(record.input_shape)}{each}, and
give that to the network. The test vectors are such inputs, so `run.py` needs no torch.

"""


def _readme(facts: PackageFacts, title: str, wheel: str, head: str) -> str:
    design = facts.design
    return f"""# A network on {title}

Made by eie {facts.eie}, for an accelerator of {design.pes} PEs at {design.clock_mhz} MHz.

{head}{_BUILT if facts.built else _NOT_BUILT}
`run.py` compares the SHA-256 of every file, runs the network on {facts.tests},
compares every output with `==`, measures, tries other networks, and writes `report.txt` to attach
to an issue. It installs nothing; `run.py --install` installs `{wheel}`, and only it.
`eie.ipynb` does the same cell by cell.

The sums show damage. They do not show who made this: a bitstream becomes hardware with access to
all of the board's memory, and `run.py` runs as root. Take packages from people that you trust.
"""
