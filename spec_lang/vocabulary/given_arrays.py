"""Samples that a program gives in memory."""

from typing import ClassVar, Literal, Self

from pydantic import Field

from nnspec.spec_lang.vocabulary.data import DataSource, Shuffled


class GivenArrays(Shuffled):
    """Arrays or data frames given in Python, as nnspec.train(spec, data=(x, y)) does.

    They are neither split nor normalized unless the line says so.
    """

    word = "arrays"
    examples = ("data arrays", "data arrays split=90/10 normalize=zscore")
    in_memory: ClassVar[bool] = True
    split: tuple[float, ...] = Field((100.0, 0.0), description="shares of training and validation, and of test")
    normalize: Literal["zscore", "minmax", "unit", "none"] = Field(
        "none", description="how inputs are scaled, by the statistics of the training split"
    )

    @classmethod
    def like(cls, source: DataSource) -> Self:
        """Return the word with every option that it has in common with another source."""
        given = type(source).model_fields
        return cls(**{name: getattr(source, name) for name in cls.model_fields if name in given})
