"""`eie selftest` on the emulated board: what it finds, and what it says when something is wrong."""

from __future__ import annotations

import dataclasses
import re

import pytest

from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.host.board.driver import Accelerator
from eie.host.board_emulator import EmulatedBoard
from eie.host.cli.main import main
from eie.host.run.selftest import selftest

DESIGN = Design(pes=4, entries_per_pe=8192, board="pynq-z2")


@pytest.fixture
def accelerator():
    board = EmulatedBoard("pynq-z2", lambda: Emulator(DESIGN))
    with board, Accelerator(board.bitfile) as opened:
        yield opened


def states(found) -> dict[str, bool | None]:
    return {check.name: check.passed for check in found.checks}


def test_a_sound_accelerator_passes(accelerator):
    found = selftest(accelerator, emulated=True)
    assert found.passed
    checked = [name for name, passed in states(found).items() if passed]
    assert len([name for name in checked if name.startswith("network ")]) == 5
    assert len([name for name in checked if name.startswith("cycles ")]) == 5
    assert "All checks passed." in found.as_text()
    counted = re.findall(r"outputs and (\d+) saturated values are right", found.as_text())
    assert len(counted) == 5
    assert sum(map(int, counted)) > 100
    assert not re.search(r"/(home|root|tmp|work)/", found.as_text())


def test_what_a_design_holds_and_remembers_is_tried_as_well():
    design = DESIGN.replace(held_activations=1024, cell_units=1, accumulator_bits=48, bounds=1)
    with (
        EmulatedBoard("pynq-z2", lambda: Emulator(design)) as board,
        Accelerator(board.bitfile) as opened,
    ):
        found = selftest(opened, emulated=True)
    assert found.passed
    passed = [name for name, each in states(found).items() if each]
    assert "network residual 40-24-40-7" in passed
    assert "network LSTM 20-12-5" in passed


def test_pes_that_do_not_count_are_sound():
    design = DESIGN.replace(counters=0, spare_luts=1)
    with (
        EmulatedBoard("pynq-z2", lambda: Emulator(design)) as board,
        Accelerator(board.bitfile) as opened,
    ):
        assert selftest(opened, emulated=True).passed


def test_on_a_board_cycles_are_only_shown(accelerator):
    found = selftest(accelerator, emulated=False)
    assert all(p is None for name, p in states(found).items() if name.startswith("cycles "))
    assert found.passed


@pytest.mark.parametrize(
    ("clock_mhz", "passed"), [(None, None), (99.999, True), (100.0, True), (100.2, False)]
)
def test_a_fabric_that_is_too_fast_fails(accelerator, monkeypatch, clock_mhz, passed):
    info = dataclasses.replace(accelerator.info(), clock_mhz=clock_mhz)
    monkeypatch.setattr(Accelerator, "info", lambda self: info)
    found = selftest(accelerator, emulated=True)
    assert states(found)["clock"] is passed
    assert found.passed is (passed is not False)
    assert "built for 100 MHz" in found.as_text()


def test_a_wrong_output_fails(accelerator, monkeypatch):
    right = Accelerator.run

    def wrong(self, inputs):
        outputs = right(self, inputs)
        outputs[-1, -1] ^= 1
        return outputs

    monkeypatch.setattr(Accelerator, "run", wrong)
    found = selftest(accelerator, emulated=True)
    assert not found.passed
    assert "FAILED  network 33-17-5: 1 of 35 outputs are wrong" in found.as_text()
    assert "SOMETHING FAILED" in found.as_text()


def test_an_error_of_the_device_fails_one_check_and_the_others_go_on(accelerator, monkeypatch):
    right, calls = Accelerator.counters, []

    def once(self):
        calls.append(0)
        if len(calls) == 2:
            self.load("nothing")
        return right(self)

    monkeypatch.setattr(Accelerator, "counters", once)
    found = selftest(accelerator, emulated=True)
    failed = [check for check in found.checks if check.passed is False]
    assert [check.name for check in failed] == ["cycles 16-16"]
    assert "InputError: network must be a Network" in failed[0].text


def test_what_is_larger_than_the_design_is_left_out():
    tiny = DESIGN.replace(entries_per_pe=1024, pointers_per_pe=64)
    board = EmulatedBoard("pynq-z2", lambda: Emulator(tiny))
    with board, Accelerator(board.bitfile) as opened:
        found = selftest(opened, emulated=True)
    assert states(found)["network 300-200"] is None
    assert "left out: larger than this design" in found.as_text()
    assert found.passed


def test_networks_in_passes_are_checked_but_their_cycles_are_not():
    narrow = DESIGN.replace(pes=16, length_bits=2)
    board = EmulatedBoard("pynq-z2", lambda: Emulator(narrow))
    with board, Accelerator(board.bitfile) as opened:
        found = selftest(opened, emulated=True)
    assert found.passed
    assert states(found)["network 300-200"]
    assert states(found)["cycles 300-200"] is None
    assert "passes, of which the accelerator counts the last alone" in found.as_text()


def test_the_command_writes_its_report(tmp_path, capsys):
    DESIGN.save(tmp_path / "design.toml")
    report = tmp_path / "report.txt"
    command = ["selftest", "--emulated-design", str(tmp_path / "design.toml")]
    assert main([*command, "--out", str(report)]) == 0
    assert report.read_text() == capsys.readouterr().out


def _never_right(network, inputs):
    return inputs[:, :1] + 1, [0] * len(network.layers)


def test_a_wrong_count_fails(accelerator, monkeypatch):
    """A board whose outputs are right but that counts other saturated values."""
    right = Accelerator.saturation.fget
    monkeypatch.setattr(
        Accelerator,
        "saturation",
        property(lambda self: dataclasses.replace(right(self), layers={"layer0": 1})),
    )
    found = selftest(accelerator, emulated=True)
    assert states(found)["network 16-16"] is False
    assert "[1] saturated values of the layers were counted, not [8]" in found.as_text()


def test_a_failure_is_the_exit_status(tmp_path, capsys, monkeypatch):
    DESIGN.save(tmp_path / "design.toml")
    monkeypatch.setattr("eie.host.run.selftest._reference", _never_right)
    assert main(["selftest", "--emulated-design", str(tmp_path / "design.toml")]) == 1
    assert "SOMETHING FAILED" in capsys.readouterr().out
    assert main(["selftest", "--bitstream", str(tmp_path / "none.bit")]) == 2
