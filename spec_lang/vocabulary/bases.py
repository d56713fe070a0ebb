"""The base classes of layers and settings: what each kind of word declares to the checker and to the runtime."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, ClassVar

from pydantic import Field

from nnspec.spec_lang.vocabulary.markers import Bare, EarlierLayer, NameOf
from nnspec.spec_lang.vocabulary.registry import Word, words
from nnspec.spec_lang.vocabulary.shape import Parameter, Shape


class Setting(Word):
    """A statement without a word of its own kind after it, such as `train 5 epochs`."""

    kind = "setting"
    repeats: ClassVar[bool] = False
    """Whether a spec may have several, each with other values in front of its options."""


class Layer(Word):
    """A layer: the shape that it makes of a shape, the arrays that it learns, and the facts that others ask.

    The compiler, the plain program, the lanes of a batch and the padding of sequences know no layer by its class: they
    ask the facts below. The defaults are safe: a layer that declares nothing is computed in its plain form, over whole
    batches, and each sequence by itself. A declared fact makes it faster.
    """

    kind = "layer"

    mixes_samples: ClassVar[bool | None] = None
    """Whether training on a batch differs from training on its samples one by one, as with batch statistics.

    None says nothing: the batch is then computed whole. A layer that mixes samples leaves out padded steps itself.
    """
    mixes_steps: ClassVar[bool | None] = None
    """Whether an output depends on several steps of a sequence. None says nothing: as if it did."""
    skips_padding: ClassVar[bool] = False
    """Whether it leaves out the padded steps of a sequence itself, as `Mode.real` names them.

    A layer that mixes steps and does not is computed over each sequence without its padding.
    """
    elementwise: ClassVar[bool] = False
    """Whether each output is a function of the one input number in its place, in whatever order the numbers are."""
    monotone: ClassVar[bool] = False
    """Whether it is elementwise and never falls, in floating point too, and is flat where two numbers give one."""
    selects: ClassVar[bool] = False
    """Whether each output is the largest number of a window, and the gradient goes to that number alone."""
    recurrent: ClassVar[bool] = False
    """Whether it keeps a state from step to step."""
    gathers: ClassVar[bool] = False
    """Whether it copies the windows of its input together: work that the threads of BLAS do not share."""
    penalized: ClassVar[tuple[str, ...]] = ("weight",)
    """The arrays that the penalties l1 and l2 apply to."""

    outputs_field: ClassVar[str | None] = None
    """The field with the number of outputs: the last layer may leave it out, and has as many as the data's targets."""

    def draws(self, shape: Shape) -> Shape | None:
        """Return the shape of the uniform numbers that one sample needs at each training step; None without any.

        The layer finds them in `Mode.drawn`, (batch, *shape), float32 from 0 up to 1. They are drawn for the whole
        batch before it is cut into lanes, so the weights do not depend on the number of processes. Where nothing is
        drawn, as at inference, `Mode.drawn` is None.
        """
        return None

    def flattens(self, shape: Shape) -> bool:
        """Return whether it reads a sample of this shape as one row, so that the sample may come as one."""
        return False

    def affine(self, shape: Shape) -> bool:
        """Return whether it is y = x·weight + bias of a sample in one row, with those names and no other array."""
        return False

    def columns(self, shape: Shape) -> tuple[int, int] | None:
        """Return the numbers in a window and the number of windows of one matrix product over an image, else None.

        The kernel of such a layer reads `ScheduledNode.phases` and `ScheduledNode.again`.
        """
        return None

    def adjacent_rows(self, shape: Shape) -> int | None:
        """Return the rows of a window, two or more, where windows move over an image by one cell, without gaps, and are
        wider than its frame; else None.

        The kernel of such a layer reads `ScheduledNode.slabs`, and `ScheduledNode.tiles` for windows of 3x3.
        """
        return None

    def tiles(self, shape: Shape) -> int | None:
        """Return k where k×k windows lie side by side from the image's corner, without padding, else None.

        The kernel of such a layer reads `ScheduledNode.phases`.
        """
        return None

    def doubt(self, shape: Shape) -> str | None:
        """Return how it reads a shape that can be read in two ways, as in "pools both axes"; None without a doubt."""
        return None

    def vocabulary(self, shape: Shape) -> int | None:
        """Return the number of symbols where the layer reads symbols, None where it reads numbers."""
        return None

    @property
    def tied_to(self) -> str | None:
        """The name of the earlier layer whose weights it uses; None where all are its own."""
        return None

    def activations(self) -> "tuple[Layer, ...]":
        """Return the activation written in the layer's own line as a layer, unless it is linear."""
        return ()

    def unbounded(self) -> bool | None:
        """Return whether each output can be any number; None where that is so if the inputs can be any.

        Numbers to predict are scaled to mean 0 by default where the last layer is unbounded.
        """
        return False

    @property
    def ends_in(self) -> str:
        """The name of the function that is applied last: the loss is checked against it."""
        return self.word

    @property
    def penalty(self) -> tuple[float, float]:
        """The factors l1 and l2 of the penalties on the arrays in `penalized`."""
        return (0.0, 0.0)

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of one output for one input. Raises Misfit if the layer does not accept this shape."""
        return shape

    def merged_shape(self, shapes: Sequence[Shape]) -> Shape:
        """Return the shape of one output for one input from each branch; raises Misfit where they do not fit.

        A layer of one input takes one branch alone.
        """
        return self.output_shape(shapes[0])

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

    def works_by_step(self, shape: Shape) -> bool:
        """Return whether an output at a step follows from that step and a carried state, so that steps come singly."""
        return self.mixes_steps is False or self.carries(shape) > 0

    def looks_ahead(self, shape: Shape) -> bool:
        """Return whether an output at a step may depend on later steps, which text that is generated does not have."""
        return not self.works_by_step(shape)

    def kept_inside(self, shape: Shape) -> int:
        """Return the numbers that training keeps for one sample besides the output, where they may be more than it."""
        return 0

    def flops(self, shape: Shape) -> int:
        """Return the floating-point operations of one sample's forward pass; a multiply-add counts as two."""
        return 0


class Tied(Layer):
    """A layer that may use the weights of an earlier one."""

    as_: Annotated[str | None, EarlierLayer()] = Field(
        None, alias="as", description="the name of an earlier layer whose weights it uses; of another kind transposed"
    )

    @property
    def tied_to(self) -> str | None:
        """As `as` says."""
        return self.as_


class Weighted(Tied):
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
        """Return the weight, begun as `init` says, and unless `bias=no` a bias of zeros for each output."""
        bias = {"bias": Parameter((outputs,), init="zeros")} if self.bias else {}
        return {"weight": replace(weight, init=self.init), **bias}

    def activations(self) -> tuple[Layer, ...]:
        """Return the activation as a layer, unless it is linear."""
        if self.activation == "linear":
            return ()
        layer = words("activation")[self.activation]()
        assert isinstance(layer, Layer)
        return (layer,)

    def unbounded(self) -> bool | None:
        """Unless the activation bounds it."""
        return self.activation == "linear"

    @property
    def ends_in(self) -> str:
        """The activation."""
        return self.activation

    @property
    def penalty(self) -> tuple[float, float]:
        """As `l1` and `l2` say."""
        return (self.l1, self.l2)
