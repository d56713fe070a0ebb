"""The confusion matrix: names, numbers and what they add up to."""

import itertools
import warnings
from pathlib import Path
from typing import Any
from xml.dom import minidom

import numpy as np
import pytest
from matplotlib.figure import Figure

from nnspec.runtime.views import PictureError, save_figure
from nnspec.runtime.views.confusion import confusion
from nnspec.spec_lang.report.escapes import escaped_lines
from tests.runtime.views.pictures import overhang, size, texts, title

IRIS = np.array([[12, 0, 0], [0, 11, 1], [0, 2, 10]])
NAMES = ["setosa", "versicolor", "virginica"]


def matrix(classes: int, seed: int = 3) -> Any:
    generator = np.random.default_rng(seed)
    counts = generator.poisson(0.2, (classes, classes))
    counts[np.arange(classes), np.arange(classes)] = generator.integers(60, 100, classes)
    return counts


def ticks(figure: Figure) -> tuple[list[str], list[str]]:
    axes = figure.axes[0]
    return [t.get_text() for t in axes.get_xticklabels()], [t.get_text() for t in axes.get_yticklabels()]


def test_the_title_tells_the_accuracy_and_what_it_is_of() -> None:
    assert title(confusion(IRIS, NAMES)) == "Confusion matrix\n91.7 % accuracy: 33 of 36 right"
    assert title(confusion(np.diag([5000, 5000]), title="test")) == "test\n100 % accuracy: 10,000 of 10,000 right"


def test_rows_are_true_columns_predicted_and_both_bear_the_names() -> None:
    figure = confusion(IRIS, NAMES)
    assert ticks(figure) == (NAMES, NAMES)
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == ("predicted class", "true class")
    assert ticks(confusion(IRIS)) == (["0", "1", "2"], ["0", "1", "2"])


def cells(figure: Figure) -> dict[tuple[int, int], list[str]]:
    """The words in each (row, column)."""
    found: dict[tuple[int, int], list[str]] = {}
    for text in figure.axes[0].texts:
        if text.get_text() != "recall":
            column, row = text.get_position()
            found.setdefault((round(row), round(column)), []).append(text.get_text())
    return found


def test_cells_hold_counts_and_shares_of_their_row_and_empty_ones_nothing() -> None:
    assert cells(confusion(IRIS, NAMES)) == {
        (0, 0): ["12", "100 %"],
        (1, 1): ["11", "91.7 %"],
        (1, 2): ["1", "8.3 %"],
        (2, 1): ["2", "16.7 %"],
        (2, 2): ["10", "83.3 %"],
    }


def test_the_recall_of_each_class_stands_beside_its_row() -> None:
    beside = confusion(np.array([[3, 1, 0], [0, 0, 0], [0, 1, 1]])).axes[0].child_axes[0]
    assert [label.get_text() for label in beside.get_yticklabels()] == ["75.0 %", "–", "50.0 %"]
    assert "recall" in texts(confusion(IRIS))


def test_all_cells_share_one_scale_on_which_few_errors_are_visible() -> None:
    figure = confusion(IRIS, NAMES)
    (image,) = figure.axes[0].images
    cells: Any = image
    np.testing.assert_allclose(np.asarray(cells.get_array()), IRIS / np.sum(IRIS, axis=1, keepdims=True))
    assert (cells.norm.vmin, cells.norm.vmax) == (0, 1) and cells.norm(0.01) == pytest.approx(0.1)
    assert figure.axes[1].get_xlabel() == "share of the true class (square-root scale)"


def test_recall_is_beside_the_rows_and_precision_over_the_columns() -> None:
    counts = np.array([[8, 2, 0], [0, 5, 0], [0, 0, 0]])
    right, over = confusion(counts, ["a", "b", "c"]).axes[0].child_axes
    assert right.get_ylabel() == "recall" and over.get_xlabel() == "precision"
    assert [label.get_text() for label in right.get_yticklabels()] == ["80.0 %", "100 %", "–"]
    assert [label.get_text() for label in over.get_xticklabels()] == ["100 %", "71.4 %", "–"]


@pytest.mark.parametrize(("classes", "shares", "counts"), [(12, True, True), (13, False, True), (24, False, True)])
def test_shares_and_counts_are_written_as_long_as_there_is_room(classes: int, shares: bool, counts: bool) -> None:
    words = cells(confusion(matrix(classes)))[0, 0]
    assert len(words) == (2 if shares else 1 if counts else 0)


def test_with_many_classes_the_most_frequent_errors_are_written_instead_of_numbers() -> None:
    counts = matrix(25)
    counts[3, 7], counts[9, 2] = 14, 11
    figure = confusion(counts.astype(np.uint32), [f"bird {i}" for i in range(25)])
    assert cells(figure) == {}
    words = figure.axes[0].get_xlabel()
    assert "most frequent errors\nbird 3 taken for bird 7: 14\nbird 9 taken for bird 2: 11" in words
    assert confusion(np.diag(np.full(30, 5))).axes[0].get_xlabel().endswith("no errors")


@pytest.mark.long
@pytest.mark.parametrize("classes", [1, 2, 10, 12, 24, 25, 100])
@pytest.mark.parametrize("name", ["{}", "a rather long name {}"])
def test_names_do_not_touch_and_nothing_is_cut_off(classes: int, name: str) -> None:
    figure = confusion(matrix(classes), [name.format(i) for i in range(classes)])
    assert overhang(figure) <= 0
    for axis, low, high in (("x", "x0", "x1"), ("y", "y0", "y1")):
        labels = getattr(figure.axes[0], f"get_{axis}ticklabels")()
        boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: getattr(box, low))
        assert all(getattr(a, high) <= getattr(b, low) + 0.5 for a, b in itertools.pairwise(boxes))
    assert size(figure)[0] <= (900 if classes <= 24 else 1800)


@pytest.mark.parametrize(
    ("counts", "names", "message"),
    [
        (np.zeros((2, 3), int), None, r"square, \(true, predicted\), and this one is \(2, 3\)"),
        (np.zeros((0, 0), int), None, "square"),
        (np.zeros((2, 2), int), None, "is empty: no sample was counted"),
        (np.array([[1, -1], [0, 1]]), None, "whole numbers, 0 or more"),
        (np.array([[0.5, 0.5], [0.0, 1.0]]), None, "whole numbers, 0 or more"),
        (IRIS, ["a", "b"], "the matrix has 3 classes, and there are 2 names"),
    ],
)
def test_what_is_no_confusion_matrix_is_refused(counts: Any, names: Any, message: str) -> None:
    with pytest.raises(PictureError, match=message):
        confusion(counts, names)


def test_control_characters_in_names_are_escaped_so_that_svg_is_xml(tmp_path: Path) -> None:
    figure = confusion([[3, 1], [0, 2]], ["\x1b[31m", "<b>\x9b\u202e"], "t\x1b")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text = save_figure(figure, tmp_path / "a.svg").read_text()
    assert escaped_lines(text) == text
    assert minidom.parseString(text).documentElement.tagName == "svg"
    assert r"\x1b[31m" in text and "<b>" not in text
