"""Where samples come from. What is known of a source before a byte is read stands here; reading is the runtime's."""

import os
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, ValidationInfo, field_validator

from nnspec.spec_lang.vocabulary.markers import Text
from nnspec.spec_lang.vocabulary.registry import Word
from nnspec.spec_lang.vocabulary.windowing import WindowedSeries


class DataSource(Word):
    """A source of samples.

    `split` gives the shares of training and validation, and of a test split where the source has none of its own:
    75/25, or 70/15/15. Which sample goes where follows from `seed` alone. Samples are normalized by what the training
    split has: zscore (mean 0, deviation 1), minmax (0 to 1), unit (a byte's range 0…255 to 0…1), none.
    """

    kind = "data"
    shape: ClassVar[tuple[int, ...] | None] = None
    classes: ClassVar[int | None] = None
    has_test: ClassVar[bool] = False
    symbolic: ClassVar[bool] = False  # whether samples are symbols of `classes` kinds, each followed by another
    paths: ClassVar[tuple[str, ...]] = ()  # the fields that name files
    split: tuple[float, ...] = Field(
        (90.0, 10.0),
        description="shares of training and validation, and of test where the source has no test split of its own",
    )
    normalize: Literal["zscore", "minmax", "unit", "none"] = Field(
        "zscore", description="what numbers are brought to, by what the training split has"
    )
    seed: int = Field(0, ge=0, lt=2**63, description="what decides which sample goes to which split")

    @field_validator("split")
    @classmethod
    def _shares(cls, split: tuple[float, ...]) -> tuple[float, ...]:
        if len(split) not in (2, 3) or split[0] <= 0 or min(split) < 0:
            raise ValueError("must be the shares of training and validation, as 75/25, or of test too, as 70/15/15")
        if len(split) == 3 and cls.has_test:
            raise ValueError(f"has two shares here, as 75/25: {cls.word} has a test split of its own")
        return split

    def sample_shape(self) -> tuple[int, ...] | None:
        """The shape of one sample, where it is known before a byte is read."""
        return self.shape

    def moved(self, before: Path, after: Path) -> Self:
        """The same data, with relative paths that began at the folder `before` written to begin at `after`."""
        paths = {name: getattr(self, name) for name in self.paths}
        relative = {name: path for name, path in paths.items() if path is not None and not os.path.isabs(path)}
        update = {name: os.path.relpath(before.resolve() / path, after.resolve()) for name, path in relative.items()}
        return self.model_copy(update=update)


class Digits(DataSource):
    """Handwritten digits of 28x28 pixels in ten classes, with a test split of their own (LeCun et al. 1998)."""

    shape = (28, 28, 1)
    classes = 10
    has_test = True


class Mnist(Digits):
    """The 60,000 + 10,000 digits of MNIST: from NNSPEC_DATA, the cache, or a download."""

    word = "mnist"
    examples = ("data mnist split=75/25 normalize=zscore",)


class MnistSample(Digits):
    """5,000 + 1,000 digits of MNIST that come with the package."""

    word = "mnist_sample"


class Files(DataSource):
    """Files of the user's own; paths start at the spec's folder."""

    paths: ClassVar[tuple[str, ...]] = ("path",)
    path: Text = Field(description="the file, from the spec's folder")


def given_once(test: str | None, info: ValidationInfo) -> str | None:
    """A test split comes from a file of its own or from a third share, never from both."""
    if test is not None and len(info.data.get("split", ())) == 3:
        raise ValueError("gives a test split already, so split has two shares, as 75/25")
    return test


class Idx(Files):
    """IDX files, plain or gzipped: images, their labels, and those of a test split where there is one."""

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


class Npz(Files):
    """A NumPy archive: x and y, and x_test and y_test where there are any. Whole-number targets are classes where the
    loss is about classes; text targets always are."""

    word = "npz"
    examples = ('data npz "digits.npz"',)
    x: str = Field("x", description="the array of the samples")
    y: str = Field("y", description="the array of the targets")


class Csv(WindowedSeries, Files):
    """A table with a header line: every column but the target is a feature. Text targets are classes, and so are
    whole numbers where the loss is about classes.

    With window= the rows are points in time: a sample is so many rows, all columns, and what it is to become is the
    target `horizon` rows later.
    """

    word = "csv"
    paths = ("path", "test")
    examples = ('data csv "iris.csv" target=species', 'data csv "power.csv" target=load window=24 horizon=1')
    target: str = Field(description="the column that is to be predicted")
    separator: str = Field(",", description="what stands between two cells, or tab")
    test: str | None = Field(None, description="the table of a test split")

    _test_once = field_validator("test")(given_once)

    @field_validator("separator")
    @classmethod
    def _character(cls, separator: str) -> str:
        separator = "\t" if separator == "tab" else separator
        if len(separator) != 1 or separator in '"\r\n ':
            raise ValueError('must be a single character, as ";", or tab')
        return separator
