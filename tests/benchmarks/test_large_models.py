"""The benchmark of large models, on small ones of their shape."""

from __future__ import annotations

import warnings

import pytest

import eie
from benchmarks.large_models.__main__ import main, steps_of, table
from benchmarks.large_models.steps import MODELS, layers_of, run


def test_the_models_are_the_papers():
    sizes = {name: [(each.inputs, each.outputs) for each in layers_of(name)] for name in MODELS}
    assert sizes == {
        "alexnet": [(9216, 4096), (4096, 4096), (4096, 1000)],
        "vgg16": [(25088, 4096), (4096, 4096), (4096, 1000)],
    }


def test_every_step_is_measured():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", eie.EieWarning)
        steps = list(run("vgg16", "pynq-z2", divisor=32))
    names = [each["step"] for each in steps]
    assert names == ["make", "compress", "fit", "emulate", "save and load"]
    assert all(each["cpu_seconds"] >= 0 and each["peak_bytes"] > 1e7 for each in steps)
    assert steps[3]["vectors"] == 24
    lines = table("vgg16", steps)
    assert len(lines) == 2 + len(steps) + 1
    assert lines[-1].startswith("| all | ")


def test_a_process_that_fails_is_told_of(capfd):
    with pytest.raises(RuntimeError, match="alexnet failed with status"):
        list(steps_of("alexnet", "zx81", 64))
    assert "zx81" in capfd.readouterr().err


def test_an_unknown_model_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["resnet"])
    assert "MODEL must be one of alexnet, vgg16, not 'resnet'" in capsys.readouterr().err
