"""Names by counting."""

import itertools
import math
import random

import pytest

from benchmarks.experiments.ngrams import NGram, fitted

NAMES = [[1, 2, 0], [1, 2, 1, 2, 0], [2, 0], [1, 0]]


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("discount", [0.1, 0.9])
def test_probabilities_of_all_symbols_sum_to_one_behind_any_context(n: int, discount: float) -> None:
    model = NGram.of(NAMES, n, discount, 4)
    for context in itertools.product(range(4), repeat=n - 1):
        chances = [model.probability(context, symbol) for symbol in range(4)]
        assert math.fsum(chances) == pytest.approx(1, rel=1e-12)
        assert min(chances) > 0


def test_a_bigram_by_hand() -> None:
    """Behind 1 come 2 (three times) and the end (once); a discount of a half goes on to how often each follows."""
    model = NGram.of(NAMES, 2, 0.5, 4)
    # Contexts in which each was seen: 0 behind 2 and 1, 1 behind 0 and 2, 2 behind 1 and 0, six in all.
    lower = (2 - 0.5) / 6 + 0.5 * 3 / 6 * (1 / 4)
    assert model.probability((1,), 2) == pytest.approx((3 - 0.5) / 4 + 0.5 * 2 / 4 * lower)
    assert model.probability((1,), 3) == pytest.approx(0.5 * 2 / 4 * (0.5 * 3 / 6 * (1 / 4)))
    assert model.probability((3,), 2) == pytest.approx(lower)


def test_bits_are_the_mean_over_all_characters_and_their_ends() -> None:
    uniform = NGram.of([], 3, 0.5, 8)
    assert uniform.bits([[1, 0], [2, 3, 4, 0]]) == pytest.approx(3)
    model = NGram.of(NAMES, 2, 0.5, 4)
    places = [((0,), 1), ((1,), 2), ((2,), 0)]
    assert model.bits([[1, 2, 0]]) == pytest.approx(-sum(math.log2(model.probability(*p)) for p in places) / 3)


def test_the_discount_is_the_one_that_tells_the_validation_names_best() -> None:
    draw = random.Random(1)
    names = [[*draw.choices([1, 2, 3, 4], k=5), 0] for _ in range(30)]
    found = fitted(names[:20], names[20:], 3, 5)
    others = [NGram.of(names[:20], 3, tenths / 10, 5).bits(names[20:]) for tenths in range(1, 10)]
    assert found.bits(names[20:]) == min(others)
