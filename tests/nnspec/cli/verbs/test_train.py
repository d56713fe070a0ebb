"""nnspec train."""

import json
import shlex
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nnspec import load
from tests.nnspec.conftest import DIGITS, Command, write_flowers

Start = Callable[..., subprocess.Popen[str]]
QUICK = ("--data", "mnist_sample", "--set", "train.epochs=1", "--set", "optimizer.lr=0.01")
LONG = ("--data", "mnist_sample", "--set", "train=100000 iterations batch=1 evaluate_every=200")


@pytest.mark.slow
def test_the_one_line_network_trains_and_its_next_commands_work_as_printed(nnspec: Command, tmp_path: Path) -> None:
    trained = nnspec("train", DIGITS, *QUICK)
    assert trained.code == 0
    assert trained.out.startswith("test accuracy ")
    assert "the run is in runs/network\n" in trained.out
    files = {path.name for path in (tmp_path / "runs" / "network").iterdir()}
    assert files >= {"spec.nnspec", "resolved.nnspec", "metrics.jsonl", "last.h5", "best.h5", "pictures"}
    commands = [line.strip().split("  ")[0] for line in trained.out.splitlines() if line.startswith("  nnspec")]
    assert [shlex.split(command)[1] for command in commands] == ["predict", "occlude", "plot"]
    for command in commands:
        assert nnspec(*shlex.split(command)[1:]).code == 0, command


def test_the_next_commands_of_a_table_ask_the_table(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    write_flowers(tmp_path / "net" / "flowers.csv", seed=0)
    (tmp_path / "net" / "net.nnspec").write_text('dense 3 softmax\ndata csv "flowers.csv" target=kind\ntrain 1 epochs')
    trained = nnspec("train", "net/net.nnspec", "--out", "a run")
    commands = [line.strip().split("  ")[0] for line in trained.out.splitlines() if line.startswith("  nnspec")]
    assert commands == ["nnspec predict 'a run' net/flowers.csv", "nnspec plot curves 'a run'"]
    for command in commands:
        assert nnspec(*shlex.split(command)[1:]).code == 0, command


def test_json_is_a_line_for_each_evaluation_and_the_end_last(nnspec: Command) -> None:
    trained = nnspec("train", DIGITS, "--data", "mnist_sample", "--set", "train.epochs=2", "--out", "run", "--json")
    events = [json.loads(line) for line in trained.out.splitlines()]
    assert [event["event"] for event in events] == ["evaluation", "evaluation", "end"]
    assert all(event["format_version"] == 1 for event in events)
    end = events[-1]
    assert (end["out"], end["steps"]) == ("run", 282)
    assert end["seconds"] > 0 and end["samples_per_second"] > 0
    assert {"loss", "validation_loss", "validation_accuracy", "test_loss", "test_accuracy"} <= set(end)


def test_progress_is_a_plain_line_for_each_evaluation_where_there_is_no_terminal(nnspec: Command) -> None:
    trained = nnspec("train", DIGITS, "--data", "mnist_sample", "--set", "train.epochs=2")
    start, *lines = trained.err.splitlines()
    assert start.startswith("training network: 1,9") or "parameters, 4,500 samples, 282 steps in all" in start
    assert [line.split(":")[0] for line in lines] == ["step 141, epoch 1", "step 282, epoch 2"]
    assert "validation accuracy" in lines[0] and "\r" not in trained.err


def test_quiet_leaves_the_results_alone(nnspec: Command) -> None:
    trained = nnspec("train", DIGITS, *QUICK, "--quiet")
    assert trained.err == ""
    assert "test accuracy" in trained.out and "try next" not in trained.out


def test_seed_settings_and_data_reach_the_run(nnspec: Command, tmp_path: Path) -> None:
    assert nnspec("train", DIGITS, *QUICK, "--seed", 7, "--out", "run").code == 0
    text = (tmp_path / "run" / "resolved.nnspec").read_text()
    assert "seed=7" in text and "lr=0.01" in text and "mnist_sample split=" in text


def test_no_run_is_overwritten(nnspec: Command, tmp_path: Path) -> None:
    for _ in range(2):
        assert nnspec("train", DIGITS, *QUICK).code == 0
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"network", "network-2"}
    before = (tmp_path / "runs" / "network" / "last.h5").read_bytes()
    failed = nnspec("train", DIGITS, *QUICK, "--out", "runs/network")
    assert failed.code == 2 and "nnspec resume runs/network" in failed.err
    assert (tmp_path / "runs" / "network" / "last.h5").read_bytes() == before


