"""What is known of each parameter of a design: text, unit, range, and what the paper has.

The fields of :class:`eie.hls.spec.design.Design` carry these, and everything that is said of a
parameter anywhere comes from here (:mod:`eie.hls.spec.parameter`).
"""

from __future__ import annotations

from typing import Literal

from eie.hls.spec.boards import BOARDS
from eie.hls.spec.parameter import described

__all__ = [
    "ABREAST",
    "ACCUMULATOR_BITS",
    "BIASES_PER_PE",
    "BOARD",
    "BOUNDS",
    "CELL_UNITS",
    "CLOCK_MHZ",
    "CLOCK_UNCERTAINTY",
    "COUNTERS",
    "ENTRIES_PER_PE",
    "HELD_ACTIVATIONS",
    "HIDDEN_ACTIVATIONS",
    "INDEX_BITS",
    "LAYERS",
    "LENGTH_BITS",
    "MEMORIES",
    "MEMORY",
    "NO_BOARD",
    "PES",
    "POINTERS_PER_PE",
    "QUEUE_DEPTH",
    "RESULT_DEPTH",
    "ROWS_PER_PE",
    "SPARE_LUTS",
    "WEIGHT_BITS",
]

#: Board name of a design that is only emulated or simulated.
NO_BOARD = "none"
#: Where weights may live.
MEMORIES: tuple[Literal["bram"], Literal["uram"]] = ("bram", "uram")

