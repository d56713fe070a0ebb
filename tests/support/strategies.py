"""Layers, shapes and numbers to test with: from the examples that the words carry, and at random."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from numpy.typing import DTypeLike, NDArray

from nnspec.spec_lang.check.canonical_text import written
from nnspec.spec_lang.check.examination import check_source
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.layers.activation import LeakyRelu, Prelu
from nnspec.spec_lang.vocabulary.layers.conv import Conv, Depthwise, Separable
from nnspec.spec_lang.vocabulary.layers.dense import Dense
from nnspec.spec_lang.vocabulary.layers.dropout import Dropout
from nnspec.spec_lang.vocabulary.layers.embedding import Embed, OneHot
from nnspec.spec_lang.vocabulary.layers.framing import Crop, PadLayer
from nnspec.spec_lang.vocabulary.layers.normalization import BatchNorm, GroupNorm, InstanceNorm, LayerNorm
from nnspec.spec_lang.vocabulary.layers.pool import AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool, Pool
from nnspec.spec_lang.vocabulary.layers.recurrent import Gru, Lstm, Rnn
from nnspec.spec_lang.vocabulary.layers.reshape import Flatten, Permute, Reshape
from nnspec.spec_lang.vocabulary.layers.upsampling import Transposed, Upsample
from nnspec.spec_lang.vocabulary.registry import layers, words
from nnspec.spec_lang.vocabulary.shape import Misfit, Shape

Array = NDArray[Any]

MORE_EXAMPLES = (
    "conv 3x2 x4 stride=2 pad=1",
    "conv 2x2 x4 pad=same dilation=2 groups=2",
    "conv 1x1 x2 groups=2 bias=no",
    "conv 2x3 x3 stride=3 pad=same",
    "maxpool 3 stride=1",
    "maxpool 3x2 stride=2 pad=same",
    "avgpool 3 stride=2 pad=1",
    "avgpool 2x3 stride=1",
    "maxpool 2 stride=1 dilation=2 ceil_mode=yes",
    "maxpool 2x3 stride=2 pad=1x0x0x2",
    "avgpool 3 pad=1 ceil_mode=yes",
    "avgpool 3 stride=2 pad=1 count_include_pad=no",
    "conv 3x3 x2 pad=1x0",
    "conv 2 x3 stride=2 pad=1x0",
    "dense 4 bias=no",
    "leaky_relu slope=0.3",
    "elu alpha=0.5",
    "batchnorm momentum=0.3 eps=0.01",
    "layernorm eps=0.01",
)
"""What the words' own examples leave out."""

SHAPES = (
    Shape((5, 6, 2)),
    Shape((5, 6)),
    Shape((7,)),
    Shape((4, 3), sequence=True),
    Shape(()),
)
"""An image, an image without a channel axis, a row, a sequence, a number."""

LARGE_SHAPES = (Shape((28, 28, 1)), Shape((784,)))
"""For layers that none of the others fits."""


@dataclasses.dataclass(frozen=True)
class Case:
    """A layer and the shape of a sample that it fits."""

    text: str
    word: Layer
    shape: Shape

    def __str__(self) -> str:
        where = str(self.shape) if self.shape else "a single number"
        return f"{self.text} on {where}{' steps' if self.shape.sequence else ''}"

    def arrays(self, random: np.random.Generator, dtype: DTypeLike = np.float64) -> dict[str, Array]:
        """Random parameters and buffers, away from 0 and 1; variances positive."""
        declared = {**self.word.parameters(self.shape), **self.word.buffers(self.shape)}
        return {
            name: (random.uniform(0.5, 2, p.shape) if "var" in name else random.normal(0, 0.5, p.shape)).astype(dtype)
            for name, p in declared.items()
        }

    def samples(self, random: np.random.Generator, batch: int = 3, dtype: DTypeLike = np.float64) -> Array:
        """Random samples (batch, *shape): no two numbers are near each other, or near 0, where slopes may change."""
        return distinct(random, (batch, *self.shape)).astype(dtype)


