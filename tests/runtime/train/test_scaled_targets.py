"""Runs on scaled targets: the network computes scaled numbers, and everything that a user sees is in their units."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import nnspec
from nnspec import checkpoints
from nnspec.runtime.compiler import rewrites
from nnspec.runtime.data import Split
from nnspec.runtime.execute import processors
from nnspec.runtime.infer.evaluation import evaluate, loss_and_outputs
from nnspec.runtime.infer.forecasting import forecast
from nnspec.runtime.infer.network import Network
from nnspec.runtime.infer.single_step import SingleStepNetwork
from nnspec.runtime.train import step
from nnspec.runtime.train.resuming import resume
from nnspec.runtime.train.run import Run, train
from nnspec.runtime.train.spec_and_data import network_data
from nnspec.spec_lang.check.spec_request import Request
from tests.support.commands import at_step
from tests.support.commands import nnspec as run_command

SPEC = """\
dense 6 tanh -> dense 2
data npz "data.npz" split=75/25
train 10 iterations batch=8 evaluate_every=2 checkpoint_every=3 seed=5
metrics rmse, r2
"""
FIXTURES = Path(checkpoints.__file__).parents[1] / "tests" / "checkpoints" / "data"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with net.nnspec and its data: one target around 300, the other around 5."""
    random = np.random.default_rng(0)
    x = random.normal(size=(36, 4)).astype(np.float32)
    np.savez(tmp_path / "data.npz", x=x, y=np.stack([300 + 20 * x[:, 0], 5 - x[:, 1] * x[:, 2]], axis=1))
    (tmp_path / "net.nnspec").write_text(SPEC)
    return tmp_path


def trained(folder: Path, out: str = "run", **settings: object) -> Run:
    written = {key.replace("_", ".", 1): value for key, value in settings.items()}
    return train(Request(folder / "net.nnspec", written), folder / out)


def targets_of(split: Split | None) -> np.ndarray:
    assert split is not None
    return split.targets


