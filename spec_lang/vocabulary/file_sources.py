"""Sources of arrays and pictures in files of the user: .npy, HDF5, and a folder of pictures."""

from pydantic import Field, ValidationInfo, field_validator

from nnspec.spec_lang.vocabulary.data import Grouped, Shuffled, given_once


class Npy(Shuffled, Grouped):
    """NumPy arrays in files of their own: samples, targets, and optionally those of a test split.

    A file larger than memory is read as its samples are needed. Text targets are classes. Whole-number targets are
    classes if the loss is a classification loss.
    """

    word = "npy"
    paths = ("path", "y", "test", "test_y", "group")
    examples = ('data npy "x.npy" y="y.npy"',)
    y: str = Field(description="the file of the targets")
    group: str | None = Field(None, description="the file of the group of each sample; a group is in one split")
    test: str | None = Field(None, description="the samples of a test split")
    test_y: str | None = Field(None, validate_default=True, description="the targets of the test split")

    _test_once = field_validator("test")(given_once)

    @field_validator("test_y")
    @classmethod
    def _both(cls, test_y: str | None, info: ValidationInfo) -> str | None:
        if (test_y is None) != (info.data.get("test") is None) and "test" in info.data:
            raise ValueError("and test belong together: the samples of a test split and their targets")
        return test_y


class Hdf5(Shuffled, Grouped):
    """An HDF5 file with the datasets x and y, and optionally x_test and y_test.

    A dataset larger than memory is read as its samples are needed. Text targets are classes. Whole-number targets are
    classes if the loss is a classification loss.
    """

    word = "hdf5"
    examples = ('data hdf5 "photos.h5" x=images y=labels', 'data hdf5 "runs.h5" x="day1/signals" y="day1/kind"')
    x: str = Field("x", description="the dataset of the samples, with its groups, as day1/signals")
    y: str = Field("y", description="the dataset of the targets")