def distinct(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Numbers between −2 and 2 in random order, evenly spaced, none of them 0."""
    count = int(np.prod(shape))
    return random.permutation(np.linspace(-2, 2, count + count % 2)[:count]).reshape(shape)


def layer(text: str) -> Layer:
    """The layer that a text says, a network of its own on the first of the shapes that it fits."""
    refused = ""
    for shape in (*SHAPES, *LARGE_SHAPES):
        try:
            (node,) = check_source(Source("a test", text), input_shape=shape).nodes
        except SpecError as error:
            refused = refused or str(error)
        else:
            return node.layer
    raise AssertionError(f"{text} is no example of a layer:\n{refused}")


def examples(name: str) -> Iterator[Case]:
    """A layer's examples, each on every shape that it fits: from its word, or its name alone, and those given here."""
    own = layers()[name].examples or (name,)
    for text in (*own, *(text for text in MORE_EXAMPLES if text.split()[0] == name)):
        word = layer(text)
        shapes = [shape for shape in SHAPES if fits(word, shape)] or [s for s in LARGE_SHAPES if fits(word, s)]
        for shape in shapes:
            yield Case(text, word, shape)


def fits(word: Layer, shape: Shape) -> bool:
    """Whether a layer fits a shape, and has its parameters for it."""
    try:
        word.output_shape(shape)
        word.parameters(shape)
    except Misfit:
        return False
    return True


@st.composite
def convolutions(draw: st.DrawFn) -> Case:
    """A convolution of any options on a small image that it fits."""
    groups = draw(st.integers(1, 3))
    shape = Shape((draw(st.integers(1, 7)), draw(st.integers(1, 7)), groups * draw(st.integers(1, 2))))
    options = {
        "window": (draw(st.integers(1, 4)), draw(st.integers(1, 4))),
        "filters": groups * draw(st.integers(1, 2)),
        "stride": draw(steps(st.integers(1, 3))),
        "pad": draw(paddings(3)),
        "dilation": draw(steps(st.integers(1, 3))),
        "groups": groups,
        "bias": draw(st.booleans()),
    }
    return _fitting(Conv(**options), shape)


def steps(sizes: st.SearchStrategy[int]) -> st.SearchStrategy[Any]:
    """Strides and dilations as specs say them: one number, or one for each axis."""
    return sizes | st.tuples(sizes, sizes)


def paddings(most: int, over_time: bool = False) -> st.SearchStrategy[Any]:
    """Padding as specs say it: by name, one number, and numbers for each axis or each end."""
    cells = st.integers(0, most)
    each = st.tuples(cells, cells) if over_time else st.tuples(cells, cells) | st.tuples(cells, cells, cells, cells)
    return st.sampled_from(["valid", "same", *range(most + 1)]) | each


def each_axis(pad: Any) -> tuple[Any, Any]:
    """The padding of the rows and of the columns of an image."""
    if not isinstance(pad, tuple):
        return pad, pad
    return pad if len(pad) == 2 else (pad[:2], pad[2:])


@st.composite
def pools(draw: st.DrawFn, cls: type[Pool], over_time: bool | None = None) -> Case:
    """A pool of any options on a small image or sequence that it fits."""
    over_time = draw(st.sampled_from([False, False, True])) if over_time is None else over_time
    sizes = [draw(st.integers(1, 7)) for _ in range(1 if over_time else 2)]
    shape = Shape((*sizes, draw(st.integers(1, 3))), sequence=over_time)
    stride, dilation = st.integers(1, 4), st.sampled_from([1, 1, 2, 3])
    options = {
        "window": tuple(draw(st.integers(1, 4)) for _ in sizes),
        "stride": draw(st.none() | stride if over_time else st.none() | steps(stride)),
        "pad": draw(paddings(2, over_time)),
        "dilation": draw(dilation if over_time else steps(dilation)),
        "ceil_mode": draw(st.booleans()),
    }
    if cls is AvgPool:
        options["count_include_pad"] = draw(st.booleans())
    return _fitting(cls(**options), shape)


def _fitting(word: Layer, shape: Shape) -> Case:
    assume(fits(word, shape))
    return Case(repr(word), word, shape)


seeds = st.integers(0, 2**32 - 1)
batches = st.integers(1, 4)


MOST_NUMBERS = 400
"""In one sample, anywhere inside a random network."""


@st.composite
def networks(draw: st.DrawFn) -> str:
    """The text of a network: chains and forks of layers of any options on small samples, and one of the losses."""
    shape = Shape(draw(st.sampled_from([(6, 5, 2), (7, 7, 1), (8, 8, 3), (5, 8), (1, 6), (9,), (1,), (2, 1, 3, 2)])))
    first = f"input {shape}"
    if len(shape) == 1 and draw(st.booleans()):
        symbols = draw(st.sampled_from([OneHot(vocab=4), Embed(units=3, vocab=4)]))
        first, shape = f"{first} -> {written(symbols)}", symbols.output_shape(shape)
    body, _ = draw(_chains(shape, forks=2))
    return f"{first} -> {body}{draw(st.sampled_from(_ENDS))}"


_ENDS = (
    " -> softmax",
    " -> dense 3 softmax",
    " -> relu -> softmax",
    " -> dense 2 sigmoid",
    " -> dense 2 bias=no l1=0.1 l2=0.2",
    " -> tanh\nloss huber delta=0.5",
    "\nloss mae",
    "",
)


@st.composite
def _chains(draw: st.DrawFn, shape: Shape, forks: int) -> tuple[str, Shape]:
    """A few stages one after another, and the shape behind them."""
    stages = []
    for _ in range(draw(st.integers(1, 4))):
        if forks and draw(st.integers(0, 3)) == 0:
            text, shape = draw(_forks(shape, forks - 1))
        else:
            word = draw(_any_layer(shape))
            text, shape = written(word), word.output_shape(shape)
        stages.append(text)
    return " -> ".join(stages), shape


@st.composite
def _forks(draw: st.DrawFn, shape: Shape, forks: int) -> tuple[str, Shape]:
    """Two or three branches, brought to shapes that fit each other."""
    branches = [draw(_chains(shape, forks)) if draw(st.integers(0, 4)) else ("skip", shape) for _ in range(2)]
    if draw(st.booleans()):
        branches.append(draw(_chains(shape, forks)))
    shapes = [tuple(after) for _, after in branches]
    if len(set(shapes)) == 1:
        sign = draw(st.sampled_from("+|"))
    elif len({after[:-1] for after in shapes}) == 1:
        sign = "|"
    else:
        sign, units = draw(st.sampled_from("+|")), draw(st.integers(1, 3))
        branches = [(f"{text} -> flatten -> dense {units}", Shape((units,))) for text, _ in branches]
    last = branches[0][1]
    together = sum(after[-1] for _, after in branches) if sign == "|" else last[-1]
    return f"({f' {sign} '.join(text for text, _ in branches)})", Shape((*last[:-1], together), last.sequence)


@st.composite
def _any_layer(draw: st.DrawFn, shape: Shape) -> Layer:
    """A layer that fits the shape and keeps the sample small."""
    word = draw(st.sampled_from(_KINDS).flatmap(lambda kind: kind(shape)))
    if fits(word, shape) and word.output_shape(shape).size <= MOST_NUMBERS:
        return word
    return draw(_activations(shape))


def _image_layers(shape: Shape) -> st.SearchStrategy[Layer]:
    """Layers of an image or a sequence that enlarge, cut or normalize it."""
    axes = 1 if shape.sequence else 2
    modes = st.sampled_from(["nearest", "bilinear"])
    cells, sizes = st.integers(0, 2), st.integers(1, 3)
    around = st.tuples(*[cells] * axes)
    window = st.tuples(*[sizes] * axes)
    return st.one_of(
        st.builds(Upsample, factor=st.tuples(*[st.integers(1, 2)] * axes), mode=modes),
        st.builds(Transposed, window=window, filters=sizes, stride=st.integers(1, 2), pad=st.integers(0, 1)),
        st.builds(PadLayer, cells=around, mode=st.sampled_from(["zeros", "reflect", "edge"])),
        st.builds(Crop, cells=around),
        st.builds(Depthwise, window=window, multiplier=st.integers(1, 2), pad=st.sampled_from(["valid", "same"])),
        st.builds(Separable, window=window, filters=sizes, pad=st.sampled_from(["valid", "same"]), bias=st.booleans()),
        st.builds(GroupNorm, groups=st.integers(1, 2)),
        st.builds(InstanceNorm, learned=st.booleans()),
        st.builds(Prelu, shared=st.booleans()),
        st.permutations(range(1, len(shape) + 1)).map(lambda order: Permute(order=tuple(order))),
    )


_window = st.tuples(st.integers(1, 3), st.integers(1, 3))
_stride = st.integers(1, 3)


def _convs(shape: Shape) -> st.SearchStrategy[Layer]:
    return st.builds(
        Conv,
        window=_window if shape.as_image() else st.tuples(st.integers(1, 3)),
        filters=st.integers(1, 4),
        activation=st.sampled_from(["linear", "relu", "tanh"]),
        stride=st.sampled_from([1, 1, 2]),
        pad=paddings(2, not shape.as_image()),
        dilation=st.sampled_from([1, 1, 2]),
        groups=st.sampled_from([1, 1, 1, 2]),
        bias=st.booleans(),
        l2=st.sampled_from([0.0, 0.1]),
    )


def _squares(shape: Shape) -> st.SearchStrategy[Layer]:
    """Pools as they are mostly written: a square that moves by itself, the kind that is computed in phases."""
    return st.builds(lambda cls, k: cls(window=(k,)), st.sampled_from([MaxPool, AvgPool]), st.integers(1, 3))


def _pools(shape: Shape) -> st.SearchStrategy[Layer]:
    both = st.tuples(st.integers(1, 3)) if shape.sequence else _window
    return st.builds(
        lambda cls, **options: cls(**options),
        st.sampled_from([MaxPool, AvgPool]),
        window=both,
        stride=_stride,
        pad=paddings(2, shape.sequence),
        dilation=st.sampled_from([1, 1, 1, 2]),
        ceil_mode=st.booleans(),
    ) | st.builds(
        AvgPool, window=both, stride=_stride, pad=paddings(1, shape.sequence), count_include_pad=st.just(False)
    )


def _activations(shape: Shape) -> st.SearchStrategy[Layer]:
    names = sorted(words("activation"))
    plain = st.sampled_from(names).map(lambda name: words("activation")[name]())
    return plain | st.builds(LeakyRelu, slope=st.sampled_from([0.0, 0.2, 1.0, 1.5]))  # type: ignore[return-value]


def _dense(shape: Shape) -> st.SearchStrategy[Layer]:
    return st.builds(
        Dense, units=st.integers(1, 6), activation=st.sampled_from(["linear", "relu", "gelu"]), bias=st.booleans()
    )


def _recurrents(shape: Shape) -> st.SearchStrategy[Layer]:
    return st.builds(
        lambda cls, direction, **options: cls(**direction, **options),
        st.sampled_from([Rnn, Gru, Lstm]),
        st.sampled_from([{}, {}, {"reverse": True}, {"bidirectional": True}]),
        units=st.integers(1, 3),
        **{"return": st.sampled_from(["last", "sequence"])},
    )


def _reshapes(shape: Shape) -> st.SearchStrategy[Layer]:
    """The same numbers with one to three axes, or as a row."""
    size = shape.size
    first = st.sampled_from([n for n in range(1, size + 1) if size % n == 0])

    def split(a: int) -> st.SearchStrategy[tuple[int, ...]]:
        rest = size // a
        return st.sampled_from([n for n in range(1, rest + 1) if rest % n == 0]).map(lambda b: (a, b, rest // b))

    three = first.flatmap(split)
    two = first.map(lambda a: (a, size // a))
    steps = st.builds(Reshape, shape=two, axes=st.just("sequence"))
    return st.just(Flatten()) | st.builds(Reshape, shape=st.just((size,)) | two | three) | steps


def _others(shape: Shape) -> st.SearchStrategy[Layer]:
    return st.sampled_from([BatchNorm(), LayerNorm(), GlobalAvgPool(), GlobalMaxPool()]) | st.builds(
        Dropout, probability=st.sampled_from([0.0, 0.2, 0.5])
    )


_KINDS = (_image_layers, _convs, _convs, _squares, _pools, _activations, _dense, _recurrents, _reshapes, _others)
