"""The optimizers' first steps by hand, and their work over long arenas."""

import math
from typing import Any

import numpy as np
import pytest

from nnspec.runtime.arrays import Array
from nnspec.runtime.optimizers import BLOCK, SWEEP, rule
from nnspec.spec_lang.vocabulary.optimizers import (
    Adagrad,
    Adam,
    AdamW,
    Lion,
    Momentum,
    NAdam,
    Optimizer,
    RmsProp,
    Sgd,
)
from nnspec.spec_lang.vocabulary.registry import words
from tests.support.throwaway import throwaway_words

OPTIMIZERS = [words("optimizer")[name] for name in words("optimizer")]


def slots(word: Optimizer, count: int, dtype: Any = np.float64) -> dict[str, Array]:
    return {name: np.zeros(count, dtype) for name in word.slots}


def path(word: Optimizer, start: float, gradients: list[float], rate: float) -> list[float]:
    """Where one parameter stands after each step."""
    p, kept, update = np.array([start]), slots(word, 1), rule(word)
    places = []
    for step, gradient in enumerate(gradients, start=1):
        update(p, np.array([gradient]), kept, step, rate)
        places.append(float(p[0]))
    return places


def test_sgd_goes_down_the_gradient() -> None:
    assert path(Sgd(), 1.0, [0.5, 0.25], 0.5) == [0.75, 0.625]
    assert path(Sgd(weight_decay=0.5), 1.0, [0.5], 0.5) == [1 - 0.5 * (0.5 + 0.5 * 1)]


def test_momentum_adds_a_share_of_the_last_step() -> None:
    assert path(Momentum(beta=0.5), 0.0, [1.0, 1.0, 0.0], 1.0) == [-1, -1 - 1.5, -2.5 - 0.75]


def test_momentum_is_the_moving_average_of_the_notes_where_dampening_is_beta_but_for_its_first_step() -> None:
    velocities = [4.0, 0.75 * 4 + 0.25 * 8, 0.75 * 5 + 0.25 * 0]  # the first is the gradient itself
    expected = list(np.cumsum([-v for v in velocities]))
    assert path(Momentum(beta=0.75, dampening=0.75), 0.0, [4.0, 8.0, 0.0], 1.0) == expected


def test_nesterov_looks_a_share_of_the_velocity_ahead() -> None:
    assert path(Momentum(beta=0.5, nesterov=True), 0.0, [1.0, 1.0], 1.0) == [-1.5, -1.5 - (1 + 0.75)]


def test_rmsprop_divides_by_the_root_of_the_mean_square() -> None:
    step = 2 / (math.sqrt(0.25 * 4) + 1e-8)
    assert path(RmsProp(alpha=0.75), 0.0, [2.0], 0.5) == [pytest.approx(-0.5 * step, rel=1e-15)]


@pytest.mark.parametrize("gradient", [1e-3, 1.0, -1e3])
def test_the_first_step_of_adam_is_the_rate_whatever_the_size_of_the_gradient(gradient: float) -> None:
    (place,) = path(Adam(), 0.0, [gradient], 0.25)
    assert place == pytest.approx(-math.copysign(0.25, gradient), rel=1e-4)


def test_adam_adds_eps_to_the_corrected_root_and_not_to_the_square() -> None:
    (place,) = path(Adam(eps=0.5), 0.0, [1.0], 1.0)
    assert place == pytest.approx(-1 / (1 + 0.5), rel=1e-14)


def test_adamw_takes_its_decay_from_the_weights_and_adam_from_the_gradient() -> None:
    assert path(AdamW(weight_decay=0.1), 2.0, [0.0], 0.5) == [pytest.approx(2 * (1 - 0.5 * 0.1))]
    assert path(Adam(weight_decay=0.1), 2.0, [0.0], 0.5) == [pytest.approx(2 - 0.5)]


def test_adagrad_divides_by_the_root_of_the_sum_of_squares_and_its_rate_may_fall() -> None:
    assert path(Adagrad(eps=1e-300), 0.0, [3.0, 4.0], 1.0) == [-1, pytest.approx(-1 - 4 / 5)]
    assert path(Adagrad(eps=1e-300, lr_decay=1), 0.0, [3.0, 4.0], 1.0) == [-1, pytest.approx(-1 - 4 / 5 / 2)]
    (place,) = path(Adagrad(eps=1e-300, initial_accumulator_value=16), 0.0, [3.0], 1.0)
    assert place == pytest.approx(-3 / 5)


