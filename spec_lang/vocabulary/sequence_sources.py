"""Data over time that need no table: a sine, and text."""

from typing import Literal

from pydantic import Field, field_validator

from nnspec.spec_lang.vocabulary.data import DataSource, Files, given_once
from nnspec.spec_lang.vocabulary.windowing import WindowedSeries


class Sine(WindowedSeries, DataSource):
    """A sine with noise: `frequency` radians a point, `length` points, noise of that deviation drawn from `seed`."""

    word = "sine"
    examples = ("data sine window=10", "data sine window=10 predict=every noise=0.1")
    length: int = Field(10_001, gt=1, le=10_000_000, description="points in all")
    frequency: float = Field(0.01, gt=0, description="radians a point")
    noise: float = Field(0.1, ge=0, description="standard deviation of the noise")
    window: int | None = Field(10, gt=0, description="points of a sample")
    split: tuple[float, ...] = Field(
        (70.0, 10.0, 20.0), description="shares of training, validation and test, in the order of time"
    )
    normalize: Literal["zscore", "minmax", "unit", "none"] = Field(
        "none", description="what numbers are brought to, by what the training split has"
    )

    def sample_shape(self) -> tuple[int, ...] | None:
        """A window of one column."""
        return (self.window, 1) if self.window is not None else None


class Symbolic(DataSource):
    """Text as symbols: each sample is a sequence, and at each step the next symbol is what it is to become."""

    symbolic = True
    normalize: Literal["none"] = Field("none", description="nothing is normalized: symbols are no quantities")


class Text(Symbolic, Files):
    """Any UTF-8 text. By character it is cut, in its order, into pieces of `window`; by line each line is a sample.

    A line begins and ends with the line break, so that a network learns to begin and to end. The vocabulary is every
    character of the text; `case=lower` makes letters small before.
    """

    word = "text"
    paths = ("path", "test")
    examples = ('data text "book.txt" window=64', 'data text "names.txt" by=line case=lower')
    by: Literal["character", "line"] = Field(
        "character", description="what a sample is: a piece of so many characters, or a line"
    )
    window: int = Field(64, gt=0, description="characters of a sample")
    case: Literal["keep", "lower"] = Field("keep", description="whether letters are made small")
    test: str | None = Field(None, description="the text of a test split")

    _test_once = field_validator("test")(given_once)


class Dinos(Symbolic):
    """1,533 names of dinosaurs in small letters, which come with the package: learn to begin, spell and end one."""

    word = "dinos"
    examples = ("data dinos split=80/10/10",)
    shape = (24,)
    classes = 27
