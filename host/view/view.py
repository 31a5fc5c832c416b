"""Look at a design, and at a network on it: pictures, and a player of one layer."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import InputError
from eie.hls.boundary.text import counted
from eie.hls.spec.dataflow import wire
from eie.hls.spec.design import Design
from eie.host.network import Network
from eie.host.network.input_codes import input_codes
from eie.host.network.sequence_codes import sequence_codes
from eie.host.packing.tiling import Plan, plan_passes
from eie.host.view.animation import Animation, animate, playable_layers
from eie.host.view.array_picture import array_picture
from eie.host.view.example import example_design, example_input, example_network
from eie.host.view.fill import fill_picture, fill_text, fills_of
from eie.host.view.memory_list import memory_list, share_text
from eie.host.view.rendering import render_page
from eie.host.view.structure import structure_of
from eie.host.view.svg import Drawing

__all__ = ["View", "design_in_notebook", "view", "view_example"]

#: Share of the activations that are not zero in an input that is made up.
_ACTIVE = 0.4
#: Its values are below this: small numbers are easier to follow.
_LARGEST_CODE = 256


@dataclass(frozen=True, eq=False, repr=False)
class View:
    """A design to look at: a page, or in a notebook the picture of its array.

    :func:`eie.view` makes one.

    Attributes
    ----------
    design
        The design.
    plan
        How the network runs on it; None without a network.
    animation
        The layer that can be played; None without a network.
    title
        Title of the page; what the design is by default.
    """

    design: Design
    plan: Plan | None = None
    animation: Animation | None = None
    title: str = ""

    @property
    def array(self) -> Drawing:
        """The array as a picture."""
        return array_picture(self.design)

    def as_html(self) -> str:
        """Give the page: one HTML document that needs nothing else.

        Raises
        ------
        ToolError
            If jinja2 is not installed.
        """
        return render_page(self._values())

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page, or for a path that ends in ``.svg`` the array; whole or not at all.

        Returns
        -------
        Path
            Where it is.

        Raises
        ------
        InputError
            If the file cannot be written; says why.
        ToolError
            If jinja2 is not installed, which the page needs.
        """
        target = Path(path)
        text = self.array.as_file() if target.suffix == ".svg" else self.as_html()
        try:
            write_whole(target, text)
        except OSError as error:
            raise InputError(f"cannot write view {target}: {error.strerror}") from error
        return target

    def _repr_svg_(self) -> str:
        return self.array.as_file()

    def _repr_html_(self) -> str:
        """A notebook has no room for the page; what plays is in a frame of its own."""
        if self.animation is None:
            return self.array.as_file()
        from html import escape

        return (
            f'<iframe title="eie view" srcdoc="{escape(self.as_html())}" '
            'style="width: 100%; height: 60rem; border: 1px solid #8886"></iframe>'
        )

    def summary(self) -> str:
        """Say in a line what there is to see.

        Returns
        -------
        str
        """
        shown = [self.title or self.array.title]
        if self.animation is not None:
            made = self.animation
            shown.append(f"layer {made.number} of {counted(made.cycles, 'cycle')} to step through")
        return "; ".join(shown)

    def __repr__(self) -> str:
        played = "" if self.animation is None else f", layer {self.animation.number} to play"
        return f"<View of {counted(self.design.pes, 'PE')}{played}: .save('view.html')>"

    def _values(self) -> dict[str, Any]:
        """Everything that the page shows."""
        design, animation = self.design, self.animation
        array = self.array
        values: dict[str, Any] = {
            "title": self.title or array.title,
            "subtitle": _subtitle(design, self.plan),
            "animation": animation,
            "layer_name": "" if animation is None or self.title else animation.name,
            "array": array.as_element("array-picture"),
            "memories": memory_list(design),
            "share_text": share_text(design),
            "streams": _streams(design),
            "fill": None,
        }
        if self.plan is not None:
            place = 0 if animation is None else animation.played_pass
            shown = self.plan.passes[place].packed
            values["fill"] = fill_picture(shown).as_element("fill-picture", "narrow")
            values["fill_text"] = fill_text(self.plan, place, fills_of(shown))
        return values


