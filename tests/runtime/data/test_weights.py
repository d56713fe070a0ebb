"""The weights of training samples: by class, by a column, given with arrays."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec.runtime.data import DataError, data_from_arrays, load_data
from nnspec.spec_lang.vocabulary.data import Npz
from nnspec.spec_lang.vocabulary.statements import Weights


def test_balanced_classes_have_the_same_total_weight_and_the_mean_is_one() -> None:
    y = np.array([0] * 30 + [1] * 6 + [2] * 4)
    data = data_from_arrays(np.zeros((40, 2)), y, classification=True, weights=Weights(classes="balanced"))
    weights = data.train.weights
    assert weights is not None and weights.mean() == pytest.approx(1)
    assert [weights[y == label].sum() for label in range(3)] == pytest.approx([40 / 3] * 3)
    assert weights[0] == pytest.approx(40 / (3 * 30))  # scikit-learn: samples / (classes · samples of the class)


def test_weights_follow_their_samples_into_the_training_split_and_change_the_digest(tmp_path: Path) -> None:
    w = np.arange(1.0, 21)
    np.savez(tmp_path / "a.npz", x=np.arange(20.0)[:, None], y=np.arange(20) % 2, w=w)
    data = load_data(Npz(path="a.npz", split=(75, 25)), tmp_path, True, Weights(column="w"))
    kept = data.train.inputs[:, 0].astype(int)
    assert data.train.weights is not None and data.validation is not None and data.validation.weights is None
    assert data.train.weights == pytest.approx(w[kept] / w[kept].mean())
    assert data.digest != load_data(Npz(path="a.npz", split=(75, 25)), tmp_path, True).digest
    both = load_data(Npz(path="a.npz", split=(75, 25)), tmp_path, True, Weights(column="w", classes="balanced"))
    counts = np.bincount(kept % 2)
    expected = w[kept] / counts[kept % 2]
    assert both.train.weights == pytest.approx(expected / expected.mean())


def test_sample_weights_come_with_arrays_too() -> None:
    data = data_from_arrays(np.zeros((4, 1)), [0, 1, 0, 1], classification=True, sample_weight=[1, 1, 2, 4])
    assert data.train.weights is not None and data.train.weights.tolist() == [0.5, 0.5, 1, 2]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([1, 2, 3], "one number for each of 4"),
        ([1, 2, 3, -1], r"-1 \(sample 3, counted from 0\) is not a number from 0"),
        ([1, np.nan, 3, 1], r"nan \(sample 1"),
        (["a", "b", "c", "d"], "one number for each"),
        ([0, 0, 0, 0], "every training sample of data has the weight 0"),
    ],
)
def test_weights_that_cannot_be_used_are_refused(given: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        data_from_arrays(np.zeros((4, 1)), [0, 1, 0, 1], classification=True, sample_weight=given)


def test_classes_are_balanced_only_where_there_are_classes(tmp_path: Path) -> None:
    balanced = Weights(classes="balanced")
    with pytest.raises(DataError, match="needs one class for each sample"):
        data_from_arrays(np.zeros((4, 1)), [0.5, 1, 2, 3], classification=False, weights=balanced)
    with pytest.raises(DataError, match="a target for each step"):
        data_from_arrays(np.zeros((2, 3)), np.zeros((2, 3), int), classification=True, steps=True, weights=balanced)
    with pytest.raises(DataError, match="no columns beside its samples"):
        data_from_arrays(np.zeros((2, 3)), [0, 1], classification=True, weights=Weights(column="w"))
