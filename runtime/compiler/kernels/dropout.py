"""Dropout: what is left out is drawn for the whole batch before the lanes start, so that shards change nothing."""

from nnspec.runtime.compiler.kernels import KernelContext, Written, kernel
from nnspec.runtime.compiler.writer import Ref, as_laid
from nnspec.spec_lang.vocabulary.layers.dropout import Dropout


@kernel(Dropout)
def dropout(word: Dropout, site: KernelContext) -> Written:
    """x · kept / (1 − p); nothing at inference."""
    if not site.training or word.probability == 0:
        return site.x, lambda d_y: [d_y if site.wanted[0] else None]
    w = site.writer
    shape = site.node.output_shape
    draws = w.view(f"{site.node.name}_draws", as_laid(f"draws[{site.node.name!r}]", shape), site.x.shape)
    kept = w.buffer(f"{site.node.name}_kept", site.x.shape, dtype="bool").name
    factor = w.buffer(f"{site.node.name}_factor", site.x.shape).name
    limit = w.name(f"{site.node.name}_limit")
    w.setup.append(f"{limit} = np.asarray({word.probability!r}, np.float32)")
    scale = w.scalar(f"{site.node.name}_scale", 1 / (1 - word.probability))
    y = w.planes(site.node.name, shape)
    w.do(f"np.greater_equal({draws.name}, {limit}, out={kept})")
    w.do(f"np.multiply({kept}, {scale}, out={factor})")
    w.do(f"np.multiply({site.x.name}, {factor}, out={y.name})")

    def backward(d_y: Ref) -> list[Ref | None]:
        if not site.wanted[0]:
            return [None]
        d_x = site.gradient(d_y)
        w.do(f"np.multiply({d_y.name}, {factor}, out={d_x.name})")
        return [d_x]

    return y.kept(), backward
