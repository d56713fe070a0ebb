"""Models of other frameworks as pages: what the language says, and what it refuses by the name of the layer."""

import json
from pathlib import Path
from typing import Any

import pytest

import nnspec as package
from nnspec import ExchangeError
from nnspec.exchange.models.keras import words as keras
from nnspec.exchange.models.reading import page_of
from nnspec.exchange.models.torch import words as torch
from nnspec.exchange.weights.files.keras import snake_case
from tests.nnspec.conftest import Command


def model(*layers: tuple[str, dict[str, Any]], shape: list[int | None] | None = None) -> dict[str, Any]:
    """A Sequential as Keras 3 writes it."""
    begin = [] if shape is None else [{"class_name": "InputLayer", "config": {"batch_shape": [None, *shape]}}]
    listed = [{"class_name": kind, "config": {"name": snake_case(kind), **config}} for kind, config in layers]
    return {"class_name": "Sequential", "config": {"name": "sequential", "layers": [*begin, *listed]}}


def pipeline(text: str) -> str:
    """The network of a page on one line."""
    rows = [row.strip() for row in text.splitlines() if row and not row.startswith(("#", "network", "input", "init"))]
    return " ".join(rows)


CONV = {"filters": 4, "kernel_size": [3, 3], "strides": [1, 1], "padding": "valid"}


@pytest.mark.parametrize(
    ("layer", "shape", "text"),
    [
        (("Conv2D", {**CONV, "strides": [2, 1], "padding": "same", "use_bias": False}), [8, 8, 3],
         "conv 3x3 x4 stride=2x1 pad=same bias=no"),
        (("Conv1D", {"filters": 4, "kernel_size": [3], "padding": "causal", "dilation_rate": [2]}), [8, 3],
         "conv 3 x4 pad=4x0 dilation=2"),
        (("MaxPooling2D", {"pool_size": [2, 2], "strides": [2, 2]}), [8, 8, 3], "maxpool 2"),
        (("MaxPooling2D", {"pool_size": [3, 3], "strides": [2, 2], "padding": "same"}), [8, 8, 3],
         "maxpool 3 stride=2 pad=same"),
        (("AveragePooling1D", {"pool_size": [2], "strides": [1], "padding": "same"}), [8, 3],
         "avgpool 2 stride=1 pad=same count_include_pad=no"),
        (("ZeroPadding2D", {"padding": [[1, 2], [0, 3]]}), [8, 8, 3], "pad 1x2x0x3"),
        (("Cropping2D", {"cropping": [[1, 1], [1, 1]]}), [8, 8, 3], "crop 1"),
        (("UpSampling2D", {"size": [2, 2], "interpolation": "bilinear"}), [4, 4, 3], "upsample 2 mode=bilinear"),
        (("LeakyReLU", {"alpha": 0.3}), [4], "leaky_relu slope=0.3"),
        (("ReLU", {"negative_slope": 0.1, "max_value": None}), [4], "leaky_relu slope=0.1"),
        (("Activation", {"activation": {"class_name": "function", "config": "swish"}}), [4], "silu"),
        (("BatchNormalization", {"axis": [3], "momentum": 0.9, "epsilon": 0.001}), [4, 4, 3],
         "batchnorm momentum=0.1 eps=0.001"),
        (("LSTM", {"units": 5, "activation": "tanh", "recurrent_activation": "sigmoid", "return_sequences": True,
                   "dropout": 0.2}), [6, 2], "lstm 5 return=sequence input_dropout=0.2"),
        (("SimpleRNN", {"units": 5, "activation": "relu", "go_backwards": True}), [6, 2], "rnn 5 relu reverse=yes"),
        (("TimeDistributed", {"layer": {"class_name": "Dense", "config": {"units": 3}}}), [6, 2], "dense 3"),
        (("Permute", {"dims": [2, 1]}), [6, 2], "permute 2 1 sequence"),
        (("GroupNormalization", {"groups": -1, "epsilon": 0.001}), [4, 4, 3], "instancenorm learned=yes eps=0.001"),
    ],
)  # fmt: skip
def test_a_layer_of_keras_is_a_line(layer: tuple[str, dict[str, Any]], shape: list[int | None], text: str) -> None:
    page = package.spec_from(model(layer, ("Flatten", {}), ("Dense", {"units": 2}), shape=shape))
    assert pipeline(page) == f"{text} -> flatten -> dense 2"
    package.check(page)


