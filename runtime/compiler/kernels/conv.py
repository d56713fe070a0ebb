"""The convolution as one matrix product: columns hold what each window sees, gathered by one strided copy.

The gradient of what came in is another such product, or its shares are added where the windows were.
"""

from nnspec.runtime.compiler.kernels import KernelContext, Matrix, Written, kernel, unbroken
from nnspec.runtime.compiler.kernels._products import across, along
from nnspec.runtime.compiler.writer import Ref
from nnspec.spec_lang.vocabulary.layers.conv import Conv
from nnspec.spec_lang.vocabulary.spatial import Extent


@kernel(Conv)
def conv(word: Conv, site: KernelContext) -> Written | None:
    """y = Wᵀ·columns, with columns (window · channels, places · samples) and the row of ones of a folded bias.

    With `phases` k the places stand in the order (k, k, rows / k, columns / k), so that the k×k pool behind works on
    whole runs. The columns' memory is used again for their gradient; where they are gathered `again` it is that of all
    such convolutions. Groups take the plain form, and so do sequences.
    """
    if word.groups > 1 or len(site.x.shape) != 4 or word.along_time(site.node.input_shapes[0]) is not None:
        return None
    w, k = site.writer, site.node.phases
    height, width = word.pair()
    rows, columns_ = word.extents(site.node.input_shapes[0], word.pad, word.dilation)
    x = padded(site, site.x, rows, columns_, "0")
    channels, samples = x.shape[0], x.shape[-1]
    cells = height * width * channels
    places = (rows.places // k, columns_.places // k)
    order = (*((k, k) if k > 1 else ()), *places, samples)
    m = site.matrix(cells, word.filters, site.schedule.fold_bias and not _is_pointwise(word, k))
    y = w.buffer(site.node.name, (word.filters, *order))
    y_matrix = w.reshaped(f"{y.name}_matrix", y, (word.filters, y.size // word.filters))
    gather: list[str] = []
    if _is_pointwise(word, k):
        seen = w.reshaped(f"{site.node.name}_columns", x, (cells, x.size // cells))
        top = None
    else:
        name, size = f"{site.node.name}_columns", (cells + m.folded, y.size // word.filters)
        whole = w.scratch(name, size) if site.node.again else w.buffer(name, size, 1)
        top = w.view(f"{site.node.name}_windows", f"{whole.name}[:{cells}]", (cells, whole.shape[1]))
        target = w.reshaped(f"{top.name}_apart", top, (height, width, channels, *order))
        source = _windows(site, x, target.shape, word.stride, word.dilation)
        gather.append(f"np.copyto({target.name}, {source.name})")
        if site.node.again and m.folded:
            gather.append(f"{whole.name}[{cells}].fill(1)")
        w.step += gather
        seen = whole
    across(site, f"{m.weight}.T", seen, y_matrix)
    if m.bias is not None:
        flat_bias = f"{m.bias}"
        w.do(f"np.add({y_matrix.name}, {flat_bias}, out={y_matrix.name})")

    def backward(d_y: Ref) -> list[Ref | None]:
        """d_W = columns·d_yᵀ, a folded bias its last row; d_x by whichever of the two ways gathers fewer numbers."""
        d_y = unbroken(site, d_y)
        d_matrix = w.reshaped(f"{d_y.name}_matrix", d_y, y_matrix.shape)
        if site.node.again:
            w.step += gather
        along(site, seen, d_matrix, m.d_weight)
        if m.d_bias is not None:
            w.do(f"np.add.reduce({d_matrix.name}, axis=1, out={m.d_bias})")
        if not site.wanted[0]:
            return [None]
        extents = (rows, columns_)
        around = _around_the_gradient(word, site, extents)
        if around is not None and top is not None:
            return [_by_flipped_windows(site, word, m, d_y, top, around)]
        return [_input_gradient(site, word, m, d_matrix, top, x, extents, order)]

    return y, backward


def _is_pointwise(word: Conv, phases: int) -> bool:
    """A window of one cell sees the image as it lies: no columns are gathered."""
    return word.pair() == (1, 1) and word.stride == 1 and word.pad in (0, "valid", "same") and phases == 1


def _windows(site: KernelContext, x: Ref, shape: tuple[int, ...], stride: int, dilation: int) -> Ref:
    """What each window sees, as a view of the image: (window height, window width, channels, *places, samples)."""
    _, height, width, samples = x.shape
    down, right, plane = width * samples, samples, height * width * samples
    s, d, k = stride, dilation, site.node.phases
    apart = (s * down, s * right) if k > 1 else ()
    steps = (d * down, d * right, plane, *apart, k * s * down, k * s * right, 1)
    return site.writer.windows(f"{site.node.name}_seen", x, shape, steps)


def _around_the_gradient(
    word: Conv, site: KernelContext, extents: tuple[Extent, Extent]
) -> tuple[Extent, Extent] | None:
    """The frame in which the gradient's own windows lie, one place for each pixel of what came in.

    None where the other way is faster, for the columns would be more than those of the way forward, or where there is
    no such frame: strides leave gaps, and padding wider than a window is nobody's place.
    """
    if word.stride > 1 or site.node.phases > 1 or word.filters > site.x.shape[0]:
        return None
    reach = [word.dilation * (cells - 1) for cells in word.pair()]
    rows, columns = (
        Extent(length, far - side.before, far - side.after)
        for length, far, side in zip(site.x.shape[1:3], reach, extents, strict=True)
    )
    return (rows, columns) if min(rows.before, rows.after, columns.before, columns.after) >= 0 else None


def _by_flipped_windows(
    site: KernelContext, word: Conv, m: Matrix, d_y: Ref, top: Ref, extents: tuple[Extent, Extent]
) -> Ref:
    """The gradient of what came in as a convolution of the gradient: d_x[i] = Σ d_y[i + before − u]·w[u].

    Its windows are the layer's, turned by half a circle, channels and filters changed about. Nothing has to be added
    to places that lie scattered. The columns of the way forward leave their memory to it where that is large enough.
    """
    w, (height, width), filters = site.writer, word.pair(), word.filters
    channels, *size, samples = site.x.shape
    frame = padded(site, d_y, *extents, "0")
    weight = f"{m.top}.reshape({height}, {width}, {channels}, {filters})[::-1, ::-1].transpose(0, 1, 3, 2)"
    turned = w.buffer(f"{site.node.name}_turned", (height, width, filters, channels))
    source = w.view(f"{turned.name}_from", weight, turned.shape, solid=False)
    d_x = w.buffer(f"d_{site.node.name}_in", site.x.shape)
    cells, pixels = height * width * filters, d_x.size // channels
    if cells * pixels <= top.size:
        part = f"{top.name}.reshape(-1)[:{cells * pixels}].reshape({cells}, {pixels})"
        columns = w.view(f"d_{site.node.name}_columns", part, (cells, pixels))
    else:
        columns = w.buffer(f"d_{site.node.name}_columns", (cells, pixels))
    target = w.reshaped(f"{columns.name}_apart", columns, (height, width, filters, *size, samples))
    seen = _windows(site, frame, target.shape, 1, word.dilation)
    matrix = w.reshaped(f"{turned.name}_matrix", turned, (cells, channels))
    flat = w.reshaped(f"{d_x.name}_matrix", d_x, (channels, pixels))
    w.do(f"np.copyto({turned.name}, {source.name})")
    w.do(f"np.copyto({target.name}, {seen.name})")
    across(site, f"{matrix.name}.T", columns, flat)
    return d_x


def _input_gradient(
    site: KernelContext,
    word: Conv,
    m: Matrix,
    d_matrix: Ref,
    top: Ref | None,
    x: Ref,
    extents: tuple[Extent, Extent],
    order: tuple[int, ...],
) -> Ref:
    """The gradient of what came in: each window's share added where the window was."""
    w = site.writer
    height, width = word.pair()
    if top is None:
        d_x = w.buffer(f"d_{site.node.name}_in", x.shape)
        flat = w.reshaped(f"{d_x.name}_matrix", d_x, (x.shape[0], x.size // x.shape[0]))
        across(site, m.top, d_matrix, flat)
        return d_x
    across(site, m.top, d_matrix, top)  # the columns' gradient, in their own memory
    shares = w.reshaped(f"d_{site.node.name}_shares", top, (height, width, x.shape[0], *order))
    d_x = w.buffer(f"d_{site.node.name}_in", x.shape)
    w.do(f"{d_x.name}.fill(0)")
    _, _, image_width, samples = x.shape
    down, right, plane = image_width * samples, samples, x.shape[1] * image_width * samples
    s, d, k = word.stride, word.dilation, site.node.phases
    apart = (s * down, s * right) if k > 1 else ()
    steps = (plane, *apart, k * s * down, k * s * right, 1)
    for u in range(height):
        for v in range(width):
            start = d * (u * down + v * right)
            place = w.windows(f"{d_x.name}_{u}_{v}", d_x, (x.shape[0], *order), steps, start)
            share = w.view(f"{shares.name}_{u}_{v}", f"{shares.name}[{u}, {v}]", place.shape)
            w.do(f"np.add({place.name}, {share.name}, out={place.name})")
    return unpadded(site, d_x, site.x, extents)


def padded(site: KernelContext, x: Ref, rows: Extent, columns: Extent, value: str) -> Ref:
    """The image in a frame of the value; the frame is written once, the image at each step."""
    w = site.writer
    if not (rows.before or rows.after or columns.before or columns.after):
        return x
    channels, height, width, samples = x.shape
    shape = (channels, height + rows.before + rows.after, width + columns.before + columns.after, samples)
    frame = w.buffer(f"{site.node.name}_padded", shape, 0)
    if value != "0":
        w.setup.append(f"{frame.name}.fill({value})")
    inside = _inside(site, frame, x, (rows, columns))
    w.do(f"np.copyto({inside.name}, {x.name})")
    return frame


def unpadded(site: KernelContext, d_frame: Ref, x: Ref, extents: tuple[Extent, Extent]) -> Ref:
    """The part of a framed gradient that belongs to the image."""
    return d_frame if d_frame.shape == x.shape else _inside(site, d_frame, x, extents)


def _inside(site: KernelContext, frame: Ref, x: Ref, extents: tuple[Extent, Extent]) -> Ref:
    rows, columns = extents
    down = f"{rows.before}:{rows.before + x.shape[1]}"
    right = f"{columns.before}:{columns.before + x.shape[2]}"
    return site.writer.view(f"{frame.name}_inside", f"{frame.name}[:, {down}, {right}]", x.shape, solid=False)
