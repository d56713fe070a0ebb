"""The base classes of layers and settings: what each kind of word declares to the checker and to the runtime."""

from typing import Annotated

from pydantic import Field

from nnspec.spec_lang.vocabulary.markers import Bare, NameOf
from nnspec.spec_lang.vocabulary.registry import Word, words
from nnspec.spec_lang.vocabulary.shape import Parameter, Shape


class Setting(Word):
    """A statement without a word of its own kind after it, such as `train 5 epochs`."""

    kind = "setting"


class Layer(Word):
    """A layer: its output shape for an input shape, and the arrays that it learns. The runtime has its arithmetic."""

    kind = "layer"

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of one output for one input. Raises Misfit if the layer does not accept this shape."""
        return shape

    def completed(self, shape: Shape) -> "Layer":
        """Return the layer with the values that follow from its input filled in, such as the vocabulary size."""
        return self

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """Return the trainable arrays for this input shape, by name."""
        return {}

    def buffers(self, shape: Shape) -> dict[str, Parameter]:
        """Return the arrays that training updates without a gradient, such as running means, by name."""
        return {}

    def carries(self, shape: Shape) -> int:
        """Return the size of the state that the layer passes from one batch to the next, for each sample."""
        return 0

    def flops(self, shape: Shape) -> int:
        """Return the floating-point operations of one sample's forward pass; a multiply-add counts as two."""
        return 0


class Weighted(Layer):
    """A layer with a weight, a bias, an activation and penalties on the weight."""

    activation: Annotated[str, Bare(("name",), "relu"), NameOf("activation")] = Field(
        "linear", description="the activation function of the output"
    )
    bias: bool = Field(True, description="whether a learned bias is added to each output")
    init: Annotated[str | None, NameOf("init")] = Field(
        None, description="the initializer of the weights; default: the spec's init"
    )
    l1: float = Field(0.0, ge=0, description="the factor of the L1 penalty on the weights")
    l2: float = Field(0.0, ge=0, description="the factor of the L2 penalty on the weights")

    def with_bias(self, weight: Parameter, outputs: int) -> dict[str, Parameter]:
        """Return the weight and, unless `bias=no`, a bias for each output, initialized to zeros."""
        bias = {"bias": Parameter((outputs,), init="zeros")} if self.bias else {}
        return {"weight": weight, **bias}

    def activate(self) -> Layer:
        """Return the activation as a layer."""
        cls = words("activation")[self.activation]
        layer = cls()
        assert isinstance(layer, Layer)
        return layer
