"""What the train statement leaves open follows from the number of samples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnspec.spec_lang.vocabulary.statements import Train


@pytest.mark.parametrize(
    ("samples", "length", "batch"),
    [
        (1, 1000, 1),
        (7, 143, 1),
        (20, 200, 4),
        (105, 143, 16),
        (128, 250, 32),
        (1257, 25, 32),
        (45_000, 10, 32),
        (63_999, 10, 32),
        (64_000, 10, 64),
        (1_000_000, 10, 256),
        (50_000_000, 10, 256),
    ],
)
def test_small_data_are_read_more_often_and_large_ones_in_larger_batches(samples: int, length: int, batch: int) -> None:
    train = Train().for_samples(samples)
    assert (train.length, train.batch) == (length, batch)


@given(st.integers(1, 10**8))
def test_a_run_has_a_thousand_steps_or_more_and_about_twenty_evaluations(samples: int) -> None:
    train = Train().for_samples(samples)
    steps = -(-samples // train.batch)
    assert train.length * steps >= 1000 and train.length >= 10
    assert (train.length - 1) * steps < 1000 or train.length == 10
    assert train.batch <= max(1, samples // 4) or samples < 4
    assert train.length / (train.evaluate_every or 1) <= 20
    assert train.for_samples(3) == train  # nothing is left open


def test_what_is_written_stays() -> None:
    assert Train(length=3, batch=7).for_samples(10) == Train(length=3, batch=7)
    assert Train(length=300).for_samples(100).evaluate_every is None
    assert Train(batch=1).for_samples(50).length == 20
    assert Train(length=5, unit="iterations").for_samples(9).length == 5
    assert Train(evaluate_every=1).for_samples(50).evaluate_every == 1
    assert Train(length=3, batch=7).follows(10) is None
    assert "train 143 epochs batch=16: the spec leaves this open" in str(Train().follows(105))
    assert str(Train(batch=8).follows(80)).startswith("train 100 epochs:")
    assert Train().follows(60_000) is None
