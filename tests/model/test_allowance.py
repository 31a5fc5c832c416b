"""What the cycle model leaves out, and that it may be added up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import eie.hls.model.cycles as model
from eie.hls.model.allowance import ASSUMED, LOOP_DONE, allowance_of
from eie.hls.model.loop_depths import loop_depths
from eie.hls.spec.design import Design
from eie.host.packing.packer import encode_network
from eie.host.search.prediction import BATCH_VECTORS, Prediction

KERNEL = Path(__file__).parents[2] / "templates" / "kernel"


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Give every process of the cycle model a pipeline of so many stages more than one.

    What an iteration reads in a cycle it then writes that many cycles later, or the pipeline waits
    as a whole: the write waits for room, and the reads behind it with it.
    """
    more = 0

    def late(base: type) -> type:
        class Late(base):  # type: ignore[misc, valid-type]
            def write(self, time, *where):
                return super().write(time + more, *where) - more

        return Late

    for name in ("Stream", "StreamArray", "StreamBundle"):
        monkeypatch.setattr(model, name, late(getattr(model, name)))

    def give(count: int) -> None:
        nonlocal more
        more = count

    return give


def passed(design: Design) -> int:
    """Processes that a vector passes in a layer, one after another."""
    return sum(each.passed for each in allowance_of(design).layer)


@pytest.mark.parametrize("pes", [1, 2, 16, 64])
@pytest.mark.parametrize("sizes", [(64, 64), (33, 50, 70, 10)])
def test_stages_add_up_in_the_latency_of_one_vector(random_network, stages, pes, sizes):
    network = random_network(*sizes, seed=pes)
    design = Design(pes=pes, queue_depth=4)

    def cycles() -> int:
        return Prediction(encode_network(network, design, "balanced")).cycles(design)

    stages(0)
    plain = cycles()
    stages(3)
    # One more than the ring: the receiver's, once.
    assert cycles() - plain == 3 * ((len(sizes) - 1) * passed(design) + 1)


@pytest.mark.parametrize("sizes", [(64, 64), (33, 50, 70, 10)])
def test_of_a_batch_it_is_the_most_as_vectors_overlap(random_network, stages, sizes):
    network = random_network(*sizes)
    design = Design(pes=4, queue_depth=4)

    def cycles() -> int:
        return Prediction(encode_network(network, design, "balanced")).batch_cycles(design)

    stages(0)
    plain = cycles()
    stages(3)
    most = 3 * (BATCH_VECTORS * (len(sizes) - 1) * passed(design) + 1)
    assert 0 < cycles() - plain < most


def test_it_is_a_sum_over_layers_and_vectors():
    found = allowance_of(Design(pes=16))
    layer, between, run = found.layer_cycles, found.between_cycles, found.run_cycles
    assert layer == sum(each.cycles for each in found.layer)
    assert found.of(1) == run + layer
    assert found.of(3) == run + 3 * layer + 2 * between
    assert found.of(3, 10) == run + 10 * (3 * layer + 2 * between)
    assert found.of(3, 0) == 0


def test_more_pes_mean_more_levels_of_the_trees():
    totals = [allowance_of(Design(pes=2**power)).layer_cycles for power in range(9)]
    assert totals == sorted(totals)
    # 4 to 16 PEs: a level of the broadcast. 16 to 64: a level of it, and of the merging of words.
    assert allowance_of(Design(pes=16)).layer_cycles - allowance_of(Design(pes=4)).layer_cycles == 1
    assert totals[6] - totals[4] == 2


def test_slower_memories_take_more_stages():
    bram = Design(pes=4)
    uram = bram.replace(memory="uram", board="kv260")
    assert allowance_of(uram).layer_cycles == allowance_of(bram).layer_cycles + 1
    compact = bram.replace(length_bits=4)
    assert allowance_of(compact).layer_cycles == allowance_of(bram).layer_cycles + 2
    many_rows = bram.replace(rows_per_pe=1024)  # in block RAM
    assert allowance_of(many_rows).layer_cycles == allowance_of(bram).layer_cycles + 1


def test_reported_depths_replace_the_assumed_ones():
    design = Design(pes=16)
    assumed = allowance_of(design)
    assert assumed.source == ASSUMED
    found = allowance_of(design, {("broadcast", "tokens"): 5}, source="of a report")
    assert found.source == "of a report"
    # Two levels, each of 4 cycles where 1 was assumed.
    assert found.layer_cycles == assumed.layer_cycles + 6
    slower = allowance_of(design, loop_done=LOOP_DONE + 1)
    assert slower.layer_cycles == assumed.layer_cycles + 2
    assert slower.between_cycles == assumed.between_cycles + 1
    # Of depth 1 nothing is left but the starts and ends of loops, and what no loop has.
    flat = allowance_of(design, {(each.process, each.loop): 1 for each in loop_depths(design)})
    assert {each.process for each in flat.layer if each.cycles} == {
        "control_activations",
        "multiply_accumulate",
    }


def test_every_loop_is_one_of_the_kernel():
    for each in loop_depths(Design(pes=64)):
        (file,) = KERNEL.glob(f"{each.process}.h*")
        text = file.read_text()
        # The label, and a pipelined loop behind it.
        after = text.split(f"\n{each.loop}:\n")[1:] or text.split(f"  {each.loop}:\n")[1:]
        assert any("#pragma HLS PIPELINE II = 1" in part[:250] for part in after), each
        assert each.function in text
        assert each.stages >= 1 and each.reason


def test_it_says_what_it_is_made_of():
    text = allowance_of(Design(pes=64)).as_text()
    assert text.startswith("pipeline stages, starts and ends of loops (assumed): ")
    for process in ("control_activations", "broadcast x 3", "gather x 2", "merge", "send"):
        assert f"  {process}: " in text
