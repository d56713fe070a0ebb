"""A network as a file, as bytes and as a copy: sealed, whole, and independent of the one it was made from."""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnspec
from nnspec.runtime.errors import CheckpointError
from tests.support.commands import nnspec as command

SPECS = (
    "input 5 -> dense 4 relu -> dense 3 softmax",
    "input 6x6x1 -> conv 3x3 x2 relu -> batchnorm -> maxpool 2 -> dense 3 softmax",
    "input 4x2 -> gru 3 -> dense 1",
)
COPIES: dict[str, Callable[[nnspec.Network], nnspec.Network]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda network: pickle.loads(pickle.dumps(network)),
    "bytes": lambda network: nnspec.from_bytes(network.to_bytes()),
}


def samples(network: nnspec.Network, count: int = 4) -> np.ndarray:
    assert network.spec.input is not None
    return np.random.default_rng(0).normal(size=(count, *network.spec.input)).astype(np.float32)


def shifted(network: nnspec.Network, by: float) -> None:
    network.set_parameters({name: array + by for name, array in network.parameters.items()})


@pytest.mark.parametrize("how", COPIES)
@given(st.sampled_from(SPECS), st.booleans(), st.sampled_from(["float32", "float64"]))
@settings(max_examples=12, deadline=None)
def test_changing_a_copy_never_changes_the_original_and_always_changes_the_copy(
    how: str, spec: str, asked_before: bool, dtype: str
) -> None:
    network = nnspec.compile(spec, seed=3, dtype=dtype)
    x = samples(network)
    if asked_before:
        network.predict(x)
    made = COPIES[how](network)
    before = network.predict(x).copy()
    assert made.dtype == network.dtype and np.array_equal(made.predict(x), before)
    shifted(made, 0.25)
    assert np.array_equal(network.predict(x), before)
    assert not np.array_equal(made.predict(x), before)
    shifted(network, 0.25)
    assert np.array_equal(network.predict(x), made.predict(x))


def test_what_was_trained_on_arrays_can_be_saved_and_loaded(tmp_path: Path) -> None:
    x, y = np.random.default_rng(0).normal(size=(30, 5)), np.array(["red", "green", "blue"] * 10)
    run = nnspec.train("dense 4 relu -> dense 3 softmax\ntrain 3 epochs", data=(x, y), seed=1)
    nnspec.save(run.network, tmp_path / "net.h5")
    loaded = nnspec.load(tmp_path / "net.h5")
    assert np.array_equal(loaded.predict(x), run.network.predict(x))
    assert loaded.preprocessing.classes == ("blue", "green", "red")


@pytest.mark.parametrize("flipped", [3, 300, 600, -1])
def test_a_flipped_bit_is_refused(flipped: int) -> None:
    data = bytearray(nnspec.compile(SPECS[0], seed=1).to_bytes())
    data[flipped] ^= 1
    with pytest.raises(CheckpointError):
        nnspec.from_bytes(bytes(data))


def test_weights_that_are_not_finite_are_not_saved_but_copied() -> None:
    network = nnspec.compile(SPECS[0], seed=1)
    shifted(network, np.nan)
    with pytest.raises(CheckpointError, match="NaN"):
        network.to_bytes()
    assert np.isnan(copy.deepcopy(network).parameters["dense1/weight"]).all()


def test_the_commands_take_a_network_without_a_run_or_say_what_it_lacks(tmp_path: Path) -> None:
    network = nnspec.compile("input 4 -> dense 3 softmax", seed=1)
    network.save(tmp_path / "net.h5")
    np.save(tmp_path / "x.npy", samples(network, 2))
    for verb in (
        ["predict", "net.h5", "x.npy"],
        ["inspect", "net.h5"],
        ["inspect", "net.h5", "--json"],
        ["verify", "net.h5"],
    ):
        done = command(tmp_path, *verb)
        assert done.exit_code == 0, done.stderr
    for verb in (["resume", "net.h5"], ["plot", "curves", "net.h5"]):
        done = command(tmp_path, *verb)
        assert done.exit_code == 2 and "a network without a run" in done.stderr and "--init-from" in done.stderr
    done = command(tmp_path, "train", "dense 3 softmax", "--data", 'csv "t.csv" target=y', "--init-from", "net.h5")
    assert "t.csv" in done.stderr  # the network was read: what is missing are the data
