"""Other shapes of the same numbers: the samples' order, height, width, channels, is kept by moving whole runs."""

from dataclasses import replace

from nnspec.runtime.compiler.kernels import KernelContext, Written, kernel
from nnspec.runtime.compiler.writer import Ref, is_steps, laid_out
from nnspec.spec_lang.vocabulary.layers.reshape import Flatten, Reshape
from nnspec.spec_lang.vocabulary.shape import Shape

_SAMPLE_ORDER = (1, 2, 0, 3)  # (channels, height, width, samples) → (height, width, channels, samples)
_STEP_ORDER = (0, 2, 1)  # (time, samples, features) → (time, features, samples)


@kernel(Flatten, Reshape)
def reshape(word: Flatten | Reshape, site: KernelContext) -> Written:
    """A copy in the order of the sample, (height, width, channels); a row stays a row."""
    y = y_row = flattened(site, site.x)
    shape = site.node.output_shape
    if len(shape) != 1:
        y = site.output()
        inside = in_sample_order(site, y, shape)
        source = site.writer.reshaped(f"{site.node.name}_row", y_row, inside.shape)
        site.writer.do(f"np.copyto({inside.name}, {source.name})")

    def backward(d_y: Ref) -> list[Ref | None]:
        if not site.wanted[0]:
            return [None]
        if len(shape) != 1:
            d_row = site.writer.buffer(f"d_{site.node.name}_row", y_row.shape)
            inside = in_sample_order(site, d_y, shape)
            target = site.writer.reshaped(f"{d_row.name}_apart", d_row, inside.shape)
            site.writer.do(f"np.copyto({target.name}, {inside.name})")
            d_y = d_row
        return [unflattened(site, d_y)]

    return y, backward


def in_sample_order(site: KernelContext, ref: Ref, shape: Shape) -> Ref:
    """A view of laid-out samples whose axes stand as the sample's do."""
    if is_steps(shape):
        axes: tuple[int, ...] = _STEP_ORDER
    elif len(shape) != 3 or shape[2] == 1 or shape[0] * shape[1] == 1:
        return ref
    else:
        axes = _SAMPLE_ORDER
    return site.writer.view(
        f"{ref.name}_hwc", f"{ref.name}.transpose{axes}", tuple(ref.shape[a] for a in axes), solid=False
    )


def flattened(site: KernelContext, x: Ref) -> Ref:
    """The sample's numbers as rows, (features, samples), a row of ones behind them."""
    if len(x.shape) == 2:
        return x
    samples = site.writer.samples
    features = x.size // samples
    row = site.writer.rows(f"{site.node.name}_flat", features)
    shape = site.node.input_shapes[0]
    source = in_sample_order(site, x, shape)
    target = site.writer.reshaped(f"{row.name}_hwc", row, source.shape)
    site.writer.do(f"np.copyto({target.name}, {source.name})")
    assert row.shape == (features, samples)
    return row


def unflattened(site: KernelContext, d_row: Ref) -> Ref:
    """The gradient of rows as that of the samples they were: a view with its axes moved back, not a copy."""
    shape = site.node.input_shapes[0]
    if len(site.x.shape) == 2:
        return d_row
    laid = laid_out(shape, site.writer.samples)
    if is_steps(shape):
        expression = f"{d_row.name}.reshape({shape[0]}, {shape[1]}, {laid[1]}).transpose{_STEP_ORDER}"
        return site.writer.view(f"{d_row.name}_steps", expression, laid, solid=False)
    if len(shape) != 3 or shape[2] == 1:
        return site.writer.reshaped(f"{d_row.name}_image", d_row, site.x.shape)
    height, width, channels = shape
    expression = f"{d_row.name}.reshape({height}, {width}, {channels}, {laid[-1]}).transpose(2, 0, 1, 3)"
    return site.writer.view(f"{d_row.name}_image", expression, laid, solid=False)


def step_rows(site: KernelContext, x: Ref) -> Ref:
    """The steps of all samples as rows of one matrix, (time * samples, features)."""
    steps = site.node.input_shapes[0].as_steps()
    assert steps is not None
    time, features = steps
    shape = (time * site.writer.samples, features)
    if len(x.shape) == 3 and x.solid:
        return replace(site.writer.reshaped(f"{x.name}_rows", x, shape), symbols=x.symbols)
    rows = site.writer.buffer(f"{site.node.name}_rows", shape)
    apart = site.writer.reshaped(f"{rows.name}_apart", rows, (time, site.writer.samples, features))
    site.writer.do(f"np.copyto({apart.name}, {x.name if len(x.shape) == 3 else f'{x.name}[0].transpose{_STEP_ORDER}'})")
    return rows


def unrolled(site: KernelContext, d_rows: Ref) -> Ref:
    """The gradient of `step_rows` as that of the samples they were, a view."""
    time, features = site.node.input_shapes[0]
    shape = (time, site.writer.samples, features)
    apart = site.writer.reshaped(f"{d_rows.name}_apart", d_rows, shape)
    if len(site.x.shape) == 3:
        return apart
    expression = f"{apart.name}.transpose{_STEP_ORDER}[None]"
    return site.writer.view(f"{d_rows.name}_image", expression, site.x.shape, solid=False)