def test_a_run_is_that_on_targets_scaled_by_hand_and_outputs_are_in_their_units(folder: Path) -> None:
    run = trained(folder)
    scaling = run.network.preprocessing.target_scaling
    assert scaling is not None
    train_targets = targets_of(run.data.train).astype(np.float64)
    np.testing.assert_allclose(scaling.shift, train_targets.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(scaling.scale, train_targets.std(axis=0), rtol=1e-12)

    with np.load(folder / "data.npz") as data:
        x, y = data["x"], (data["y"] - scaling.shift) / scaling.scale
    np.savez(folder / "data.npz", x=x, y=y)
    by_hand = trained(folder, "by_hand", data_targets="none")
    assert by_hand.network.preprocessing.target_scaling is None
    for name, parameter in run.network.parameters.items():
        np.testing.assert_array_equal(parameter, by_hand.network.parameters[name])
    assert run.history["loss"].values == by_hand.history["loss"].values
    np.testing.assert_allclose(run.history["validation_loss"].values, by_hand.history["validation_loss"].values)
    expected = by_hand.network.predict(x).astype(np.float64) * scaling.scale + scaling.shift
    np.testing.assert_allclose(run.network.predict(x), expected, rtol=1e-6)


def test_metrics_are_in_the_units_of_the_targets_and_the_loss_is_of_the_scaled_ones(folder: Path) -> None:
    run = trained(folder)
    split = run.data.validation
    assert split is not None
    measured = evaluate(run.network, split)
    predicted = run.network.predict(split.inputs).astype(np.float64)
    difference = predicted - split.targets
    assert measured["rmse"] == pytest.approx(np.sqrt(np.mean(difference**2)), rel=1e-12)
    assert measured["r2"] == pytest.approx(
        np.mean(1 - (difference**2).sum(axis=0) / ((split.targets - split.targets.mean(axis=0)) ** 2).sum(axis=0))
    )
    assert measured["rmse"] == run.history["validation_rmse"].values[-1] == run.end["validation_rmse"]
    scaling = run.network.preprocessing.target_scaling
    assert scaling is not None
    assert measured["loss"] == pytest.approx(np.mean((difference / scaling.scale) ** 2), rel=1e-4)
    _, outputs = loss_and_outputs(run.network, split)
    np.testing.assert_array_equal(outputs, run.network.predict(split.inputs))
    loss, _ = run.network.loss_and_gradients(split.inputs, split.targets)
    assert loss == pytest.approx(measured["loss"], rel=1e-5)


def test_gradients_are_those_of_the_loss_of_scaled_targets(folder: Path) -> None:
    run = train(Request(folder / "net.nnspec"), folder / "run", dtype="float64")
    network, x, y = run.network, run.data.train.inputs, run.data.train.targets
    _, gradients = network.loss_and_gradients(x, y)
    weight = network.parameters["dense2/weight"]
    nudge = np.zeros_like(weight)
    nudge[1, 0] = 1e-6
    losses = []
    for sign in (1, -1):
        network.set_parameters({"dense2/weight": weight + sign * nudge})
        losses.append(network.loss_and_gradients(x, y)[0])
    assert gradients["dense2/weight"][1, 0] == pytest.approx((losses[0] - losses[1]) / 2e-6, rel=1e-6)


@pytest.mark.parametrize(
    "settings",
    [{}, {"train_batch": 1, "optimizer": "sgd lr=0.01"}, {"loss": "huber"}, {"loss": "mae"}],
    ids=["mse", "blocks", "huber", "mae"],
)
def test_a_stopped_run_goes_on_to_the_same_bytes(folder: Path, settings: dict[str, object]) -> None:
    trained(folder, "whole", **settings)
    with at_step(7), pytest.raises(nnspec.NNSpecError):
        trained(folder, "parts", **settings)
    resume(folder / "parts")
    whole, parts = (checkpoints.read(folder / name / "last.h5") for name in ("whole", "parts"))
    assert checkpoints.differing_entries(whole, parts) == []
    assert whole.entries.keys() >= {"preprocessing/target_shift", "preprocessing/target_scale"}


def test_one_process_and_two_give_the_same_bytes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewrites, "STEP_WORTH_A_THREAD", 0)
    monkeypatch.setattr(step, "WORTH_HALVING", 0)
    weights = []
    for worker in (False, True):
        monkeypatch.setattr(processors, "worker_pays", lambda pays=worker: pays)
        weights.append(trained(folder, f"run-{worker}").network.parameter_arena.flat.copy())
    np.testing.assert_array_equal(weights[0], weights[1])


def test_a_checkpoint_a_copy_and_a_pickle_predict_the_same(folder: Path) -> None:
    run = trained(folder)
    x = run.data.train.inputs
    expected = run.network.predict(x)
    for network in (nnspec.load(folder / "run"), nnspec.from_bytes(run.network.to_bytes())):
        np.testing.assert_array_equal(network.predict(x), expected)
        assert "targets=zscore" in str(checkpoints.from_bytes(network.to_bytes()).entries["spec/resolved"])


def test_the_command_predicts_and_measures_in_the_units_of_the_targets(folder: Path) -> None:
    run = trained(folder)
    np.save(folder / "new.npy", run.data.train.inputs[:3])
    found = json.loads(run_command(folder, "predict", "run", "new.npy", "--json").stdout)["predictions"]
    expected = run.network.predict(run.data.train.inputs[:3]).tolist()
    assert [prediction["value"] for prediction in found] == expected
    measured = json.loads(run_command(folder, "eval", "run", "--json").stdout)
    assert measured["rmse"] == run.end["validation_rmse"]


