"""The fully connected layer."""

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Weighted
from nnspec.spec_lang.vocabulary.markers import Whole
from nnspec.spec_lang.vocabulary.shape import Parameter, Shape


class Dense(Weighted):
    """Fully connected layer: y = x·W + b. (…, C) → (…, N); an image is flattened first.

    The last layer may leave the number out, `dense softmax`: it has an output for each class or target of the data.
    """

    word = "dense"
    examples = ("dense 10 softmax", "dense 512 relu bias=no")
    mixes_samples = False
    mixes_steps = False
    outputs_field = "units"
    units: Whole = Field(gt=0, description="the number of outputs")

    def reads(self, shape: Shape) -> int:
        """Return the number of inputs of each output: those of a step of a sequence, or of the whole sample."""
        return shape[-1] if shape.sequence else shape.size

    def flattens(self, shape: Shape) -> bool:
        """All samples but sequences."""
        return not shape.sequence

    def affine(self, shape: Shape) -> bool:
        """All samples but sequences."""
        return not shape.sequence

    def output_shape(self, shape: Shape) -> Shape:
        """Return (units,), or (time, units) for a sequence."""
        return Shape((shape[0], self.units), sequence=True) if shape.sequence else Shape((self.units,))

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """Return weight (in, out) and bias (out,)."""
        inputs = self.reads(shape)
        return self.with_bias(Parameter((inputs, self.units), inputs, self.units), self.units)

    def flops(self, shape: Shape) -> int:
        """Return two operations for each weight at each step."""
        steps = shape[0] if shape.sequence else 1
        return steps * self.units * (2 * self.reads(shape) + self.bias)
