"""Layers that read symbols, such as letters, and categories.

Symbols are whole numbers from 0, and −1 for the padding after a shorter sequence. The categories of a column of a table
are one-hot.
"""

import re
from typing import Annotated, Self

from pydantic import Field, field_validator

from nnspec.spec_lang.vocabulary.bases import Layer, Tied
from nnspec.spec_lang.vocabulary.markers import NameOf, Whole
from nnspec.spec_lang.vocabulary.shape import Misfit, Parameter, Shape


class Symbols(Layer):
    """A layer that maps each symbol of a sequence to a vector."""

    mixes_samples = False
    mixes_steps = False
    vocab: int | None = Field(None, gt=0, description="the size of the vocabulary; default: that of the data")

    def completed(self, shape: Shape) -> Self:
        """Return the layer with the vocabulary size of the data, unless vocab is given."""
        return self.model_copy(update={"vocab": self.vocab or shape.symbols})

    def length(self, shape: Shape) -> int:
        """Return the number of input steps. Raises Misfit if the input is not symbols."""
        if len(shape) != 1:
            raise Misfit(f"{self.word} reads symbols, one whole number at each step, and {shape} has other axes")
        return shape[0]

    def vocabulary(self, shape: Shape) -> int:
        """Return the size of the vocabulary. Raises Misfit if neither vocab nor the data give it."""
        count = self.vocab or shape.symbols
        if count is None:
            raise Misfit("the size of the vocabulary is not known", f"write {self.word} vocab=27, or name the data")
        return count

    def flops(self, shape: Shape) -> int:
        """Return 0: rows are looked up."""
        return 0


class OneHot(Symbols):
    """Each symbol as a one-hot vector. T → TxV, V the size of the vocabulary."""

    word = "onehot"
    examples = ("onehot vocab=27",)

    def output_shape(self, shape: Shape) -> Shape:
        """Return (time, vocabulary)."""
        return Shape((self.length(shape), self.vocabulary(shape)), sequence=True)


class Embed(Symbols, Tied):
    """Each symbol as a learned vector of N values (Bengio et al. 2003). T → TxN."""

    word = "embed"
    examples = ("embed 16 vocab=27",)
    units: Whole = Field(gt=0, description="the length of a symbol's vector")
    init: Annotated[str | None, NameOf("init")] = Field(
        None, description="the initializer of the weights; default: normal"
    )

    def output_shape(self, shape: Shape) -> Shape:
        """Return (time, units)."""
        return Shape((self.length(shape), self.units), sequence=True)

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """Return weight (vocabulary, units), by default from a normal distribution, as in PyTorch."""
        weight = Parameter((self.vocabulary(shape), self.units), 1, self.units, self.init or "normal")
        return {"weight": weight}


class EmbedColumns(Layer):
    """Each one-hot column of a table as a learned vector of N values (Guo and Berkhahn 2016). F → F'.

    The other numbers of the sample come first, as they are; then the vectors of the columns, in their order. Zeros, a
    category that training did not see, become zeros.
    """

    word = "embed_columns"
    examples = ('embed_columns 2 blocks="1:3"',)
    mixes_samples = False
    mixes_steps = False
    units: Whole = Field(gt=0, description="the length of a category's vector")
    blocks: str | None = Field(
        None, description="the one-hot columns, the first value and the number of values of each; default: the data's"
    )
    init: Annotated[str | None, NameOf("init")] = Field(
        None, description="the initializer of the weights; default: normal"
    )

    @field_validator("blocks")
    @classmethod
    def _pairs(cls, blocks: str | None) -> str | None:
        if blocks is not None and not re.fullmatch(r"\d{1,9}:[1-9]\d{0,8}( \d{1,9}:[1-9]\d{0,8})*", blocks):
            raise ValueError('must be pairs such as "1:3 5:2", the first value and the number of values of each column')
        return blocks

    def completed(self, shape: Shape) -> Self:
        """Return the layer with the one-hot columns of the data, unless blocks is given."""
        known = " ".join(f"{start}:{size}" for start, size in shape.blocks) or None
        return self.model_copy(update={"blocks": self.blocks or known})

    def columns_in(self, shape: Shape) -> tuple[tuple[int, int], ...]:
        """Return the start and size of each one-hot column. Raises Misfit where there are none, or they do not fit."""
        if len(shape) != 1 or shape.symbols is not None:
            raise Misfit(f"{self.word} reads the row of a table, and {shape} is not one")
        written = self.completed(shape).blocks
        if written is None:
            raise Misfit("no column of the data is one-hot", "leave it out, or name the columns: categorical=…")
        found = tuple((int(start), int(size)) for start, _, size in (pair.partition(":") for pair in written.split()))
        ends = [0]
        for start, size in found:
            if start < ends[-1] or start + size > shape[0]:
                raise Misfit(f"the columns {written} overlap, or are beyond the {shape[0]} values of a sample")
            ends.append(start + size)
        return found

    def output_shape(self, shape: Shape) -> Shape:
        """Return (features,): the numbers that are in no column, and a vector for each column."""
        found = self.columns_in(shape)
        return Shape((shape[0] - sum(size for _, size in found) + self.units * len(found),))

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """Return weight1, weight2, … (categories, units), by default from a normal distribution, as in PyTorch."""
        return {
            f"weight{number}": Parameter((size, self.units), 1, self.units, self.init or "normal")
            for number, (_, size) in enumerate(self.columns_in(shape), 1)
        }

    def flops(self, shape: Shape) -> int:
        """Return two operations for each weight."""
        return 2 * self.units * sum(size for _, size in self.columns_in(shape))
