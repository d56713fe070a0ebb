"""The arrays of a network, parameters and buffers, read and written from Python."""

from pathlib import Path

import numpy as np
import pytest

import nnspec
from nnspec.runtime.infer.network import NetworkError

SPEC = "input 5 -> dense 4 -> batchnorm -> dense 3 softmax\ntrain 3 epochs batch=8"
STATISTICS = {
    "batchnorm1/running_mean": np.array([1.0, -2, 0, 3], np.float32),
    "batchnorm1/running_var": np.array([4.0, 0, 1, 9], np.float32),
}


def test_buffers_are_copies_and_what_is_written_is_what_predictions_use() -> None:
    network = nnspec.compile(SPEC, seed=1)
    before = network.buffers
    before["batchnorm1/running_mean"][:] = 7
    np.testing.assert_array_equal(network.buffers["batchnorm1/running_mean"], 0)
    x = np.random.default_rng(1).normal(size=(6, 5)).astype(np.float32)
    network.predict(x)  # the program is planned before the buffers change
    network.set_buffers(STATISTICS)
    p = network.parameters
    inner = x @ p["dense1/weight"] + p["dense1/bias"]
    scaled = (inner - STATISTICS["batchnorm1/running_mean"]) / np.sqrt(STATISTICS["batchnorm1/running_var"] + 1e-5)
    logits = scaled @ p["dense2/weight"] + p["dense2/bias"]
    expected = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(network.predict(x), expected / expected.sum(axis=1, keepdims=True), rtol=1e-4, atol=1e-6)


def test_buffers_are_kept_in_a_file_of_the_network(tmp_path: Path) -> None:
    network = nnspec.compile(SPEC, seed=1)
    network.set_buffers({"batchnorm1/running_mean": STATISTICS["batchnorm1/running_mean"]})
    network.save(tmp_path / "net.h5")
    again = nnspec.load(tmp_path / "net.h5").buffers
    np.testing.assert_array_equal(again["batchnorm1/running_mean"], STATISTICS["batchnorm1/running_mean"])
    np.testing.assert_array_equal(again["batchnorm1/running_var"], 1)


@pytest.mark.parametrize(
    ("buffers", "message"),
    [
        (
            {"batchnorm1/mean": np.zeros(4)},
            "the network has no buffer 'batchnorm1/mean'; it has batchnorm1/running_mean",
        ),
        ({"dense1/weight": np.zeros((5, 4))}, "the network has no buffer 'dense1/weight'"),
        ({"batchnorm1/running_mean": np.zeros(3)}, r"batchnorm1/running_mean has the shape \(4,\), not \(3,\)"),
        ({"batchnorm1/running_var": np.array([1, 1, -1, 1])}, "a number of it is negative"),
    ],
)
def test_buffers_that_the_network_has_not_are_refused(buffers: dict[str, np.ndarray], message: str) -> None:
    network = nnspec.compile(SPEC, seed=1)
    before = network.buffers
    with pytest.raises(NetworkError, match=message):
        network.set_buffers({**STATISTICS, **buffers})
    for name, array in network.buffers.items():
        np.testing.assert_array_equal(array, before[name])
    with pytest.raises(NetworkError, match="it has none"):
        nnspec.compile("input 3 -> dense 2").set_buffers(STATISTICS)


def test_a_run_that_begins_with_a_checkpoint_begins_with_its_buffers_too(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    x, y = random.normal(5, 3, (64, 5)), random.integers(0, 3, 64)
    first = nnspec.train(SPEC, data=(x, y), out=tmp_path / "first")
    settings = {"optimizer": "sgd lr=0.0000000000000000001", "train": "1 iterations batch=8"}
    second = nnspec.train(SPEC, settings=settings, data=(x, y), init_from=tmp_path / "first" / "last.h5")
    mean, began = first.network.buffers["batchnorm1/running_mean"], second.network.buffers["batchnorm1/running_mean"]
    fresh = nnspec.train(SPEC, settings=settings, data=(x, y)).network.buffers["batchnorm1/running_mean"]
    assert np.linalg.norm(began - mean) < 0.2 * np.linalg.norm(fresh - mean)
