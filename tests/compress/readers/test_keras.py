"""Keras models, saved and in Python: what is read and refused, and that nothing in one runs."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from quiet_exporters import quiet

from eie.hls.boundary.errors import EieWarning, InputError, ModelError
from eie.host.compress import read_model

with quiet():
    import h5py
    import keras
    from keras import layers


def both(model, tmp_path):
    """The model read from Python, and from a file."""
    model.save(tmp_path / "m.keras")
    return read_model(model), read_model(tmp_path / "m.keras")


def refused(model) -> str:
    with pytest.raises(ModelError) as error:
        read_model(model)
    return str(error.value)


def functional():
    first = keras.Input((12,))
    x = layers.Dense(8, name="fc1")(first)
    x = layers.BatchNormalization(scale=False)(x)
    x = layers.ReLU()(x)
    x = layers.Reshape((2, 4))(x)
    x = layers.Flatten()(x)
    return keras.Model(first, layers.Dense(3, name="fc2", activation="linear")(x))


def nested():
    inner = keras.Sequential(
        [layers.Dense(5, "relu", name="a"), layers.Dense(4, name="b")], name="in"
    )
    return keras.Sequential([keras.Input((12,)), layers.Rescaling(0.5), inner, layers.Dense(3)])


def normalized():
    adapted = layers.Normalization()
    adapted.adapt(np.random.default_rng(1).normal(2, 3, (50, 12)).astype(np.float32))
    return keras.Sequential([keras.Input((12,)), adapted, layers.Dense(3, name="fc")])


@pytest.mark.parametrize("make", [functional, nested, normalized])
def test_models_are_read_as_keras_computes_them(make, tmp_path):
    keras.utils.set_random_seed(3)
    model = make()
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights(
                [np.random.default_rng(4).uniform(0.5, 2, 8) for _ in layer.get_weights()]
            )
    live, saved = both(model, tmp_path)
    inputs = np.random.default_rng(2).normal(size=(7, 12)).astype(np.float32)
    wanted = model.predict(inputs, verbose=0)
    np.testing.assert_allclose(live.forward(inputs.astype(float)), wanted, rtol=1e-4, atol=1e-5)
    for one, other in zip(live.layers, saved.layers, strict=True):
        assert (one.name, one.relu) == (other.name, other.relu)
        assert np.array_equal(one.weights, other.weights)
        assert np.array_equal(one.bias, other.bias)
    assert (live.name, saved.name) == (type(model).__name__, "m.keras")
    assert live.input_shape == saved.input_shape == (12,)


def sequence(*parts):
    return keras.Sequential([keras.Input((12,)), *parts])


REFUSED = {
    "every layer": (
        lambda: sequence(
            layers.Dense(8), layers.ReLU(6.0, negative_slope=0.1, name="s"),
            layers.Dense(8, "gelu", name="g"),
        ),
        ["2 problems", "layer 's' (ReLU) has both a slope and a largest value",
         "layer 'g' (Dense) has the activation 'gelu'"],
    ),
    "convolution": (
        lambda: keras.Sequential([keras.Input((8, 1)), layers.Conv1D(2, 3), layers.Flatten(),
                                  layers.Dense(2)]),
        ["(Conv1D) is not supported", "fully connected layers only"],
    ),
    "dense over three axes": (
        lambda: keras.Sequential([keras.Input((8, 4)), layers.Dense(2, name="d")]),
        ["layer 'd' (Dense) must take inputs of shape (batch, features), not (batch, 8, 4)"],
    ),
    "shape not known": (
        lambda: keras.Sequential([keras.Input((None, 4)), layers.Flatten()]),
        ["features of fixed sizes"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, tmp_path):
    make, fragments = REFUSED[name]
    model = make()
    model.save(tmp_path / "m.keras")
    for each in (model, tmp_path / "m.keras"):
        message = refused(each)
        for fragment in fragments:
            assert fragment in message


def test_products_and_shared_layers_are_refused():
    first = keras.Input((4,))
    shared = layers.Dense(4, name="twice")
    joined = layers.Multiply(name="gate")([first, shared(shared(first))])
    message = refused(keras.Model(first, joined))
    assert "layer 'twice' (Dense) is called more than once" in message
    assert "layer 'gate' (Multiply) multiplies" in message


def test_two_inputs_and_a_class_of_its_own_are_refused():
    one, two = keras.Input((4,)), keras.Input((4,))
    assert "must have one input and one output" in refused(
        keras.Model([one, two], layers.Add()([one, two]))
    )

    class Own(keras.Model):
        def call(self, x):
            return x

    assert "must be a Sequential or functional model of Keras, not 'Own'" in refused(Own())


def test_the_shape_of_a_model_is_its_own():
    with pytest.raises(InputError, match="input_shape must be None"):
        read_model(functional(), input_shape=(12,))


def test_a_softmax_at_the_end_is_left_off():
    with pytest.warns(EieWarning, match=r"layer 'd' \(Dense\) at the end is left off"):
        read_model(sequence(layers.Dense(3, "softmax", name="d")))


# --- files from anywhere ---


@pytest.fixture
def members(tmp_path):
    keras.Sequential([keras.Input((4,)), layers.Dense(3, name="d")]).save(tmp_path / "good.keras")
    with zipfile.ZipFile(tmp_path / "good.keras") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(path: Path, members, compression=zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def with_weights(members, change) -> dict[str, bytes]:
    file = io.BytesIO(members["model.weights.h5"])
    with h5py.File(file, "r+") as weights:
        change(weights["layers/dense/vars"])
    return {**members, "model.weights.h5": file.getvalue()}


def test_a_lambda_is_named_and_never_run(members, tmp_path):
    config = json.loads(members["config.json"])
    trap = {
        "module": "keras.layers", "class_name": "Lambda", "registered_name": None,
        "config": {"name": "trap", "function": {"class_name": "__lambda__", "config": {
            "code": "4wAAAAA=", "defaults": None, "closure": None}}},
    }  # fmt: skip
    config["config"]["layers"].append(trap)
    path = pack(tmp_path / "m.keras", {**members, "config.json": json.dumps(config)})
    assert "layer 'trap' (Lambda) is not supported" in refused(path)


WEIGHTS = {
    "a link to another file": lambda group, folder: _relink(group, h5py.ExternalLink("o.h5", "/x")),
    "a link within": lambda group, folder: _relink(group, h5py.SoftLink("/layers/dense/vars/1")),
    "values in another file": lambda group, folder: _again(
        group, shape=(4, 3), dtype="f4", external=[(str(folder / "secret"), 0, 48)]
    ),
    "compressed": lambda group, folder: _again(group, data=np.zeros((4, 3)), compression="gzip"),
    "more than there is": lambda group, folder: _again(
        group, shape=(1 << 30, 1 << 20), dtype="f4", chunks=(1, 1 << 10)
    ),
    "text": lambda group, folder: _again(group, data=np.array([b"a", b"b"])),
    "none": lambda group, folder: group.__delitem__("0"),
}


def _relink(group, link) -> None:
    del group["0"]
    group["0"] = link


def _again(group, **options) -> None:
    del group["0"]
    group.create_dataset("0", **options)


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_are_plain_numbers_in_the_file_itself(name, members, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(48))
    made = with_weights(members, lambda group: WEIGHTS[name](group, tmp_path))
    message = refused(pack(tmp_path / "m.keras", made))
    assert "layer 'd' (Dense)" in message
    assert "weights" in message


def test_archives_that_are_none(members, tmp_path):
    path = tmp_path / "m.keras"
    assert "must not be compressed" in refused(pack(path, members, zipfile.ZIP_DEFLATED))
    for change in (
        {"config.json": b"{"},
        {"config.json": b"[]"},
        {"config.json": b"[" * 100_000},
        {"config.json": b'{"class_name": "Sequential", "config": {}}'},
        {"config.json": b'{"class_name": "Functional", "config": {"layers": 3}}'},
        {"model.weights.h5": b"no weights"},
    ):
        assert "m.keras is no Keras model" in refused(pack(path, {**members, **change}))
    del members["model.weights.h5"]
    assert "no 'model.weights.h5'" in refused(pack(path, members))


def test_weights_of_another_layer(members, tmp_path):
    made = with_weights(members, lambda group: group.attrs.__setitem__("name", "other"))
    assert "layer 'd' (Dense) has the weights of 'other'" in refused(
        pack(tmp_path / "m.keras", made)
    )
