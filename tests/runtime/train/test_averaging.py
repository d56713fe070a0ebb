"""The average of the weights: what it is, what uses it, and that a stop changes no bit of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import nnspec
from nnspec import checkpoints
from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler import rewrites
from nnspec.runtime.errors import Interrupted
from nnspec.runtime.execute import processors
from nnspec.runtime.infer.evaluation import evaluate
from nnspec.runtime.train import averaging, step
from nnspec.runtime.train.checkpointing import load_run
from nnspec.runtime.train.divergence import first_nonfinite_array
from nnspec.runtime.train.resuming import resume
from nnspec.runtime.train.run import train
from nnspec.runtime.train.spec_and_data import network_data
from nnspec.runtime.train.state import State
from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.vocabulary.statements import Ema
from tests.contracts.runs import STEPS, checked, data_for, stepper_of
from tests.support.commands import LENGTH, at_step, write_data, write_spec
from tests.support.commands import nnspec as run_command
from tests.support.spec_findings import error_of

NETWORK = "dense 6 relu -> dropout 0.3 -> batchnorm -> dense 3 softmax"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with data, where nothing waits for a disk."""
    write_data(tmp_path)
    return tmp_path


def whole_run(folder: Path, ema: str, network: str = NETWORK, length: str = LENGTH) -> Path:
    write_spec(folder, network, "optimizer adam lr=0.05", ema, length)
    train(Request(folder / "net.nnspec"), folder / "whole")
    return folder / "whole"


def arrays(state: State) -> tuple[Array, Array]:
    """The parameters and buffers of the average."""
    assert state.averaged is not None
    return state.averaged.parameter_arena.flat, state.averaged.buffer_arena.flat


def test_the_decay_begins_small_and_reaches_what_is_written() -> None:
    word = Ema(decay=0.9)
    assert [averaging.decay(word, update) for update in (1, 2, 71, 1000)] == [2 / 11, 3 / 12, 72 / 81, 0.9]
    assert averaging.decay(Ema(decay=0.9, warmup=False), 1) == 0.9


