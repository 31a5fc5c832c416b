"""LSTM and GRU of Keras, in Python and from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from quiet_exporters import quiet

from eie.hls.boundary.errors import ModelError
from eie.host.compress.reader import read_model
from eie.host.compress.sequence_model import SequenceModel


def build(*layers: Any, steps: int | None = None) -> Any:
    with quiet():
        import keras

        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((steps, 5)), *layers])
        for each in model.layers:  # biases of zero would hide where they go
            each.set_weights([np.random.default_rng(2).uniform(-1, 1, own.shape)
                              for own in each.get_weights()])  # fmt: skip
        return model


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("saved", [True, False])
def test_models_are_read_as_they_compute(kind: str, saved: bool, tmp_path: Path) -> None:
    with quiet():
        from keras import layers
    layer = getattr(layers, kind)
    model = build(
        layers.Dense(6, activation="tanh"),
        layer(4, return_sequences=True, dropout=0.2),
        layer(3, use_bias=False, name="second"),
        layers.Dense(2),
    )
    x = np.random.default_rng(3).standard_normal((3, 7, 5)).astype(np.float32)
    with quiet():
        wanted = np.asarray(model.predict(x, verbose=0))
        path = tmp_path / "model.keras"
        model.save(path)
    read = read_model(path if saved else model)
    assert isinstance(read, SequenceModel) and read.last
    assert "second.weight_hh_l0" in [layer.name for layer in read.layers]
    np.testing.assert_allclose(read.forward(list(x)), wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("GRU", {"reset_after": False}, "has reset_after=False"),
        ("LSTM", {"activation": "relu"}, "must have activation 'tanh', not 'relu'"),
        ("LSTM", {"recurrent_activation": "hard_sigmoid"}, "must have recurrent_activation"),
        ("LSTM", {"go_backwards": True}, "must have go_backwards False"),
        ("SimpleRNN", {}, "use an LSTM or a GRU"),
    ],
)
def test_what_is_near_is_refused(kind: str, options: dict[str, Any], message: str) -> None:
    with quiet():
        from keras import layers
    with pytest.raises(ModelError, match=message):
        read_model(build(getattr(layers, kind)(4, **options), layers.Dense(2)))


def test_both_directions_are_refused() -> None:
    with quiet():
        from keras import layers
    with pytest.raises(ModelError, match="needs the whole sequence before its first output"):
        read_model(build(layers.Bidirectional(layers.LSTM(4)), layers.Dense(2)))
