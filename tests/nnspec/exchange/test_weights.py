"""Weights of another framework: every layer has a recipe, every array is filled once, what does not fit is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnspec as package
from nnspec import ExchangeError
from nnspec.exchange.weights.files.safetensors import write_safetensors
from nnspec.exchange.weights.importing import _recipes
from nnspec.spec_lang.check.examination import check_source
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.vocabulary.registry import layers
from tests.nnspec.conftest import Command
from tests.support.strategies import Case, examples

LEARNING = [
    case
    for name in sorted(layers())
    for case in examples(name)
    if case.word.parameters(case.shape) or case.word.buffers(case.shape)
]
NET = "input 6x6x2\nconv 3x3 x4 relu -> maxpool 2 -> dense 5 relu -> dense 5 -> dense 3 softmax"


def torch_arrays(seed: int = 0) -> dict[str, Any]:
    """The state_dict of such a network in PyTorch."""
    random = np.random.default_rng(seed)
    shapes = {"features.0": (4, 2, 3, 3), "features.3": (5, 16), "head.0": (5, 5), "head.2": (3, 5)}
    arrays: dict[str, Any] = {}
    for name, shape in shapes.items():
        arrays |= {f"{name}.weight": random.normal(size=shape), f"{name}.bias": random.normal(size=shape[0])}
    return arrays


@pytest.mark.parametrize("framework", ["torch", "keras"])
@pytest.mark.parametrize("case", LEARNING, ids=str)
def test_every_layer_that_learns_is_filled_from_the_arrays_that_its_recipe_names(case: Case, framework: Any) -> None:
    (node,) = check_source(Source("a test", f"input {case.shape.written()}\n{case.text}")).nodes
    recipe = _recipes([node], framework)(node)
    assert recipe is not None, f"no recipe for {case.word.word}"
    random = np.random.default_rng(1)
    given = [{slot.role: random.normal(size=slot.shape) for slot in slots} for slots in recipe.modules]
    filled = {each.name: each.array.shape for each in recipe.fill(given)}
    declared = {**node.layer.parameters(node.input_shape), **node.layer.buffers(node.input_shape)}
    assert filled == {name: parameter.shape for name, parameter in declared.items()}
    theirs = sorted(number for arrays in given for array in arrays.values() for number in array.ravel())
    if "bias_ih" not in str(recipe.modules) and "(2, " not in str(recipe.modules) and case.word.word != "separable":
        ours = sorted(number for each in recipe.fill(given) for number in each.array.ravel())
        assert ours == theirs  # each number once, none made up


def test_a_square_dense_layer_is_read_as_the_kind_of_the_file_has_it_and_layout_overrides(tmp_path: Path) -> None:
    weight = np.arange(9.0).reshape(3, 3)
    (tmp_path / "w.safetensors").write_bytes(write_safetensors({"0.w": weight, "0.b": np.zeros(3)}, {}))
    np.savez(tmp_path / "w.npz", weight, np.zeros(3))
    net = "input 3\ndense 3"
    of_torch = package.import_weights(net, tmp_path / "w.npz", layout="torch")
    of_keras = package.import_weights(net, tmp_path / "w.npz")
    assert np.array_equal(of_torch.network.parameters["dense1/weight"], weight.T)
    assert np.array_equal(of_keras.network.parameters["dense1/weight"], weight)
    assert of_torch.steps[0].how == "transposed"
    assert any("--layout torch reads them otherwise" in note for note in of_keras.notes)


def test_the_rows_of_a_dense_layer_after_an_image_are_put_in_our_order() -> None:
    imported = package.import_weights(NET, torch_arrays(), dtype="float64")
    theirs = torch_arrays()["features.3.weight"]  # (out, channels · rows · columns)
    ours = imported.network.parameters["dense1/weight"].reshape(2, 2, 4, 5)  # (rows, columns, channels, out)
    for row, column, channel in np.ndindex(2, 2, 4):
        assert np.array_equal(ours[row, column, channel], theirs[:, channel * 4 + row * 2 + column])
    assert imported.steps[2].how == "transposed, rows from channels, rows, columns to rows, columns, channels"


def test_a_network_gives_its_own_arrays_back(tmp_path: Path) -> None:
    network = package.compile("input 4\ndense 4 -> batchnorm -> dense 4", seed=3)
    arrays: dict[str, Any] = {**network.parameters, **network.buffers}
    np.savez(tmp_path / "own.npz", **arrays)
    imported = package.import_weights("input 4\ndense 4 -> batchnorm -> dense 4", tmp_path / "own.npz")
    assert imported.layout == "nnspec"
    for ours, theirs in (
        (imported.network.parameters, network.parameters),
        (imported.network.buffers, network.buffers),
    ):
        assert all(np.array_equal(array, theirs[name]) for name, array in ours.items())


def test_names_come_before_the_order() -> None:
    second = {"second.weight": np.full((2, 2), 2.0), "second.bias": np.full(2, 2.0)}
    arrays = {**second, "first.weight": np.ones((2, 2)), "first.bias": np.ones(2)}
    net = "input 2\nfirst: dense 2 -> second: dense 2"
    by_name = package.import_weights(net, arrays)
    assert by_name.network.parameters["first/bias"].tolist() == [1, 1]
    by_order = package.import_weights(net, arrays, match="order")
    assert by_order.network.parameters["first/bias"].tolist() == [2, 2]
    with pytest.raises(ExchangeError, match="--match order takes the order"):
        package.import_weights("input 2\nfirst: dense 2 -> dense 2", arrays)
    with pytest.raises(ExchangeError, match="has no layer called dense1; it has second, first"):
        package.import_weights("input 2\nfirst: dense 2 -> dense 2", arrays, match="name")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"head.2.weight": None, "head.2.bias": None}, "the file ends before dense3"),
        ({"head.2.bias": None}, "dense3 cannot be head.2: it has no bias; it has weight 3x5"),
        ({"extra.weight": np.ones((2, 3))}, "the network ends before extra"),
        ({"head.0.weight": np.ones((5, 6))}, "dense2 cannot be head.0: its weight is 5x6, and 5x5 is needed"),
        ({"head.0.weight": np.full((5, 5), np.nan)}, "head.0.weight has 25 of 25 numbers that are NaN or infinite"),
        ({"head.0.weight": np.full((5, 5), 1e300)}, "dense2/weight has numbers beyond the range of float32"),
        ({"head.0.weight": np.full((5, 5), "a")}, "weights are numbers"),
        ({"features.0.running_mean": np.ones(4)}, "it has running_mean 4, and the layer here has none"),
    ],
)
def test_weights_of_another_shape_are_refused_in_words(change: dict[str, Any], said: str) -> None:
    arrays = {name: array for name, array in {**torch_arrays(), **change}.items() if array is not None}
    with pytest.raises(ExchangeError) as caught:
        package.import_weights(NET, arrays)
    assert said in str(caught.value)


def test_arrays_in_the_other_framework_s_shapes_are_refused_with_the_layout_that_fits() -> None:
    with pytest.raises(ExchangeError, match="help: --layout keras: as Keras has them they fit"):
        package.import_weights("input 3\ndense 2", {"0.weight": np.ones((3, 2)), "0.bias": np.ones(2)})


def test_a_shared_weight_may_be_repeated_in_the_file_or_not() -> None:
    net = "input 5\nembed 3 vocab=4 -> dense 4 as=embed1 bias=no"
    weight = np.arange(12.0).reshape(4, 3)
    for arrays in ({"e.weight": weight}, {"e.weight": weight, "out.weight": weight}):
        imported = package.import_weights(net, arrays)
        assert np.array_equal(imported.network.parameters["embed1/weight"], weight)
    with pytest.raises(ExchangeError, match=r"shared with an earlier layer here \(as=\), and has other numbers there"):
        package.import_weights(net, {"e.weight": weight, "out.weight": weight + 1})


def test_a_negative_running_variance_is_refused() -> None:
    arrays = {"0.weight": np.ones(2), "0.bias": np.ones(2), "0.running_mean": np.ones(2), "0.running_var": -np.ones(2)}
    with pytest.raises(package.NNSpecError, match="is a variance, and a number of it is negative"):
        package.import_weights(
            "input 2\nbatchnorm -> dense 1", {**arrays, "1.weight": np.ones((1, 2)), "1.bias": [0.0]}
        )


@pytest.mark.parametrize(
    ("given", "said"), [(3, "weights are a int"), ("w.txt", "is not a file of weights"), ("w.npz", "cannot be read")]
)
def test_what_is_not_weights_is_refused(given: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(ExchangeError, match=said):
        package.import_weights(NET, tmp_path / given if isinstance(given, str) else given)


def test_the_command_writes_a_network_that_predict_takes(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(write_safetensors(torch_arrays(), {"format": "pt"}))
    (tmp_path / "net.nnspec").write_text(NET)
    done = nnspec("import", "w.safetensors", "--into", "net.nnspec")
    assert done.code == 0, done.err
    assert "features.0.weight  4x2x3x3  conv1/weight   3x3x2x4  kernel OIHW → HWIO" in done.out
    assert "wrote net.h5: 209 parameters" in done.out
    assert "layers matched by order; shapes as PyTorch has them" in done.err
    x = np.random.default_rng(2).normal(size=(3, 6, 6, 2))
    np.save(tmp_path / "x.npy", x)
    answers = nnspec("predict", "net.h5", "x.npy", "--json").json["predictions"]
    expected = package.import_weights(NET, torch_arrays()).network.predict(x)
    assert np.allclose([each["probabilities"] for each in answers], expected, atol=1e-6)
    listed = nnspec("import", "w.safetensors", "--into", "net.nnspec", "--out", "other/net.h5", "--json").json
    assert [array["ours"] for array in listed["arrays"]][:2] == ["conv1/weight", "conv1/bias"]
    assert (tmp_path / "other" / "net.h5").exists()


def test_normalization_is_fitted_only_where_it_is_asked_for(nnspec: Command, tmp_path: Path) -> None:
    net = "dense 10 softmax\ndata mnist_sample normalize=zscore"
    (tmp_path / "net.nnspec").write_text(net)
    np.savez(tmp_path / "w.npz", np.zeros((784, 10)), np.zeros(10))
    raw = nnspec("import", "w.npz", "--into", "net.nnspec", "--out", "raw.h5")
    assert "raw samples go in as they are, though the data statement says normalize=zscore: --fit" in raw.err
    fitted = nnspec("import", "w.npz", "--into", "net.nnspec", "--out", "fitted.h5", "--fit")
    assert "normalize=zscore, fitted to the training split of mnist_sample" in fitted.err
    assert package.load(tmp_path / "raw.h5").preprocessing.normalize == "none"
    assert package.load(tmp_path / "fitted.h5").preprocessing.normalize == "zscore"
    for name in ("raw.h5", "fitted.h5"):
        assert nnspec("eval", name, "--json").json["accuracy"] > 0
