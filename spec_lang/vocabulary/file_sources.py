"""Sources of arrays and pictures in files of the user: .npy, HDF5, and a folder of pictures."""

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator

from nnspec.spec_lang.vocabulary.data import DataSource, Files, Grouped, Shuffled, given_once
from nnspec.spec_lang.vocabulary.markers import Positive, Text


class Npy(Shuffled, Grouped):
    """NumPy arrays in files of their own: samples, targets, and optionally those of a test split.

    A file larger than memory is read as its samples are needed. Text targets are classes. Whole-number targets are
    classes if the loss is a classification loss.
    """

    word = "npy"
    suffixes = (".npy",)
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
    suffixes = (".h5", ".hdf5")
    examples = ('data hdf5 "photos.h5" x=images y=labels', 'data hdf5 "runs.h5" x="day1/signals" y="day1/kind"')
    x: str = Field("x", description="the dataset of the samples, with its groups, as day1/signals")
    y: str = Field("y", description="the dataset of the targets")


class Images(Shuffled, Files):
    """A folder of pictures: the name of each folder inside is a class, and its pictures are the samples.

    Where it has the folders train, and validation (or val) or test, these are the splits and have the classes.
    Pictures of any format and size are brought to one: `fit=crop` keeps the middle, `pad` shows all of the picture
    between black bars, `stretch` changes its aspect ratio. Predictions are made in the same way.
    """

    word = "images"
    folders = True
    examples = ('data images "flowers" size=32x32', 'data images "scans" size=64x64 mode=grey fit=pad')
    path: Text = Field(description="the folder, relative to the spec's folder")
    size: tuple[Positive, ...] | None = Field(
        None, description="height and width of a sample, or one number for both; default: those of the input line"
    )
    fit: Literal["crop", "pad", "stretch"] = Field("crop", description="how a picture of another aspect ratio fits")
    mode: Literal["rgb", "grey"] = Field("rgb", description="three channels or one; default: as the input line says")
    broken: Literal["refuse", "skip"] = Field(
        "refuse", description="whether pictures that cannot be read are an error or are left out"
    )

    @field_validator("size")
    @classmethod
    def _two_sides(cls, size: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if size is not None and len(size) not in (1, 2):
            raise ValueError("must be a height and a width, as 32x32, or one number for both")
        return size if size is None or len(size) == 2 else (size[0], size[0])

    def sample_shape(self) -> tuple[int, ...] | None:
        """Return (height, width, channels), None without a size."""
        return None if self.size is None else (*self.size, 3 if self.mode == "rgb" else 1)

    def for_network(self, shape: Sequence[int], trained: DataSource | None = None) -> Self:
        """Fill in size and mode from the shape of a sample, and the rest from the pictures of the training."""
        if isinstance(trained, Images):
            shape = trained.sample_shape() or shape
        follows: dict[str, object] = {}
        if len(shape) in (2, 3) and (len(shape) == 2 or shape[2] in (1, 3)):
            follows = {"size": tuple(shape[:2]), "mode": "rgb" if len(shape) == 3 and shape[2] == 3 else "grey"}
        if isinstance(trained, Images):
            follows["fit"] = trained.fit
        return self.model_copy(update={k: v for k, v in follows.items() if k not in self.model_fields_set})