@pytest.mark.parametrize(
    ("network", "targets"),
    [
        ("dense 6 tanh -> dense 2", "zscore"),
        ("dense 6 tanh -> dense 2 -> dropout 0.1 -> reshape 2x1 -> flatten", "zscore"),
        ("dense 6 tanh -> (dense 2 + dense 2)", "zscore"),
        ("dense 2 sigmoid", "none"),
        ("dense 2 tanh", "none"),
        ("dense 2 relu", "none"),
        ("dense 2 relu -> linear", "none"),
        ("dense 2 -> softplus", "none"),
        ("reshape 2x2 -> rnn 2", "none"),
    ],
)
def test_the_default_scales_where_the_outputs_can_be_any_number(network: str, targets: str) -> None:
    spec = nnspec.check(f'input 4\n{network}\nloss mse\ndata npz "data.npz"')
    assert spec.data is not None and spec.data.targets == targets


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
def test_classes_and_labels_are_never_scaled(loss: str) -> None:
    head = "softmax" if loss == "cross_entropy" else "sigmoid"
    spec = nnspec.check(f'input 4\ndense 2 {head}\nloss {loss}\ndata npz "data.npz"')
    assert spec.data is not None and spec.data.targets is None
    with pytest.raises(nnspec.SpecError, match="targets=zscore scales numbers to predict"):
        nnspec.check(f'input 4\ndense 2 {head}\nloss {loss}\ndata npz "data.npz" targets=zscore')


def test_the_built_in_sine_is_not_scaled() -> None:
    spec = nnspec.check("rnn 4 -> dense 1\ndata sine")
    assert spec.data is not None and spec.data.targets == "none"


def test_a_constant_target_is_predicted_as_it_is(folder: Path) -> None:
    with np.load(folder / "data.npz") as data:
        x, y = data["x"], data["y"]
    y[:, 1] = 1234
    np.savez(folder / "data.npz", x=x, y=y)
    run = trained(folder, train_iterations=300)
    np.testing.assert_allclose(run.network.predict(x)[:, 1], 1234, atol=3)


def test_a_run_saved_before_targets_were_scaled_predicts_measures_and_goes_on_as_it_did(folder: Path) -> None:
    (folder / "run").mkdir()
    shutil.copy(FIXTURES / "run-numbers-v1.h5", folder / "run" / "last.h5")
    network = nnspec.load(folder / "run")
    assert network.preprocessing.target_scaling is None
    assert network.spec.data is not None and network.spec.data.targets == "none"
    data = network_data(network)
    assert data.preprocessing.target_scaling is None
    x = network.preprocessing.apply(data.train.inputs)
    np.testing.assert_allclose(network.predict(data.train.inputs), network.program.outputs(x), rtol=1e-5)
    done = resume(folder / "run", allow_inexact=True)
    end = nnspec.load(FIXTURES / "run-numbers-end-v1.h5")
    for name, parameter in end.parameters.items():
        np.testing.assert_allclose(done.network.parameters[name], parameter, rtol=1e-4, atol=1e-6)
    again = nnspec.load(folder / "run")
    assert again.preprocessing.target_scaling is None
    assert again.spec.data is not None and again.spec.data.targets == "none"


@pytest.mark.parametrize("predict", ["last", "every"])
def test_forecasts_read_their_own_predictions_in_the_units_of_the_series(folder: Path, predict: str) -> None:
    time = np.arange(160)
    rows = "\n".join(f"{500 + 40 * np.sin(t / 5):.6f}" for t in time)
    (folder / "load.csv").write_text(f"load\n{rows}\n")
    sequence = " return=sequence" if predict == "every" else ""
    (folder / "net.nnspec").write_text(
        f"rnn 8{sequence} -> dense 1\ndata csv 'load.csv' target=load window=8 predict={predict}\n"
        "optimizer adam lr=0.02\ntrain 60 epochs\n".replace("'", '"')
    )
    run = trained(folder)
    assert run.network.preprocessing.target_scaling is not None
    split = run.data.train
    found = forecast(run.network, split, points=60)
    assert np.sqrt(np.mean((found.truth - found.predicted) ** 2)) < 20
    assert found.rolled is not None and 400 < found.rolled.min() < found.rolled.max() < 600
    if predict == "every":
        single = SingleStepNetwork(run.network)
        steps = [float(single(point)[0]) for point in split.inputs[0]]
        np.testing.assert_allclose(steps, run.network.predict(split.inputs[:1])[0, :, 0], rtol=1e-5)


def test_a_network_of_scaled_targets_has_a_plain_program_that_agrees(folder: Path) -> None:
    network: Network = trained(folder).network
    x = np.load(folder / "data.npz")["x"]
    plain = network.unscaled(network.program.outputs(network.preprocessing.apply(x)))
    np.testing.assert_allclose(network.predict(x), plain, rtol=1e-6)