def test_the_momentum_of_nadam_is_the_same_product_after_a_resumption() -> None:
    word = NAdam(momentum_decay=0.3)
    straight, resumed = rule(word), rule(word)
    p, q = np.ones(3), np.ones(3)
    kept, kept_too = slots(word, 3), slots(word, 3)
    for step in range(1, 30):
        straight(p, np.full(3, 0.1 * step), kept, step, 0.1)
        resumed = rule(word) if step % 7 == 0 else resumed
        resumed(q, np.full(3, 0.1 * step), kept_too, step, 0.1)
    np.testing.assert_array_equal(p, q)


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_lion_is_the_algorithm_of_its_paper(decay: float) -> None:
    word, random = Lion(beta1=0.7, beta2=0.9, weight_decay=decay), np.random.default_rng(0)
    theta, m = random.normal(size=50), np.zeros(50)  # algorithm 2 of Chen et al. 2023, line by line
    p, kept, update = theta.copy(), slots(word, 50), rule(word)
    for step in range(1, 20):
        g = random.normal(size=50)
        c = 0.7 * m + (1 - 0.7) * g
        theta = theta - 0.01 * (np.sign(c) + decay * theta)
        m = 0.9 * m + (1 - 0.9) * g
        update(p, g.copy(), kept, step, 0.01)
        np.testing.assert_allclose(p, theta, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(kept["mean"], m, rtol=1e-12, atol=1e-14)


def test_lion_leaves_a_weight_without_gradient_where_it_is() -> None:
    assert path(Lion(), 2.0, [0.0, 0.0], 0.5) == [2.0, 2.0]


@pytest.mark.parametrize("cls", OPTIMIZERS)
@pytest.mark.parametrize("count", [0, 1, BLOCK - 1, BLOCK, 2 * BLOCK + 17])
def test_a_long_arena_is_the_same_as_its_numbers_one_by_one(cls: type[Optimizer], count: int) -> None:
    word, random = cls(weight_decay=0.01), np.random.default_rng(1)
    p = random.normal(size=count)
    some = np.unique(np.linspace(0, count - 1, 7).astype(int)) if count else np.zeros(0, int)
    few = p[some]
    kept, kept_few, update = slots(word, count), slots(word, some.size), rule(word)
    for step in range(1, 4):
        gradients = random.normal(size=count)
        update(few, gradients[some], kept_few, step, 0.01)
        update(p, gradients, kept, step, 0.01)
    np.testing.assert_array_equal(p[some], few)
    for name in word.slots:
        np.testing.assert_array_equal(kept[name][some], kept_few[name])


@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_one_rule_serves_float32_and_float64_in_place(cls: type[Optimizer]) -> None:
    word = cls(weight_decay=0.1)
    update = rule(word)
    ends: list[Array] = []
    for dtype in (np.float64, np.float32, np.float64):
        p, kept = np.linspace(-1, 1, 5).astype(dtype), slots(word, 5, dtype)
        same = p
        for step in (1, 2, 3):
            update(p, np.linspace(1, 2, 5).astype(dtype), kept, step, 0.01)
        assert p is same
        assert {p.dtype, *(slot.dtype for slot in kept.values())} == {np.dtype(dtype)}
        ends.append(p)
    np.testing.assert_allclose(ends[1], ends[0], rtol=1e-5)
    np.testing.assert_array_equal(ends[2], ends[0])


@pytest.mark.parametrize("word", OPTIMIZERS)
def test_what_fades_in_a_slot_becomes_zero_and_no_subnormal_number(word: type[Optimizer]) -> None:
    chosen = word()
    kept = {name: np.array([1e-37, 1e-44, 1e-20], np.float32) for name in chosen.slots}
    p, update = np.ones(3, np.float32), rule(chosen)
    for step in range(SWEEP + 1, 2 * SWEEP + 1):
        update(p, np.zeros(3, np.float32), kept, step, 0.0)
    for name, slot in kept.items():
        assert slot[:2].tolist() == [0, 0] and slot[2] > 0, name


@pytest.mark.parametrize(
    ("kept", "needed"), [((), '("velocity",)'), (("mean",), '("mean", "velocity")')], ids=["none", "another"]
)
def test_a_slot_that_is_not_declared_is_named(kept: tuple[str, ...], needed: str) -> None:
    with throwaway_words():
        cls = type("Signed", (Momentum,), {"word": "signed", "slots": kept, "__module__": __name__, "__doc__": "Test."})
        with pytest.raises(KeyError) as caught:
            path(cls(), 0.0, [1.0], 1.0)
    assert caught.value.args == (f"signed reads the slot velocity: declare slots = {needed}",)
