"""What is unlike training is told: other scales, light for dark, columns out of their range."""

from typing import Any

import numpy as np
import pytest

from nnspec.runtime.data import DataError, Preprocessing, data_from_arrays, load_data
from nnspec.spec_lang.vocabulary.data import MnistSample

RANDOM = np.random.default_rng(0)


def fitted(x: Any, normalize: Any = "none", features: tuple[str, ...] | None = None) -> Preprocessing:
    return Preprocessing.fit(np.asarray(x), normalize, "classification", features=features)


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    found = load_data(MnistSample(), None, True).train.inputs[:300]
    return np.asarray(found)


@pytest.mark.parametrize("normalize", ["zscore", "minmax", "unit", "none"])
def test_samples_like_those_of_training_say_nothing(digits: np.ndarray, normalize: str) -> None:
    found = fitted(digits[:200], normalize)
    assert found.unlike(digits[200:], [str(i) for i in range(100)]) == []


@pytest.mark.parametrize("normalize", ["zscore", "none"])
def test_an_image_of_another_scale_or_turned_or_blank_is_told(digits: np.ndarray, normalize: str) -> None:
    found = fitted(digits, normalize)
    one = digits[:1]
    (said,) = found.unlike(one / 255, ["seven.npy"])
    assert said == "seven.npy has numbers from 0 to 1, and training saw 0 to 255; is it scaled to 0 to 1?"
    (said,) = found.unlike(255 - one, ["paper.png"])
    assert said.startswith("paper.png is light where the images of training are dark") and "--invert" in said
    (said,) = found.unlike(one * 256.0, ["deep.npy"])
    assert said.startswith("deep.npy has numbers from 0 to 65280, and training saw 0 to 255")
    (said,) = found.unlike(np.full_like(one, 7), ["blank.png"])
    assert said == "blank.png has numbers from 7 to 7, and training saw 0 to 255"
    (said,) = found.unlike(np.concatenate([one, one / 255, one / 255]), ["a", "b", "c"])
    assert said.startswith("b (and 1 more) has numbers from 0 to 1")


def test_photographs_whose_mean_is_in_the_middle_are_not_taken_for_turned() -> None:
    photographs = RANDOM.integers(0, 256, (50, 8, 8, 3)).astype(np.uint8)
    brighter = (photographs // 2 + 127).astype(np.uint8)
    assert fitted(photographs).unlike(brighter, list(map(str, range(50)))) == []


def test_a_column_outside_its_range_is_named_with_its_value() -> None:
    x = np.column_stack([RANDOM.uniform(18, 80, 100), RANDOM.normal(size=100), np.ones(100)])
    found = fitted(x, "zscore", ("age", "blood", "site"))
    assert found.unlike(x * [1.1, 1, 1], list(map(str, range(100)))) == []
    (said,) = found.unlike([[240.0, 0, 1]], ["rows.csv:2"])
    assert said == f'rows.csv:2: "age" is 240, and training saw {x[:, 0].min():g} to {x[:, 0].max():g}'
    (said,) = found.unlike([[30.0, 0, 2]], ["rows.csv:3"])
    assert said == 'rows.csv:3: "site" is 2, and training saw 1 to 1'
    assert len(found.unlike([[900.0, 900.0, 1]], ["r"])) == 2


def test_windows_are_judged_by_column_and_text_not_at_all() -> None:
    windows = RANDOM.uniform(0, 10, (40, 6, 2))
    found = fitted(windows)
    windows[3, 2, 1] = 99
    (said,) = found.unlike(windows, [f"w{i}" for i in range(40)])
    assert said.startswith("w3: feature 1 is 99, and training saw ")
    text = Preprocessing.fit(np.zeros((3, 4), int), "none", "classification", vocabulary=("a",))
    assert text.seen is None and text.unlike(np.ones((1, 4), int), ["a"]) == []


def test_it_is_kept_in_the_checkpoint_and_refused_where_it_does_not_fit() -> None:
    x = RANDOM.normal(size=(20, 3))
    entries = data_from_arrays(x, x, classification=False).preprocessing.as_entries()
    again = Preprocessing.from_entries(entries)
    assert again.seen is not None and np.array_equal(again.seen.mean, x.mean(axis=0))
    for name in ("low", "high", "mean"):
        before = {key: value for key, value in entries.items() if key not in ("low", "high", "mean")}
        assert Preprocessing.from_entries(before).seen is None
        with pytest.raises(DataError, match="low, a high or a mean that does not match"):
            Preprocessing.from_entries({**entries, name: np.zeros(7)})
    with pytest.raises(DataError, match="no one-dimensional array high"):
        Preprocessing.from_entries({k: v for k, v in entries.items() if k != "high"})
