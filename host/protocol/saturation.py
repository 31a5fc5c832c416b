"""What 16 bits could not hold in a run: counted by layer, and the warning of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from eie.hls.boundary.errors import SaturationWarning
from eie.hls.boundary.text import counted
from eie.hls.boundary.warning import warn
from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN
from eie.host.network import Network
from eie.host.network.table import Summarized, Table

__all__ = ["Saturation"]


@dataclass(frozen=True)
class Saturation(Summarized):
    """How many values of a run were saturated: rounded, they lay outside the 16-bit codes.

    Attributes
    ----------
    vectors
        Vectors of the run.
    inputs
        Input values, counted where real numbers came in; 0 if codes did, quantised elsewhere.
    layers
        Results of each layer by the layer's name, in the network's order; the last one's are the
        network's outputs.
    """

    vectors: int
    inputs: int
    layers: dict[str, int]

    @classmethod
    def of_run(
        cls, network: Network, vectors: int, inputs: int, layers: Sequence[int]
    ) -> Saturation:
        """Name the counts of a run by the layers of `network`."""
        names = [layer.name for layer in network.layers]
        return cls(vectors, inputs, dict(zip(names, layers, strict=True)))

    @property
    def total(self) -> int:
        """Values saturated in all."""
        return self.inputs + sum(self.layers.values())

    def summary(self) -> Table:
        """Give the counts by layer as a table.

        Returns
        -------
        Table
        """
        rows = [("inputs", self.inputs), *self.layers.items()]
        title = f"{counted(self.total, 'value')} saturated in {counted(self.vectors, 'vector')}"
        return Table(title, ("of", "saturated"), rows)

    def as_text(self, network: Network) -> str:
        """Say in a line how many values of what were saturated, and what could be held."""
        parts = []
        for layer, count in zip(network.layers, self.layers.values(), strict=True):
            low, high = (code * 2.0**-layer.written_frac for code in (CODE_MIN, CODE_MAX))
            what = "which go" if layer.written_frac == layer.output_frac else "whose sums go"
            if count:
                parts.append(
                    f"{count} of {self.vectors * layer.results} outputs of layer {layer.name!r} "
                    f"({what} from {low:g} to {high:g})"
                )
        if self.inputs:
            parts.insert(0, f"{self.inputs} of {self.vectors * network.inputs} input values")
        if not parts:
            return "no values were saturated"
        return (
            f"values were saturated, since 16 bits could not hold them: {', '.join(parts)}; "
            "outputs may be far off. Compress with calibration inputs of your range"
        )

    def warn(self, network: Network) -> None:
        """Warn of what was saturated in the layers, if anything was.

        Inputs are warned of where they are quantised, by
        :func:`eie.host.network.input_codes.quantize_inputs`, which knows the features.
        """
        of_layers = replace(self, inputs=0)
        if of_layers.total:
            text = of_layers.as_text(network)
            warn(text, SaturationWarning)
