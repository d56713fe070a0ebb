"""Sequences without a table: a noisy sine, and text."""

from typing import Literal

from pydantic import Field, field_validator

from nnspec.spec_lang.vocabulary.data import DataSource, Files, given_once
from nnspec.spec_lang.vocabulary.windowing import WindowedSeries


class Sine(WindowedSeries, DataSource):
    """A sine with Gaussian noise, drawn from `seed`."""

    word = "sine"
    examples = ("data sine window=10", "data sine window=10 predict=every noise=0.1")
    length: int = Field(10_001, gt=1, le=10_000_000, description="the number of points")
    frequency: float = Field(0.01, gt=0, description="radians from one point to the next")
    noise: float = Field(0.1, ge=0, description="standard deviation of the noise")
    window: int | None = Field(10, gt=0, description="points in a sample")
    split: tuple[float, ...] = Field(
        (70.0, 10.0, 20.0), description="shares of training, validation and test, in order of time"
    )
    normalize: Literal["zscore", "minmax", "unit", "none"] = Field(
        "none", description="how values are scaled, by the statistics of the training split"
    )
    targets: Literal["zscore", "none"] | None = Field(
        "none", description="how values to predict are scaled, by the statistics of the training split"
    )

    def sample_shape(self) -> tuple[int, ...] | None:
        """Return (window, 1), or None without a window."""
        return (self.window, 1) if self.window is not None else None


class Symbolic(DataSource):
    """Text as symbols: each sample is a sequence, and the target at each step is the next symbol."""

    symbolic = True
    normalize: Literal["none"] = Field("none", description="symbols are not normalized")


class Text(Symbolic, Files):
    """A UTF-8 text file, cut into samples of `window` characters, or with `by=line` one sample for each line.

    A line begins and ends with the line break, so that a network learns where a line starts and stops. The vocabulary
    is the set of characters in the text, after `case=lower` if that is given.
    """

    word = "text"
    suffixes = (".txt",)
    paths = ("path", "test")
    examples = ('data text "book.txt" window=64', 'data text "names.txt" by=line case=lower')
    by: Literal["character", "line"] = Field(
        "character", description="what a sample is: `window` characters, or a line"
    )
    window: int = Field(64, gt=0, description="characters in a sample")
    case: Literal["keep", "lower"] = Field("keep", description="whether letters are converted to lower case")
    test: str | None = Field(None, description="the text of a test split")

    _test_once = field_validator("test")(given_once)

    @property
    def by_line(self) -> bool:
        """As `by` says."""
        return self.by == "line"


class Dinos(Symbolic):
    """1,533 names of dinosaurs in lower case, included in the package."""

    word = "dinos"
    examples = ("data dinos split=80/10/10",)
    shape = (24,)
    classes = 27

    @property
    def by_line(self) -> bool:
        """Each name is a line."""
        return True
