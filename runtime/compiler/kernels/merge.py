"""Where branches meet."""

from dataclasses import replace

from runtime.compiler.kernels import Site, Written, kernel
from runtime.compiler.writer import Ref
from spec_lang.layers.merge import Add, Concatenate


@kernel(Add)
def add(word: Add, site: Site) -> Written:
    """A sum; each branch gets the gradient as it came, and none may overwrite it."""
    w, y = site.writer, site.output()
    w.do(f"np.add({site.inputs[0].name}, {site.inputs[1].name}, out={y.name})")
    for more in site.inputs[2:]:
        w.do(f"np.add({y.name}, {more.name}, out={y.name})")
    return y, lambda d_y: [d_y.kept() if wanted else None for wanted in site.wanted]


@kernel(Concatenate)
def concatenate(word: Concatenate, site: Site) -> Written:
    """Copies side by side along the channels; each branch gets its part of the gradient."""
    w, y = site.writer, site.output()
    shape = site.node.output_shape
    channels = 0 if len(shape) == 3 else len(site.inputs[0].shape) - 2  # an image's stand in front
    before = ":, " * channels
    edges, start = [], 0
    for ref in site.inputs:
        edges.append((start, start + ref.shape[channels]))
        start += ref.shape[channels]
    for ref, (first, last) in zip(site.inputs, edges, strict=True):
        part = w.view(f"{y.name}_part", f"{y.name}[{before}{first}:{last}]", ref.shape)
        w.do(f"np.copyto({part.name}, {ref.name})")

    def backward(d_y: Ref) -> list[Ref | None]:
        parts: list[Ref | None] = []
        for ref, (first, last), wanted in zip(site.inputs, edges, site.wanted, strict=True):
            view = w.view(
                f"{d_y.name}_part", f"{d_y.name}[{before}{first}:{last}]", ref.shape, not channels and d_y.solid
            )
            parts.append(replace(view, free=d_y.free) if wanted else None)
        return parts

    return y, backward
