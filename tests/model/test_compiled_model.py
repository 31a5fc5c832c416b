"""The model in C++ against the one in numpy, which is the specification: equal in every number.

Where nothing is compiled everything runs in numpy, and says so once it takes long.
"""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_graphs import graph_networks

from eie.hls.boundary.errors import SlowModelWarning
from eie.hls.boundary.progress import Progress, listening
from eie.hls.compiler.cxx import find_compiler
from eie.hls.model import cycle_counts, cycles, layer_chain
from eie.hls.model.compiled import library
from eie.hls.model.compiled.weights import CompiledWeights
from eie.hls.model.emulator import Emulator
from eie.hls.model.layer_chain import LayerChain
from eie.hls.model.memory_image import ResidentLayer
from eie.hls.model.resident_network import ResidentNetwork
from eie.hls.spec.design import Design
from eie.hls.spec.fixed_point import WriteBack
from eie.hls.spec.matrix_format import encode
from eie.hls.spec.packets import LAYER
from eie.host.packing.packer import pack
from eie.host.protocol.client import Session

SETTINGS = settings(max_examples=60, deadline=None, derandomize=True, database=None)
#: More than one row of gather nodes, and more than one level of the broadcast, among them.
PES = st.sampled_from([1, 2, 4, 8, 16, 32, 64])
#: What becomes of a layer's sums, with a cell.
EVERY = ("none", "relu", "leaky_relu", "sigmoid", "tanh", "lstm", "gru")
#: Vectors of zeros, a few codes, and any codes.
DENSITIES = st.lists(st.sampled_from([0.0, 0.05, 0.2, 0.6, 1.0]), max_size=6)


@pytest.fixture(scope="session")
def large(roomy):
    """Make a design that holds the largest network of these tests on a single PE."""
    capacities = {"entries_per_pe": 1 << 16, "pointers_per_pe": 4096, "biases_per_pe": 2048}
    return partial(roomy, rows_per_pe=1024, **capacities)


