"""Models of PyTorch and Keras as pages: as many parameters, and with their weights the same outputs."""

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import nnspec

MODULES: dict[str, tuple[tuple[int, ...], str, Callable[[], nn.Module]]] = {
    "rows": (
        (9,),
        "",
        lambda: nn.Sequential(
            nn.Linear(9, 8),
            nn.BatchNorm1d(8, eps=1e-3, momentum=0.2),
            nn.LeakyReLU(0.2),
            nn.Dropout(0.3),
            nn.Linear(8, 8, bias=False),
            nn.LayerNorm(8),
            nn.GELU(),
            nn.Linear(8, 5),
            nn.ELU(0.5),
            nn.Identity(),
            nn.Linear(5, 3),
            nn.Softmax(dim=-1),
        ),
    ),
    "an image": (
        (11, 10, 3),
        "11x10x3",
        lambda: nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=(1, 2)),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1, ceil_mode=True),
            nn.Conv2d(6, 6, (2, 3), groups=6),
            nn.SiLU(),
            nn.GroupNorm(3, 6),
            nn.Conv2d(6, 4, 3, stride=2, groups=2, dilation=(1, 2), padding="valid"),
            nn.PReLU(4),
            nn.Sequential(nn.ZeroPad2d((1, 2, 0, 3)), nn.AvgPool2d(2, 1, 1, count_include_pad=False)),
            nn.InstanceNorm2d(4),
            nn.Upsample(scale_factor=2, mode="bilinear"),
            nn.Flatten(),
            nn.Linear(480, 4),
            nn.Mish(),
        ),
    ),
    "a generator": (
        (6,),
        "",
        lambda: nn.Sequential(
            nn.Linear(6, 48),
            nn.Tanh(),
            nn.Unflatten(1, (6, 2, 4)),
            nn.ConvTranspose2d(6, 4, 3, stride=2, padding=1, output_padding=1),
            nn.BatchNorm2d(4),
            nn.ReflectionPad2d(1),
            nn.Conv2d(4, 3, 3, padding="same"),
            nn.Softplus(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.SELU(),
        ),
    ),
    "steps": (
        (8, 3),
        "8x3 sequence",
        lambda: nn.Sequential(
            nn.Conv1d(3, 4, 3, padding=1),
            nn.BatchNorm1d(4),
            nn.Sigmoid(),
            nn.MaxPool1d(2),
            nn.ConvTranspose1d(4, 2, 2, stride=2),
            nn.Flatten(),
            nn.Linear(16, 2),
        ),
    ),
    "symbols": (
        (7,),
        "7",
        lambda: nn.Sequential(
            nn.Embedding(11, 4), nn.LayerNorm(4), nn.Linear(4, 6), nn.ReLU(), nn.Flatten(), nn.Linear(42, 2)
        ),
    ),
}


def samples(shape: tuple[int, ...], symbols: bool) -> np.ndarray:
    random = np.random.default_rng(4)
    return random.integers(0, 11, (5, *shape)) if symbols else random.normal(size=(5, *shape))


@pytest.mark.parametrize("name", MODULES)
def test_a_sequential_and_what_is_printed_of_it_are_pages_that_compute_the_same(name: str, tmp_path: Path) -> None:
    torch.manual_seed(2)
    shape, given, make = MODULES[name]
    module = make().double().eval()
    for tensor_name, tensor in module.state_dict().items():
        if tensor.is_floating_point():
            nn.init.uniform_(tensor, 0.5, 2) if "running_var" in tensor_name else nn.init.normal_(tensor, 0, 0.5)
    page = nnspec.spec_from(module, given)
    spec = nnspec.check(page)
    assert spec.parameter_count == sum(parameter.numel() for parameter in module.parameters())
    x = samples(shape, name == "symbols")
    network = nnspec.import_weights(page, module.state_dict(), dtype="float64").network
    tensor = torch.as_tensor(x)
    channels_first = tensor.movedim(-1, 1) if len(shape) > 1 else tensor
    with torch.no_grad():
        expected = module(channels_first)
    assert np.abs(network.predict(x) - expected.numpy()).max() < 1e-12
    (tmp_path / "model.txt").write_text(str(module))
    if name != "an image":  # print does not show count_include_pad
        printed = nnspec.check(nnspec.spec_from(tmp_path / "model.txt", given))
        assert [node.layer for node in printed.nodes] == [node.layer for node in spec.nodes]


