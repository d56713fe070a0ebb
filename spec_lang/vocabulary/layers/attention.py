"""Layers of transformers: where a step is in its sequence, and steps that look at each other."""

from typing import Annotated, Literal, Self

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Layer, Tied
from nnspec.spec_lang.vocabulary.markers import Alone, Bare, NameOf, Whole
from nnspec.spec_lang.vocabulary.shape import Misfit, Parameter, Shape

PERIOD = 10_000
"""The longest wavelength of sinusoidal positions is 2π times this number of steps."""


def _steps(word: str, shape: Shape) -> tuple[int, int]:
    """Return (time, features) of the input. Raises Misfit if it is not a sequence of rows."""
    steps = shape.as_steps()
    if steps is None:
        help = "write embed 16 before it where they are symbols, or reshape TIMExFEATURES"
        raise Misfit(f"{word} reads a sequence, time x features, and {shape} is not one", help)
    return steps


class Positions(Layer):
    """Add to each step a vector that says where in the sequence it is. TxC → TxC.

    Sinusoidal vectors are fixed: sin(t / 10000^(2i/C)) and cos of it in turn (Vaswani et al. 2017). Learned ones are an
    array of the length of the samples (Gehring et al. 2017).
    """

    word = "positions"
    examples = ("positions", "positions learned")
    mixes_samples = False
    mixes_steps = False
    vectors: Annotated[Literal["sinusoidal", "learned"], Bare(("name",), "learned")] = Field(
        "sinusoidal", description="how positions become vectors"
    )
    init: Annotated[str | None, NameOf("init")] = Field(
        None, description="the initializer of learned vectors; default: normal"
    )

    def output_shape(self, shape: Shape) -> Shape:
        """Return the same shape, as a sequence."""
        return Shape(_steps(self.word, shape), sequence=True)

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """Return weight (time, features) of learned positions, by default from a normal distribution."""
        time, features = _steps(self.word, shape)
        if self.vectors != "learned":
            return {}
        return {"weight": Parameter((time, features), 1, features, self.init or "normal")}

    def works_by_step(self, shape: Shape) -> bool:
        """No: a step alone is the first one."""
        return False

    def looks_ahead(self, shape: Shape) -> bool:
        """No: a vector depends on what is before the step alone."""
        return False

    def unbounded(self) -> bool | None:
        """If the inputs are."""
        return None

    def flops(self, shape: Shape) -> int:
        """Return an addition for each number."""
        return shape.size


class Attention(Tied):
    """Self-attention with H heads: each step is a mean of all steps, weighted by how well they match. TxC → TxC.

    softmax(q·kᵀ / √d)·v for each head, q, k and v being products of the steps and d = dim / H the numbers of a head
    (Vaswani et al. 2017). As in PyTorch, one matrix gives q, k and v, side by side in its columns, and another one maps
    the heads together to the output. `causal` lets a step see itself and earlier ones alone. Padding after a
    shorter sequence is not seen.
    """

    word = "attention"
    examples = ("attention 3 causal=yes", "attention 1", "attention 2 dropout=0.2 bias=no dim=4")
    mixes_samples = False
    mixes_steps = True
    skips_padding = True
    heads: Whole = Field(gt=0, description="heads, each of which weights the steps in its own way")
    dim: int | None = Field(None, gt=0, description="numbers of all heads together; default: those of a step")
    causal: Annotated[bool, Alone(True)] = Field(
        False, description="whether a step sees itself and earlier steps alone"
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="the probability of dropping a weight of a step in training")
    bias: bool = Field(True, description="whether learned biases are added to q, k, v and the output")
    init: Annotated[str | None, NameOf("init")] = Field(
        None, description="the initializer of the weights; default: xavier_uniform, as in PyTorch"
    )

    def completed(self, shape: Shape) -> Self:
        """Return the layer with `dim` filled in."""
        return self.model_copy(update={"dim": self.dim or _steps(self.word, shape)[1]})

    def width(self, shape: Shape) -> int:
        """Return the numbers of all heads together. Raises Misfit if the heads cannot share them equally."""
        width = self.dim or _steps(self.word, shape)[1]
        if width % self.heads:
            fitting = max(count for count in range(1, self.heads) if width % count == 0)
            what = f"{self.heads} heads cannot share {width} numbers of a step equally"
            wider = -(-width // self.heads) * self.heads
            raise Misfit(what, f"write {self.word} {fitting}, or {self.word} {self.heads} dim={wider}")
        return width

    def output_shape(self, shape: Shape) -> Shape:
        """Return the same shape, as a sequence."""
        self.width(shape)
        return Shape(_steps(self.word, shape), sequence=True)

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """Return input_weight (features, 3 · dim), output_weight (dim, features), and a bias for each."""
        _, features = _steps(self.word, shape)
        width, init = self.width(shape), self.init or "xavier_uniform"
        arrays = {"input_weight": Parameter((features, 3 * width), features, 3 * width, init)}
        if self.bias:
            arrays["input_bias"] = Parameter((3 * width,), init="zeros")
        arrays["output_weight"] = Parameter((width, features), width, features, init)
        if self.bias:
            arrays["output_bias"] = Parameter((features,), init="zeros")
        return arrays

    def draws(self, shape: Shape) -> Shape | None:
        """A number for each weight of a step, (heads, time, time)."""
        time, _ = _steps(self.word, shape)
        return Shape((self.heads, time, time)) if self.dropout > 0 else None

    def kept_inside(self, shape: Shape) -> int:
        """The weights of the steps and what they come from."""
        time, _ = _steps(self.word, shape)
        return self.heads * time * time + 4 * time * self.width(shape)

    def looks_ahead(self, shape: Shape) -> bool:
        """Unless it is causal."""
        return not self.causal

    def unbounded(self) -> bool | None:
        """If it has a bias, or its inputs are."""
        return True if self.bias else None

    def flops(self, shape: Shape) -> int:
        """Return two operations for each weight at each step, and for each number of a head at each pair of steps."""
        time, features = _steps(self.word, shape)
        width = self.width(shape)
        pairs = time * time * (4 * width + 5 * self.heads)
        return time * (8 * width * features + self.bias * (3 * width + features)) + pairs
