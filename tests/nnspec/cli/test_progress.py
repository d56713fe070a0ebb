"""nnspec/cli/progress.py: how a training is followed."""

import io
import threading
from collections.abc import Callable
from contextlib import redirect_stderr
from typing import Any

import pytest
from tqdm import tqdm

from nnspec.cli.progress import format_metrics, progress_listener

START = {
    "event": "start", "out": "runs/a", "network": "a", "parameters": 10, "samples": 300, "batch": 10, "step": 0,
    "total": 30,
}  # fmt: skip
EVALUATION = {"event": "evaluation", "step": 30, "epoch": 1, "loss": 0.5, "validation_accuracy": 0.25, "lr": 0.1}


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar_with_loss_metric_speed_and_time_left() -> None:
    with redirect_stderr(Terminal()) as terminal, progress_listener(as_json=False, quiet=False) as listen:
        listen(START)
        listen({"event": "progress", "step": 12, "total": 30, "loss": 0.75, "batch": 10})
        listen(EVALUATION)
    shown = terminal.getvalue()
    assert "training a: 10 parameters, 300 samples, 30 steps in all, into runs/a\n" in shown
    last = shown.rpartition("\r")[2]
    assert "100%" in last and "loss 0.5000, accuracy 25.00 %" in last
    assert "samples/s" in last and "left" in last


def test_the_bar_has_no_thread_that_would_keep_the_run_from_a_worker_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tqdm, "monitor", None)  # another test's bar may have started it
    before = set(threading.enumerate())
    with redirect_stderr(Terminal()), progress_listener(as_json=False, quiet=False) as listen:
        listen(START)
        assert set(threading.enumerate()) <= before


def test_a_resumed_run_begins_its_bar_where_it_stopped() -> None:
    with redirect_stderr(Terminal()) as terminal, progress_listener(as_json=False, quiet=False) as listen:
        listen(START | {"step": 15})
        listen({"event": "progress", "step": 18, "total": 30, "loss": 0.75, "batch": 10})
    assert "from step 15 on, 30 steps in all" in terminal.getvalue()
    assert "60%" in terminal.getvalue() and " 10%" not in terminal.getvalue()


def test_an_error_before_the_training_begins_stands_alone() -> None:
    with redirect_stderr(Terminal()) as terminal, progress_listener(as_json=False, quiet=False):
        pass
    assert terminal.getvalue() == ""


def test_an_error_leaves_the_bar_on_a_line_of_its_own() -> None:
    def fail(listen: Callable[[dict[str, Any]], None]) -> None:
        listen(START)
        raise ValueError("stop")

    stopped = pytest.raises(ValueError, match="stop")
    with redirect_stderr(Terminal()) as terminal, stopped, progress_listener(as_json=False, quiet=False) as listen:
        fail(listen)
    assert terminal.getvalue().endswith("\n")


def test_elsewhere_there_is_a_line_for_each_evaluation(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_listener(as_json=False, quiet=False) as listen:
        listen(START)
        listen({"event": "progress", "step": 12, "total": 30, "loss": 0.75, "batch": 10})
        listen(EVALUATION)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[1:] == ["step 30, epoch 1: loss 0.5, validation accuracy 25.00 %"]


def test_json_goes_to_standard_output_and_quiet_hides_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_listener(as_json=True, quiet=True) as listen:
        for event in (START, EVALUATION, {"event": "end", "out": None}):
            listen(event)
    out, err = capsys.readouterr()
    assert [line.split('"event": ')[1].split(",")[0] for line in out.splitlines()] == ['"evaluation"', '"end"']
    assert err == ""


def test_metrics_are_named_in_words() -> None:
    assert format_metrics(EVALUATION) == "loss 0.5, validation accuracy 25.00 %"