def test_a_module_with_a_forward_of_its_own_is_refused() -> None:
    class Net(nn.Module):
        pass

    with pytest.raises(nnspec.ExchangeError, match="the model is a Net: the order of its layers is in its forward"):
        nnspec.spec_from(Net())
    with pytest.raises(nnspec.ExchangeError, match=r"1 \(Net\): it is a class of its own"):
        nnspec.spec_from(nn.Sequential(nn.Linear(2, 2), Net()))


def keras_models() -> dict[str, Any]:
    """Models by name. Keras is imported here, for it is not everywhere."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    L = keras.layers
    steps = keras.Sequential([L.Dense(4, activation="gelu"), L.LayerNormalization()])
    given = keras.Input((6, 3))
    chain = L.GRU(4, return_sequences=True)(given)
    chain = L.SimpleRNN(4, activation="relu")(steps(chain))
    chain = L.Dense(3, activation="softmax")(chain)
    return {
        "image": keras.Sequential(
            [
                keras.Input((9, 8, 3)),
                L.ZeroPadding2D(((1, 0), (2, 1))),
                L.Conv2D(4, (3, 2), strides=(2, 1), padding="same"),
                L.BatchNormalization(),
                L.ReLU(),
                L.MaxPooling2D(2),
                L.DepthwiseConv2D(2, depth_multiplier=2, padding="same"),
                L.PReLU(shared_axes=[1, 2]),
                L.SeparableConv2D(4, 2, activation="elu", use_bias=False),
                L.AveragePooling2D(2, 1, padding="same"),
                L.GroupNormalization(2),
                L.Conv2DTranspose(3, 3, strides=2, padding="same"),
                L.UpSampling2D(2, interpolation="bilinear"),
                L.Cropping2D(1),
                L.Flatten(),
                L.Dropout(0.3),
                L.Dense(5, activation="swish", name="hidden"),
                L.Dense(3),
            ]
        ),
        "symbols": keras.Sequential(
            [
                keras.Input((7,)),
                L.Embedding(11, 4),
                L.Conv1D(5, 3, padding="causal", dilation_rate=2),
                L.MaxPooling1D(2, padding="same"),
                L.Bidirectional(L.LSTM(4, return_sequences=True)),
                L.TimeDistributed(L.Dense(3, activation="tanh")),
                L.GRU(4, go_backwards=True, use_bias=False),
                L.Dense(2, activation="softmax"),
            ]
        ),
        "a chain": keras.Model(given, chain),
        "a table": keras.Sequential(
            [keras.Input((28, 28)), L.Flatten(), L.Dense(4, activation="mish"), L.LeakyReLU(), L.Dense(1)]
        ),
    }


@pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="Keras is not installed")
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Keras itself
@pytest.mark.parametrize("name", ["image", "symbols", "a chain", "a table"])
def test_a_keras_model_is_a_page_that_computes_the_same(name: str, tmp_path: Path) -> None:
    model = keras_models()[name]
    random = np.random.default_rng(3)
    for variable in model.weights:
        if variable.dtype != "uint32":
            variable.assign(random.uniform(0.5 if "variance" in variable.path else -0.7, 1, variable.shape))
    (tmp_path / "m.json").write_text(model.to_json())
    model.save(tmp_path / "m.keras")
    page = nnspec.spec_from(tmp_path / "m.json")
    assert nnspec.spec_from(tmp_path / "m.keras") == page == nnspec.spec_from(model, name="m")
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    shared = 8 if name == "a chain" else 0  # the biases of r and z of its gru, two there and one here
    assert nnspec.check(page).parameter_count == trainable - shared
    imported = nnspec.import_weights(page, tmp_path / "m.keras")
    assert imported.warnings == ()
    shape = model.input_shape[1:]
    x = random.integers(0, 11, (5, *shape)) if name == "symbols" else random.normal(size=(5, *shape)).astype("f4")
    expected = model.predict(x, verbose=0)
    assert np.abs(imported.network.predict(x) - expected).max() < 1e-6 * max(1, np.abs(expected).max())
