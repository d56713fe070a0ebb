"""Weights of Keras's layers in the networks of specs: the same outputs, from every kind of file that Keras writes."""

import importlib.util
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnspec

os.environ.setdefault("KERAS_BACKEND", "torch" if importlib.util.find_spec("torch") else "numpy")
keras = pytest.importorskip("keras")
L = keras.layers

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Keras itself

IMAGE = (
    "input 8x8x3\nconv 3x3 x4 pad=same stride=2 relu -> batchnorm eps=0.001 -> depthwise 3x3 multiplier=2 pad=same "
    "-> separable 2x2 x4 -> prelu shared=no -> transposed 3x3 x2 stride=2 pad=same -> layernorm eps=0.001 -> flatten "
    "-> dense 5 tanh -> dense 3 softmax"
)
SYMBOLS = (
    "input 7\nembed 4 vocab=11 -> lstm 5 return=sequence -> gru 3 return=sequence bidirectional=yes -> conv 3 x4 "
    "-> rnn 4 -> dense 2"
)


def image_model() -> Any:
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            L.Conv2D(4, 3, 2, padding="same", activation="relu"),
            L.BatchNormalization(),
            L.DepthwiseConv2D(3, depth_multiplier=2, padding="same"),
            L.SeparableConv2D(4, 2),
            L.PReLU(shared_axes=[1, 2]),
            L.Conv2DTranspose(2, 3, 2, padding="same"),
            L.LayerNormalization(),
            L.Flatten(),
            L.Dropout(0.5),
            L.Dense(5, activation="tanh", name="hidden"),
            L.Dense(3, activation="softmax"),
        ]
    )


def symbols_model() -> Any:
    return keras.Sequential(
        [
            keras.Input((7,)),
            L.Embedding(11, 4),
            L.LSTM(5, return_sequences=True),
            L.Bidirectional(L.GRU(3, return_sequences=True)),
            keras.Sequential([L.Conv1D(4, 3), L.SimpleRNN(4)]),
            L.Dense(2),
        ]
    )


def filled(model: Any) -> Any:
    """The model with random weights everywhere; variances positive."""
    random = np.random.default_rng(3)
    for variable in model.weights:
        if variable.dtype != "uint32":
            low = 0.5 if "variance" in variable.path else -0.7
            variable.assign(random.uniform(low, 1, variable.shape))
    return model


CASES = {"image": (IMAGE, image_model, (8, 8, 3)), "symbols": (SYMBOLS, symbols_model, (7,))}


def compared(name: str, write: Any, tmp_path: Path) -> Any:
    """The import of what `write` makes of the model, after its outputs have been compared."""
    spec, make, shape = CASES[name]
    model = filled(make())
    random = np.random.default_rng(2)
    x = random.integers(0, 11, (5, *shape)) if name == "symbols" else random.normal(size=(5, *shape)).astype("f4")
    imported = nnspec.import_weights(spec, write(model, tmp_path))
    assert np.abs(imported.network.predict(x) - model.predict(x, verbose=0)).max() < 1e-6
    assert imported.layout == "keras"
    return imported


def archive(model: Any, folder: Path) -> Path:
    model.save(folder / "m.keras")
    return folder / "m.keras"


def legacy(model: Any, folder: Path) -> Path:
    model.save(folder / "m.h5")
    return folder / "m.h5"


def weights_alone(model: Any, folder: Path) -> Path:
    model.save_weights(folder / "m.weights.h5")
    return folder / "m.weights.h5"


@pytest.mark.parametrize("write", [archive, legacy, lambda model, folder: model.get_weights()])
@pytest.mark.parametrize("name", CASES)
def test_a_network_computes_what_its_model_does(name: str, write: Any, tmp_path: Path) -> None:
    imported = compared(name, write, tmp_path)
    assert imported.warnings == () or write not in (archive, legacy)


def test_a_file_of_weights_alone_is_matched_by_kind_and_number(tmp_path: Path) -> None:
    imported = compared("image", weights_alone, tmp_path)
    assert any("by kind and number" in note for note in imported.notes)
    with pytest.raises(nnspec.ExchangeError, match="the file does not say the order of layers"):
        compared("symbols", weights_alone, tmp_path)


def test_attention_takes_the_heads_apart(tmp_path: Path) -> None:
    given = keras.Input((5, 6))
    model = filled(keras.Model(given, L.LayerNormalization()(L.MultiHeadAttention(2, 3)(given, given))))
    x = np.random.default_rng(2).normal(size=(4, 5, 6)).astype("f4")
    spec = "input 5x6 sequence\nattention 2 -> layernorm eps=0.001"
    for write in (legacy, weights_alone):
        imported = nnspec.import_weights(spec, write(model, tmp_path))
        assert np.abs(imported.network.predict(x) - model.predict(x, verbose=0)).max() < 1e-6


def test_another_eps_is_a_warning_and_another_gru_is_refused(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((4,)), L.BatchNormalization(epsilon=0.01), L.Dense(2)])
    imported = nnspec.import_weights("input 4\nbatchnorm -> dense 2", archive(model, tmp_path))
    assert imported.warnings == ("batchnorm1: eps is 1e-05, and there 0.01: write batchnorm eps=0.01",)
    model = keras.Sequential([keras.Input((4, 2)), L.GRU(3, reset_after=False)])
    for write in (archive, legacy, weights_alone):
        with pytest.raises(nnspec.ExchangeError, match="reset_after=False"):
            nnspec.import_weights("input 4x2 sequence\ngru 3", write(model, tmp_path))


@pytest.mark.parametrize("left_out", ["scale", "center"])
def test_a_normalization_without_scale_or_center_has_ones_or_zeros(left_out: str, tmp_path: Path) -> None:
    model = filled(keras.Sequential([keras.Input((4,)), L.BatchNormalization(**{left_out: False}), L.Dense(2)]))
    x = np.random.default_rng(2).normal(size=(4, 4)).astype("f4")
    for write in (archive, legacy):
        imported = nnspec.import_weights("input 4\nbatchnorm eps=0.001 -> dense 2", write(model, tmp_path))
        assert np.abs(imported.network.predict(x) - model.predict(x, verbose=0)).max() < 1e-6
    with pytest.raises(nnspec.ExchangeError, match="it has 3 arrays without names, and 4 are needed: gamma, beta"):
        nnspec.import_weights("input 4\nbatchnorm eps=0.001 -> dense 2", weights_alone(model, tmp_path))
