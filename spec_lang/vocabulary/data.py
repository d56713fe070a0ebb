"""Data sources: what is known of each before a byte is read. The runtime reads them."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, ValidationInfo, field_validator

from nnspec.spec_lang.vocabulary.markers import Text
from nnspec.spec_lang.vocabulary.registry import Word


class DataSource(Word):
    """A source of samples.

    `split` gives the shares of training and validation, such as 75/25. A source without a test split takes a third
    share, such as 70/15/15. `seed` alone decides which sample goes to which split. With `stratified=yes` every split
    has the classes in the proportions of the data. With `folds=5` the validation split is one of five folds, and
    training runs once for each of them, or for one with `fold=`. Samples are normalized by the
    statistics of the training split: zscore (mean 0, standard deviation 1), minmax (0 to 1), unit (bytes 0…255 to
    0…1), none. With `targets=zscore` the network trains on numbers of mean 0 and standard deviation 1, and everything
    that it returns is in the units of the data.
    """

    kind = "data"
    shape: ClassVar[tuple[int, ...] | None] = None
    classes: ClassVar[int | None] = None
    has_test: ClassVar[bool] = False
    symbolic: ClassVar[bool] = False  # whether samples are sequences of symbols from a vocabulary of `classes`
    paths: ClassVar[tuple[str, ...]] = ()  # the fields that hold file paths
    suffixes: ClassVar[tuple[str, ...]] = ()  # the ends of file names that show this format
    folders: ClassVar[bool] = False  # whether `path` is a folder
    in_memory: ClassVar[bool] = False  # whether a program gives the samples, so that no file has them
    split: tuple[float, ...] = Field(
        (90.0, 10.0),
        description="shares of training and validation, and of test if the source has no test split",
    )
    normalize: Literal["zscore", "minmax", "unit", "none"] = Field(
        "zscore", description="how inputs are scaled, by the statistics of the training split"
    )
    targets: Literal["zscore", "none"] | None = Field(
        None,
        description="how numbers to predict are scaled, by the statistics of the training split; default: zscore for a "
        "linear last layer, none for a bounded one",
    )
    seed: int = Field(0, ge=0, lt=2**63, description="the seed that assigns samples to splits")
    stratified: bool = Field(False, description="whether each split has the classes in the proportions of the data")
    folds: int | None = Field(
        None, ge=2, le=1000, description="the number of folds: each is the validation split of a run of its own"
    )
    fold: int | None = Field(
        None, ge=1, description="the one fold to validate on, counted from 1; default: each in turn"
    )

    @field_validator("fold")
    @classmethod
    def _one_of_folds(cls, fold: int | None, info: ValidationInfo) -> int | None:
        folds = info.data.get("folds")
        if fold is not None and "folds" in info.data and (folds is None or fold > folds):
            raise ValueError("needs folds=, as in folds=5 fold=1" if folds is None else f"must be {folds} or less")
        return fold

    @field_validator("split")
    @classmethod
    def _shares(cls, split: tuple[float, ...]) -> tuple[float, ...]:
        if len(split) not in (2, 3) or split[0] <= 0 or min(split) < 0:
            raise ValueError("must be two shares, training and validation, as 75/25, or three with test, as 70/15/15")
        if len(split) == 3 and cls.has_test:
            raise ValueError(f"must be two shares, as 75/25: {cls.word} has a test split of its own")
        return split

    @property
    def by_line(self) -> bool:
        """Whether each sample is a line of text with an end of its own."""
        return False

    @property
    def folds_to_train(self) -> int | None:
        """The number of folds that a run each is asked for; None where one fold is named, or none."""
        return self.folds if self.fold is None else None

    @property
    def in_time(self) -> bool:
        """Whether splits are cut in the order of the source."""
        return False

    @property
    def windowed(self) -> bool:
        """Whether samples are windows of one series, in the order of time."""
        return False

    @property
    def steps_ahead(self) -> int:
        """How many points after the last one of a window its target is."""
        return 1

    @property
    def predicted_columns(self) -> tuple[str, ...]:
        """The names of the columns that are targets, where the source has names for them."""
        return ()

    @property
    def points_apart(self) -> int:
        """The distance between the starts of consecutive windows, in points."""
        return 1

    @property
    def vector(self) -> bool:
        """Whether a target has all points up to `steps_ahead`, as one vector."""
        return False

    def sample_shape(self) -> tuple[int, ...] | None:
        """Return the shape of one sample, or None if it is known only after reading the data."""
        return self.shape

    def for_network(self, shape: Sequence[int], trained: "DataSource | None" = None) -> Self:
        """Return the source with what it leaves open filled in for a network.

        `shape` is that of its samples, `trained` the source of its training.
        """
        return self

    def given_paths(self) -> dict[str, str]:
        """Return the paths that are given, by the names of their fields."""
        paths = {name: getattr(self, name) for name in self.paths}
        return {name: path for name, path in paths.items() if path is not None}

    def moved(self, before: Path, after: Path) -> Self:
        """Return the same source with paths relative to the folder `before` rewritten relative to `after`."""
        relative = {name: path for name, path in self.given_paths().items() if not os.path.isabs(path)}
        update = {name: os.path.relpath(before.resolve() / path, after.resolve()) for name, path in relative.items()}
        return self.model_copy(update=update)


class Shuffled(DataSource):
    """Samples that do not depend on each other, unless `by=time` says so."""

    by: Literal["random", "time"] = Field(
        "random", description="whether samples are assigned to splits at random, or in the order of the source"
    )

    @property
    def in_time(self) -> bool:
        """As `by` says."""
        return self.by == "time"


class Digits(Shuffled):
    """Handwritten digits of 28x28 pixels in ten classes, with a test split (LeCun et al. 1998)."""

    shape = (28, 28, 1)
    classes = 10
    has_test = True


class Mnist(Digits):
    """MNIST, 60,000 digits and 10,000 test digits, from NNSPEC_DATA, the cache, or a download."""

    word = "mnist"
    examples = ("data mnist split=75/25 normalize=zscore",)


class MnistSample(Digits):
    """5,000 digits and 1,000 test digits of MNIST, included in the package."""

    word = "mnist_sample"


class NoisyDigits(Shuffled):
    """The digits of mnist_sample in noise and uneven light; the target of each pixel is whether it is of a stroke.

    Strokes are the pixels of the digit above half of white. The light rises across the image in a random direction by
    up to `shade`, the strokes are lighter than it by half of white or more, and the noise is Gaussian; all are drawn
    from `seed`. The images are bytes, 28x28, and the targets images of the classes 0 and 1.
    """

    word = "noisy_digits"
    examples = ("data noisy_digits noise=0.3",)
    shape = (28, 28, 1)
    classes = 2
    has_test = True
    noise: float = Field(0.3, ge=0, le=10, description="standard deviation of the noise, as a share of white")
    shade: float = Field(0.5, ge=0, le=1, description="the most by which the light rises, as a share of white")


class Files(DataSource):
    """Files of the user; paths are relative to the spec's folder."""

    paths: ClassVar[tuple[str, ...]] = ("path",)
    path: Text = Field(description="the file, relative to the spec's folder")