PES = described(
    "array",
    "processing elements, a power of two",
    unit="PEs",
    range=(1, 256),
    paper="64",
    source="the array that is evaluated; section VII goes from 1 to 256",
)
ABREAST = described(
    "array",
    "vectors that go through the layers together: an entry is fetched once for all of them",
    unit="vectors",
    range=(1, 4),
    paper="1",
    more="1, 2 or 4. Each takes a multiplier and accumulators of its own in every PE. A batch "
    "gains, a vector alone does not; with more than 1 there is no cell unit.",
    source="one vector at a time (section IV)",
)
INDEX_BITS = described(
    "format",
    "width of an entry's zero run z",
    unit="bits",
    range=(3, 8),
    paper="4",
    source='section III-B, "Representation"',
)
QUEUE_DEPTH = described(
    "queues",
    "columns that may wait in front of each PE's multiplier",
    unit="columns",
    range=(2, 256),
    paper="8",
    more="Up to 32 take the same LUTs.",
    source="section VI-C, which finds that a deeper one gains nothing more",
)
ENTRIES_PER_PE = described(
    "capacity",
    "entries (weights and padding) that a PE holds, over all layers",
    unit="entries",
    range=(8, (1 << 24) - 8),
    paper="131072",
    more="A multiple of 8.",
    source="128 KB of entries of 8 bits in each PE's sparse matrix SRAM, read 8 at a time",
)
POINTERS_PER_PE = described(
    "capacity",
    "column pointers that a PE holds, over all layers",
    unit="pointers",
    range=(2, 1 << 18),
    paper="16384",
    more="In whole words: a multiple of 2, or of 8 with compact pointers. A layer of C "
    "columns takes C + 1, or C with compact pointers, rounded up.",
    source='32 KB of 16-bit pointers in each PE (section IV, "Pointer Read Unit")',
)
LENGTH_BITS = described(
    "format",
    "width of a column's length where eight columns share a pointer; 0: each has its own",
    unit="bits",
    range=(0, 8),
    paper="0",
    source='a pointer for each column (section IV, "Pointer Read Unit")',
)
ROWS_PER_PE = described(
    "capacity",
    "accumulators of a PE: its rows of the largest layer",
    unit="rows",
    range=(1, 1 << 16),
    paper="64",
    source="the registers of one of a PE's two files (section IV, \"Activation Read/Write "
    'Unit"); vectors of more than 4096 run in batches',
)
BIASES_PER_PE = described(
    "capacity",
    "biases that a PE holds: its rows summed over all layers",
    unit="biases",
    range=(1, 1 << 16),
    source="no memory for biases is described",
)
LAYERS = described(
    "capacity",
    "layers that may be resident at once",
    unit="layers",
    range=(1, 256),
    source="not said: a layer is an input length and where its pointers start (section IV, "
    '"Central Control Unit")',
)
HIDDEN_ACTIVATIONS = described(
    "capacity",
    "activations that may wait between layers, of all vectors under way",
    unit="activations",
    range=(16, 1 << 16),
    paper="4096",
    more="A multiple of 16. As many vectors are under way at once as find room for their longest "
    "hidden layer.",
    source='64 registers in each of the two files of 64 PEs (section IV, "Activation '
    'Read/Write Unit")',
)
HELD_ACTIVATIONS = described(
    "capacity",
    "activations that layers may hold for later ones, over all vectors under way",
    unit="activations",
    range=(0, 1 << 20),
    more="A multiple of 16; 0 leaves the memory out. Residuals, concatenations, weights of 8 bits "
    "and recurrent layers take it.",
    source="none: layers follow one another",
)
CELL_UNITS = described(
    "array",
    "units of a recurrent layer in a cycle, or four times as many values of a LeakyReLU, "
    "sigmoid or tanh",
    unit="units",
    range=(0, 4),
    more="1, 2 or 4; 0 leaves the cell unit out, and what it does is refused.",
    source="NT-LSTM's matrix alone is run, not its cell (section VI)",
)
BOUNDS = described(
    "array",
    "whether layers may bound their codes besides a ReLU, and round ties to even",
    unit="",
    range=(0, 1),
    more="ReLU6, hardtanh, outputs of 8 bits, ONNX' and Brevitas' rounding; 0 leaves that out of "
    "each PE, and such layers are refused.",
    source="a ReLU alone (section IV)",
)
COUNTERS = described(
    "array",
    "whether each PE counts its cycles, busy and without work, and finds of a full queue",
    unit="",
    range=(0, 1),
    more="0 leaves the counters out: a tenth of a PE. A run's cycles are counted anyway.",
    source="figures of a simulator",
)
SPARE_LUTS = described(
    "array",
    "whether block RAM holds what LUTs hold otherwise: biases, accumulators, queues of words",
    unit="",
    range=(0, 1),
    more="1 takes three blocks or more in each PE, 16 for the queues of inputs and results, and a "
    "sum is in its memory an iteration later. LUTs run out first on every board, so that more PEs "
    "fit. Above 256 words biases and accumulators are in block RAM anyway.",
    source="registers, and SRAM with a cycle to read",
)
ACCUMULATOR_BITS = described(
    "format",
    "width of an accumulator",
    unit="bits",
    range=(24, 48),
    paper="16",
    more="The packer proves for each row that it cannot overflow.",
    source="fixed point of 16 bits throughout; sums lie in the activation registers",
)
RESULT_DEPTH = described(
    "queues",
    "results of a PE that may wait for their turn on the way out",
    unit="results",
    range=(2, 1024),
    more="As deep as a layer has rows in a PE, that PE need not wait to start on the next "
    "layer or vector. Up to 32 take the same LUTs.",
    source="no such queue is described: results lie in the PEs' registers",
)
MEMORY = described(
    "array",
    "where the weights live: block RAM or UltraRAM",
    choices=MEMORIES,
    source="SRAM, since it is a chip of its own",
)
WEIGHT_BITS = described(
    "format",
    "width of a weight's code, fixed for now",
    unit="bits",
    range=(4, 4),
    paper="4",
    source="an index into 16 shared weights (section III)",
)
BOARD = described(
    "target",
    "board whose part it is built for",
    choices=(NO_BOARD, *BOARDS),
    source="none: a chip in 45 nm",
)
CLOCK_MHZ = described(
    "target",
    "clock of the fabric: a target until a build has met it",
    unit="MHz",
    range=(1, 1000),
    paper="800",
    source="in 45 nm",
)
CLOCK_UNCERTAINTY = described(
    "target",
    "share of the clock's period that Vitis HLS keeps for routing",
    unit="percent",
    range=(0, 90),
    more="27 is the tool's own. Less lets it put more into a cycle, and leaves Vivado less time "
    "for wires.",
)