def view(
    design: Design,
    network: Network | None = None,
    *,
    layer: int | None = None,
    inputs: npt.ArrayLike | None = None,
) -> View:
    """Look at a design, and at a network on it.

    Parameters
    ----------
    design
        The design.
    network
        The network; without one there is nothing to play.
    layer
        Number of the layer to play, from 0; the first that can be played if it is None. Layers
        that add to the same sums, and recurrent ones, cannot.
    inputs
        One vector, or a batch of which the first is taken: real numbers or int16 codes. Of a
        recurrent network a sequence, or a batch of them, whose last step is played. Without, the
        network's first golden vector, or a random one.

    Returns
    -------
    View
        Its ``save("view.html")`` writes the page.

    Raises
    ------
    InputError
        If `layer` or `inputs` do not belong to the network, or are given without one.
    DoesNotFitError
        If the design cannot hold the network, not even in passes.
    """
    if network is None:
        if layer is not None or inputs is not None:
            raise InputError("layer and inputs must be given with a network")
        return View(design)
    codes, origin = _vector(network, inputs)
    plan = plan_passes(network, design)
    playable = playable_layers(network)
    if layer is None and not playable:
        return View(design, plan)
    number = playable[0] if layer is None else layer
    return View(design, plan, animate(plan, codes, layer=number, origin=origin))


def design_in_notebook(design: Design) -> str:
    """Show a design in a notebook: its array, and folded away its table.

    Returns
    -------
    str
        HTML.
    """
    table = f"<details><summary>parameters</summary>{design._repr_html_()}</details>"
    return f"{View(design)._repr_html_()}{table}"


def view_example() -> View:
    """Look at the paper's example: 16 x 8 weights on four PEs (figures 2 and 3)."""
    # Rows where the paper has them: row i in PE i mod 4.
    plan = plan_passes(example_network(), example_design(), assignment="natural")
    animation = animate(
        plan,
        example_input(),
        origin=(
            "The example of the paper (figures 2 and 3): the zeros of a, the weights of PE 0 and "
            "those of column 2 are where the paper has them; all values are ours."
        ),
    )
    return View(plan.design, plan, animation, "The example of the paper, on 4 PEs")


def _vector(network: Network, inputs: npt.ArrayLike | None) -> tuple[npt.NDArray[np.int16], str]:
    """One vector of codes, or the steps of a sequence, and where it comes from."""
    if inputs is not None and network.recurrent:
        first, *_ = sequence_codes(network, inputs).codes
        return first, (
            f"The input is the last of {counted(len(first), 'step')} of the first sequence that "
            "was given."
        )
    if inputs is not None:
        given = np.asarray(inputs)
        codes = input_codes(network, given if given.ndim > 1 else given[None]).codes
        if len(codes) == 0:
            raise InputError("inputs must have at least one vector, not 0")
        return codes[0], "The input is the first vector that was given."
    if len(network.golden_inputs):
        return network.golden_inputs[0], "The input is the network's first golden vector."
    random = np.random.default_rng(0)
    values = random.integers(1, _LARGEST_CODE, network.inputs)
    codes = (values * (random.random(network.inputs) < _ACTIVE)).astype(np.int16)
    return codes, "The network has no golden vectors, so the input is random (seed 0)."


def _subtitle(design: Design, plan: Plan | None) -> str:
    parts = [
        f"{design.weight_bits + design.index_bits}-bit entries, queues of {design.queue_depth} "
        f"columns, {design.accumulator_bits}-bit accumulators"
    ]
    if plan is not None:
        sizes = [plan.network.inputs, *(layer.rows for layer in plan.network.layers)]
        shown = [str(size) for size in sizes]
        if len(shown) > 12:
            shown = [*shown[:6], "…", *shown[-5:]]
        parts.append(f"network {' – '.join(shown)}")
    return "; ".join(parts)


def _streams(design: Design) -> list[dict[str, object]]:
    structure = structure_of(design, wire(design))
    return [
        {
            "name": link.name,
            "copies": len(link.ends),
            "depth": link.depth,
            "bits": link.bits,
            "source": structure.stages[link.source].name,
            "target": structure.stages[link.target].name,
            "text": link.text,
        }
        for link in structure.links
    ]
