"""What a report says, as values: the fields of its JSON, documented where they are defined.

``docs/reference/report.md`` is made of the comments here, in
:mod:`eie.host.report.quality_facts` and in :mod:`eie.host.report.host_facts` (``make tables``).
Shares go from 0 to 1. What is not known is None, or empty, and :attr:`Facts.missing` says how to
get it.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eie.host.report.host_facts import HostFacts
from eie.host.report.quality_facts import Accuracy, LayerLosses, Losses, StageLosses

__all__ = [
    "FORMAT",
    "SCHEMA",
    "Accuracy",
    "AreaPart",
    "EngineAgreement",
    "Facts",
    "HostFacts",
    "LayerCycles",
    "LayerFacts",
    "LayerLoad",
    "LayerLosses",
    "Losses",
    "PeActivity",
    "Resource",
    "RunCycles",
    "Size",
    "StageLosses",
    "Step",
    "Synthesis",
    "as_json",
]

#: Version of the JSON: raised when a field changes its meaning or goes; new ones may come any time.
FORMAT = 1


@dataclass(frozen=True)
class Synthesis:
    """Whether the hardware was ever built, and what the figures rest on if not."""

    #: Whether Vivado has built a bitstream of this design.
    built: bool
    #: What that means for the figures, in a sentence or two.
    statement: str
    #: Clock of the fabric in MHz: the built one, or a target.
    clock_mhz: float
    #: Name and version of the implementation tool; None if not built.
    tool: str | None
    #: Worst setup slack in ns; None if not built.
    slack_ns: float | None


@dataclass(frozen=True)
class Size:
    """What the network takes in bytes."""

    #: Weights and biases of the model in float32.
    float32_bytes: int
    #: All that is loaded into the accelerator: entries with their padding, pointers, biases,
    #: codebooks and formats, in 64-bit words.
    loaded_bytes: int
    #: The entries among them: weight codes, zero runs and padding, without the rest of a word.
    entry_bytes: int
    #: ``float32_bytes / loaded_bytes``.
    ratio: float


@dataclass(frozen=True)
class LayerFacts:
    """A layer of the network."""

    #: Name, as in the model.
    name: str
    #: Values that it takes.
    inputs: int
    #: Values that it gives.
    outputs: int
    #: ``"relu"`` or ``"none"``.
    activation: str
    #: Weights before pruning: inputs times outputs.
    weights: int
    #: Weights kept.
    weights_kept: int
    #: ``weights_kept / weights``.
    density: float
    #: Fraction bits of the inputs, of 16.
    input_frac: int
    #: Fraction bits of the shared weights, of 16.
    weight_frac: int
    #: Fraction bits of the outputs, of 16.
    output_frac: int
    #: Smallest output that the format holds.
    output_low: float
    #: Largest output that the format holds.
    output_high: float
    #: Smallest output of the float model on the vectors compared; None if not compared.
    model_low: float | None
    #: Largest output of the float model on them; None if not compared.
    model_high: float | None
    #: Outputs cut off to 16 bits in the run, over all vectors; None if not counted.
    saturated: int | None
    #: Root mean square of the outputs' error against the float model, as a share of that of its
    #: outputs; errors of the layers before are in it. None if not compared.
    rms_error: float | None
    #: Largest magnitude of an output's error, in the unit of the outputs; None if not compared.
    largest_error: float | None


@dataclass(frozen=True)
class LayerCycles:
    """What a layer took of a run, a vector on average."""

    #: Name of the layer.
    name: str
    #: Its share of the run: from its first activations, of any vector, to the next first ones of
    #: any layer, or to the last output. In a batch it may be less than the bounds.
    cycles: float
    #: Non-zero activations.
    activations: float
    #: Weights that they meet, once for all of a group, over the number of PEs: cycles of PEs that
    #: share them evenly.
    ideal: float
    #: Cycles that the broadcast takes at least: an activation each.
    broadcast: float
    #: Cycles that the inputs take at least: four values each from a packet, sixteen from memory.
    input: float
    #: Cycles that the outputs take at least: four values each to a packet, sixteen to memory.
    output: float
    #: The largest of these four bounds.
    bound: float
    #: Which that is: ``"PEs"``, ``"broadcast"``, ``"input"`` or ``"output"``.
    bound_by: str


@dataclass(frozen=True)
class RunCycles:
    """Cycles of a run by the cycle model; ``opening + layers + load = total``."""

    #: Vectors.
    vectors: int
    #: Cycles that open a run, before its first layer.
    opening: int
    #: Cycles of all layers over all vectors, each counted for one of them.
    layers: int
    #: Cycles that load weights, where a network runs in passes: once for the run.
    load: int
    #: Cycles of the run. At least: what the pipelines take to fill is not modelled.
    total: int
    #: Microseconds of a vector at the design's clock: ``total / clock / vectors``. At least.
    us_per_vector: float
    #: Vectors a second, at most.
    vectors_per_second: float
    #: Cycles that pipeline stages and starts of loops are allowed on top of ``total``: of one
    #: vector alone what they add, of a batch, in which vectors overlap, at most.
    allowance: int
    #: Where their number is from: ``"assumed"``, or depths of a report of Vitis HLS.
    allowance_source: str
    #: Microseconds of a vector with the allowance.
    allowed_us: float
    #: Each layer, in order.
    by_layer: tuple[LayerCycles, ...]


@dataclass(frozen=True)
class LayerLoad:
    """Entries of a layer in the PEs, padding included."""

    #: Name of the layer.
    name: str
    #: Entries of the PE that has fewest.
    lightest: int
    #: Entries of a PE on average.
    mean: float
    #: Entries of the PE that has most.
    heaviest: int
    #: Padding entries in all PEs.
    padding: int
    #: Entries of each PE, padding included.
    entries: tuple[int, ...]


@dataclass(frozen=True)
class PeActivity:
    """What each PE did in the run; lists have an item for each PE."""

    #: Cycles with an entry.
    busy: tuple[int, ...]
    #: Cycles of the run without an entry, before the last one.
    starved: tuple[int, ...]
    #: Activations that found the PE's queue full, and held the broadcast up.
    full: tuple[int, ...]
    #: Cycles of the run that were counted: its total, without loading weights.
    cycles: int


@dataclass(frozen=True)
class Resource:
    """What the design takes of a resource of the board."""

    #: Name.
    name: str
    #: Needed: the low end of the estimate; equal to ``high`` where it is counted exactly.
    low: int
    #: Needed: the high end of the estimate.
    high: int
    #: Whether it is counted from the design, not estimated by a model without calibration.
    exact: bool
    #: What the board has; None for a design without a board.
    available: int | None
    #: What a design may take of it, past which routing suffers; None without a board.
    budget: int | None


@dataclass(frozen=True)
class AreaPart:
    """What processes of a kind, a stream or a cell of the block design take, by parts."""

    #: Name.
    name: str
    #: How many of them there are.
    copies: int
    #: Look-up tables of all of them, before what published designs take beyond their parts.
    lut: int
    #: Flip-flops.
    ff: int
    #: Block RAMs of 18 Kib.
    bram18: int
    #: DSP slices.
    dsp: int


@dataclass(frozen=True)
class EngineAgreement:
    """How many outputs of an engine are equal to the reference, to the last bit."""

    #: What computed them: ``"generated C++"``, ``"board"``.
    engine: str
    #: Vectors that were run.
    vectors: int
    #: Outputs that were compared.
    outputs: int
    #: Those that are equal.
    equal: int
    #: What they were compared with.
    reference: str = "numpy emulator"


@dataclass(frozen=True)
class Step:
    """Something to do next."""

    #: What for.
    what: str
    #: Commands, a line each.
    commands: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """Everything that a report says."""

    #: Version of these fields.
    format: int
    #: Version of eie that made the report.
    eie: str
    #: Title.
    title: str
    #: Whether the hardware was ever built.
    synthesis: Synthesis
    #: What limits the network on this design, in a sentence.
    limit: str
    #: What should be looked at: a sentence each, empty if nothing is wrong.
    warnings: tuple[str, ...]
    #: The board's name for people; None for a design without a board.
    board: str | None
    #: Parameters of the design by name (docs/reference/parameters.md).
    design: Mapping[str, int | str]
    #: Loads of weights that a run takes: 1 for a network that stays on the chip.
    passes: int
    #: What the network takes in bytes.
    size: Size
    #: Each layer, in order.
    layers: tuple[LayerFacts, ...]
    #: Vectors on which each layer's outputs were compared with the float model's; None if they
    #: were not.
    compared_vectors: int | None
    #: What the host does of the model, where the network is the head of one that was cut; None of a
    #: whole model.
    host: HostFacts | None
    #: Fewest and most fraction bits of the inputs, where each feature has its own; else None.
    feature_fracs: tuple[int, ...] | None
    #: Accuracy on given vectors; None if not evaluated.
    accuracy: Accuracy | None
    #: What compression lost; None if it was not recorded.
    losses: Losses | None
    #: One vector alone: its ``us_per_vector`` is the latency. None if not run.
    single: RunCycles | None
    #: A batch: its ``vectors_per_second`` is the throughput. None if not run.
    batch: RunCycles | None
    #: Input values cut off to 16 bits in the run; None if not counted.
    saturated_inputs: int | None
    #: Work of the PEs in each layer, in order.
    load: tuple[LayerLoad, ...]
    #: What the PEs did in the run; None if not counted.
    activity: PeActivity | None
    #: What the design takes of the board.
    resources: tuple[Resource, ...]
    #: Where its LUTs and flip-flops go by the sum over its parts, the largest first.
    area: tuple[AreaPart, ...]
    #: Which engines gave how many equal outputs.
    agreement: tuple[EngineAgreement, ...]
    #: Why this design was chosen: lines for people, empty if it was given.
    reasons: tuple[str, ...]
    #: What is not known, by name of the field: a sentence on how to get it.
    missing: Mapping[str, str]
    #: What to do next.
    next_steps: tuple[Step, ...]
    #: What the network's file says of its origin.
    origin: Mapping[str, str]


#: Every value, the whole first.
SCHEMA: tuple[type, ...] = (
    Facts,
    Synthesis,
    Size,
    LayerFacts,
    HostFacts,
    Accuracy,
    Losses,
    StageLosses,
    LayerLosses,
    RunCycles,
    LayerCycles,
    LayerLoad,
    PeActivity,
    Resource,
    AreaPart,
    EngineAgreement,
    Step,
)


def as_json(value: Any) -> Any:
    """Give a value of this module as plain dictionaries, lists, numbers and strings."""
    if dataclasses.is_dataclass(value):
        return {
            field.name: as_json(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, (dict, types.MappingProxyType)):
        return {str(name): as_json(each) for name, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [as_json(each) for each in value]
    return value
