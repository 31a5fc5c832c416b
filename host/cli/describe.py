"""What `eie info` says of a network and of a design."""

from __future__ import annotations

import sys

from eie.hls.boundary.text import printable
from eie.hls.spec.design import Design
from eie.host.network import Network

__all__ = ["describe", "describe_design", "warn_of_loss"]

#: Error of the outputs, root mean square in percent of theirs, that is said to be much. Where
#: weights are kept, only rounding to 16 bits is in it.
_MUCH_PERCENT = 10.0


def describe(network: Network) -> None:
    """Print the layers, and what is known of them."""
    for layer in network.layers:
        print(
            f"{printable(layer.name)}: {layer.columns} -> {layer.rows}, {layer.nonzeros} weights "
            f"({100 * layer.density:.1f} %), {layer.activation}, fraction bits: "
            f"inputs {layer.input_frac}, weights {layer.weight_frac}, outputs {layer.output_frac}"
        )
    print(f"{len(network.golden_inputs)} golden vectors")
    for name, text in network.metadata.items():
        print(f"{printable(name)}: {printable(text)}")


def warn_of_loss(network: Network) -> None:
    """Say on standard error what to do where compression has changed a model's outputs much."""
    error, _, rest = network.metadata.get("error", "0 ").partition(" ")
    if float(error) > _MUCH_PERCENT:
        print(
            f"eie: error {error} {rest}: much is lost by pruning in one go. Keep more "
            "weights (--density), or retrain while pruning (see the README) and --keep-weights",
            file=sys.stderr,
        )


def describe_design(design: Design) -> None:
    """Print every parameter, and what the design takes."""
    from eie.hls.model.resources import estimate
    from eie.hls.spec.boards import BOARDS as boards

    print(f"identity {design.id:#010x}")
    for name, value in design.parameters().items():
        print(f"{name} = {value}")
    needed = estimate(design)
    has = boards.get(design.board)

    def share(count: int, available: int | None) -> str:
        return f"{count}" if available is None else f"{count} of {available}"

    print(f"BRAM36: {share(needed.bram36, has.bram36 if has else None)}")
    print(f"UltraRAM: {share(needed.uram, has.uram if has else None)}")
    print(f"DSP: {share(needed.dsp, has.dsp if has else None)}")
    print(f"LUT: {needed.lut[0]} to {needed.lut[1]} (uncalibrated)")
