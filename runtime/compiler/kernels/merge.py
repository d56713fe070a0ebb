"""Where branches join."""

from dataclasses import replace

from nnspec.runtime.compiler.kernels import KernelContext, Written, kernel
from nnspec.runtime.compiler.program.layout import is_steps
from nnspec.runtime.compiler.program.operands import Ref
from nnspec.spec_lang.vocabulary.layers.merge import Add, Concatenate, Multiply


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


@kernel(Multiply)
def multiply(word: Multiply, context: KernelContext) -> Written:
    """y = Π x; the gradient of a branch is d_y times the other branches, summed over the places of a row."""
    w, y, whole = context.writer, context.output(), context.node.output_shape
    axes: int | tuple[int, int] = 0 if is_steps(whole) else (1, 2)  # of the places
    branches = [
        _laid_like(context, ref, y) if len(shape) == len(whole) else _over_places(context, ref, is_steps(whole))
        for ref, shape in zip(context.inputs, context.node.input_shapes, strict=True)
    ]
    first, second, *others = branches
    w.multiply(first, second, out=y)
    for other in others:
        w.multiply(y, other, out=y)

    def backward(d_y: Ref) -> list[Ref | None]:
        gradients: list[Ref | None] = []
        for i, (ref, shape) in enumerate(zip(context.inputs, context.node.input_shapes, strict=True)):
            if not context.needs_gradient[i]:
                gradients.append(None)
                continue
            d_x, factor = w.buffer(f"d_{context.node.name}_in", y.shape), d_y
            for other in branches[:i] + branches[i + 1 :]:
                w.multiply(factor, other, out=d_x)
                factor = d_x
            if len(shape) == len(whole):
                gradients.append(_laid_like(context, d_x, ref))
                continue
            d_row = w.buffer(f"d_{context.node.name}_row", ref.shape)
            target = w.view(f"{d_row}_of_steps", d_row.T, contiguous=False) if is_steps(whole) else d_row
            w.sum(d_x, axis=axes, out=target)
            gradients.append(d_row)
        return gradients

    return y.kept(), backward


def _over_places(context: KernelContext, row: Ref, steps: bool) -> Ref:
    """Return a view of (channels, samples) that spans every pixel of an image, or every step of a sequence."""
    view = row.T[None] if steps else row[:, None, None]
    return context.writer.view(f"{row}_spread", view, contiguous=False)


def _laid_like(context: KernelContext, ref: Ref, like: Ref) -> Ref:
    """Return an array in the layout of another: an image without a channel axis and a sequence have different ones."""
    if len(ref.shape) == len(like.shape):
        return ref
    image = len(ref.shape) > len(like.shape)  # (1, time, features, samples); a sequence (time, samples, features)
    view = ref[0].transpose(0, 2, 1) if image else ref.transpose(0, 2, 1)[None]
    alike = context.writer.view(f"{ref}_alike", view, contiguous=False)
    return replace(alike, overwritable=ref.overwritable)