def vectors(densities: list[float], width: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    shape = (len(densities), width)
    codes = random.integers(-32768, 32768, shape)
    return (codes * (random.random(shape) < np.array(densities).reshape(-1, 1))).astype(np.int16)


def resident_run(network, design: Design, inputs: np.ndarray):
    """A network in the memories, and the activations of a batch."""
    emulator = Emulator(design)
    Session(emulator, pack(network, design)).run(inputs)
    assert emulator.resident is not None
    return emulator.resident, emulator.last_activations[:-1]


def assert_same_counts(design: Design, network: ResidentNetwork, activations) -> None:
    assert library.model_library() is not None, library._loaded()[1]
    expected = cycles.count_cycles(design, network, activations)
    counted = cycle_counts.count_cycles(design, network, activations)
    assert counted.same_as(expected)
    assert counted.layer_cycles == expected.layer_cycles


@SETTINGS
@given(data=st.data())
def test_counts_of_any_design_network_and_batch(random_network, large, data) -> None:
    design = large(
        data.draw(PES, "pes"),
        queue_depth=data.draw(st.sampled_from([2, 3, 8, 64]), "queue_depth"),
        result_depth=data.draw(st.sampled_from([2, 5, 32]), "result_depth"),
        index_bits=data.draw(st.sampled_from([3, 4, 8]), "index_bits"),
        length_bits=data.draw(st.sampled_from([0, 7]), "length_bits"),
        memory=data.draw(st.sampled_from(["bram", "uram"]), "memory"),
        hidden_activations=data.draw(st.sampled_from([1024, 8192]), "hidden_activations"),
        abreast=data.draw(st.sampled_from([1, 2, 4]), "abreast"),
        spare_luts=data.draw(st.sampled_from([0, 1]), "spare_luts"),
    )
    sizes = data.draw(st.lists(st.integers(1, 90), min_size=2, max_size=7), "sizes")
    network = random_network(
        *sizes,
        seed=data.draw(st.integers(0, 99), "seed"),
        density=data.draw(st.sampled_from([0.0, 0.02, 0.3, 1.0]), "density"),
        activation=data.draw(st.sampled_from([None, "none"]), "activation"),
    )
    inputs = vectors(data.draw(DENSITIES, "densities"), sizes[0], 1)
    assert_same_counts(design, *resident_run(network, design, inputs))


@SETTINGS
@given(network=graph_networks(activations=EVERY), data=st.data())
def test_counts_of_any_functions(network, large, data) -> None:
    """Through the cell, however many units it has; recurrent layers take a step of each vector."""
    design = large(
        data.draw(PES, "pes"),
        cell_units=data.draw(st.sampled_from([1, 2, 4]), "cell_units"),
        held_activations=data.draw(st.sampled_from([2048, 4096]), "held_activations"),
        bounds=1,
        hidden_activations=data.draw(st.sampled_from([256, 2048]), "hidden_activations"),
        layers=16,
        accumulator_bits=48,
    )
    inputs = vectors(data.draw(DENSITIES, "densities"), network.inputs, 1)
    assert_same_counts(design, *resident_run(network, design, inputs))


@pytest.mark.parametrize(("pes", "queue_depth"), [(16, 8), (64, 2), (256, 32)])
@pytest.mark.parametrize("sizes", [(700, 40), (5, 900), (300, 300, 10)])
def test_counts_of_wide_layers(random_network, large, pes, queue_depth, sizes) -> None:
    design = large(pes, queue_depth=queue_depth)
    network = random_network(*sizes, density=0.1, magnitude=300)
    inputs = vectors([0.3, 0.0, 1.0], sizes[0], 2)
    assert_same_counts(design, *resident_run(network, design, inputs))


def test_padding_entries_take_a_cycle_each(roomy) -> None:
    design = roomy(2, index_bits=3)
    assert_same_counts(
        design, ResidentNetwork(1, 0, 0, None, (far_apart(design.pes),)), [vectors([1.0] * 3, 3, 5)]
    )


def fields_of(columns: int, rows: int, local_rows: int, shift: int = 0, **others: int) -> dict:
    """The fields of a plain layer's record."""
    plain = dict.fromkeys((each.name for each in LAYER.fields), 0)
    sizes = {"columns": columns, "rows": rows, "local_rows": local_rows, "shift": shift}
    return plain | sizes | {"low": 0x8000, "high": 0x7FFF, "begins": 1, "ends": 1} | others


def far_apart(pes: int) -> ResidentLayer:
    """Three columns, of which one has its weights far apart and one has none."""
    slots, columns, codes = np.array([0, 230, 239]), np.array([0, 0, 2]), np.array([1, 2, 3])
    encoded = encode(slots, columns, codes.astype(np.uint8), columns=3, pes=pes, index_bits=3)
    assert encoded.padding > 3
    fields = fields_of(3, 239, 240 // pes)
    codebook = np.arange(16, dtype=np.int16)
    return ResidentLayer.build(fields, encoded, codebook, np.zeros(240, np.int64))


def test_times_beyond_32_bits_are_exact(roomy) -> None:
    """Of a layer whose one column has more entries than a test could encode."""
    design = roomy(2)
    layer = far_apart(2)
    pointers = np.array([[0, 2**30, 2**30, 2**30 + 1], [0, 2**30 - 9, 2**30, 2**30]])
    layer = replace(layer, encoded=replace(layer.encoded, pointers=pointers))
    network = ResidentNetwork(1, 0, 0, None, (layer,))
    assert_same_counts(design, network, [vectors([1.0] * 9, 3, 5)])
    assert cycles.count_cycles(design, network, [vectors([1.0] * 9, 3, 5)]).cycles > 2**33


def test_activations_may_lie_anyhow_in_memory(random_network, roomy) -> None:
    design = roomy(4)
    network, (activations,) = resident_run(
        random_network(33, 20), design, vectors([0.5] * 7, 33, 0)
    )
    for strided in (
        np.asfortranarray(activations),
        np.repeat(activations, 2, axis=1)[:, ::2],
        activations[::-1],
        np.broadcast_to(activations[:1], activations.shape),
    ):
        assert_same_counts(design, network, [strided])
        chain = LayerChain(network.layers)
        assert_same_results(chain.run(strided), chain.run_in_numpy(strided))


# Products and write-back ----------------------------------------------------------------------


def assert_same_results(left, right) -> None:
    assert layer_chain.model_library() is not None
    assert left[0].dtype == right[0].dtype == np.int16
    assert np.array_equal(left[0], right[0])
    assert left[1] == right[1]


@SETTINGS
@given(
    rows=st.integers(1, 150),
    columns=st.integers(1, 150),
    density=st.sampled_from([0.0, 0.01, 0.1, 0.5, 1.0]),
    batch=st.sampled_from([0, 1, 2, 5, 31, 32, 33, 70]),
    active=st.sampled_from([0.0, 0.02, 0.3, 1.0]),
    extreme=st.booleans(),
    shift=st.sampled_from([0, 1, 9, 30]),
    bounds=st.sampled_from([(-32768, 32767), (0, 32767), (-128, 127), (0, 0), (-32767, 32766)]),
    half_even=st.booleans(),
    accumulator_bits=st.sampled_from([24, 32, 40, 62]),
    seed=st.integers(0, 999),
)
def test_results_of_any_layer_and_batch(
    rows, columns, density, batch, active, extreme, shift, bounds, half_even, accumulator_bits, seed
) -> None:
    """Accumulators too narrow for the sums among them, in which these wrap around."""
    random = np.random.default_rng(seed)
    slots, column_of = np.nonzero(random.random((rows, columns)) < density)
    # Numbers of the largest magnitude: sums of which the halves of a product are the largest, too.
    most = [-32768, 32767]
    codebook = random.choice(most, 16) if extreme else random.integers(-900, 900, 16)
    pes = int(random.choice([1, 2, 4]))
    local_rows = -(-rows // pes)
    layer = ResidentLayer.build(
        fields_of(
            columns,
            rows,
            local_rows,
            min(shift, accumulator_bits - 1),
            low=bounds[0] & 0xFFFF,
            high=bounds[1] & 0xFFFF,
            rounding=int(half_even),
        ),
        encode(
            slots,
            column_of,
            random.integers(1, 16, len(slots)).astype(np.uint8),
            columns=columns,
            pes=pes,
            index_bits=5,
        ),
        codebook.astype(np.int16),
        random.integers(-(1 << 22), 1 << 22, local_rows * pes),
        accumulator_bits,
    )
    codes = random.choice(most, (batch, columns)) if extreme else vectors([1.0] * batch, columns, 1)
    activations = (codes * (random.random((batch, columns)) < active)).astype(np.int16)
    chain = LayerChain((layer,))
    assert_same_results(chain.run(activations), chain.run_in_numpy(activations))


def long_row(columns: int) -> ResidentLayer:
    """A row of the largest weights, as long as a layer may be."""
    places = np.arange(columns)
    codes = np.full(columns, 1, np.uint8)
    encoded = encode(0 * places, places, codes, columns=columns, pes=1, index_bits=4)
    fields = fields_of(columns, 1, 1, 40)
    return ResidentLayer.build(fields, encoded, np.full(16, -32768, np.int16), np.zeros(1, int))


@pytest.mark.parametrize("register_bytes", [16, 32])
def test_processors_with_narrower_registers_give_the_same(register_bytes) -> None:
    made = library.compile_model([f"-DEIE_WIDEST_REGISTER={register_bytes}"])
    layer = long_row(700)
    product = replace(layer.product, weights=layer.product.weights + np.arange(700))
    layer = replace(layer, product=product, rule=WriteBack(13))
    weights = CompiledWeights(
        made, product, layer.bias, layer.rows, rule=layer.rule, accumulator_bits=40
    )
    activations = vectors([1.0] * 90, 700, 3)
    assert_same_results(weights.run(activations), LayerChain((layer,)).run_in_numpy(activations))


@pytest.mark.parametrize("batch", [1, 40])
@pytest.mark.parametrize("code", [-32768, 32767, 1])
def test_no_sum_overflows_in_the_longest_row(batch, code) -> None:
    layer = long_row(1 << 16)
    activations = np.full((batch, 1 << 16), code, np.int16)
    chain = LayerChain((layer,))
    assert_same_results(chain.run(activations), chain.run_in_numpy(activations))


@pytest.mark.parametrize("batch", [1, 40])
def test_more_rows_than_a_place_can_name(batch) -> None:
    rows = (1 << 16) + 48
    random = np.random.default_rng(0)
    slots = np.sort(random.choice(rows, 900, replace=False))
    slots[-1] = rows - 1
    codes = random.integers(1, 16, 900).astype(np.uint8)
    encoded = encode(slots, slots % 3, codes, columns=3, pes=16, index_bits=8)
    fields = fields_of(3, rows, rows // 16, 3)
    codebook = np.arange(-800, 800, 100, np.int16)
    layer = ResidentLayer.build(fields, encoded, codebook, np.arange(rows))
    activations = vectors([0.4] * batch, 3, 1)
    chain = LayerChain((layer,))
    assert_same_results(chain.run(activations), chain.run_in_numpy(activations))


@pytest.mark.parametrize("wrong", [np.zeros((2, 4), np.int16), np.zeros((2, 3), np.int32)])
def test_what_is_no_vector_of_the_layer_is_refused(roomy, wrong) -> None:
    layer = far_apart(2)
    with pytest.raises(ValueError, match="activations must be int16"):
        LayerChain((layer,)).run(wrong)
    with pytest.raises(ValueError, match="activations must be int16"):
        cycle_counts.count_cycles(roomy(2), ResidentNetwork(1, 0, 0, None, (layer,)), [wrong])


# Progress, interrupts, and no compiler ---------------------------------------------------------


def test_progress_is_told_and_an_interrupt_heard_in_between(random_network, roomy) -> None:
    design = roomy(4)
    network, activations = resident_run(random_network(9, 5), design, vectors([0.5] * 500, 9, 0))
    told: list[Progress] = []
    with listening(told.append):
        cycle_counts.count_cycles(design, network, activations)
    done = [each.done for each in told]
    assert {(each.what, each.total) for each in told} == {("counting cycles", 500)}
    assert done == sorted(set(done))
    assert len(done) > 2

    def interrupt(progress: Progress) -> None:
        if progress.done:
            raise KeyboardInterrupt

    with listening(interrupt), pytest.raises(KeyboardInterrupt):
        cycle_counts.count_cycles(design, network, activations)


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where g++ is missing; what was compiled before is out of reach."""
    monkeypatch.setenv("CXX", "no-such-compiler")
    loaded = library._loaded.__wrapped__
    monkeypatch.setattr(library, "_loaded", loaded)
    library.warn_of_numpy.cache_clear()


@pytest.mark.usefixtures("no_compiler")
def test_without_a_compiler_numpy_does_it_and_says_so_once(random_network, roomy) -> None:
    design, network = roomy(2), random_network(9, 5, 4)
    inputs = vectors([0.5] * 70, 9, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        few = resident_run(network, design, inputs[:8])
        assert cycle_counts.count_cycles(design, *few).same_as(cycles.count_cycles(design, *few))
    many = resident_run(network, design, inputs)
    with pytest.warns(SlowModelWarning, match="no C\\+\\+ compiler called no-such-compiler.*CXX"):
        counted = cycle_counts.count_cycles(design, *many)
    assert counted.same_as(cycles.count_cycles(design, *many))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cycle_counts.count_cycles(design, *many)
    assert layer_chain.model_library() is None


# Sanitizers ------------------------------------------------------------------------------------

_SANITIZED = """
import sys
import pytest
from eie.hls.model.compiled import library

made = library.compile_model(sys.argv[2:])
library._loaded = lambda: (made, "")
chosen = ["-k", "not sanitizers and not without"]
sys.exit(pytest.main(["-q", "-x", "-p", "no:cacheprovider", *chosen, sys.argv[1]]))
"""


@pytest.mark.slow  # all of the above once more, on slower code: half a minute
def test_sanitizers_find_nothing() -> None:
    """That of addresses must be loaded before Python's own code."""
    flags = [
        "-O1",
        "-g",
        "-Werror",
        "-Wconversion",
        "-Wpedantic",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
    ]
    found = subprocess.run(
        [find_compiler() or "g++", "-print-file-name=libasan.so"], capture_output=True, text=True
    )
    preloaded = found.stdout.strip()
    assert Path(preloaded).is_file(), "g++ must have its sanitizers"
    done = subprocess.run(
        [sys.executable, "-c", _SANITIZED, __file__, *flags],
        env=os.environ | {"LD_PRELOAD": preloaded, "ASAN_OPTIONS": "detect_leaks=0"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "passed" in done.stdout
