"""The bases that layers and statements build on; each adds what its kind of word declares."""

from typing import Annotated

from pydantic import Field

from nnspec.spec_lang.vocabulary.markers import Bare, NameOf
from nnspec.spec_lang.vocabulary.registry import Word, words
from nnspec.spec_lang.vocabulary.shape import Parameter, Shape


class Setting(Word):
    """A statement that stands alone on its line, such as `train 5 epochs`; `kind` is "setting"."""

    kind = "setting"


class Layer(Word):
    """A layer: what it makes of a shape and which arrays it learns. Its arithmetic lives in the runtime."""

    kind = "layer"

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of one output for one input; raises Misfit where the layer does not fit."""
        return shape

    def completed(self, shape: Shape) -> "Layer":
        """The layer with what it takes from its place filled in, such as the number of the data's symbols."""
        return self

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """The arrays that training changes, by name, for this input shape."""
        return {}

    def buffers(self, shape: Shape) -> dict[str, Parameter]:
        """The arrays that training keeps but no gradient changes, such as running means."""
        return {}

    def carries(self, shape: Shape) -> int:
        """How many numbers of a sample the layer hands from its last step to the first one of what follows."""
        return 0

    def flops(self, shape: Shape) -> int:
        """Floating-point operations of one sample's forward pass, a multiply-add counted as two."""
        return 0


class Weighted(Layer):
    """A layer with a weight, a bias, an activation after it and penalties on its weight."""

    activation: Annotated[str, Bare(("name",), "relu"), NameOf("activation")] = Field(
        "linear", description="the function of what comes out"
    )
    bias: bool = Field(True, description="whether a learnt number is added to each output")
    init: Annotated[str | None, NameOf("init")] = Field(
        None, description="how the weights begin, instead of the spec's init"
    )
    l1: float = Field(0.0, ge=0, description="penalty on the sizes of the weights")
    l2: float = Field(0.0, ge=0, description="penalty on the squares of the weights")

    def with_bias(self, weight: Parameter, outputs: int) -> dict[str, Parameter]:
        """The weight and, unless `bias=no`, a bias of zeros for each output."""
        bias = {"bias": Parameter((outputs,), init="zeros")} if self.bias else {}
        return {"weight": weight, **bias}

    def activate(self) -> Layer:
        """The activation as the layer that it is."""
        cls = words("activation")[self.activation]
        layer = cls()
        assert isinstance(layer, Layer)
        return layer
