"""Where branches join."""

from dataclasses import replace

from nnspec.runtime.compiler.kernels import KernelContext, Written, kernel
from nnspec.runtime.compiler.program.layout import is_steps
from nnspec.runtime.compiler.program.operands import Ref
from nnspec.spec_lang.vocabulary.layers.merge import Add, Concatenate


@kernel(Add)
def add(word: Add, context: KernelContext) -> Written:
    """y = Σ x; each branch gets d_y itself, which none may overwrite."""
    w, y = context.writer, context.output()
    first, second, *others = (_laid_like(context, ref, y) for ref in context.inputs)
    w.add(first, second, out=y)
    for other in others:
        w.add(y, other, out=y)

    def backward(d_y: Ref) -> list[Ref | None]:
        kept = d_y.kept()
        return [
            _laid_like(context, kept, ref) if needed else None
            for ref, needed in zip(context.inputs, context.needs_gradient, strict=True)
        ]

    return y, backward


@kernel(Concatenate)
def concatenate(word: Concatenate, context: KernelContext) -> Written:
    """Copies one after another along the channels; each branch gets its part of d_y."""
    w, y = context.writer, context.output()
    shape = context.node.output_shape
    axis = 2 if is_steps(shape) else 0 if len(shape) == 3 else len(y.shape) - 2  # of the channels
    places, start = [], 0
    inputs = [_laid_like(context, ref, y) for ref in context.inputs]
    for ref in inputs:
        places.append((*[slice(None)] * axis, slice(start, start + ref.shape[axis])))
        start += ref.shape[axis]
    for ref, place in zip(inputs, places, strict=True):
        w.copy(ref, out=w.view(f"{y}_part", y[place]))

    def backward(d_y: Ref) -> list[Ref | None]:
        parts: list[Ref | None] = []
        for ref, place, needed in zip(context.inputs, places, context.needs_gradient, strict=True):
            part = w.view(f"{d_y}_part", d_y[place], contiguous=d_y.contiguous and not axis)
            part = replace(part, overwritable=d_y.overwritable)
            parts.append(_laid_like(context, part, ref) if needed else None)
        return parts

    return y, backward


def _laid_like(context: KernelContext, ref: Ref, like: Ref) -> Ref:
    """Return an array in the layout of another: an image without a channel axis and a sequence have different ones."""
    if len(ref.shape) == len(like.shape):
        return ref
    image = len(ref.shape) > len(like.shape)  # (1, time, features, samples); a sequence (time, samples, features)
    view = ref[0].transpose(0, 2, 1) if image else ref.transpose(0, 2, 1)[None]
    alike = context.writer.view(f"{ref}_alike", view, contiguous=False)
    return replace(alike, overwritable=ref.overwritable)