@pytest.mark.parametrize("word", ["ema", "ema decay=0.7 warmup=no", "ema decay=0.5 every=2", "ema decay=0"])
def test_the_average_of_parameters_and_buffers_is_that_of_the_definition(word: str) -> None:
    spec = checked(f"input 4\ndense 5 relu -> batchnorm -> dense 3 softmax\noptimizer adam lr=0.1\n{word}")
    assert spec.ema is not None
    stepper = stepper_of(spec, data_for(spec))
    network = stepper.state.network
    expected = [network.parameter_arena.flat.astype(np.float64), network.buffer_arena.flat.astype(np.float64)]
    with stepper.ready():
        for made in range(1, 9):
            stepper.advance(1)
            if made % spec.ema.every == 0:
                kept = averaging.decay(spec.ema, made // spec.ema.every)
                now = network.parameter_arena.flat, network.buffer_arena.flat
                expected = [kept * before + (1 - kept) * flat for before, flat in zip(expected, now, strict=True)]
    for found, wanted in zip(arrays(stepper.state), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    assert not np.array_equal(arrays(stepper.state)[0], network.parameter_arena.flat) or word == "ema decay=0"


@pytest.mark.parametrize("every", [1, 4])
def test_steps_that_are_made_as_one_block_stop_where_the_average_is_due(every: int) -> None:
    text = f"input 120\ndense 100 relu -> dense 3 softmax\noptimizer sgd lr=0.05\nema decay=0.9 every={every}"
    spec = checked(text)
    spec = replace(spec, train=spec.train.model_copy(update={"batch": 1}))
    stepper, single = (stepper_of(spec, data_for(spec)) for _ in range(2))
    assert stepper.program(1).plan.schedule.block > 1
    made: list[int] = []
    with stepper.ready():
        while sum(made) < 8:
            made.append(len(stepper.advance(8 - sum(made))))
    assert made == ([4, 4] if every == 4 else [1] * 8)
    with single.ready():
        for _ in range(8):
            single.advance(1)
    np.testing.assert_allclose(arrays(stepper.state)[0], arrays(single.state)[0], rtol=1e-5, atol=1e-7)


def test_training_goes_the_same_way_with_an_average_and_without(folder: Path) -> None:
    with_average = checkpoints.read(whole_run(folder, "ema decay=0.8") / "last.h5").entries
    write_spec(folder, NETWORK, "optimizer adam lr=0.05", "", LENGTH)
    train(Request(folder / "net.nnspec"), folder / "plain")
    plain = checkpoints.read(folder / "plain" / "last.h5").entries
    for name in ("dense1/weight", "batchnorm1/weight"):
        np.testing.assert_array_equal(with_average[f"optimizer/weights/{name}"], plain[f"weights/{name}"])
        assert not np.array_equal(with_average[f"weights/{name}"], plain[f"weights/{name}"])
    name = "batchnorm1/running_var"
    np.testing.assert_array_equal(with_average[f"optimizer/buffers/{name}"], plain[f"buffers/{name}"])
    np.testing.assert_array_equal(with_average["history/loss"], plain["history/loss"])


@pytest.mark.parametrize("stop", [1, 5, 7])
@pytest.mark.parametrize("ema", ["ema decay=0.8", "ema decay=0.9 every=3 warmup=no"])
def test_stopping_changes_no_byte_of_the_weights_and_of_their_average(ema: str, stop: int, folder: Path) -> None:
    whole_run(folder, ema)
    with at_step(stop), pytest.raises(Interrupted):
        train(Request(folder / "net.nnspec"), folder / "parts")
    resume(folder / "parts")
    for name in ("last.h5", "best.h5"):
        whole, parts = (checkpoints.read(folder / run / name) for run in ("whole", "parts"))
        assert checkpoints.differing_entries(whole, parts) == []


def test_a_replay_finds_every_bit_of_the_average(folder: Path) -> None:
    write_spec(folder, NETWORK, "optimizer adam", "ema", LENGTH)
    with at_step(7), pytest.raises(Interrupted):
        train(Request(folder / "net.nnspec"), folder / "run")
    told: list[str] = []
    resume(folder / "run", verify=True, listen=lambda event: told.append(str(event.get("text"))))
    assert any("every bit is the same" in text for text in told)


def test_two_processes_make_the_average_that_one_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = checked("input 4\ndense 5 relu -> batchnorm -> dense 3 softmax\noptimizer adam lr=0.1\nema decay=0.8")
    data, found = data_for(spec), []
    monkeypatch.setattr(rewrites, "STEP_WORTH_A_PARTNER", 0)
    monkeypatch.setattr(step, "WORTH_HALVING", 0)
    for worker in (False, True):
        monkeypatch.setattr(processors, "worker_pays", lambda pays=worker: pays)
        stepper = stepper_of(spec, data)
        with stepper.ready():
            for _ in range(STEPS):
                stepper.advance(1)
        found.append(b"".join(flat.tobytes() for flat in arrays(stepper.state)))
    assert found[0] == found[1]


def test_what_is_measured_saved_loaded_and_returned_is_the_average(folder: Path) -> None:
    write_spec(folder, NETWORK, "optimizer adam lr=0.05", "ema decay=0.8", LENGTH)
    run = train(Request(folder / "net.nnspec"), folder / "run")
    saved = load_run(folder / "run" / "last.h5")
    averaged = saved.state.averaged
    assert averaged is not None and saved.network is averaged is saved.state.judged
    loaded = nnspec.load(folder / "run" / "last.h5")
    for network in (run.network, loaded, averaged):
        assert network.to_bytes() == loaded.to_bytes()
    assert saved.state.network.parameters.keys() == loaded.parameters.keys()
    assert not np.array_equal(saved.state.network.parameter_arena.flat, loaded.parameter_arena.flat)
    best = nnspec.load(folder / "run" / "best.h5")
    validation = network_data(best).validation
    assert validation is not None and saved.state.best is not None
    assert evaluate(best, validation)["loss"] == min(run.history["validation_loss"].values) == saved.state.best.value
    np.testing.assert_array_equal(saved.state.best.weights, best.parameter_arena.flat)


def test_training_that_begins_with_a_checkpoint_takes_its_average(folder: Path) -> None:
    run = whole_run(folder, "ema decay=0.8")
    write_spec(folder, NETWORK, "optimizer sgd lr=1e-30", "", "train 1 iterations")
    begun = train(Request(folder / "net.nnspec"), init_from=run, files=False).network
    np.testing.assert_array_equal(begun.parameter_arena.flat, nnspec.load(run).parameter_arena.flat)


def test_the_commands_read_a_checkpoint_with_an_average(folder: Path) -> None:
    run = whole_run(folder, "ema decay=0.8")
    for verb in (("eval", run), ("inspect", run / "last.h5"), ("verify", run / "best.h5"), ("plan", "net.nnspec")):
        result = run_command(folder, *verb)
        assert result.exit_code == 0, result.output
    assert "ema" in run_command(folder, "plan", "net.nnspec").stdout


def test_an_average_that_is_not_finite_is_named() -> None:
    spec = checked("input 4\ndense 3 softmax\nema")
    state = stepper_of(spec, data_for(spec)).state
    arrays(state)[0][2] = np.nan
    assert first_nonfinite_array(state, {}) == "the average of dense1/weight"


def test_a_checkpoint_without_the_weights_behind_its_average_is_refused(folder: Path) -> None:
    run = whole_run(folder, "ema")
    stored = checkpoints.read(run / "last.h5")
    entries = {name: value for name, value in stored.entries.items() if name != "optimizer/weights/dense1/bias"}
    checkpoints.write(run / "last.h5", replace(stored, entries=entries))
    with pytest.raises(nnspec.CheckpointError, match="optimizer/weights lacks an array of its spec: dense1/bias"):
        load_run(run / "last.h5")


def test_a_decay_of_one_would_never_move() -> None:
    assert error_of("dense 3 softmax\nema decay=1").message == "decay must be less than 1"
