from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

import eie
from eie.hls.boundary.errors import SaturationWarning, ToolError
from eie.hls.spec.fixed_point import dequantize, quantize
from eie.hls.tools import vendor
from eie.hls.tools.rtl import check
from eie.hls.tools.rtl.verdict import RtlVerdict
from eie.host.deploy.zip_file import read_package
from eie.host.flow.accelerated_model import AcceleratedModel
from eie.host.flow.data import Data


@pytest.fixture
def by_hand(acc, reference):
    """Outputs by dense products of 64-bit integers."""

    def run(x: np.ndarray) -> np.ndarray:
        codes = quantize(x.reshape(len(x), -1), acc.network.input_frac)
        outputs = reference(acc.network, codes).astype(np.int16)
        return dequantize(outputs, acc.network.output_frac)

    return run


def test_every_engine_gives_the_same(acc, case, by_hand):
    expected = by_hand(case.x)
    assert acc.compile() is acc
    assert np.array_equal(acc.predict(case.x), expected)
    assert np.array_equal(acc.predict(case.x, "c++"), expected)
    made = eie.convert(acc.network, design=acc.design)
    with pytest.warns(eie.EieWarning, match="the board is an emulated one") as caught:
        assert np.array_equal(made.predict(case.x, engine="board"), expected)
    told = [each for each in caught if issubclass(each.category, eie.EieWarning)]
    assert [each.filename for each in told] == [__file__]
    assert np.array_equal(made.predict(case.x, engine="board"), expected)  # and says so once


def test_a_board_is_opened(acc, case, by_hand):
    made = eie.convert(acc.network, design=acc.design)
    with eie.EmulatedBoard("pynq-z2", lambda: eie.Emulator(acc.design)) as board:
        with made.open(board.bitfile) as accelerator:
            assert accelerator.verify() == 16
            assert np.array_equal(made.predict(case.x, "board"), by_hand(case.x))
        with eie.convert(acc.network, design=acc.design, bitstream=board.bitfile) as other:
            assert np.array_equal(other.predict(case.x, "board"), by_hand(case.x))


def test_shapes(acc, case, by_hand):
    expected = by_hand(case.x)
    flat = case.x.reshape(40, 16)
    assert np.array_equal(acc.predict(flat), expected)
    assert acc.predict(flat).dtype == np.float32
    for single in (case.x[3], flat[3], flat[3].tolist()):
        assert np.array_equal(acc.predict(single), expected[3])
    assert acc.predict(case.x[:0]).shape == (0, 5)
    assert np.array_equal(acc.predict(case.x[:1]), expected[:1])
    for wrong in (case.x[:, :, :3], case.x[:, 0], np.zeros(15), np.zeros((1, 17)), 3.0):
        with pytest.raises(
            eie.EieError, match=r"x must have shape \(batch, 16\) or \(batch, 1, 4, 4"
        ):
            acc.predict(wrong)


def test_the_parts_take_the_models_shape_too(acc, case, by_hand):
    expected = by_hand(case.x)
    result = eie.emulate(acc.network, acc.design, case.x)
    assert np.array_equal(result.outputs, expected)
    assert result.outputs.dtype == np.float32
    codes = eie.quantize_inputs(acc.network, case.x)
    assert codes.shape == (40, 16)
    for given in (codes, codes.reshape(case.x.shape)):
        coded = eie.emulate(acc.network, acc.design, given)
        assert coded.outputs.dtype == np.int16
        assert np.array_equal(dequantize(coded.outputs, acc.network.output_frac), expected)
        assert coded.report == result.report
    with (
        eie.EmulatedBoard("pynq-z2", lambda: eie.Emulator(acc.design)) as board,
        eie.Accelerator(board.bitfile) as accelerator,
    ):
        accelerator.load(acc.network)
        assert np.array_equal(accelerator.run(case.x), expected)


def test_numbers_that_are_not_real_ones(acc, case):
    with pytest.raises(eie.EieError, match=r"x must be real numbers, not int16.*astype"):
        acc.predict(np.zeros((1, 16), np.int16))
    with pytest.raises(eie.EieError, match="x must be finite"):
        acc.predict(np.full((1, 16), np.nan))
    with pytest.raises(eie.EieError, match="x must be real numbers, not dtype complex"):
        acc.predict(np.zeros((1, 16), complex))
    with pytest.raises(eie.EieError, match="inputs must be real numbers or int16 codes, not int64"):
        eie.emulate(acc.network, acc.design, np.zeros((1, 16), np.int64))
    whole = np.ones((2, 16))
    assert np.array_equal(acc.predict(whole.astype(np.uint8)), acc.predict(whole))


