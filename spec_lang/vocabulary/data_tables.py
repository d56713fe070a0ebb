"""Tables as data sources: files whose columns have names."""

import codecs
from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator

from nnspec.spec_lang.vocabulary.data import Grouped, Shuffled, given_once
from nnspec.spec_lang.vocabulary.markers import Names
from nnspec.spec_lang.vocabulary.windowing import WindowedSeries


class Table(WindowedSeries, Shuffled, Grouped):
    """A table: every column but the target is a feature, of the kind that its cells show.

    Numbers stay numbers. Text is a category, one-hot; yes and no, true and false are 1 and 0; a date is the days since
    the first one and the sine and cosine of its cycles. Missing values are filled with a statistic of the training
    split and flagged. Text targets are classes. Whole-number targets are classes if the loss is a classification loss.
    With `window` the rows are points in time: a sample is `window` consecutive rows, and its target is `horizon` rows
    after the last.
    """

    paths = ("path", "validation", "test")
    target: Names = Field((), description="the column to predict, or several")
    features: Names = Field((), description="the columns to learn from; default: all but the target")
    ignore: Names = Field((), description='columns to leave out; "day_*" stands for all that begin so')
    categorical: Names = Field((), description="columns whose numbers are categories, such as codes")
    numeric: Names = Field((), description="columns of numbers; a cell that is not a number is missing")
    missing: Literal["mean", "median", "refuse"] = Field(
        "mean", description="what fills a missing number, from the training split; refuse: nothing may be missing"
    )
    dates: Literal["day_first", "month_first"] | None = Field(
        None, description="what comes first in a date such as 03/04/2020; default: as the cells show"
    )
    validation: str | None = Field(None, description="the table of the validation split, instead of its share")
    test: str | None = Field(None, description="the table of a test split")

    _test_once = field_validator("test")(given_once)

    @property
    def predicted_columns(self) -> tuple[str, ...]:
        """As `target` says."""
        return self.target

    @field_validator("features", "ignore")
    @classmethod
    def _not_the_target(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if both := [name for name in names if name in info.data.get("target", ())]:
            raise ValueError(f"has {both[0]}, which is the target: leave it out")
        return names

    def reading(self, columns: tuple[str, ...], as_text: tuple[str, ...]) -> Self:
        """Return the same table with these columns as its features, those `as_text` not read as numbers."""
        return self.model_copy(update={"features": columns, "categorical": as_text, "ignore": (), "numeric": ()})


class Csv(Table):
    """A table as text, such as CSV: a header line, then rows. How it is written is found out, and said.

    Columns are of the kind that their cells show: see `nnspec data describe`.
    """

    word = "csv"
    suffixes = (".csv", ".tsv", ".tab", ".data")
    examples = (
        'data csv "iris.csv" target=species',
        'data csv "titanic.csv" target=survived ignore=name, ticket categorical=class missing=median',
        'data csv "power.csv" target=load window=24 horizon=1',
    )
    separator: str | None = Field(
        None, description="the character between two cells, tab, or space for any number of spaces; default: sniffed"
    )
    decimal: str | None = Field(None, description='the decimal sign, "." or ","; default: sniffed')
    encoding: str | None = Field(None, description="the encoding, such as utf-8, cp1252, utf-16; default: sniffed")
    header: bool | None = Field(
        None, description="whether the first line names the columns, else column1, column2, …; default: sniffed"
    )
    comment: str | None = Field(None, description='what begins a line to skip; default: "#" if the file begins so')

    @field_validator("separator")
    @classmethod
    def _character(cls, separator: str | None) -> str | None:
        separator = {"tab": "\t", "space": " "}.get(separator or "", separator)
        if separator is not None and (len(separator) != 1 or separator in '"\r\n'):
            raise ValueError('must be a single character, as ";", or tab, or space')
        return separator

    @field_validator("decimal")
    @classmethod
    def _sign(cls, decimal: str | None) -> str | None:
        if decimal not in (None, ".", ","):
            raise ValueError('must be "." or ","')
        return decimal

    @field_validator("encoding")
    @classmethod
    def _known(cls, encoding: str | None) -> str | None:
        try:
            return encoding and codecs.lookup(encoding).name
        except LookupError:
            raise ValueError(f'is not known as "{encoding}": write utf-8, cp1252, latin-1 or utf-16') from None

    @field_validator("comment")
    @classmethod
    def _begins(cls, comment: str | None) -> str | None:
        if comment is not None and not comment.strip():
            raise ValueError('must be a character, as "#"')
        return comment


class Parquet(Table):
    """A table in a Parquet file, whose columns have types. Reading it needs pyarrow: pip install nnspec[parquet]."""

    word = "parquet"
    suffixes = (".parquet", ".pq")
    examples = ('data parquet "sales.parquet" target=revenue',)
