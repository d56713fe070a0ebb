"""Dropout."""

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.markers import Fraction
from nnspec.spec_lang.vocabulary.shape import Shape


class Dropout(Layer):
    """While training, each number is left out with probability P (Srivastava et al. 2014); nothing at inference."""

    word = "dropout"
    examples = ("dropout 0.5",)
    probability: Fraction = Field(ge=0, lt=1, description="the share of the numbers that is left out while training")

    def flops(self, shape: Shape) -> int:
        """None at inference."""
        return 0