class Grouped(Files):
    """Files whose samples may belong to groups, such as the patient of each measurement."""

    group: str | None = Field(
        None, description="the column or array of the group of each sample; a group is in one split"
    )

    @field_validator("group")
    @classmethod
    def _not_both(cls, group: str | None, info: ValidationInfo) -> str | None:
        if group is not None and info.data.get("stratified"):
            raise ValueError("and stratified exclude each other: groups stay whole, whatever their classes")
        return group


def given_once(test: str | None, info: ValidationInfo) -> str | None:
    """Raise ValueError if a test split is given both as a file and as a third share."""
    if test is not None and len(info.data.get("split", ())) == 3:
        raise ValueError("is the test split, so split must be two shares, as 75/25")
    return test


class Idx(Shuffled, Files):
    """IDX files, plain or gzipped: images and labels, and optionally those of a test split."""

    word = "idx"
    paths = ("path", "labels", "test", "test_labels")
    examples = ('data idx "train-images.gz" labels="train-labels.gz"',)
    labels: str = Field(description="the file of the labels")
    test: str | None = Field(None, description="the images of a test split")
    test_labels: str | None = Field(None, validate_default=True, description="the labels of the test split")

    _test_once = field_validator("test")(given_once)

    @field_validator("test_labels")
    @classmethod
    def _both(cls, test_labels: str | None, info: ValidationInfo) -> str | None:
        if (test_labels is None) != (info.data.get("test") is None) and "test" in info.data:
            raise ValueError("and test belong together: the images of a test split and their labels")
        return test_labels


class Npz(Shuffled, Grouped):
    """A NumPy archive with the arrays x and y, and optionally x_test and y_test.

    Text targets are classes. Whole-number targets are classes if the loss is a classification loss.
    """

    word = "npz"
    suffixes = (".npz",)
    examples = ('data npz "digits.npz"',)
    x: str = Field("x", description="the array of the samples")
    y: str = Field("y", description="the array of the targets")