def test_weights_of_another_run_are_a_beginning(nnspec: Command, digits: Path) -> None:
    still = ("--set", "optimizer=sgd lr=1e-12", "--set", "train.epochs=1", "--data", "mnist_sample", "--json")
    evaluated = nnspec("eval", digits, "--json").json
    end = json.loads(nnspec("train", DIGITS, *still, "--init-from", digits).out.splitlines()[-1])
    assert end["test_accuracy"] == pytest.approx(evaluated["accuracy"], abs=0.002)


def test_weights_that_do_not_fit_are_refused(nnspec: Command, digits: Path) -> None:
    failed = nnspec("train", "maxpool 2 -> dense 10 softmax", *QUICK, "--init-from", digits)
    assert failed.code == 1 and "dense1: there dense1/weight is" in failed.err
    failed = nnspec("train", DIGITS, *QUICK, "--init-from", "none.h5")
    assert failed.code == 2 and "none.h5: there is no such checkpoint" in failed.err


def test_a_training_that_diverges_says_so_and_ends_with_1(nnspec: Command) -> None:
    wild = ("--data", "mnist_sample", "--set", "optimizer=sgd lr=1e30")
    failed = nnspec("train", "dense 8 relu -> dense 10 softmax", *wild)
    assert failed.code == 1
    assert "error: training diverged at step " in failed.err and "help: lower the learning rate" in failed.err


def test_a_training_that_diverges_says_so_in_its_json_and_in_its_folder(nnspec: Command, tmp_path: Path) -> None:
    wild = ("--data", "mnist_sample", "--set", "optimizer=sgd lr=1e30", "--out", "run")
    failed = nnspec("train", "dense 8 relu -> dense 10 softmax", *wild, "--json", "--quiet")
    event = json.loads(failed.out.splitlines()[-1])
    assert failed.code == 1 and event["event"] == "diverged" and event["out"] == "run"
    assert f"diverged at step {event['steps']}: {event['reason']}" in failed.err and event["help"] in failed.err
    logged = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert {"format_version": 1, **logged[-1]} == event


def test_errors_come_before_anything_is_written(nnspec: Command, tmp_path: Path) -> None:
    assert nnspec("train", "dens 10 softmax", "--data", "mnist_sample").code == 1
    assert nnspec("train", "none.nnspec").code == 2
    assert nnspec("train", "input 4 -> dense 2 softmax").code == 2
    assert nnspec("train", "dense 2 softmax", "--data", 'npz "none.npz"').code == 2
    assert nnspec("train", DIGITS, *QUICK, "--seed", -1).code == 2
    (tmp_path / "file").write_text("")
    assert nnspec("train", DIGITS, *QUICK, "--out", "file").code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def _until_evaluated(running: subprocess.Popen[str]) -> None:
    """Wait for a training's first evaluation."""
    assert running.stderr is not None
    for line in running.stderr:
        if line.startswith("step "):
            return
    raise AssertionError("the training ended before its first evaluation")


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_the_run_goes_on_from_there(
    number: signal.Signals, code: int, process: Start, nnspec: Command, tmp_path: Path
) -> None:
    running = process("train", DIGITS, *LONG)
    _until_evaluated(running)
    running.send_signal(number)
    _, err = running.communicate()
    assert running.returncode == code
    assert "stopped after step " in err and "continue it by nnspec resume runs/network" in err
    assert "Traceback" not in err
    stopped = nnspec("inspect", "runs/network", "--json").json["counters"]["step"]
    assert f"stopped after step {stopped} of 100000" in err

    running = process("resume", "runs/network")
    _until_evaluated(running)
    running.send_signal(number)
    _, err = running.communicate()
    assert running.returncode == code
    assert nnspec("inspect", "runs/network", "--json").json["counters"]["step"] > stopped
    assert nnspec("verify", "runs/network").code == 0