@pytest.mark.parametrize("engine", ["gpu", "C++", None, 3])
def test_an_unknown_engine(acc, case, engine):
    for call in (acc.predict, lambda x, engine: acc.evaluate(x, engine=engine)):
        with pytest.raises(eie.EieError, match=r"engine must be one of 'emulator', 'c\+\+'"):
            call(case.x, engine=engine)


def test_saturation_is_said_at_the_callers_line(acc, case):
    for engine in ("emulator", "c++"):
        with pytest.warns(SaturationWarning, match="input values were saturated") as caught:
            acc.predict(case.x * 1000, engine)
        assert {each.filename for each in caught} == {__file__}


def test_trace(acc, case, by_hand):
    found = acc.trace(case.x)
    assert list(found) == [layer.name for layer in acc.network.layers] == ["1", "4"]
    assert np.array_equal(found["4"], by_hand(case.x))
    first = acc.network.layers[0]
    codes = quantize(case.x.reshape(40, 16), acc.network.input_frac).astype(np.int64)
    sums = np.maximum(codes @ first.dense_weights().T.astype(np.int64) + first.bias, 0)
    rounded = (sums + ((1 << first.shift) >> 1)) >> first.shift
    expected = np.clip(rounded, -32768, 32767) * 2.0**-first.output_frac
    assert np.array_equal(found["1"], expected)
    assert np.array_equal(acc.trace(case.x[2])["1"], expected[2])


def test_evaluate(acc, case, by_hand):
    found = acc.evaluate(case.x, case.y)
    outputs, exact = by_hand(case.x), case.exact(case.x)
    right = int(sum(out.argmax() == label for out, label in zip(outputs, case.y, strict=True)))
    assert (found.vectors, found.classes) == (40, 5)
    assert (found.correct, found.float_correct, found.same_class) == (right, 40, right)
    assert found.accuracy == right / 40
    assert found.float_accuracy == 1.0
    expected = np.linalg.norm(outputs - exact) / np.linalg.norm(exact)
    assert found.rms_error == pytest.approx(expected, rel=1e-5)
    assert acc.evaluate(case.x, case.y, engine="c++") == found
    alone = acc.evaluate(case.x)
    assert (alone.classes, alone.accuracy, alone.same_class) == (None, None, right)
    of_file = eie.convert(acc.network, design=acc.design).evaluate(case.x, case.y)
    assert (of_file.correct, of_file.float_accuracy, of_file.rms_error) == (right, None, None)


def test_evaluate_against_targets(acc, case, by_hand):
    exact = case.exact(case.x)
    found = acc.evaluate(case.x, exact)
    expected = np.sqrt(np.mean((by_hand(case.x) - exact) ** 2))
    assert found.target_error == pytest.approx(expected, rel=1e-5)
    assert found.float_target_error == pytest.approx(0, abs=1e-5)
    assert (found.classes, found.accuracy, found.same_class) == (None, None, None)


def test_evaluate_refuses(acc, case):
    with pytest.raises(eie.EieError, match="x must be a batch, not a single input"):
        acc.evaluate(case.x[0], [1])
    with pytest.raises(eie.EieError, match="at least one vector"):
        acc.evaluate(case.x[:0], case.y[:0])
    with pytest.raises(eie.EieError, match="y must be one for each of 40 vectors"):
        acc.evaluate(case.x, case.y[:3])
    bare = eie.convert(acc.network, design=acc.design)
    with pytest.raises(eie.EieError, match="y must be given"):
        bare.evaluate(case.x)
    with pytest.raises(eie.EieError, match=r"compare\(model, x\)"):
        bare.compare(case.x)