REFUSED = [
    (("GRU", {"units": 3, "activation": "tanh", "recurrent_activation": "sigmoid", "reset_after": False}),
     "gru (GRU): reset_after=False"),
    (("LSTM", {"units": 3, "activation": "relu", "recurrent_activation": "sigmoid"}), "the activation relu"),
    (("LSTM", {"units": 3, "activation": "tanh", "recurrent_activation": "hard_sigmoid"}), "hard_sigmoid"),
    (("Rescaling", {"scale": 0.1}), "rescaling (Rescaling): scale samples by the data statement"),
    (("Lambda", {"function": "x"}), "a Python function, which is not executed"),
    (("SpectralThing", {}), "spectral_thing (SpectralThing): the language has no such layer"),
    (("Dense", {"units": 3, "activation": "hard_sigmoid"}), "the activation hard_sigmoid is not of the language"),
    (("ReLU", {"max_value": 6.0}), "max_value=6.0 is not of the language"),
    (("BatchNormalization", {"scale": False}), "scale=False: it learns a scale and a shift here"),
    (("BatchNormalization", {"axis": 1}), "axis=1: it is the last axis here"),
    (("Embedding", {"input_dim": 5, "output_dim": 3, "mask_zero": True}), "mask_zero=True is not of the language"),
    (("Reshape", {"target_shape": [-1, 2]}), "leaves a size open"),
    (("Conv1D", {**CONV, "kernel_size": [3], "data_format": "channels_first"}), "the channels first"),
    (("PReLU", {"shared_axes": None}), "its slopes are one for each number"),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "said"), REFUSED)
def test_what_the_language_cannot_say_is_refused_by_the_name_of_the_layer(layer: Any, said: str) -> None:
    with pytest.raises(ExchangeError) as caught:
        page_of(model(layer, ("Dense", {"units": 2}), shape=[6, 2]))
    assert said in str(caught.value)


def test_a_dense_layer_on_an_image_is_not_flattened_silently() -> None:
    with pytest.raises(ExchangeError, match=r"dense \(Dense\): it acts on each pixel"):
        page_of(model(("Dense", {"units": 2}), shape=[4, 4, 3]))
    with pytest.raises(ExchangeError, match=r"1 \(Linear\): it acts on the last axis alone here: an nn.Flatten"):
        torch_page("(0): Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1))", "(1): Linear(in_features=4, out_features=2)")


