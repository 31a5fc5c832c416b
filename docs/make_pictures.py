"""Draw docs/images/*.svg: pictures of a design, each in light and dark.

Run as ``make pictures``, or ``python docs/make_pictures.py [FOLDER]``. What they show is stated
here: a small array for the demo's board, and for the passes a network that is too large for it.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np

from eie.hls.boundary.atomic import write_whole
from eie.hls.spec.design import Design
from eie.host.network import Layer, Network
from eie.host.view.pictures import pictures

IMAGES = Path(__file__).parent / "images"
#: What is drawn: a small array for a PYNQ-Z2.
DESIGN = Design(
    pes=16,
    queue_depth=16,
    entries_per_pe=4096,
    pointers_per_pe=1024,
    length_bits=5,
    rows_per_pe=64,
    biases_per_pe=64,
    layers=4,
    hidden_activations=1024,
    board="pynq-z2",
)


def network() -> Network:
    """Make a network that is larger than the design: 784 – 600 – 100 – 10, random."""
    random = np.random.default_rng(0)
    layers = []
    sizes = (784, 600, 100, 10)
    for number, (columns, rows) in enumerate(itertools.pairwise(sizes)):
        codes = random.integers(1, 16, (rows, columns))
        kept = random.random(codes.shape) < 0.3
        layers.append(
            Layer.from_dense_codes(
                f"layer {number}",
                (codes * kept).astype(np.uint8),
                codebook=np.array([0, *range(-7, 0), *range(1, 9)], np.int16),
                bias=np.zeros(rows, np.int64),
                activation="relu",
                input_frac=8,
                weight_frac=8,
                output_frac=8,
            )
        )
    return Network(tuple(layers))


def main() -> int:
    """Rewrite the pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    for name, text in pictures(DESIGN, network()):
        write_whole(folder / name, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
