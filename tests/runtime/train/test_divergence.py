"""A gradient that is no number is a divergence, clipped or not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec.runtime.compiler.bind import BoundProgram
from nnspec.runtime.train.step import Stepper
from tests.support.commands import nnspec, write_data, write_spec


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_data(tmp_path)
    length = "train 12 iterations batch=8 evaluate_every=6 checkpoint_every=3"
    write_spec(tmp_path, "dense 6 relu -> dense 3 softmax", "optimizer adam", "schedule constant", length)
    return tmp_path


def train(folder: Path, *settings: str) -> Any:
    changes = [part for setting in settings for part in ("--set", setting)]
    return nnspec(folder, "train", "net.nnspec", "--out", "run", "--quiet", *changes)


def spoil_gradient(monkeypatch: pytest.MonkeyPatch, at: int, value: float) -> None:
    """Let one number of a step's gradient be another than was computed, though the step's loss is finite."""
    move = Stepper.move

    def spoiled(self: Stepper, program: BoundProgram, loss: float, step: int, rate: float) -> float:
        if self.state.step == at:
            self.gradients["dense1/weight"][2, 1] = value
        return move(self, program, loss, step, rate)

    monkeypatch.setattr(Stepper, "move", spoiled)


@pytest.mark.parametrize("settings", [(), ("train.clip_value=1",), ("train.clip_norm=1",)])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_an_infinite_gradient_stops_the_run_before_it_is_saved(
    folder: Path, monkeypatch: pytest.MonkeyPatch, value: float, settings: tuple[str, ...]
) -> None:
    spoil_gradient(monkeypatch, 4, value)
    failed = train(folder, *settings)
    assert failed.exit_code == 1 and "Traceback" not in failed.stderr
    assert "training diverged at step 5: the loss is nan; dense1/weight is not finite" in failed.stderr
    assert "lower the learning rate, try another init" in failed.stderr and "data" in failed.stderr
    assert "run/last.h5 holds step 3" in failed.stderr


def test_a_gradient_whose_squares_overflow_is_clipped_to_its_norm_and_not_to_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    norms: list[float] = []
    clip = Stepper._clip

    def watched(self: Stepper) -> None:
        self.gradients["dense1/weight"][2, 1] = 1e30
        clip(self)
        norms.append(float(np.linalg.norm(self.gradients.flat)))

    monkeypatch.setattr(Stepper, "_clip", watched)
    assert train(folder, "train.clip_norm=0.5").exit_code == 0
    assert norms == pytest.approx([0.5] * 12, rel=1e-6)
