"""Every layer of the language is what it declares to be, and a layer that is not is told which fact it lacks."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pytest

import nnspec
from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler.rewrites import EXAMPLES, REWRITES
from nnspec.runtime.infer.program_cache import plan_of_spec
from nnspec.runtime.layers import LAYERS, Backward, Forward, Mode
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.registry import layers
from nnspec.spec_lang.vocabulary.shape import Shape
from tests.contracts.facts import CHECKS, check_draws, check_mixes_samples, check_mixes_steps, check_padding
from tests.support.strategies import Case, examples
from tests.support.throwaway import throwaway_words

CASES = [case for name in sorted(layers()) for case in examples(name)]
STEPS = Shape((5, 3), sequence=True)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_layer_is_what_it_declares_to_be(case: Case, check: Callable[[Case], None]) -> None:
    check(case)


@pytest.mark.parametrize("name", REWRITES)
def test_a_rewrite_applies_to_its_example(name: str) -> None:
    assert name in plan_of_spec(nnspec.check(EXAMPLES[name])).schedule.applied


@pytest.fixture
def passing() -> Iterator[None]:
    """Words and functions that a test registers are forgotten after it."""
    with throwaway_words():
        yield


def made(function: Callable[[Array, Mode], tuple[Array, Callable[[Array], Array]]], **facts: object) -> Case:
    """A layer without parameters whose forward this is, with these facts."""
    cls: type[Layer] = type(
        "Made", (Layer,), {"word": "made", "__doc__": "A layer of a test.", "__module__": __name__, **facts}
    )

    def layer(word: Layer, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
        def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
            y, backward = function(x, mode)
            return y, lambda d_y: (backward(d_y), {})

        return forward

    LAYERS.implements(cls)(layer)
    return Case("made", cls(), STEPS)


def noise() -> Callable[[Array, Mode], tuple[Array, Callable[[Array], Array]]]:
    random = np.random.default_rng(1)

    def forward(x: Array, mode: Mode) -> tuple[Array, Callable[[Array], Array]]:
        factor = random.random(x.shape) if mode.training else np.ones_like(x)
        return x * factor, lambda d_y: d_y * factor

    return forward


def given_noise(x: Array, mode: Mode) -> tuple[Array, Callable[[Array], Array]]:
    factor = np.ones_like(x) if mode.drawn is None else 0.5 + mode.drawn.astype(x.dtype)
    return x * factor, lambda d_y: d_y * factor


def without_mean(axis: int | tuple[int, int]) -> Callable[[Array, Mode], tuple[Array, Callable[[Array], Array]]]:
    def forward(x: Array, mode: Mode) -> tuple[Array, Callable[[Array], Array]]:
        if axis != 1 and not mode.training:
            return x, lambda d_y: d_y
        return x - x.mean(axis, keepdims=True), lambda d_y: d_y - d_y.mean(axis, keepdims=True)

    return forward


def test_a_layer_that_draws_without_saying_so_is_told_to_declare_it(passing: None) -> None:
    with pytest.raises(AssertionError, match="declare `draws`"):
        check_draws(made(noise(), mixes_samples=False))
    case = made(given_noise, mixes_samples=False, draws=lambda self, shape: shape)
    for check in CHECKS[:3]:
        check(case)


def test_a_layer_that_mixes_samples_without_saying_so_is_told_to_declare_it(passing: None) -> None:
    for silent in (None, False):
        with pytest.raises(AssertionError, match="declare `mixes_samples = True`"):
            check_mixes_samples(made(without_mean(0), mixes_samples=silent, mixes_steps=False))
    check_mixes_samples(made(without_mean(0), mixes_samples=True, mixes_steps=False))


def test_a_layer_that_mixes_steps_without_saying_so_is_told_to_declare_it(passing: None) -> None:
    wrong = made(without_mean(1), mixes_samples=False, mixes_steps=False)
    for check in (check_mixes_steps, check_padding):
        with pytest.raises(AssertionError, match="declare `mixes_steps = True`"):
            check(wrong)
    for check in CHECKS:
        check(made(without_mean(1), mixes_samples=False, mixes_steps=True))


def without_common_mean(x: Array, mode: Mode) -> tuple[Array, Callable[[Array], Array]]:
    """In training, minus the mean over the real steps of all samples."""
    real = mode.real(x.shape[1])
    counted = np.ones(x.shape[:2], bool) if real is None else real

    def centred(x: Array) -> Array:
        answer: np.ndarray = (x - x[counted].mean(0)) * counted[..., None]
        return answer

    return (centred(x), centred) if mode.training else (x, lambda d_y: d_y)


def test_a_layer_that_mixes_samples_is_told_to_leave_out_padding(passing: None) -> None:
    facts = {"mixes_samples": True, "mixes_steps": True}
    for axis in (0, (0, 1)):
        for wrong in (facts, {**facts, "skips_padding": True}):
            with pytest.raises(AssertionError, match=r"`Mode.real`, and declare `skips_padding = True`"):
                check_padding(made(without_mean(axis), **wrong))
    with pytest.raises(AssertionError, match="declare `skips_padding = True`"):
        check_padding(made(without_common_mean, **facts))
    for check in CHECKS:
        check(made(without_common_mean, **facts, skips_padding=True))


TEXT = "input 40\nonehot vocab=30 -> dense 40 relu -> made -> gru 40 -> dense 3 softmax\ntrain batch=64"


@pytest.mark.parametrize(
    ("function", "facts", "lanes"),
    [
        (given_noise, {"mixes_samples": False, "mixes_steps": False, "draws": lambda self, shape: shape}, 2),
        (without_mean(1), {"mixes_samples": False, "mixes_steps": True}, 2),
        (without_mean(0), {"mixes_samples": True, "mixes_steps": False}, 1),
        (without_mean(1), {}, 1),
    ],
    ids=["draws", "mixes steps", "mixes samples", "says nothing"],
)
def test_lanes_and_padding_follow_from_the_facts(
    passing: None,
    function: Callable[[Array, Mode], tuple[Array, Callable[[Array], Array]]],
    facts: dict[str, object],
    lanes: int,
) -> None:
    """A planned step is the plain one, by the lanes that the facts allow."""
    from tests.runtime.compiler.both import Both

    made(function, **facts)
    both = Both.from_spec(nnspec.check(TEXT))
    schedule = both.rewritten(64)
    assert len(schedule.lanes) == lanes
    both.assert_planned_is_plain(schedule)
