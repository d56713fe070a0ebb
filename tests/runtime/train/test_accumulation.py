"""Several batches that make one step: what that is equal to, what counts it, and that a stop changes no bit of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec import checkpoints
from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler import rewrites
from nnspec.runtime.data import Data
from nnspec.runtime.errors import Interrupted
from nnspec.runtime.execute import processors
from nnspec.runtime.train import step
from nnspec.runtime.train.resuming import resume
from nnspec.runtime.train.run import train
from nnspec.runtime.train.step import Stepper
from nnspec.runtime.train.timetable import Timetable
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.check.spec_request import Request
from tests.contracts.runs import bytes_of, checked, data_for, stepper_of
from tests.support.commands import at_step, write_data, write_spec
from tests.support.spec_findings import error_of, spec_of

PLAIN = "input 4\ndense 5 tanh -> dense 3 softmax"
SYMBOLS = "input 6\nembed 4 vocab=5 -> gru 3 return=sequence -> dense 5 softmax"


def with_train(spec: Spec, **changed: Any) -> Spec:
    return replace(spec, train=spec.train.model_copy(update=changed))


def made(spec: Spec, data: Data, steps: int) -> tuple[Stepper, list[float]]:
    """The stepper after some steps of training, and their losses."""
    stepper = stepper_of(spec, data)
    with stepper.ready():
        return stepper, [stepper.advance(1)[0] for _ in range(steps)]


def with_samples(data: Data, x: Array, y: Array) -> Data:
    """Data with other samples and targets for training."""
    return replace(data, train=replace(data.train, inputs=x, targets=y))


def padded_text() -> Data:
    """Sequences of different lengths, so that batches have different numbers of steps that count."""
    random = np.random.default_rng(1)
    x = random.integers(0, 5, (9, 6))
    for row, length in zip(x, (6, 1, 3, 5, 2, 6, 4, 1, 2), strict=True):
        row[length:] = -1
    data = data_for(checked(SYMBOLS.replace(" return=sequence", "")))
    return with_samples(data, x, np.where(x < 0, -1, (x + 1) % 5))


@pytest.mark.parametrize("optimizer", ["optimizer sgd lr=0.1", "optimizer adam lr=0.1", "optimizer lion lr=0.01"])
@pytest.mark.parametrize("more", ["", "train clip_norm=0.1"])
def test_steps_of_several_batches_are_those_of_the_larger_batch(optimizer: str, more: str) -> None:
    spec = checked(f"{PLAIN.replace('tanh', 'tanh l2=0.01')}\n{optimizer}\nschedule cosine")
    spec = with_train(spec, clip_norm=0.1 if more else None)
    data = data_for(spec)
    whole, parts = with_train(spec, batch=4), with_train(spec, batch=2, accumulate=2)
    (large, losses), (several, found) = made(whole, data, 7), made(parts, data, 7)
    np.testing.assert_allclose(found, losses, rtol=1e-5)
    np.testing.assert_allclose(
        several.state.network.parameter_arena.flat, large.state.network.parameter_arena.flat, rtol=1e-4, atol=1e-6
    )
    assert several.state.step == large.state.step == 7
    assert several.state.samples == large.state.samples  # 4, 4 and 1 in each epoch of 9


def test_batches_of_sequences_count_by_their_steps_that_are_not_padding() -> None:
    spec = checked(f"{SYMBOLS}\noptimizer sgd lr=0.5")
    data = padded_text()
    (large, losses), (several, found) = (
        made(with_train(spec, batch=batch, accumulate=count), data, 4) for batch, count in ((6, 1), (2, 3))
    )
    np.testing.assert_allclose(found, losses, rtol=1e-5)
    np.testing.assert_allclose(
        several.state.network.parameter_arena.flat, large.state.network.parameter_arena.flat, rtol=1e-4, atol=1e-6
    )


def test_weights_of_samples_hold_across_the_batches_of_a_step() -> None:
    spec = checked(f"{PLAIN}\noptimizer sgd lr=0.5")
    data = data_for(spec)
    weights = np.linspace(0.2, 1.8, len(data.train))
    data = replace(data, train=replace(data.train, weights=weights))
    (large, losses), (several, found) = (
        made(with_train(spec, batch=batch, accumulate=count), data, 6) for batch, count in ((6, 1), (2, 3))
    )
    np.testing.assert_allclose(found, losses, rtol=1e-5)
    np.testing.assert_allclose(
        several.state.network.parameter_arena.flat, large.state.network.parameter_arena.flat, rtol=1e-4, atol=1e-6
    )


def test_two_batches_have_the_bits_of_a_batch_that_is_computed_in_two_lanes(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = checked(f"{PLAIN}\noptimizer momentum lr=0.1")
    data = data_for(spec)
    parts, _ = made(with_train(spec, batch=4, accumulate=2), data, 1)
    monkeypatch.setattr(rewrites, "STEP_WORTH_A_PARTNER", 0)
    whole, _ = made(with_train(spec, batch=8), data, 1)
    assert whole.program(8).plan.schedule.lanes == (4, 4)
    assert bytes_of(parts.state) == bytes_of(whole.state)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with data, where nothing waits for a disk."""
    write_data(tmp_path)
    return tmp_path


