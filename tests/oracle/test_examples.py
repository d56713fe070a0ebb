"""Examples that come with scikit-learn are its numbers."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnspec.runtime.data.examples import write_example

datasets = pytest.importorskip("sklearn.datasets")


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes"])
def test_a_table_has_scikit_learns_numbers(name: str, tmp_path: Path) -> None:
    with write_example(name, tmp_path).open() as file:
        _, *rows = list(csv.reader(file))
    options = {"scaled": False} if name == "diabetes" else {}
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True, **options)
    np.testing.assert_array_equal(np.array([row[:-1] for row in rows], float), x)
    if name == "diabetes":
        assert [float(row[-1]) for row in rows] == y.tolist()
    else:
        names = getattr(datasets, f"load_{name}")().target_names
        assert [row[-1] for row in rows] == [names[label] for label in y]


def test_the_digits_are_pictures_in_a_folder_for_each_class(tmp_path: Path) -> None:
    folder, found = write_example("digits", tmp_path), datasets.load_digits()
    assert len(list(folder.glob("*/*.png"))) == len(found.target)
    pixels = np.asarray(Image.open(folder / str(found.target[7]) / "0007.png"))
    np.testing.assert_array_equal(pixels, (found.images[7] * 255 / 16).round())
