"""What layers with windows share: layouts, frames and options."""

from nnspec.exchange.ways.torch.writing import Value, Writer
from nnspec.runtime.compiler.graph import GraphNode
from nnspec.spec_lang.vocabulary.spatial import Extent, Windowed


def enter(axes: int, node: GraphNode, w: Writer, x: Value) -> str:
    """Return the input with its channels first; convolutions over texts get zeros at padded steps."""
    real = w.real(node)
    if real is None:
        return x.first(axes)
    return f"({x.text} * {real}[..., None]).transpose(1, 2)"


def leave(text: str, node: GraphNode) -> Value:
    """Return an output with its channels first."""
    shape = node.output_shape
    if len(shape) == 3:
        return Value(text, shape, planes=True)
    return Value(f"{text}.transpose(1, 2)", shape)


def axes_of(word: Windowed, node: GraphNode) -> int:
    """Return the axes of its windows: 1 over steps, 2 over images."""
    return 1 if word.along_time(node.input_shapes[0]) is not None else 2


def numbers(values: tuple[int, ...], axes: int) -> str:
    """Return sizes as PyTorch takes them, for one or two axes."""
    return str(values[0]) if axes == 1 or values[0] == values[1] else str(tuple(values[:2]))


def framed(
    text: str, extents: tuple[Extent, Extent], axes: int, most: tuple[int, int], fill: str = ""
) -> tuple[str, str]:
    """Return an input in the frame of its windows, and the option `padding` where the module can make it itself."""
    (_, top, bottom), (_, left, right) = extents
    if top == bottom <= most[0] and left == right <= most[1]:
        padding = numbers((top, left), axes)
        return text, f", padding={padding}" if padding != "0" else ""
    sides = (top, bottom) if axes == 1 else (left, right, top, bottom)
    return f"F.pad({text}, {sides}{fill})", ""


def options_of(word: Windowed, axes: int) -> str:
    """Return the stride and the dilation as options, each where it is not 1."""
    stride, dilation = numbers(word.strides(), axes), numbers(word.dilations(), axes)
    text = f", stride={stride}" if stride != "1" else ""
    return text + (f", dilation={dilation}" if dilation != "1" else "")
