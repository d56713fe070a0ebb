"""Checkpoints whose answers mean little say so."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnspec
from nnspec.runtime.train.checkpointing import load_checkpoint
from nnspec.runtime.train.reservations import reservations
from nnspec.runtime.train.run_folder import RunFolder

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(200, 3)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int)


def said(file: Path) -> list[str]:
    return list(reservations(load_checkpoint(file), file))


def trained(tmp_path: Path, y: Any = Y, **settings: Any) -> Path:
    data, held = (X[:150], y[:150]), (X[150:], y[150:])
    nnspec.train("dense 8 relu -> dense 2 softmax", tmp_path / "run", settings, data=data, validation=held)
    return tmp_path / "run" / "last.h5"


def test_a_trained_network_and_one_without_a_run_have_none(tmp_path: Path) -> None:
    file = trained(tmp_path)
    assert said(file) == []
    nnspec.load(file).save(tmp_path / "net.h5")
    assert said(tmp_path / "net.h5") == []


def test_step_zero_is_untrained(tmp_path: Path) -> None:
    def stop(event: dict[str, Any]) -> None:
        if event["event"] == "evaluation":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        nnspec.train("dense 2 softmax", tmp_path / "run", data=(X, Y), listen=stop)
    (reason,) = said(tmp_path / "run" / "last.h5")
    assert "is untrained: it holds step 0" in reason


def test_a_run_that_diverged_says_at_which_step(tmp_path: Path) -> None:
    spec = "dense 8 -> dense 1\noptimizer sgd lr=1e9\nloss mse\ntrain 5 epochs batch=50"
    with pytest.raises(nnspec.TrainingError, match="diverged"):
        nnspec.train(spec, tmp_path / "run", data=(X, X[:, :1]))
    event = RunFolder(tmp_path / "run").last_event()
    assert event["event"] == "diverged"
    file = trained(tmp_path / "other")
    with (file.parent / "metrics.jsonl").open("a") as log:
        log.write(json.dumps(event) + "\n")
    (reason,) = said(file)
    assert reason.endswith(f"and its run diverged at step {event['steps']}")


def test_a_network_that_guesses_is_told_so(tmp_path: Path) -> None:
    rare = (RANDOM.random(200) < 0.1).astype(int)
    file = trained(tmp_path, rare, **{"train.epochs": 1, "optimizer.lr": 1e-6})
    (reason,) = said(file)
    assert "is no better than the baseline (majority class)" in reason


def test_a_log_that_is_no_log_is_passed_over(tmp_path: Path) -> None:
    file = trained(tmp_path)
    for content in ("", "[1]", "{", "\x00\xff", '{"event": "diverged", "steps": "\x1b[2J"}'):
        (tmp_path / "run" / "metrics.jsonl").write_text(content)
        assert len(said(file)) == ("diverged" in content and "\x1b" not in content)
