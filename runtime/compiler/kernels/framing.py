"""Cells around an image or a sequence: a frame that the setup writes once, or copies of the image's own cells."""

from nnspec.runtime.compiler.graph import reads_symbols
from nnspec.runtime.compiler.kernels import KernelContext, Written, kernel
from nnspec.runtime.compiler.kernels._frames import padded, unpadded
from nnspec.runtime.compiler.program.layout import is_steps
from nnspec.runtime.compiler.program.operands import Index, Ref
from nnspec.runtime.layers.framing import copied_cells
from nnspec.spec_lang.vocabulary.layers.framing import Crop, Framing, PadLayer
from nnspec.spec_lang.vocabulary.spatial import Extent, image_or_steps


def _first_axis(context: KernelContext) -> int | None:
    """Return the axis of a program's array that holds rows or steps; None where sequences may be padded."""
    if is_steps(context.node.input_shapes[0]):
        return None if reads_symbols(context.schedule.nodes) else 0
    return 1


def _frame(word: Framing, context: KernelContext) -> tuple[Extent, ...]:
    """Return the cells before and after the rows and the columns, or the steps."""
    shape = context.node.input_shapes[0]
    sides = word.sides(shape)
    return tuple(Extent(1, *around) for around in (sides[:1] if is_steps(shape) else sides))


def _at(axis: int, cell: int) -> tuple[Index, ...]:
    return (*(slice(None),) * axis, cell)


@kernel(PadLayer)
def pad(word: PadLayer, context: KernelContext) -> Written | None:
    """y = x in a frame of zeros, or of copies of its cells; d_x is the inside of d_y, with the shares of the copies."""
    first = _first_axis(context)
    if first is None:
        return None
    w, x, frame = context.writer, context.x, _frame(word, context)
    y = padded(context, x, frame, first=first)
    copies: list[tuple[tuple[Index, ...], tuple[Index, ...]]] = []  # a cell of the frame, and the one that it copies
    if word.mode != "zeros":
        image, _ = image_or_steps(word.word, context.node.input_shapes[0])
        for axis, extent in enumerate(frame):
            for cell, source in copied_cells(image[axis], (extent.before, extent.after), word.mode):
                copies.append((_at(first + axis, cell), _at(first + axis, source)))
    for to, source_of in copies:
        w.copy(y[source_of], out=y[to])

    def backward(d_y: Ref) -> list[Ref | None]:
        if not context.needs_gradient[0]:
            return [None]
        if copies:
            d_frame = w.buffer(f"d_{context.node.name}_frame", d_y.shape)
            w.copy(d_y, out=d_frame)
            for to, source_of in reversed(copies):
                w.add(d_frame[source_of], d_frame[to], out=d_frame[source_of])
            d_y = d_frame
        return [unpadded(context, d_y, x, frame, first)]

    return y.kept(), backward


@kernel(Crop)
def crop(word: Crop, context: KernelContext) -> Written | None:
    """y = a copy of the inside of x; d_x is d_y in a frame of zeros."""
    first = _first_axis(context)
    if first is None:
        return None
    w, x, frame = context.writer, context.x, _frame(word, context)
    y = context.output()
    w.copy(unpadded(context, x, y, frame, first), out=y)

    def backward(d_y: Ref) -> list[Ref | None]:
        if not context.needs_gradient[0]:
            return [None]
        return [padded(context, d_y, frame, first=first).kept()]

    return y, backward
