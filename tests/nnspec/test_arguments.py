"""What a caller in Python gives wrongly: an error that says what to give, never one of NumPy's."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnspec
from nnspec import NNSpecError

SPEC = "input 4 -> dense 3 softmax"
X = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
Y = np.arange(20) % 3
IMAGES = np.zeros((2, 6, 6, 1), np.float32)
NETWORK = nnspec.compile(SPEC, seed=1)
VALUE = nnspec.compile("input 4 -> dense 1", seed=1)
PICTURES = nnspec.compile("input 6x6 -> conv 3x3 x2 -> dense 3 softmax", seed=1)

WRONG_TARGETS: dict[str, Any] = {
    "a scalar": 3,
    "an array without axes": np.array(1),
    "nothing": None,
    "objects": np.array([object()] * 20),
    "an empty list": [],
    "NaN": np.full(20, np.nan),
    "lists of several lengths": [[1], [1, 2]] * 10,
    "text": ["a"] * 20,
    "complex numbers": Y * 1j,
    "a dict": {},
    "bytes": np.array([b"a"] * 20),
    "one too few": Y[:19],
    "one too many": np.arange(21) % 3,
}
WRONG_LABELS = {
    "one-hot labels": np.eye(3)[Y],
    "negative labels": -Y - 1,
    "more labels than outputs": np.arange(20) + 100,
    "halves": Y + 0.5,
}
WRONG_SAMPLES: dict[str, Any] = {
    "a scalar": 3,
    "nothing": None,
    "objects": np.array([[object()] * 4] * 20),
    "an empty list": [],
    "lists of several lengths": [[1], [1, 2]] * 10,
    "text": [["a"] * 4] * 20,
    "other features": X[:, :3],
    "a dict": {},
    "times": np.zeros((20, 4), "M8[s]"),
    "a path": "x.npy",
}


def refused(call: Callable[[], object]) -> str:
    """Return the message of the error that a call raises."""
    with pytest.raises(NNSpecError) as error:
        call()
    return str(error.value)


@pytest.mark.parametrize("name", WRONG_TARGETS | WRONG_LABELS)
def test_wrong_targets_are_refused(name: str) -> None:
    y = (WRONG_TARGETS | WRONG_LABELS)[name]
    refused(lambda: nnspec.evaluate(NETWORK, X, y))
    refused(lambda: NETWORK.loss_and_gradients(X, y))
    refused(lambda: nnspec.train(SPEC, settings={"train.epochs": 1}, data=(X, y)))
    refused(lambda: nnspec.train(SPEC, settings={"train.epochs": 1}, data=(X, Y), validation=(X, y)))
    refused(lambda: nnspec.occlude(PICTURES, IMAGES, y))
    if name in WRONG_TARGETS:
        refused(lambda: nnspec.evaluate(VALUE, X, y))
        refused(lambda: VALUE.loss_and_gradients(X, y))


@pytest.mark.parametrize("name", WRONG_SAMPLES)
def test_wrong_samples_are_refused(name: str) -> None:
    x = WRONG_SAMPLES[name]
    refused(lambda: nnspec.evaluate(NETWORK, x, Y))
    refused(lambda: NETWORK.predict(x))
    refused(lambda: NETWORK.loss_and_gradients(x, Y))
    refused(lambda: nnspec.train(SPEC, settings={"train.epochs": 1}, data=(x, Y)))
    refused(lambda: nnspec.occlude(PICTURES, x, [0, 1]))
    refused(lambda: NETWORK.set_parameters({"dense1/weight": x}))
    if name != "a dict":
        assert "give a dict" in refused(lambda: NETWORK.set_parameters(x))
        assert "give a dict" in refused(lambda: NETWORK.set_buffers(x))


def test_no_samples_to_evaluate_on_are_refused() -> None:
    assert "give at least one" in refused(lambda: nnspec.evaluate(NETWORK, X[:0], Y[:0]))


@pytest.mark.parametrize("dtype", ["float16", "int32", "abc", None, 3, np.float16, complex, object()])
def test_only_two_types_of_numbers_are_taken(dtype: Any) -> None:
    wanted = "float32 or float64: give one of them"
    assert wanted in refused(lambda: nnspec.compile(SPEC, dtype=dtype))
    assert wanted in refused(lambda: nnspec.train(SPEC, settings={"train.epochs": 1}, data=(X, Y), dtype=dtype))


@pytest.mark.parametrize("dtype", ["float32", "f8", np.float64, np.dtype("float32"), float])
def test_each_name_of_the_two_types_is_taken(dtype: Any) -> None:
    assert nnspec.compile(SPEC, dtype=dtype).dtype == np.dtype(dtype)


def test_a_run_or_a_path_instead_of_a_network_is_told_what_to_give() -> None:
    run: Any = nnspec.train(SPEC, settings={"train.epochs": 1}, data=(X, Y))
    path: Any = "runs/x"
    calls: tuple[Callable[[Any], object], ...] = (
        lambda given: nnspec.evaluate(given, X, Y),
        lambda given: nnspec.occlude(given, IMAGES, [0, 1]),
        lambda given: nnspec.save(given, "x.h5"),
    )
    for call in calls:
        assert "run.network" in refused(lambda call=call: call(run))  # type: ignore[misc]
        assert "nnspec.load('runs/x')" in refused(lambda call=call: call(path))  # type: ignore[misc]
        assert "give a network" in refused(lambda call=call: call(None))  # type: ignore[misc]


@pytest.mark.parametrize("given", [3, b"x", ["a"], NETWORK])
def test_a_path_is_a_text_or_a_path(given: Any) -> None:
    for call in (
        lambda: nnspec.load(given),
        lambda: nnspec.resume(given),
        lambda: nnspec.save(NETWORK, given),
        lambda: nnspec.train(SPEC, given, data=(X, Y)),
        lambda: nnspec.train(SPEC, data=(X, Y), init_from=given),
    ):
        assert "give a path" in refused(call)


@pytest.mark.parametrize("given", [3, ["a"], NETWORK])
def test_settings_variants_and_bytes_of_another_type_are_refused(given: Any) -> None:
    assert "give a dict" in refused(lambda: nnspec.compile(SPEC, given))
    assert "give the name of a variant" in refused(lambda: nnspec.check(SPEC, variant=given))
    assert "give bytes" in refused(lambda: nnspec.from_bytes(given))


@pytest.mark.parametrize("seed", [-1, 2**63, "a", 1.5, True])
def test_a_seed_is_a_whole_number_from_0(seed: Any) -> None:
    refused(lambda: nnspec.compile(SPEC, seed=seed))


@pytest.mark.parametrize("size", ["a", None, 0, -1, 1.5, (1,), (1, 2, 3)])
def test_a_window_and_a_stride_are_whole_numbers_from_1(size: Any) -> None:
    refused(lambda: nnspec.occlude(PICTURES, IMAGES, [0, 1], window=size))
    refused(lambda: nnspec.occlude(PICTURES, IMAGES, [0, 1], stride=size))


def test_a_working_folder_that_was_deleted_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    for call in (
        lambda: nnspec.check(SPEC),
        lambda: nnspec.compile(SPEC),
        lambda: nnspec.train(SPEC, settings={"train.epochs": 1}, data=(X, Y)),
    ):
        assert "the current folder does not exist any more" in refused(call)


def test_one_hot_labels_are_told_what_to_give() -> None:
    y = np.eye(3)[Y]
    for call in (
        lambda: nnspec.evaluate(NETWORK, X, y),
        lambda: NETWORK.loss_and_gradients(X, y),
        lambda: nnspec.train(SPEC, settings={"train.epochs": 1}, data=(X, y)),
    ):
        assert "y.argmax(axis=-1)" in refused(call)
