"""Where branches meet."""

from dataclasses import replace

from nnspec.runtime.compiler.kernels import KernelContext, Written, kernel
from nnspec.runtime.compiler.writer import Ref, is_steps
from nnspec.spec_lang.vocabulary.layers.merge import Add, Concatenate


@kernel(Add)
def add(word: Add, site: KernelContext) -> Written:
    """A sum; each branch gets the gradient as it came, and none may overwrite it."""
    w, y = site.writer, site.output()
    first, second, *others = (_laid_like(site, ref, y) for ref in site.inputs)
    w.do(f"np.add({first.name}, {second.name}, out={y.name})")
    for more in others:
        w.do(f"np.add({y.name}, {more.name}, out={y.name})")

    def backward(d_y: Ref) -> list[Ref | None]:
        kept = d_y.kept()
        return [
            _laid_like(site, kept, ref) if wanted else None
            for ref, wanted in zip(site.inputs, site.wanted, strict=True)
        ]

    return y, backward


@kernel(Concatenate)
def concatenate(word: Concatenate, site: KernelContext) -> Written:
    """Copies side by side along the channels; each branch gets its part of the gradient."""
    w, y = site.writer, site.output()
    shape = site.node.output_shape
    channels = 2 if is_steps(shape) else 0 if len(shape) == 3 else len(y.shape) - 2  # an image's stand in front
    before = ":, " * channels
    edges, start = [], 0
    inputs = [_laid_like(site, ref, y) for ref in site.inputs]
    for ref in inputs:
        edges.append(f"{before}{start}:{start + ref.shape[channels]}")
        start += ref.shape[channels]
    for ref, edge in zip(inputs, edges, strict=True):
        part = w.view(f"{y.name}_part", f"{y.name}[{edge}]", ref.shape)
        w.do(f"np.copyto({part.name}, {ref.name})")

    def backward(d_y: Ref) -> list[Ref | None]:
        parts: list[Ref | None] = []
        for i, wanted in enumerate(site.wanted):
            solid = d_y.solid and not channels
            view = w.view(f"{d_y.name}_part", f"{d_y.name}[{edges[i]}]", inputs[i].shape, solid)
            parts.append(_laid_like(site, replace(view, free=d_y.free), site.inputs[i]) if wanted else None)
        return parts

    return y, backward


def _laid_like(site: KernelContext, ref: Ref, like: Ref) -> Ref:
    """An array as another lies: where an image without a channel axis meets a sequence, each has axes of its own."""
    if len(ref.shape) == len(like.shape):
        return ref
    image = len(ref.shape) > len(like.shape)  # (1, time, features, samples); the other (time, samples, features)
    first, *_, last = ref.shape[1:] if image else ref.shape
    middle = ref.shape[2 if image else 1]
    shape = (first, last, middle) if image else (1, first, last, middle)
    expression = f"{ref.name}[0].transpose(0, 2, 1)" if image else f"{ref.name}.transpose(0, 2, 1)[None]"
    return replace(site.writer.view(f"{ref.name}_alike", expression, shape, solid=False), free=ref.free)