@pytest.mark.parametrize("stop", [1, 3, 8])
def test_stopping_changes_no_byte_between_steps_of_several_batches(stop: int, folder: Path) -> None:
    length = (
        "train 10 iterations batch=3 accumulate=4 evaluate_every=2 checkpoint_every=3 seed=5\nema decay=0.9 every=2"
    )
    write_spec(folder, "dense 6 relu -> dropout 0.3 -> batchnorm -> dense 3 softmax", "optimizer nadam", "", length)
    train(Request(folder / "net.nnspec"), folder / "whole")
    with at_step(stop), pytest.raises(Interrupted):
        train(Request(folder / "net.nnspec"), folder / "parts")
    resume(folder / "parts")
    for name in ("last.h5", "best.h5"):
        whole, parts = (checkpoints.read(folder / run / name) for run in ("whole", "parts"))
        assert checkpoints.differing_entries(whole, parts) == []


def test_two_processes_make_the_steps_that_one_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = checked("input 4\ndense 5 relu -> dropout 0.4 -> batchnorm -> dense 3 softmax\noptimizer adam lr=0.1")
    spec, found = with_train(spec, batch=4, accumulate=2), []
    data = data_for(spec)
    monkeypatch.setattr(rewrites, "STEP_WORTH_A_PARTNER", 0)
    monkeypatch.setattr(step, "WORTH_HALVING", 0)
    for worker in (False, True):
        monkeypatch.setattr(processors, "worker_pays", lambda pays=worker: pays)
        stepper, losses = made(spec, data, 4)
        found.append((repr(losses), bytes_of(stepper.state)))
    assert found[0] == found[1]


def test_an_epoch_of_a_timetable_has_the_steps_that_training_makes() -> None:
    spec = spec_of("input 4\ndense 3 softmax\ntrain 3 epochs batch=2 accumulate=3")
    assert Timetable.of(spec, 13).total == 3 * 3  # 6, 6 and 1
    stepper, _ = made(checked("input 4\ndense 3 softmax"), data_for(checked("input 4\ndense 3 softmax")), 1)
    spec = with_train(stepper.spec, batch=2, accumulate=2)
    stepper, _ = made(spec, data_for(spec), 3)
    assert (stepper.state.epoch, stepper.state.position) == (1, 9)


def test_recurrent_states_go_on_through_the_batches_of_a_step() -> None:
    spec = checked("input 5x2 sequence\ngru 3 return=sequence -> dense 2\noptimizer sgd lr=1e-30")
    data = data_for(checked("input 5x2 sequence\ngru 3 -> dense 2"))
    data = with_samples(data, data.train.inputs, np.zeros((9, 5, 2), np.float32))
    (large, _), (several, _) = (
        made(with_train(spec, batch=3, stateful=True, accumulate=count), data, steps)
        for count, steps in ((1, 3), (3, 1))
    )
    assert large.state.epoch == several.state.epoch == 1
    np.testing.assert_array_equal(large.state.carried.flat, several.state.carried.flat)


def test_the_length_that_follows_from_the_samples_counts_steps() -> None:
    train_of = spec_of("input 4\ndense 3 softmax\ntrain batch=10 accumulate=5").train
    assert train_of.for_samples(500).length == 100  # 10 steps in an epoch, 1,000 in all


def test_a_step_of_no_batch_is_refused() -> None:
    assert error_of("dense 3 softmax\ntrain 5 epochs accumulate=0").message == "accumulate must be 1 or more"