def test_compare(acc, case):
    found = acc.compare(case.x)
    assert found == acc.compare(case.model.float(), case.x)
    assert found == eie.convert(acc.network, design=acc.design).compare(case.model, case.x)
    exact = case.exact(case.x)
    last = found.layers[-1]
    assert (last.low, last.high) == pytest.approx((exact.min(), exact.max()), rel=1e-5)
    errors = acc.predict(case.x) - exact
    relative = np.linalg.norm(errors) / np.linalg.norm(exact)
    assert last.rms_error == pytest.approx(relative, rel=1e-4)
    assert last.largest_error == pytest.approx(np.abs(errors).max(), rel=1e-4)
    assert (last.saturated, last.outputs, found.vectors) == (0, 200, 40)
    with pytest.warns(SaturationWarning):
        beyond = acc.compare(case.x * 1000)
    assert beyond.inputs_saturated > 0
    assert "rms error" in str(found)


def test_compare_refuses_another_model(acc, case):
    import torch

    other = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 5))
    with pytest.raises(
        eie.EieError, match="model must have the network's layers, 16 -> 12, 12 -> 5"
    ):
        acc.compare(other, case.x)


def test_summary(acc):
    text = str(acc.summary())
    assert len(text.splitlines()) < 20
    for part in (
        "accuracy of the model: 100.00 % (40 of 40)",
        "accuracy, compressed: ",
        "predicted latency of one vector alone: ",
        "predicted throughput in a batch of the first 40: ",
        "PYNQ-Z2",
        "bytes are loaded onto the chip",
    ):
        assert part in text
    assert str(acc) == text
    assert "<table>" in acc._repr_html_()
    assert "\n" not in repr(acc)


def test_build_needs_vitis(acc, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="Vitis HLS was not found"):
        acc.build(tmp_path / "out")


def test_build_warns_of_rtl_that_was_not_simulated(acc, tmp_path, monkeypatch):
    """The rooms that build and simulate have tests of their own."""
    said = RtlVerdict.not_simulated("verilator missing")
    monkeypatch.setattr(vendor, "run_hls", lambda project: project)
    monkeypatch.setattr(vendor, "build_bitstream", lambda project, out, date: out)
    monkeypatch.setattr(check, "check_before_build", lambda project: said)
    made = eie.convert(acc.network, design=acc.design)
    with pytest.warns(eie.EieWarning, match="RTL not simulated: verilator missing"):
        assert made.build(tmp_path / "out") == tmp_path / "out"


def test_save_refuses_what_is_in_the_way(acc, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(eie.EieError, match="cannot make folder"):
        acc.save(tmp_path / "file" / "folder")


def test_report_and_package_have_what_is_known(acc, case, tmp_path):
    acc.compile()
    assert acc.report(tmp_path / "r.html") == tmp_path / "r.html"
    acc.report(tmp_path / "r.json")
    facts = json.loads((tmp_path / "r.json").read_text())
    assert facts["missing"] == {}
    assert (facts["single"]["vectors"], facts["batch"]["vectors"]) == (1, 40)
    assert facts["accuracy"]["float_accuracy"] == 1.0
    agreement = [(each["engine"], each["vectors"], each["equal"]) for each in facts["agreement"]]
    assert agreement == [("numpy emulator", 16, 80), ("generated C++", 40, 200)]
    assert len(facts["activity"]["busy"]) == acc.design.pes
    assert [layer["rms_error"] for layer in facts["layers"]] == [
        layer.rms_error for layer in acc.compare(case.x).layers
    ]
    assert acc.package(tmp_path / "p.zip") == tmp_path / "p.zip"
    assert read_package(tmp_path / "p.zip").facts.vectors == 40


def test_findings(acc, case):
    found = acc.findings
    assert found.evaluation == acc.evaluate(case.x, case.y)
    assert found.comparison == acc.compare(case.x)
    assert np.array_equal(found.outputs, acc.predict(case.x))
    agreed = found.agreement("board")
    assert (agreed.vectors, agreed.equal, agreed.outputs) == (40, 200, 200)
    assert agreed.engine.startswith("driver on an emulated board")
    beyond = AcceleratedModel(
        acc.network, acc.design, data=Data(1000.0 * case.x.reshape(40, 16).astype(float))
    )
    with pytest.warns(SaturationWarning) as caught:
        assert beyond.findings.batch.report.saturated_inputs > 0
    assert {each.filename for each in caught} == {__file__}


def test_nothing_is_left_open(acc):
    """An object that goes ends what it started."""
    made = eie.convert(acc.network, design=acc.design).compile()
    process = made._engines.compiled()._process
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del made
    assert process.poll() is not None
