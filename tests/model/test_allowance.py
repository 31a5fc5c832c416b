"""What the cycle model leaves out, and that it may be added up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import eie.hls.model.broadcast_times
import eie.hls.model.cell_times
import eie.hls.model.cycles
import eie.hls.model.gather_times
import eie.hls.model.input_times
import eie.hls.model.pe_times
import eie.host.search.prediction
from eie.hls.model.allowance import ASSUMED, LOOP_START, allowance_of
from eie.hls.model.cycles import count_cycles
from eie.hls.model.loop_depths import loop_depths
from eie.hls.spec.design import Design
from eie.host.packing.packer import encode_network
from eie.host.search.prediction import BATCH_GROUPS, Prediction

KERNEL = Path(__file__).parents[2] / "templates" / "kernel"
#: Modules that have the streams of the model, by name.
MODULES = (
    eie.hls.model.cycles,
    eie.hls.model.input_times,
    eie.hls.model.broadcast_times,
    eie.hls.model.pe_times,
    eie.hls.model.gather_times,
    eie.hls.model.cell_times,
)

#: Two states of a process and what published reports of Vitis HLS 2022.1 and 2022.2 give modules
#: made of a loop on top of the loop: 256 and 258 cycles, 3,073 and 3,075.
LOOP_ENDS = 2 + 2


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Give every process of the cycle model a pipeline of so many stages more than one.

    What an iteration reads in a cycle it then writes that many cycles later, or the pipeline waits
    as a whole: the write waits for room, and the reads behind it with it.
    """
    more = 0

    def late(base: type) -> type:
        class Late(base):  # type: ignore[misc, valid-type]
            in_turn = False

            def write(self, time, *where):
                if self.in_turn:
                    return super().write(time, *where)
                return super().write(time + more, *where) - more

            def write_in_turn(self, times, group):
                self.in_turn = True
                written = super().write_in_turn(times + more, group) - more
                self.in_turn = False
                return written

        return Late

    for module in MODULES:
        for name in ("Stream", "StreamArray", "StreamBundle"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, late(getattr(module, name)))

    def give(count: int) -> None:
        nonlocal more
        more = count

    return give


def passed(design: Design) -> int:
    """Processes that a vector passes in a layer, one after another."""
    # The last is no process but the FIFO between two.
    return sum(each.passed for each in allowance_of(design).layer if each.process != "hidden")


@pytest.fixture
def predicted(random_network, stages, monkeypatch) -> Callable[..., Prediction]:
    """What is predicted where every process has so many more stages: by the numpy model."""
    monkeypatch.setattr(eie.host.search.prediction, "count_cycles", count_cycles)

    def predict(sizes: tuple[int, ...], design: Design, more: int) -> Prediction:
        stages(more)
        network = random_network(*sizes, seed=design.pes)
        return Prediction(encode_network(network, design, "balanced"))

    return predict


@pytest.mark.parametrize("pes", [1, 2, 16, 64])
@pytest.mark.parametrize("sizes", [(64, 64), (33, 50, 70, 10)])
def test_stages_add_up_in_the_latency_of_one_vector(predicted, pes, sizes):
    design = Design(pes=pes, queue_depth=4)
    plain, late = (predicted(sizes, design, more).cycles(design) for more in (0, 3))
    # One more than the ring: the receiver's, once.
    assert late - plain == 3 * ((len(sizes) - 1) * passed(design) + 1)


@pytest.mark.parametrize("pes", [1, 4, 16])
@pytest.mark.parametrize("sizes", [(64, 64), (33, 50, 70, 10), (16, 100, 20, 90, 10)])
def test_of_a_batch_it_is_the_most_as_vectors_overlap(predicted, pes, sizes):
    design = Design(pes=pes, queue_depth=4)
    plain, late = (predicted(sizes, design, more).batch_cycles(design) for more in (0, 3))
    most = 3 * (BATCH_GROUPS * (len(sizes) - 1) * passed(design) + 1)
    assert 0 < late - plain < most


@pytest.mark.parametrize("pes", [1, 16, 256])
@pytest.mark.parametrize("length_bits", [0, 4])
def test_a_loop_that_ends_with_each_layer_is_back_before_the_ring_is(pes, length_bits):
    design = Design(pes=pes, length_bits=length_bits)
    ring = allowance_of(design).layer_cycles
    for each in loop_depths(design):
        if each.each_layer:
            assert each.fill + LOOP_ENDS + LOOP_START <= ring, each


def test_it_is_a_sum_over_layers_and_vectors():
    found = allowance_of(Design(pes=16))
    layer, run = found.layer_cycles, found.run_cycles
    assert layer == sum(each.cycles for each in found.layer)
    assert found.of(1) == run + layer
    assert found.of(3) == run + 3 * layer
    assert found.of(3, 10) == run + 10 * 3 * layer
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
    sparing = bram.replace(spare_luts=1)  # words that come in and go out too, once a run
    assert allowance_of(sparing).layer_cycles == allowance_of(bram).layer_cycles + 1
    assert allowance_of(sparing).run_cycles == allowance_of(bram).run_cycles + 2
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
    # Of depth 1 nothing is left but what no loop has.
    flat = allowance_of(design, {(each.process, each.loop): 1 for each in loop_depths(design)})
    assert [each.process for each in flat.layer if each.cycles] == ["hidden"]


def test_every_loop_is_one_of_the_kernel():
    for each in loop_depths(Design(pes=64)):
        # A process may have more than one header.
        text = "".join(file.read_text() for file in sorted(KERNEL.glob(f"{each.process}*.h*")))
        # The label, and a pipelined loop behind it.
        after = text.split(f"\n{each.loop}:\n")[1:] or text.split(f"  {each.loop}:\n")[1:]
        assert any("#pragma HLS PIPELINE II = 1" in part[:250] for part in after), each
        assert each.stages >= 1 and each.reason


def test_it_says_what_it_is_made_of():
    text = allowance_of(Design(pes=64)).as_text()
    assert text.startswith("pipeline stages and starts of loops (assumed): ")
    for process in ("control_activations", "broadcast x 3", "gather x 2", "merge", "send"):
        assert f"  {process}: " in text


def test_a_function_is_a_deeper_way_through_the_cell() -> None:
    """Counted for each layer that has one, and for all of them where nobody says how many do."""
    without = allowance_of(Design(pes=8))
    allowed = allowance_of(Design(pes=8, cell_units=2, held_activations=64))
    (more,) = allowed.function
    through = next(each for each in allowed.layer if each.process == "cell")
    depths = {
        each.loop: each
        for each in loop_depths(Design(pes=8, cell_units=1))
        if each.process == "cell"
    }
    assert (through.stages, through.stages + more.stages) == (
        depths["words"].fill,
        depths["steps"].fill,
    )
    assert allowed.layer_cycles == without.layer_cycles + through.cycles
    plain = allowed.of(layers=3, vectors=2, functions=0)
    assert plain == without.of(layers=3, vectors=2) + 3 * 2 * through.cycles
    assert allowed.of(layers=3, vectors=2, functions=1) == plain + 2 * more.cycles
    assert allowed.of(layers=3, vectors=2) == plain + 3 * 2 * more.cycles
    assert (without.function, without.function_cycles) == ((), 0)
