"""Which targets belong to which outputs."""

import numpy as np
import pytest

from nnspec.runtime.errors import DataError
from nnspec.runtime.targets import TargetError, as_classes, as_numbers


def test_one_number_a_sample_fits_one_output_with_or_without_its_axis() -> None:
    outputs = np.zeros((3, 1), np.float32)
    for targets in (np.array([1, 2, 3]), np.array([1.0, 2, 3]), np.array([[1], [2], [3]])):
        numbers = as_numbers(targets, outputs)
        assert numbers.dtype == np.float32
        np.testing.assert_array_equal(numbers, [[1], [2], [3]])


def test_a_class_is_one_for_its_output_and_zero_for_the_others() -> None:
    np.testing.assert_array_equal(as_numbers(np.array([2, 0]), np.zeros((2, 3))), [[0, 0, 1], [1, 0, 0]])


def test_classes_of_any_whole_number_type_are_indices() -> None:
    for dtype in (np.uint8, np.int64, np.bool_):
        assert as_classes(np.array([0, 1], dtype), np.zeros((2, 2))).dtype == np.intp


@pytest.mark.parametrize(
    ("targets", "outputs", "message"),
    [
        (np.array([0, 3]), (2, 3), "label 3 is out of range: there are 3 classes, 0 to 2"),
        (np.array([0, -1]), (2, 3), "label -1 is out of range"),
        (np.array([255], np.uint8), (1, 300), None),
        (np.array([300]), (1, 256), "label 300 is out of range"),
        (np.array([0.0, 1]), (2, 3), "classes must be whole numbers, and these are float64"),
        (np.array([0, 1, 2]), (2, 3), r"outputs \(2, 3\) need classes of shape \(2,\), and these are \(3,\)"),
        (np.array([[0, 1]]), (1, 3), r"need classes of shape \(1,\), and these are \(1, 2\)"),
    ],
)
def test_classes_that_are_none_are_refused(targets: np.ndarray, outputs: tuple[int, ...], message: str | None) -> None:
    if message is None:
        np.testing.assert_array_equal(as_classes(targets, np.zeros(outputs)), targets)
        return
    with pytest.raises(TargetError, match=message):
        as_classes(targets, np.zeros(outputs))


def test_numbers_of_another_shape_are_refused_and_never_broadcast() -> None:
    for targets, outputs in [((3,), (3, 2)), ((3, 1), (3,)), ((1,), (3, 1)), ((3, 2), (3, 1))]:
        with pytest.raises(TargetError, match="need a number each") as caught:
            as_numbers(np.zeros(targets), np.zeros(outputs))
        assert isinstance(caught.value, DataError)
