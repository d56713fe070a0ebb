"""Arrays in a frame of constants, along some of their axes: the padding of convolutions and pools."""

from collections.abc import Sequence

from nnspec.runtime.compiler.kernels import KernelContext
from nnspec.runtime.compiler.program.instructions import Fill
from nnspec.runtime.compiler.program.operands import Ref, formula
from nnspec.spec_lang.vocabulary.spatial import Extent


def padded(context: KernelContext, x: Ref, extents: Sequence[Extent], border: str = "0", first: int = 1) -> Ref:
    """Return an array in a frame of this constant along the axes from `first` on; the setup writes the frame, each
    step the array."""
    w = context.writer
    if not any(extent.before or extent.after for extent in extents):
        return x
    shape = list(x.shape)
    for axis, extent in enumerate(extents, first):
        shape[axis] += extent.before + extent.after
    frame = w.buffer(f"{context.node.name}_padded", tuple(shape), 0)
    if border != "0":
        w.setup.append(Fill(frame, formula(border)))
    w.copy(x, out=_inside(context, frame, x, extents, first))
    return frame


def unpadded(context: KernelContext, d_frame: Ref, x: Ref, extents: Sequence[Extent], first: int = 1) -> Ref:
    """Return the part of a framed gradient that belongs to the array x."""
    return d_frame if d_frame.shape == x.shape else _inside(context, d_frame, x, extents, first)


def _inside(context: KernelContext, frame: Ref, x: Ref, extents: Sequence[Extent], first: int) -> Ref:
    inside = (slice(extent.before, extent.before + x.shape[axis]) for axis, extent in enumerate(extents, first))
    return context.writer.view(f"{frame}_inside", frame[(*(slice(None),) * first, *inside)], contiguous=False)
