"""Training on augmented images: the same bytes again, with a worker or without, stopped or not."""

from pathlib import Path

import numpy as np
import pytest

import nnspec
from nnspec import checkpoints
from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler import rewrites
from nnspec.runtime.errors import CheckpointError, Interrupted
from nnspec.runtime.execute import processors
from nnspec.runtime.infer.network import Network
from nnspec.runtime.train import step
from nnspec.runtime.train.resuming import resume
from nnspec.runtime.train.run import train
from nnspec.runtime.train.spec_and_data import Arrays
from nnspec.runtime.train.state import initial_state
from nnspec.runtime.train.step import Stepper
from nnspec.spec_lang.check.spec_request import Request
from tests.contracts.runs import bytes_of, checked, data_for
from tests.support.commands import at_step

STOP = 6
EVERY = "augment shift=1 rotate=20 zoom=0.2 flip=both cutout=2 noise=0.1"
NETWORK = "conv 3x3 x4 relu -> maxpool 2 -> dropout 0.2 -> dense 3 softmax"
TRAIN = "optimizer adam\ntrain 10 iterations batch=8 seed=3 evaluate_every=5 checkpoint_every=2"
RANDOM = np.random.default_rng(2)
X = RANDOM.integers(0, 256, (27, 8, 7, 3)).astype(np.uint8)
Y = RANDOM.integers(0, 3, 27)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for runs, where nothing waits for a disk."""
    return tmp_path


def run(
    out: Path | None, augment: str = EVERY, network: str = NETWORK, length: str = TRAIN, dtype: type = np.float32
) -> nnspec.Run:
    request = Request(f"{network}\n{augment}\n{length}")
    return train(request, out, Arrays(X, Y), dtype=dtype, files=out is not None)


def weights(run: nnspec.Run) -> bytes:
    return run.network.parameter_arena.flat.tobytes()


def test_equal_seeds_give_equal_bytes_and_augmentation_changes_them() -> None:
    assert weights(run(None)) == weights(run(None))
    assert weights(run(None)) != weights(run(None, ""))
    assert weights(run(None)) != weights(run(None, f"{EVERY} fill=zeros"))


@pytest.mark.parametrize("network", [NETWORK, "dense 600 relu -> dense 3 softmax"], ids=["batches", "blocks"])
def test_a_run_stopped_within_an_epoch_goes_on_to_the_same_bytes(network: str, folder: Path) -> None:
    length = TRAIN if network == NETWORK else f"optimizer sgd\n{TRAIN.splitlines()[1]} batch=1".replace(" batch=8", "")
    run(folder / "whole", network=network, length=length)
    with at_step(STOP), pytest.raises(Interrupted):
        run(folder / "parts", network=network, length=length)
    counters = checkpoints.read(folder / "parts" / "last.h5").meta["counters"]
    assert counters["step"] < 10 and 0 < counters["position"] < 27
    resume(folder / "parts", given=Arrays(X, Y))
    for name in ("last.h5", "best.h5"):
        whole, parts = (checkpoints.read(folder / made / name) for made in ("whole", "parts"))
        assert checkpoints.differing_entries(whole, parts) == []


def test_a_replay_of_the_last_steps_gives_every_bit(folder: Path) -> None:
    with at_step(STOP), pytest.raises(Interrupted):
        run(folder / "run")
    events: list[dict[str, object]] = []
    resume(folder / "run", listen=events.append, verify=True, given=Arrays(X, Y))
    assert any("every bit is the same" in str(event.get("text")) for event in events)


def test_the_checkpoint_has_the_stream_of_each_augmentation_and_no_other_has_one(folder: Path) -> None:
    run(folder / "some", "augment noise shift")
    run(folder / "none", "")
    names = {name: checkpoints.read(folder / name / "last.h5").entries for name in ("some", "none")}
    streams = {name: {entry for entry in entries if entry.startswith("rng/")} for name, entries in names.items()}
    assert streams["none"] == {"rng/order", "rng/dropout"}
    assert streams["some"] - streams["none"] == {"rng/augment/noise", "rng/augment/shift"}


def test_a_checkpoint_without_a_stream_that_its_spec_needs_is_refused(folder: Path) -> None:
    run(folder / "run")
    file = folder / "run" / "last.h5"
    content = checkpoints.read(file)
    entries = {name: value for name, value in content.entries.items() if name != "rng/augment/flip"}
    checkpoints.write(file, checkpoints.Checkpoint(content.meta, entries))
    with pytest.raises(CheckpointError, match="rng/augment/flip"):
        resume(folder / "run", given=Arrays(X, Y))


@pytest.mark.worker
def test_a_worker_process_changes_no_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = checked(f"input 8x7x3\n{NETWORK}\n{EVERY}\noptimizer adam")
    data = data_for(spec)
    monkeypatch.setattr(rewrites, "STEP_WORTH_A_THREAD", 0)
    monkeypatch.setattr(step, "WORTH_HALVING", 0)
    answers = []
    for worker in (False, True):
        monkeypatch.setattr(processors, "worker_pays", lambda worker=worker: worker)
        network = Network(spec, data.preprocessing)
        network.initialize(3)
        stepper = Stepper(initial_state(network, len(data.train), 0), data, 3)
        with stepper.ready():
            assert (stepper.workers is not None) == worker
            for _ in range(5):
                stepper.advance(1)
            answers.append(bytes_of(stepper.state))
    assert answers[0] == answers[1]


def test_blocks_of_steps_are_the_steps_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    length = "optimizer sgd lr=0.001\ntrain 40 iterations batch=1"
    network = "dense 100 relu -> dense 3 softmax"
    in_blocks = run(None, network=network, length=length, dtype=np.float64).network
    assert in_blocks.programs.plan(1, "train", True).schedule.block > 1
    monkeypatch.setattr(rewrites, "WIDE", 10**9)
    one_by_one = run(None, network=network, length=length, dtype=np.float64).network
    assert one_by_one.programs.plan(1, "train", True).schedule.block == 1
    np.testing.assert_allclose(in_blocks.parameter_arena.flat, one_by_one.parameter_arena.flat, atol=1e-10)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64])
def test_an_augmentation_of_nothing_trains_on_the_images_themselves(dtype: type) -> None:
    arrays = Arrays(X.astype(dtype), Y)
    plain, nothing = (
        train(Request(f"{NETWORK}\n{augment}\n{TRAIN}"), None, arrays, dtype=np.float64, files=False)
        for augment in ("", "augment shift=0 noise=0")
    )
    np.testing.assert_allclose(
        nothing.network.parameter_arena.flat, plain.network.parameter_arena.flat, rtol=1e-9, atol=1e-12
    )


def answers(network: Network) -> list[Array | float]:
    loss, gradients = network.loss_and_gradients(X, Y)
    maps = nnspec.occlude(network, X[:2], Y[:2], window=2)
    return [network.predict(X), loss, *gradients.values(), maps]


def test_only_training_is_augmented() -> None:
    with_it, without = (nnspec.compile(f"input 8x7x3\n{NETWORK}\n{augment}", seed=1) for augment in (EVERY, ""))
    for one, other in zip(answers(with_it), answers(without), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_order_of_samples_and_dropout_are_those_without_augmentation(folder: Path) -> None:
    run(folder / "some")
    run(folder / "none", "")
    some, none = (checkpoints.read(folder / name / "last.h5").entries for name in ("some", "none"))
    assert some["rng/order"] == none["rng/order"] and some["rng/dropout"] == none["rng/dropout"]
    np.testing.assert_array_equal(some["data/order"], none["data/order"])


@pytest.mark.parametrize("augment", [EVERY, "augment cutout=8"])
def test_images_without_an_axis_of_channels_are_images_of_one_by_the_input_line(augment: str) -> None:
    spec = Request(f"input 8x7x1\n{NETWORK}\n{augment}\n{TRAIN} normalize=none".replace(" normalize=none", ""))
    with_axis, without = (
        train(spec, None, Arrays(x, Y), files=False).network.parameter_arena.flat for x in (X[..., :1], X[..., 0])
    )
    assert np.isfinite(with_axis).all() and np.isfinite(without).all()


def test_samples_that_are_no_images_are_refused_before_training() -> None:
    with pytest.raises(nnspec.SpecError, match=r"augment changes images, .* a sample is 168") as error:
        nnspec.train(f"dense 3 softmax\n{EVERY}", data=(X.reshape(27, -1), Y))
    assert error.value.diagnostics[0].code == "E305"
