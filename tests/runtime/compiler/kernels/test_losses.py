"""The end of a training program: each loss and its gradient are what they are defined to be, in batches and lanes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nnspec.runtime.compiler.kernels.losses import LOSS_KERNELS
from nnspec.runtime.compiler.schedule import ExecutionSchedule
from nnspec.spec_lang.vocabulary.losses import Loss
from nnspec.spec_lang.vocabulary.registry import words
from tests.runtime.compiler.both import Batch, Both, all_but, assert_agree

LOSSES = {name: cls for name, cls in words("loss").items() if issubclass(cls, Loss)}
WRITTEN = {line: cls for name, cls in LOSSES.items() for line in cls.examples or (f"loss {name}",)}
DEFAULTS = {
    f"{cls.word}, as in {line}": f"input 5 -> dense 6 {cls.head or 'linear'}\n{line}" for line, cls in WRITTEN.items()
}
TEXTS = DEFAULTS | {
    "cross_entropy": "input 5 -> dense 4 -> softmax",
    "cross_entropy of many classes": "input 5 -> dense 70 softmax",
    "cross_entropy behind an activation": "input 5 -> dense 4 tanh -> softmax",
    "cross_entropy behind a relu": "input 5 -> dense 4 relu -> softmax",
    "cross_entropy of the samples": "input 5 -> softmax",
    "cross_entropy of what is read before": "input 5 -> dense 4 -> (skip + relu) -> softmax",
    "cross_entropy of an image's rows": "input 4x3x2 -> conv 2x2 x3 -> softmax",
    "cross_entropy smoothed": "input 5 -> dense 4 softmax\nloss cross_entropy smoothing=0.2",
    "cross_entropy smoothed, of many classes": "input 5 -> dense 70 softmax\nloss cross_entropy smoothing=0.1",
    "cross_entropy smoothed, of steps": "input 6\nembed 4 vocab=5 -> dense 3 softmax\nloss cross_entropy smoothing=0.1",
    "cross_entropy smoothed, of an image": "input 4x3x2 -> conv 2x2 x3 -> softmax\nloss cross_entropy smoothing=0.1",
    "binary_cross_entropy": "input 5 -> dense 3 sigmoid",
    "binary_cross_entropy of a relu": "input 5 -> dense 3 relu -> sigmoid",
    "mse": "input 5 -> dense 3",
    "mse of a relu": "input 5 -> dense 3 relu",
    "mse of an image": "input 4x3x2 -> conv 2x2 x3",
    "mse of a plane": "input 6 -> dense 6 -> reshape 2x3",
    "mse of the samples": "input 5 -> relu\nloss mse",
    "mae": "input 5 -> dense 3\nloss mae",
    "huber": "input 5 -> dense 3\nloss huber delta=0.3",
}


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", TEXTS)
def test_a_planned_loss_is_the_plain_one(name: str, dtype: str, size: int) -> None:
    both = Both.of(TEXTS[name], dtype)
    assert both.network.spec.loss.word == name.replace(",", "").split()[0]
    both.assert_planned_is_plain(*both.schedules(size), *both.schedules(size, all_but()))


def test_no_kernel_is_written_for_a_loss_that_the_language_does_not_know() -> None:
    assert set(LOSS_KERNELS) <= set(LOSSES.values())


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_cross_entropy_is_finite_where_exp_would_overflow(dtype: str, size: int) -> None:
    both = Both.of("input 4 -> linear -> softmax", dtype)
    x = np.array([[-1e4, 0, 1e4, 3], [900, 900, 900, -900], [0, 0, 0, 0]], dtype)[:size]
    for y in (np.zeros(size, np.int64), np.full(size, 2)):
        batch = Batch(x, y)
        planned = both.planned(batch)
        assert_agree(planned, both.plain(batch), 1e-6)


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.int64])
def test_classes_are_whole_numbers_of_any_type_that_int64_holds(kind: Any, size: int) -> None:
    both = Both.of("input 5 -> dense 4 softmax")
    x, y = both.batch(size)
    assert_agree(both.planned(Batch(x, y.astype(kind))), both.plain(Batch(x, y)), 1e-12)


@pytest.mark.parametrize("text", ["input 5 -> dense 4 softmax", "input 5 -> dense 4 sigmoid", "input 5 -> dense 4"])
def test_lanes_weigh_their_samples_and_not_themselves(text: str) -> None:
    both = Both.of(text)
    batch = both.batch(7)
    whole: ExecutionSchedule = both.rewritten(7)
    plain = both.plain(batch)
    for sizes in [(6, 1), (1, 6), (3, 3, 1)]:
        assert_agree(both.planned(batch, replace(whole, lanes=sizes)), plain, 1e-12)


@pytest.mark.parametrize("line", [line for line, word in WRITTEN.items() if word.skips_padding])
def test_lanes_weigh_their_real_steps(line: str) -> None:
    both = Both.of(f"input 6\nembed 4 vocab=5 -> dense 3 {WRITTEN[line].head or 'linear'}\n{line}")
    batch = both.batch(5)
    real = (batch.y >= 0).sum(axis=1)
    assert real.min() < real.max(), "sequences of different lengths"
    whole, plain = both.rewritten(5), both.plain(batch)
    for sizes in [(3, 2), (1, 4)]:
        assert_agree(both.planned(batch, replace(whole, lanes=sizes)), plain, 1e-12)


def test_the_head_is_left_out_of_what_a_loss_takes_and_put_back_for_answers() -> None:
    both = Both.of("input 5 -> dense 4 softmax")
    batch = both.batch(3)
    schedule = both.rewritten(3, training=False)
    logits, answers = both.outputs(batch, schedule.headless()), both.outputs(batch, schedule)
    powers = np.exp(logits)
    np.testing.assert_allclose(answers, powers / powers.sum(axis=1, keepdims=True), rtol=1e-12)
    assert schedule.headless().head is None
