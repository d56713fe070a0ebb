"""The digits that come with the package."""

import numpy as np

from nnspec.runtime.data import load_data
from nnspec.runtime.data.sources.mnist_sample import PATH
from nnspec.spec_lang.vocabulary.data import MnistSample

SAMPLE = load_data(MnistSample(), None, classification=True)


def test_there_are_500_and_100_digits_of_each_class() -> None:
    counts = SAMPLE.counts()
    assert [counts["train"][str(k)] + counts["validation"][str(k)] for k in range(10)] == [500] * 10
    assert list(counts["test"].values()) == [100] * 10


def test_they_are_bytes_of_28_by_28_in_little_room() -> None:
    assert SAMPLE.train.inputs.dtype == np.uint8 and SAMPLE.preprocessing.input_shape == (28, 28, 1)
    assert SAMPLE.name == "mnist_sample" and PATH.stat().st_size < 1_200_000


def test_they_are_written_light_on_dark_and_no_two_are_alike() -> None:
    images = np.concatenate([split.inputs for _, split in SAMPLE.splits()])
    assert len(np.unique(images.reshape(6_000, -1), axis=0)) == 6_000
    assert images[:, :2].mean() < 1 < 60 < images[:, 10:18, 10:18].mean()


def test_the_nearest_mean_recognizes_most_of_them() -> None:
    """Real digits with their own labels: a shuffled label or another picture would fall to one in ten."""
    x, y = SAMPLE.train.inputs.reshape(len(SAMPLE.train), -1).astype(np.float64), SAMPLE.train.targets
    means = np.stack([x[y == digit].mean(axis=0) for digit in range(10)])
    assert SAMPLE.test is not None
    asked = SAMPLE.test.inputs.reshape(1_000, -1).astype(np.float64)
    nearest = ((asked[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == SAMPLE.test.targets).mean() > 0.75
