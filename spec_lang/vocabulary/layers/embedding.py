"""Layers that read symbols, such as letters: whole numbers from 0, and −1 for the padding behind a shorter sequence."""

from typing import Annotated, Self

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.markers import NameOf, Whole
from nnspec.spec_lang.vocabulary.shape import Misfit, Parameter, Shape


class Symbols(Layer):
    """A layer that turns each symbol of a sequence into a row of numbers."""

    vocab: int | None = Field(
        None, gt=0, description="how many symbols there are; as many as the data have unless it is given"
    )

    def completed(self, shape: Shape) -> Self:
        """With the number of the data's symbols, where no other is given."""
        return self.model_copy(update={"vocab": self.vocab or shape.symbols})

    def length(self, shape: Shape) -> int:
        """How many steps come in; raises Misfit where they are no symbols."""
        if len(shape) != 1:
            raise Misfit(f"{self.word} reads symbols, a whole number at each step, and {shape} has other axes")
        return shape[0]

    def vocabulary(self, shape: Shape) -> int:
        """How many symbols there are."""
        count = self.vocab or shape.symbols
        if count is None:
            raise Misfit("nothing says how many symbols there are", f"write {self.word} vocab=27, or name the data")
        return count

    def flops(self, shape: Shape) -> int:
        """None: rows are looked up."""
        return 0


class OneHot(Symbols):
    """Each symbol as a row of zeros with a 1 in its place. T → TxV, V the vocabulary."""

    word = "onehot"
    examples = ("onehot vocab=27",)

    def output_shape(self, shape: Shape) -> Shape:
        """(time, vocabulary)."""
        return Shape((self.length(shape), self.vocabulary(shape)), sequence=True)


class Embed(Symbols):
    """Each symbol as a row of N learnt numbers (Bengio et al. 2003). T → TxN."""

    word = "embed"
    examples = ("embed 16 vocab=27",)
    units: Whole = Field(gt=0, description="how many numbers stand for a symbol")
    init: Annotated[str | None, NameOf("init")] = Field(
        None, description="how the weights begin, instead of a normal distribution"
    )

    def output_shape(self, shape: Shape) -> Shape:
        """(time, units)."""
        return Shape((self.length(shape), self.units), sequence=True)

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """weight (vocabulary, units), drawn from a normal distribution as PyTorch's where no init is given."""
        weight = Parameter((self.vocabulary(shape), self.units), 1, self.units, self.init or "normal")
        return {"weight": weight}
