"""Networks larger than a design: planned in passes, and exact."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.boundary.errors import DoesNotFitError
from eie.hls.spec.design import Design
from eie.hls.spec.fixed_point import write_back
from eie.hls.tools.compiled_kernel import CompiledKernel
from eie.host.packing.packer import pack
from eie.host.packing.tiling import plan_passes
from eie.host.project.generate import generate
from eie.host.run.batch import emulate, simulate
from eie.host.search.fit import fit

SETTINGS = settings(max_examples=40, deadline=None, derandomize=True, database=None)


def dense_outputs(network, inputs):
    values = inputs
    for layer in network.layers:
        sums = values.astype(np.int64) @ layer.dense_weights().astype(np.int64).T + layer.bias
        values = write_back(sums, layer.write_back)
    return values


def make_inputs(network, batch=3, seed=0):
    random = np.random.default_rng(seed)
    codes = random.integers(-3000, 3000, (batch, network.inputs))
    return (codes * (random.random(codes.shape) < 0.5)).astype(np.int16)


def small(pes=4, entries=64, **others):
    sizes = {"pointers_per_pe": 256, "rows_per_pe": 16, "biases_per_pe": 32, "layers": 3}
    sizes |= {"hidden_activations": 128, "accumulator_bits": 48, "result_depth": 4}
    return Design(pes=pes, entries_per_pe=entries, **{**sizes, **others})


def test_a_network_that_fits_is_one_pass_of_itself(random_network):
    network = random_network(20, 16, 9, density=0.2)
    design = small(entries=512)
    plan = plan_passes(network, design)
    assert [len(stage) for stage in plan.stages] == [1]
    assert plan.passes[0].packed.network is network
    assert plan.load_cycles * 8 == len(pack(network, design).load_packet())


@SETTINGS
@given(
    st.lists(st.integers(1, 90), min_size=2, max_size=5),
    st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    st.sampled_from([1, 2, 8, 32]),
    st.sampled_from([128, 512]),
    st.integers(0, 1000),
)
def test_outputs_are_those_of_the_whole_network(random_network, sizes, density, pes, entries, seed):
    network = random_network(*sizes, density=density, seed=seed, magnitude=900)
    # A PE must hold the rows of the smallest share, 16 together.
    entries *= max(1, 16 // pes) * 2
    design = small(pes, entries, rows_per_pe=max(16, 64 // pes))
    inputs = make_inputs(network, seed=seed)
    result = emulate(network, design, inputs)
    assert np.array_equal(result.outputs, dense_outputs(network, inputs))
    plan = plan_passes(network, design)
    # A stage deals its rows out, each pass in rising order: one alone has all of them in order.
    for stage in plan.stages:
        assert all((np.diff(each.rows) > 0).all() for each in stage)
        dealt = np.sort(np.concatenate([each.rows for each in stage]))
        assert np.array_equal(dealt, np.arange(len(dealt)))
    # Every weight is in exactly one pass, and every pass fits: pack refuses what does not.
    weights = sum(part.layer.nonzeros for each in plan.passes for part in each.packed.layers)
    assert weights == sum(layer.nonzeros for layer in network.layers)
    assert [part.name for part in result.report.layers] == [layer.name for layer in network.layers]
    assert [part.nonzeros for part in result.report.layers] == [
        layer.nonzeros for layer in network.layers
    ]
    assert result.report.passes == len(plan.passes)


def test_layers_stay_together_as_long_as_they_fit(random_network):
    network = random_network(30, 20, 20, 20, 20, density=1.0, magnitude=100)
    # 600 weights, then three times 400: the first two, then the other two.
    plan = plan_passes(network, small(4, 288))
    assert [[part.layer.name for part in each.packed.layers] for each in plan.passes] == [
        [network.layers[0].name, network.layers[1].name],
        [network.layers[2].name, network.layers[3].name],
    ]


def test_shares_of_a_layer_are_few_and_even(random_network):
    network = random_network(100, 128, density=0.5, seed=4, magnitude=100)
    design = small(4, 512)
    (stage,) = plan_passes(network, design).stages
    weights = [each.packed.network.layers[0].nonzeros for each in stage]
    least = -(-network.layers[0].nonzeros // (4 * 512))
    assert least <= len(stage) <= least + 1
    assert max(weights) - min(weights) <= 0.05 * max(weights)
    assert np.array_equal(np.sort(np.concatenate([each.rows for each in stage])), np.arange(128))


def test_too_many_rows_alone_make_passes(random_network):
    network = random_network(5, 200, density=0.1)
    (stage,) = plan_passes(network, small(4, 4096, rows_per_pe=12)).stages
    assert len(stage) == 5  # 50 local rows, 12 at a time
    (stage,) = plan_passes(network, small(4, 4096, rows_per_pe=64, biases_per_pe=20)).stages
    assert len(stage) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pointers_per_pe": 32}, "pointers_per_pe"),
        ({"accumulator_bits": 24}, "row 7 of layer 'layer0' can reach sums of"),
        ({"entries_per_pe": 8}, "entries_per_pe"),
    ],
)
def test_what_passes_cannot_help_is_said(random_network, change, message):
    network = random_network(40, 60, density=1.0, seed=2, magnitude=10)
    layer = network.layers[0]
    codes = layer.dense_codes()
    codes[7] = int(np.argmax(np.abs(layer.codebook)))
    loud = type(layer).from_dense_codes(
        "layer0", codes, codebook=(layer.codebook.astype(np.int64) * 90).astype(np.int16)
    )
    network = dataclasses.replace(network, layers=(loud,))
    with pytest.raises(DoesNotFitError, match=message):
        plan_passes(network, small(4, 64).replace(**change))


def test_the_cost_is_in_the_report(random_network):
    network = random_network(60, 100, 30, density=0.3, seed=1, magnitude=900)
    inputs = make_inputs(network, batch=5)
    whole = emulate(network, small(4, 4096, rows_per_pe=32, biases_per_pe=64), inputs).report
    design = small(4, 256)
    result = emulate(network, design, inputs)
    report, plan = result.report, plan_passes(network, design)
    assert report.passes == len(plan.passes) > 2
    assert report.load_cycles == sum(len(each.packed.load_packet()) // 8 for each in plan.passes)
    assert report.total_cycles == result.counters.cycles + report.load_cycles > whole.total_cycles
    assert report.latency_us == report.total_cycles / design.clock_mhz / 5
    assert [part.ideal_cycles for part in report.layers] == [
        part.ideal_cycles for part in whole.layers
    ]
    assert report.as_json()["passes"] == report.passes
    assert "passes" not in whole.as_json()


def test_the_compiled_kernel_runs_passes(random_network, tmp_path):
    network = random_network(60, 100, 30, density=0.3, seed=1, magnitude=900)
    design = small(4, 256, length_bits=5)
    inputs = make_inputs(network, batch=3)
    with CompiledKernel(generate(design, tmp_path / "project")) as kernel:
        result = simulate(network, design, kernel, inputs)
    assert np.array_equal(result.outputs, dense_outputs(network, inputs))
    assert result.report.passes > 2


def test_fit_chooses_passes_only_when_asked(random_network):
    network = random_network(2000, 1500, density=0.5, seed=3, magnitude=100)
    with pytest.raises(DoesNotFitError, match="passes=True"):
        fit(network, "pynq-z2")
    found = fit(network, "pynq-z2", passes=True)
    inputs = make_inputs(network, batch=2)
    assert np.array_equal(
        emulate(network, found.design, inputs, report=False).outputs,
        dense_outputs(network, inputs),
    )
    chosen = found.in_passes[0]
    assert chosen.design == found.design
    assert chosen.passes == len(plan_passes(network, found.design).passes) > 1
    assert chosen.batch_us(64) == min(cost.batch_us(64) for cost in found.in_passes)
    assert f"{chosen.passes} passes" in found.explain()
    assert "a target: not synthesised" in found.explain()
    # A network that fits is not affected by the switch.
    tiny = random_network(20, 10)
    assert fit(tiny, "pynq-z2", passes=True).design == fit(tiny, "pynq-z2").design


def test_fit_in_passes_keeps_what_is_fixed(random_network):
    network = random_network(2000, 1500, density=0.5, seed=3, magnitude=100)
    found = fit(network, "pynq-z2", passes=True, pes=4, index_bits=5, queue_depth=16)
    assert (found.design.pes, found.design.index_bits, found.design.queue_depth) == (4, 5, 16)
    with pytest.raises(DoesNotFitError, match="prune it further"):
        fit(network, "pynq-z2", passes=True, pointers_per_pe=256)
