"""The driver with the engines that compute: outputs are those of exact integer arithmetic."""

import shutil
from importlib.util import find_spec

import numpy as np
import pytest

from eie.hls.boundary.errors import DeviceError, InputError
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.hls.spec.packets import Status
from eie.host.board.driver import Accelerator
from eie.host.board_emulator import EmulatedBoard
from eie.host.packing.held_memory import HeldMemory
from eie.host.packing.packed_network import PackedNetwork
from eie.host.protocol.responses import AnswerError


@pytest.mark.parametrize("pes", [1, 4, 32])
@pytest.mark.parametrize("board", ["pynq-z2", "kv260"])
def test_outputs_are_exact_on_the_emulator(board, pes, random_network):
    network = random_network(50, 70, 33, seed=pes, golden=20, right=True)
    design = Design(pes=pes, board=board, rows_per_pe=128, biases_per_pe=256)
    with (
        EmulatedBoard(board, lambda: Emulator(design)) as emulated,
        # 13 beats of input and 9 of output a vector: seven vectors a packet
        Accelerator(emulated.bitfile, buffer_bytes=100 * 8) as accelerator,
    ):
        assert accelerator.design == design.replace(board="none")
        accelerator.load(network)
        assert accelerator.verify() == 20
        assert accelerator.info().registers["packets"] == 2 + 3
        assert accelerator.info().registers["errors"] == 0


def test_layers_by_themselves_give_together_what_all_of_them_do(random_network):
    network = random_network(50, 70, 40, 33, seed=3, golden=20, right=True)
    design = Design(pes=4, rows_per_pe=128, biases_per_pe=256)
    with (
        EmulatedBoard("pynq-z2", lambda: Emulator(design)) as emulated,
        Accelerator(emulated.bitfile) as accelerator,
    ):
        accelerator.load(network)
        packets = accelerator.info().registers["packets"]
        hidden = accelerator.run_layers(network.golden_inputs, 0, 1)
        assert hidden.shape == (20, 40)
        assert np.array_equal(accelerator.run_layers(hidden, 2, 2), network.golden_outputs)
        # The network stayed resident.
        assert accelerator.info().registers["packets"] == packets + 2
        with pytest.raises(InputError, match=r"last must not come before first, 2, as 1 does"):
            accelerator.run_layers(hidden, 2, 1)
        with pytest.raises(InputError, match=r"first must be one of 0 \(layer0\), 1 .*not 3"):
            accelerator.run_layers(hidden, 3, 2)
        with pytest.raises(InputError, match=r"'layer2' takes must be int16 codes of shape"):
            accelerator.run_layers(hidden[:, 1:], 2, 2)
        assert accelerator.verify() == 20


def test_counters_are_those_of_the_last_packet(random_network):
    network = random_network(50, 33, seed=1, golden=20, right=True)
    design = Design(pes=4)
    engine = Emulator(design)
    with (
        EmulatedBoard("zcu104", lambda: engine) as emulated,
        Accelerator(emulated.bitfile) as accelerator,
    ):
        accelerator.load(network)
        accelerator.run(network.golden_inputs)
        counters = accelerator.counters()
        assert counters.cycles & 0xFFFF_FFFF == engine.registers["cycles"] > 0
    assert all(counters.busy > 0)
    assert all(counters.busy + counters.starved <= counters.cycles)


@pytest.mark.parametrize(
    ("fault", "value", "message"),
    [
        ("truncate_request", 8, "BAD_LENGTH"),
        ("flip_answer_bit", 300, "damaged"),
        ("hang", True, "no answer within"),
        ("drop_tlast", True, "no answer within"),
    ],
)
def test_the_emulator_recovers_from_faults(fault, value, message, random_network):
    network = random_network(20, 10, seed=2, golden=20, right=True)
    design = Design(pes=2)
    with (
        EmulatedBoard("zcu104", lambda: Emulator(design)) as emulated,
        Accelerator(emulated.bitfile, clock=iter(range(10_000)).__next__) as accelerator,
    ):
        accelerator.load(network)
        setattr(emulated.faults, fault, value)
        with pytest.raises(DeviceError, match=message):
            accelerator.run(network.golden_inputs)
        assert accelerator.verify() == 20


def test_a_load_that_contradicts_itself_is_an_error_and_leaves_no_network(
    monkeypatch, random_network
):
    network = random_network(20, 10, seed=2, golden=20, right=True)
    with (
        EmulatedBoard("zcu104", lambda: Emulator(Design(pes=2))) as emulated,
        Accelerator(emulated.bitfile) as accelerator,
    ):
        accelerator.load(network)
        with monkeypatch.context() as patch:
            patch.setattr(PackedNetwork, "held", HeldMemory(0, 0, {-1: 0}))
            with pytest.raises(AnswerError, match="load was refused with BAD_CONTENTS") as caught:
                accelerator.load(network)
        assert caught.value.status is Status.BAD_CONTENTS
        with pytest.raises(DeviceError, match="no network is loaded"):
            accelerator.run(network.golden_inputs)
        accelerator.load(network)
        assert accelerator.verify() == 20


@pytest.mark.skipif(
    shutil.which("g++") is None or find_spec("hls4ml") is None or find_spec("jinja2") is None,
    reason="generates and compiles the kernel",
)
def test_the_generated_kernel_gives_the_same_outputs_and_counters(tmp_path, random_network):
    from eie.hls.tools.compiled_kernel import CompiledKernel
    from eie.host.project.generate import generate

    network = random_network(20, 24, 10, seed=3, golden=20, right=True)
    design = Design(pes=2, board="zcu104")
    project = tmp_path / "project"
    generate(design, project)

    def run(engine_factory):
        with (
            EmulatedBoard("zcu104", engine_factory) as emulated,
            Accelerator(emulated.bitfile) as accelerator,
        ):
            accelerator.load(network)
            assert accelerator.verify() == 20
            return accelerator.design, accelerator.counters()

    (compiled_design, compiled), (emulated_design, emulated) = (
        run(lambda: CompiledKernel(project)),
        run(lambda: Emulator(design)),
    )
    assert compiled_design == emulated_design
    assert compiled.cycles == emulated.cycles
    for name in ("busy", "starved", "full"):
        assert getattr(compiled, name).tolist() == getattr(emulated, name).tolist()
