"""runtime/train/outcome.py: what is said beside a run's result."""

from dataclasses import replace

import numpy as np
import pytest

from nnspec import api
from nnspec.runtime.train.outcome import still_falling
from nnspec.runtime.train.state import MetricHistory
from nnspec.spec_lang.vocabulary.statements import Train

SPEC = api.check("input 3 -> dense 2")
STEPS = np.arange(40)
NOISE = np.random.default_rng(0).normal(size=40) * 0.002


def found(values: list[float], name: str = "validation_loss", **train: object) -> dict[str, object] | None:
    """What is said of a run with these evaluations."""
    history = {name: MetricHistory(list(range(len(values))), values)}
    return still_falling(replace(SPEC, train=Train(**train)), history)


def test_a_run_that_was_too_short_says_what_to_write() -> None:
    said = found([1.0 - 0.05 * step for step in range(10)], length=10)
    assert said is not None
    assert (said["metric"], said["evaluations"]) == ("validation_loss", 2)
    assert (said["write"], said["set"]) == ("train 20 epochs", "train.epochs=20")
    assert said["by"] == pytest.approx(1 - (0.6 + 0.55) / (0.7 + 0.65), abs=1e-4)
    said = found([2.0, 1.0], length=500, unit="iterations")
    assert said is not None and said["write"] == "train 1000 iterations"


def test_a_slow_but_steady_fall_is_one_too() -> None:
    """A regression on unscaled targets of 50: each epoch takes away one per cent."""
    assert found([2500.0 * 0.99**step for step in range(10)]) is not None


@pytest.mark.parametrize(
    "values",
    [
        (np.exp(-STEPS / 4) + 0.1).tolist(),
        (np.exp(-STEPS / 4) + 0.1 + NOISE).tolist(),
        (0.5 + NOISE).tolist(),
        np.exp(-STEPS.astype(float)).tolist(),
        np.abs(STEPS - 20.0).tolist(),
        [*np.linspace(1, 0.5, 10), 0.8],
        [1.0],
        [0.0, 0.0, 0.0],
        [],
    ],
    ids=[
        "converged",
        "converged with noise",
        "flat",
        "down to nothing",
        "rising again",
        "worse at the end",
        "one",
        "zero",
        "none",
    ],
)
def test_a_loss_that_has_settled_or_rises_is_not(values: list[float]) -> None:
    assert found(values) is None


def test_without_validation_the_training_loss_is_judged() -> None:
    said = found([3.0, 2.0, 1.0], "loss")
    assert said is not None and said["metric"] == "loss"


def test_a_run_that_stopped_early_is_not_told_to_train_longer() -> None:
    x = np.random.default_rng(0).normal(size=(40, 3))
    settings = {"train.epochs": 30, "early_stop": "patience=1 min_delta=1000"}
    end = api.train("dense 1", settings=settings, data=(x, x[:, :1] * 90), validation=(x, x[:, :1] * 90)).end
    assert end["early_stopped"] and end["still_falling"] is None