def test_training_continues_after_the_reader_of_its_json_has_left(process: Start, tmp_path: Path) -> None:
    running = process("train", DIGITS, *QUICK, "--json", "--quiet")
    assert running.stdout is not None and running.stderr is not None
    running.stdout.close()
    assert running.stderr.read() == ""
    running.stderr.close()
    assert running.wait() == 0
    assert '"event": "end"' in (tmp_path / "runs" / "network" / "metrics.jsonl").read_text()


@pytest.mark.parametrize(
    ("network", "message", "help"),
    [
        ("dense 3 softmax\nloss mse", "softmax makes probabilities of classes", "write loss cross_entropy for classes"),
        ("dense 2", "the network ends in", "write dense 1 as the last layer"),
    ],
)
def test_more_outputs_than_numbers_to_compare_are_an_error_of_the_last_layer(
    network: str, message: str, help: str, nnspec: Command, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text("a,b,y\n" + "1,2,0\n2,1,1\n3,4,0\n" * 4)
    (tmp_path / "net.nnspec").write_text(f'{network}\ndata csv "t.csv" target=y\n')
    failed = nnspec("train", "net.nnspec")
    assert failed.code == 1 and not (tmp_path / "runs").exists()
    assert f"error[E303] {message}" in failed.err and f"help: {help}" in failed.err


def test_folds_print_mean_and_deviation_and_the_value_of_each(nnspec: Command, tmp_path: Path) -> None:
    write_flowers(tmp_path / "flowers.csv", seed=0)
    call = ("train", "dense 3 softmax", "--data", 'csv "flowers.csv" target=kind', "--set", "train.epochs=2")
    result = nnspec(*call, "--folds", "3", "--out", "folds")
    assert result.code == 0
    heading, *rows, last = result.out.splitlines()
    assert heading.split() == ["mean", "±", "deviation", *(part for i in (1, 2, 3) for part in ("fold", str(i)))]
    assert [row.split("  ")[0] for row in rows] == ["validation loss", "validation accuracy"]
    assert last == "the runs are in folds"
    again = nnspec(*call, "--folds", "3", "--out", "folds", "--json")
    event = json.loads(again.out.splitlines()[-1])
    assert event["event"] == "folds" and len(event["metrics"]["validation_loss"]["values"]) == 3
    asked = nnspec("train", "dense 3 softmax", "--data", 'csv "flowers.csv" target=kind folds=2', "--quiet")
    assert "fold 2" in asked.out and "the runs are in runs/network-folds" in asked.out
    refused = nnspec(*call, "--folds", "3", "--init-from", "folds/fold-1")
    assert refused.code == 2 and "--init-from and folds exclude each other" in refused.err


def test_a_warning_of_the_spec_is_printed_once_and_the_training_goes_on(nnspec: Command, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    np.savez(tmp_path / "t.npz", x=random.normal(size=(20, 8, 3)), y=random.integers(0, 2, 20))
    (tmp_path / "net.nnspec").write_text('maxpool 2 -> dense 2 softmax\ndata npz "t.npz"\ntrain 2 iterations\n')
    done = nnspec("train", "net.nnspec")
    assert done.code == 0
    assert (
        done.err.count("warning: net.nnspec:1:1: maxpool reads 8x3 as an image with one channel: write the shape") == 1
    )


@pytest.mark.worker
def test_workers_are_chosen_and_change_no_weight(nnspec: Command, tmp_path: Path) -> None:
    options = ("--data", "mnist_sample", "--set", "train.iterations=20", "--json")
    runs = {
        count: nnspec("train", "dense 10 softmax", *options, "--workers", count, "--out", f"run-{count}")
        for count in ("1", "2", "4", "auto")
    }
    assert {run.code for run in runs.values()} == {0}
    weights = {count: load(f"run-{count}").parameters["dense1/weight"].tobytes() for count in runs}
    assert len(set(weights.values())) == 1
    refused = nnspec("train", "dense 10 softmax", *options, "--workers", "0")
    assert refused.code == 2 and "'0' is not a number from 1 to 64, or auto" in refused.err
