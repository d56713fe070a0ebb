"""Targets from arrays: what counts as classes, and what as numbers."""

from typing import Any

import numpy as np
import pytest

from nnspec.runtime.data import DataError, data_from_arrays


def targets(y: Any, classification: bool) -> Any:
    return data_from_arrays(np.zeros((len(y), 2)), y, classification=classification)


@pytest.mark.parametrize("y", [["b", "a", "b"], np.array(["b", "a", "b"], object), np.array([b"b", b"a", b"b"])])
def test_text_of_any_type_is_classes(y: Any) -> None:
    data = targets(y, True)
    assert data.train.targets.tolist() == [1, 0, 1] and data.preprocessing.classes == ("a", "b")


@pytest.mark.parametrize("dtype", ["u1", "i8", ">i4", "f4", "bool"])
def test_whole_numbers_of_any_type_are_classes(dtype: str) -> None:
    data = targets(np.array([1, 0, 1], dtype), True)
    assert data.train.targets.dtype == np.int64 and data.train.targets.tolist() == [1, 0, 1]


def test_a_class_that_no_sample_has_keeps_its_number() -> None:
    data = targets([3, 1], True)
    assert data.preprocessing.classes == ("0", "1", "2", "3")
    assert data.counts() == {"train": {"0": 0, "1": 1, "2": 0, "3": 1}}


def test_one_column_of_labels_is_labels() -> None:
    assert targets(np.array([[2], [0]]), True).train.targets.tolist() == [2, 0]


def test_several_columns_are_outputs_and_have_no_class_names() -> None:
    data = targets([[0, 1], [1, 1]], True)
    assert data.train.targets.tolist() == [[0.0, 1.0], [1.0, 1.0]] and data.preprocessing.classes is None
    assert data.counts() == {"train": {}}


def test_targets_of_a_regression_keep_their_precision() -> None:
    assert targets(np.array([0.5, 1], "f4"), False).train.targets.dtype == np.float32
    assert targets(np.array([1, 2]), False).train.targets.tolist() == [[1.0], [2.0]]


@pytest.mark.parametrize(
    ("y", "classification", "said"),
    [
        ([[0, 2], [1, 1]], True, r"yes or 0 for no.*sample 0 .*\[0\.0, 2\.0\]"),
        (["a", "b"], False, 'are text, as "a"'),
        ([["a", "b"]], True, "text in 2 columns"),
        ([[[[[1]]]], [[[[2]]]]], True, r"have the shape \(2, 1, 1, 1, 1\)"),
        ([1 + 2j, 0], True, "are complex128"),
        (np.array([b"\xff", b"a"]), True, "not UTF-8 text"),
        ([0, -3, -4], True, r"label -3 is out of range.*sample 1 \(counted from 0\) and 1 more"),
    ],
)
def test_targets_that_are_neither_are_refused(y: Any, classification: bool, said: str) -> None:
    with pytest.raises(DataError, match=said):
        targets(y, classification)


def test_as_many_targets_as_samples_are_wanted() -> None:
    with pytest.raises(DataError, match="has 3 samples and 2 targets"):
        data_from_arrays(np.zeros((3, 2)), [0, 1], classification=True)


def test_validation_targets_are_numbered_as_those_to_train_on() -> None:
    x = np.zeros((3, 2))
    data = data_from_arrays(x, ["c", "a", "b"], (x, ["b", "b", "c"]), classification=True)
    assert data.validation is not None and data.validation.targets.tolist() == [1, 1, 2]


@pytest.mark.parametrize(
    ("y", "held", "said"),
    [
        ([0, 1, 2], [0, 1, 3], "label 3 is out of range: the classes are 0 to 2"),
        (["a", "b", "c"], ["a", "b", "d"], 'class "d" is only in validation'),
        ([0, 1, 2], ["a", "b", "c"], "of another kind or shape"),
    ],
)
def test_a_validation_target_unknown_to_training_is_refused(y: Any, held: Any, said: str) -> None:
    x = np.zeros((3, 2))
    with pytest.raises(DataError, match=said):
        data_from_arrays(x, y, (x, held), classification=True)