def test_a_model_with_branches_is_refused_by_the_layer_that_joins_them() -> None:
    history = [{"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}} for name in ("a", "b")]
    layers = [
        {"class_name": "InputLayer", "name": "a", "config": {"batch_shape": [None, 3]}, "inbound_nodes": []},
        {"class_name": "Add", "name": "add", "config": {}, "inbound_nodes": [{"args": [history]}]},
    ]
    with pytest.raises(ExchangeError, match="add: it reads a, b: only a chain of layers can be said"):
        page_of({"class_name": "Functional", "config": {"layers": layers}})


@pytest.mark.parametrize(
    "found", [{}, {"class_name": "Sequential"}, {"class_name": "Sequential", "config": {"layers": [3]}}]
)
def test_a_dict_that_is_no_model_is_refused(found: dict[str, Any]) -> None:
    with pytest.raises(ExchangeError):
        page_of(found)


def torch_page(*lines: str, shape: str = "") -> str:
    path = Path("model.txt")
    path.write_text("\n".join(["Sequential(", *(f"  {line}" for line in lines), ")"]))
    return package.spec_from(path, shape)


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_what_pytorch_prints_of_a_sequential_is_a_page() -> None:
    page = torch_page(
        "(conv1): Conv2d(1, 8, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))",
        "(1): ReLU()",
        "(2): Sequential(",
        "  (0): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)",
        "  (1): Dropout(p=0.25, inplace=False)",
        ")",
        "(3): Flatten(start_dim=1, end_dim=-1)",
        "(4): Linear(in_features=1568, out_features=10, bias=True)",
        "(5): Softmax(dim=1)",
        shape="28x28x1",
    )
    assert "input 28x28x1\n" in page
    expected = "conv1: conv 5x5 x8 relu pad=2 -> maxpool 2 -> dropout 0.25 -> flatten -> dense 10 softmax"
    assert pipeline(page) == expected


def test_the_shape_of_a_sample_that_a_model_does_not_say_is_asked_for() -> None:
    line = "(0): Conv2d(1, 8, kernel_size=(5, 5), stride=(1, 1))"
    page = torch_page(line, "(1): Flatten(start_dim=1, end_dim=-1)", "(2): Linear(in_features=128, out_features=10)")
    assert (
        "# The model does not say the shape of a sample: add a line such as input 28x28x1, or give --input.\n" in page
    )
    with pytest.raises(ExchangeError, match="2: its weight would be 4608x10 on the page, and is 128x10 in the model"):
        torch_page(
            line, "(1): Flatten(start_dim=1, end_dim=-1)", "(2): Linear(in_features=128, out_features=10)",
            shape="28x28x1",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("(0): LSTM(3, 4, batch_first=True)", "0 (LSTM): it returns a pair"),
        ("(0): LogSoftmax(dim=1)", "loss cross_entropy takes its logarithm"),
        ("(0): Conv2d(1, 2, kernel_size=(3, 3), padding_mode=reflect)", "padding_mode='reflect'"),
        ("(0): Conv2d(1, 2, kernel_size=None)", "an argument is missing or of another kind"),
        ("(0): Linear(__import__('os').system('true'))", "are not literals"),
        ("(0): Block(", "0 (Block): it has modules inside, whose order is not said"),
        ("(0): Thing()", "0 (Thing): the language has no such layer"),
        ("nothing", "line 2 is not a module"),
        ("(0): BatchNorm2d(3, affine=False)", "learns a scale and a shift"),
        ("(0): AdaptiveAvgPool2d(output_size=(2, 2))", "pools to one number"),
        ("(0): Softmax(dim=0)", "dim=0"),
        ("(0): GELU(approximate='tanh')", "approximate='none'"),
    ],
)
def test_a_module_that_cannot_be_said_is_refused_by_its_name(line: str, said: str) -> None:
    with pytest.raises(ExchangeError) as caught:
        torch_page(line)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.json", b""),
        ("m.json", b"[" * 100_000),
        ("m.json", b"\xff\xfe"),
        ("m.txt", b"Net(\n)"),
        ("m.txt", b"Sequential("),
        ("m.keras", b"PK\x03\x04"),
        ("m.h5", b"\x89HDF\r\n\x1a\n"),
        ("m.h5", b""),
        ("m.json", json.dumps(model(("Dense", {}), shape=[3])).encode()),
        ("m.json", json.dumps(model(("Conv2D", {"filters": 1, "kernel_size": "x"}), shape=[3, 3, 1])).encode()),
        ("m.json", json.dumps(model(("Dense", {"units": "2 -> dense 3"}), shape=[3])).encode()),
        ("m.json", json.dumps(model(("Conv2D", {**CONV, "padding": "same -> relu"}), shape=[3, 3, 1])).encode()),
    ],
)  # fmt: skip
def test_a_damaged_file_of_a_model_is_refused_in_words(name: str, content: bytes) -> None:
    Path(name).write_bytes(content)
    with pytest.raises(package.NNSpecError):
        page_of(Path(name))


def test_the_command_writes_a_page_and_overwrites_none(nnspec: Command, tmp_path: Path) -> None:
    text = json.dumps(model(("Dense", {"units": 3, "activation": "softmax"}), shape=[4]))
    (tmp_path / "net.json").write_text(text)
    done = nnspec("export", "net.json", "--to", "spec")
    assert done.code == 0, done.err
    assert nnspec("check", "net.nnspec").code == 0
    assert nnspec("fmt", "--check", "net.nnspec").code == 0
    again = nnspec("export", "net.json", "--to", "spec")
    assert again.code == 2
    assert "net.nnspec exists already: name another file with --out" in again.err
    package.compile("net.nnspec").save("net.h5")
    page = nnspec("export", "net.h5", "--to", "spec", "--out", "other.nnspec")
    assert page.code == 0, page.err
    assert package.check("other.nnspec").parameter_count == package.check("net.nnspec").parameter_count
    assert nnspec("export", "net.h5", "--to", "spec").code == 2  # net.nnspec stays


def test_every_layer_that_is_named_with_advice_has_no_line_of_its_own() -> None:
    assert not set(keras.INSTEAD) & set(keras.LAYERS)
    assert not set(torch.INSTEAD) & set(torch.MODULES)


def test_options_that_do_nothing_for_a_model_or_a_checkpoint_are_refused(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "net.json").write_text(json.dumps(model(("Dense", {"units": 3}), shape=[4])))
    package.compile("input 4\ndense 3").save("net.h5")
    assert "leave --data and other options out" in nnspec("export", "net.json", "--to", "spec", "--batch", 3).err
    assert "--input is of --to spec" in nnspec("export", "net.h5", "--to", "spec", "--input", "4").err
