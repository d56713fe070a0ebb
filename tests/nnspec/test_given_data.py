"""Data that a program gives: arrays and data frames obey the spec's data statement, and classes go by their names."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnspec
from nnspec.runtime.train.spec_and_data import network_data
from tests.support.commands import at_step

SPEC = "dense 5 tanh -> dense 3 softmax\ntrain 6 iterations batch=8"
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(3, [1, 10, 0.1], size=(40, 3))
Y = np.arange(40) % 3
NAMES = np.array(["red", "green", "blue"])[Y]


class Table:
    """A data frame of no library: names, columns, and the sign of the interchange protocol."""

    def __init__(self, columns: dict[str, Any]):
        self._columns = columns

    @property
    def columns(self) -> list[str]:
        return list(self._columns)

    def __getitem__(self, name: str) -> Any:
        return self._columns[name]

    def __dataframe__(self) -> None:
        raise NotImplementedError


def frames() -> list[Any]:
    """The constructors of data frames that are installed."""
    found: list[Any] = [pytest.param(Table, id="any")]
    for library, name in (("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "table")):
        try:
            found.append(pytest.param(getattr(__import__(library), name), id=library))
        except ImportError:
            continue
    return found


FRAMES = pytest.mark.parametrize("frame", frames())


def test_arrays_are_used_as_they_are_unless_the_spec_says_otherwise() -> None:
    run = nnspec.train(SPEC, data=(X, Y))
    assert run.data.validation is None and run.network.preprocessing.normalize == "none"
    assert run.network.spec.data is not None and run.network.spec.data.word == "arrays"


@pytest.mark.parametrize("how", ["settings", "a line", "the line of a file"])
def test_arrays_are_split_and_normalized_as_the_file_of_the_same_numbers(how: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=X, y=Y)
    options = "split=75/25 normalize=zscore seed=4"
    file = nnspec.train(f"{SPEC}", tmp_path / "file", data=f'npz "{tmp_path}/data.npz" {options}')
    settings = {"data.split": "75/25", "data.normalize": "zscore", "data.seed": 4} if how == "settings" else {}
    line = {"a line": f"\ndata arrays {options}", "the line of a file": f'\ndata npz "nowhere.npz" {options}'}
    run = nnspec.train(SPEC + line.get(how, ""), settings=settings, data=(X, Y))
    assert run.data.validation is not None and len(run.data.validation) == 10
    assert run.data.digest == file.data.digest
    for name, value in file.network.parameters.items():
        np.testing.assert_array_equal(run.network.parameters[name], value)
    assert run.end["validation_accuracy"] == file.end["validation_accuracy"]


def test_validation_samples_replace_the_split() -> None:
    run = nnspec.train(SPEC, data=(X, Y), validation=(X[:6], Y[:6]), settings={"data.split": "50/50"})
    assert run.data.validation is not None
    assert (len(run.data.train), len(run.data.validation)) == (40, 6)


def test_a_run_on_arrays_says_how_they_were_treated_and_goes_on_with_the_same(tmp_path: Path) -> None:
    settings = {"data.normalize": "minmax", "data.split": "80/20", "train.iterations": 10}
    whole = nnspec.train(SPEC, tmp_path / "whole", settings=settings, data=(X, Y))
    with at_step(4), pytest.raises(nnspec.Interrupted, match="data="):
        nnspec.train(SPEC, tmp_path / "parts", settings=settings, data=(X, Y))
    assert "data      arrays split=80/20 normalize=minmax" in (tmp_path / "parts" / "resolved.nnspec").read_text()
    with pytest.raises(nnspec.CheckpointError, match="trained on arrays"):
        nnspec.resume(tmp_path / "parts")
    run = nnspec.resume(tmp_path / "parts", data=(X, Y))
    for name, value in whole.network.parameters.items():
        np.testing.assert_array_equal(run.network.parameters[name], value)


def test_loaded_data_are_trained_on_as_they_are() -> None:
    data = nnspec.data_from_arrays(X, Y, classification=True, normalize="zscore", split=(75, 25), seed=4)
    run = nnspec.train(SPEC, data=data)
    given = {"data.split": "75/25", "data.normalize": "zscore", "data.seed": 4}
    same = nnspec.train(SPEC, data=(X, Y), settings=given)
    assert run.data.digest == same.data.digest == data.digest
    np.testing.assert_array_equal(run.network.predict(X), same.network.predict(X))
    with pytest.raises(nnspec.DataError, match=r"already: leave the setting data\.split out"):
        nnspec.train(SPEC, data=data, settings={"data.split": "50/50"})
    with pytest.raises(nnspec.DataError, match="classification=False"):
        nnspec.train("dense 1", data=data)


def test_numbers_to_predict_are_scaled_by_the_rule_for_files() -> None:
    y = 700 + 50 * X[:, 0]
    for targets, given in ((y, "1-D"), (y[:, None], "2-D")):
        run = nnspec.train("dense 5 tanh -> dense 1\ntrain 5 iterations", data=(X, targets))
        assert run.network.preprocessing.target_scaling is not None, given
        assert 600 < run.network.predict(X).mean() < 800
        assert nnspec.evaluate(run.network, X, y) == nnspec.evaluate(run.network, X, y[:, None])
    raw = nnspec.train("dense 1\ntrain 5 iterations", data=(X, y), settings={"data.targets": "none"})
    assert raw.network.preprocessing.target_scaling is None


def test_a_number_for_each_step_is_one_column_with_or_without_its_axis() -> None:
    x = np.random.default_rng(0).normal(size=(12, 5, 3)).astype(np.float32)
    y = 700 + 50 * x[:, :, 0] + np.arange(5)
    runs = [
        nnspec.train("rnn 2 return=sequence -> dense 1\ntrain 3 iterations", data=(x, given), validation=(x, given))
        for given in (y, y[:, :, None])
    ]
    for run in runs:
        scaling = run.network.preprocessing.target_scaling
        assert scaling is not None and scaling.shift.shape == (1,)
        assert scaling.shift[0] == pytest.approx(y.mean(), rel=1e-6)
    assert runs[0].end["validation_rmse"] == runs[1].end["validation_rmse"]


@pytest.mark.parametrize("shape", [(40, 6, 6), (40, 36), (40, 6, 6, 1)])
def test_images_in_another_shape_of_the_same_meaning_train_the_same_network(shape: tuple[int, ...]) -> None:
    images = RANDOM.integers(0, 255, (40, 36)).astype(np.float32)
    spec = "input 6x6x1\nconv 3x3 x2 relu -> dense 3 softmax\ntrain 3 iterations"
    run = nnspec.train(spec, data=(images.reshape(shape), Y), validation=(images.reshape(shape), Y))
    same = nnspec.train(spec, data=(images.reshape(40, 6, 6, 1), Y))
    np.testing.assert_array_equal(run.network.predict(images), same.network.predict(images.reshape(40, 6, 6)))
    assert run.network.predict(images[0].reshape(6, 6)).shape == (1, 3)


def test_one_feature_may_be_a_list_of_numbers() -> None:
    run = nnspec.train("dense 1\ntrain 3 iterations", data=([1.0, 2, 3, 4], [2.0, 4, 6, 8]))
    assert run.network.predict([1.0, 2.0, 3.0]).shape == (3, 1)


@FRAMES
def test_the_columns_of_a_frame_are_found_by_name(frame: Any) -> None:
    columns = {"size": X[:, 0], "weight": X[:, 1], "age": X[:, 2]}
    run = nnspec.train(SPEC, data=(frame(columns), frame({"colour": NAMES.tolist()})), settings={"data.split": "80/20"})
    assert run.network.preprocessing.features == ("size", "weight", "age")
    assert run.network.classes == ("blue", "green", "red")
    expected = run.network.predict(X)
    turned = frame({"age": X[:, 2], "other": X[:, 0], "weight": X[:, 1], "size": X[:, 0]})
    np.testing.assert_array_equal(run.network.predict(turned), expected)
    assert nnspec.evaluate(run.network, turned, NAMES) == nnspec.evaluate(run.network, X, NAMES.tolist())
    with pytest.raises(nnspec.DataError, match=r"lacks the columns size, age; it has weight"):
        run.network.predict(frame({"weight": X[:, 1]}))
    with pytest.raises(nnspec.DataError, match="both as arrays"):
        nnspec.train(SPEC, data=(frame(columns), NAMES), validation=(X, NAMES))


@FRAMES
def test_categories_and_missing_values_of_a_frame_are_encoded_as_those_of_a_file(frame: Any) -> None:
    town = np.array(["Rome", "Oslo"])[np.arange(40) % 2].tolist()
    size: list[float | None] = [float(value) for value in X[:, 0]]
    size[3] = None
    run = nnspec.train(SPEC, data=(frame({"town": town, "size": size}), NAMES), settings={"data.normalize": "zscore"})
    assert run.network.preprocessing.columns is not None
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        outputs = run.network.predict(frame({"size": [3.0, None], "town": ["Rome", "Paris"]}))
    assert outputs.shape == (2, 3) and any("Paris" in str(warning.message) for warning in said)


def test_series_of_pandas_are_targets() -> None:
    pandas = pytest.importorskip("pandas")
    for labels in (pandas.Series(NAMES), pandas.Series(NAMES).astype("category"), pandas.Series(NAMES, dtype="string")):
        run = nnspec.train(SPEC, data=(pandas.DataFrame(X), labels))
        assert run.network.classes == ("blue", "green", "red")
        assert nnspec.evaluate(run.network, X, labels)["accuracy"] == pytest.approx(
            np.mean(run.network.predict_classes(X) == NAMES)
        )
    run = nnspec.train(SPEC, data=(X, pandas.Series(Y, dtype="Int64")))
    assert run.network.classes == ("0", "1", "2")


def test_classes_are_predicted_by_name_or_by_number_as_they_were_given() -> None:
    named = nnspec.train(SPEC, data=(X, NAMES)).network
    predicted = named.predict_classes(X)
    assert predicted.tolist() == [named.classes[i] for i in named.predict(X).argmax(axis=1)]  # type: ignore[index]
    numbered = nnspec.train(SPEC, data=(X, Y)).network
    np.testing.assert_array_equal(numbered.predict_classes(X), numbered.predict(X).argmax(axis=1))
    skipping = nnspec.train(SPEC, data=(X, 3 + 2 * Y)).network
    assert skipping.classes == ("3", "5", "7")
    assert set(skipping.predict_classes(X)) <= {3, 5, 7}
    accuracy = np.mean(skipping.predict_classes(X) == 3 + 2 * Y)
    assert nnspec.evaluate(skipping, X, 3 + 2 * Y)["accuracy"] == pytest.approx(accuracy)
    two = nnspec.train("dense 1 sigmoid\ntrain 3 iterations", data=(X, np.where(Y > 0, "yes", "no"))).network
    assert two.predict_classes(X).tolist() == ["yes" if p > 0.5 else "no" for p in two.predict(X)[:, 0]]
    with pytest.raises(nnspec.NetworkError, match="does not tell classes apart"):
        nnspec.train("dense 1\ntrain 3 iterations", data=(X, X[:, 0])).network.predict_classes(X)


def test_text_labels_are_taken_wherever_labels_are() -> None:
    network = nnspec.train(SPEC, data=(X, NAMES)).network
    numbers = np.searchsorted(["blue", "green", "red"], NAMES)
    assert nnspec.evaluate(network, X, NAMES) == nnspec.evaluate(network, X, numbers)
    assert network.loss_and_gradients(X, NAMES)[0] == network.loss_and_gradients(X, numbers)[0]
    for call in (nnspec.evaluate, lambda network, x, y: network.loss_and_gradients(x, y)):
        with pytest.raises(nnspec.DataError, match='no class "rod"; did you mean "red"'):
            call(network, X[:2], ["red", "rod"])
    with pytest.raises(nnspec.DataError, match="predicts numbers"):
        nnspec.evaluate(nnspec.train("dense 1\ntrain 3 iterations", data=(X, X[:, 0])).network, X, NAMES)


def test_occlusion_takes_names_and_the_mean_of_the_training_images(tmp_path: Path) -> None:
    images = RANDOM.integers(0, 255, (40, 6, 6)).astype(np.uint8)
    np.savez(tmp_path / "data.npz", x=images, y=NAMES)
    spec = f'conv 3x3 x2 relu -> dense 3 softmax\ndata npz "{tmp_path}/data.npz"\ntrain 3 iterations'
    for normalize in ("zscore", "minmax"):
        network = nnspec.train(spec, tmp_path / normalize, settings={"data.normalize": normalize}).network
        mean = network_data(network).train.inputs.astype(np.float64).mean()
        found = nnspec.occlude(network, images[:2], NAMES[:2], baseline="mean")
        numbers = np.searchsorted(["blue", "green", "red"], NAMES[:2])
        np.testing.assert_allclose(found, nnspec.occlude(network, images[:2], numbers, baseline=mean), rtol=1e-5)
    given = nnspec.train("conv 3x3 x2 relu -> dense 3 softmax\ntrain 3 iterations", data=(images, NAMES)).network
    with pytest.raises(nnspec.DataError, match="does not know the mean"):
        nnspec.occlude(given, images[:2], NAMES[:2], baseline="mean")
