"""Layers that read symbols, such as letters: whole numbers from 0, and −1 for the padding after a shorter sequence."""

from typing import Annotated, Self

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Layer
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


class Embed(Symbols):
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
