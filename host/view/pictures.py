"""Pictures for the documentation: drawn from a design, a network and the packet format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from eie.hls.spec.design import Design
from eie.host.network import Network
from eie.host.packing.tiling import plan_passes
from eie.host.view.array_picture import array_picture
from eie.host.view.lnzd_picture import lnzd_picture
from eie.host.view.packet_picture import packet_picture
from eie.host.view.passes_picture import passes_picture
from eie.host.view.pipeline_picture import pipeline_picture
from eie.host.view.svg import Drawing

__all__ = ["PICTURES", "Picture", "pictures"]

#: Draws one from a design and a network.
Picture = Callable[[Design, Network], Drawing]

#: Every picture by the name of its files.
PICTURES: Mapping[str, Picture] = MappingProxyType(
    {
        "array": lambda design, _: array_picture(design),
        "lnzd": lambda design, _: lnzd_picture(design),
        "pipeline": lambda design, _: pipeline_picture(design),
        "packets": lambda _, __: packet_picture(),
        "passes": lambda design, network: passes_picture(plan_passes(network, design)),
    }
)


def pictures(design: Design, network: Network) -> Iterator[tuple[str, str]]:
    """Draw every picture in light and dark.

    Parameters
    ----------
    design, network
        What is drawn; of a network that is larger than the design the passes.

    Yields
    ------
    tuple of str
        Name of the file, such as ``array-dark.svg``, and its text.
    """
    for name, draw in PICTURES.items():
        drawing = draw(design, network)
        yield f"{name}-light.svg", drawing.as_file("light")
        yield f"{name}-dark.svg", drawing.as_file("dark")
