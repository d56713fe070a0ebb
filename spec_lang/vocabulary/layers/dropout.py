"""Dropout."""

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.markers import Fraction
from nnspec.spec_lang.vocabulary.shape import Shape


class Dropout(Layer):
    """In training, set each value to zero with probability P (Srivastava et al. 2014); at inference, the identity."""

    word = "dropout"
    examples = ("dropout 0.5",)
    mixes_samples = False
    mixes_steps = False
    probability: Fraction = Field(ge=0, lt=1, description="the probability of setting a value to zero in training")

    def unbounded(self) -> bool | None:
        """If the inputs are."""
        return None

    def draws(self, shape: Shape) -> Shape | None:
        """A number for each number of the sample."""
        return shape if self.probability > 0 else None

    def flops(self, shape: Shape) -> int:
        """Return 0, as at inference."""
        return 0
