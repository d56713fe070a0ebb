"""Convolutions of each channel by itself: whole planes multiplied and added, for each cell of a window."""

from dataclasses import dataclass

from nnspec.runtime.compiler.kernels import KernelContext, Written, contiguous, kernel
from nnspec.runtime.compiler.kernels._frames import padded, unpadded
from nnspec.runtime.compiler.kernels._products import accumulate_outer, matmul_by_columns
from nnspec.runtime.compiler.program.operands import Ref, View
from nnspec.spec_lang.vocabulary.layers.conv import Convolution, Depthwise, Separable
from nnspec.spec_lang.vocabulary.spatial import Extent


@dataclass(frozen=True)
class _Planes:
    """The multiplications of a depthwise convolution over images (channels, rows, columns, samples).

    `taps` are what each cell of the windows sees, (channels, 1, rows', columns', samples), and its weights (channels,
    multiplier, 1, 1, 1) with where their gradients are.
    """

    context: KernelContext
    frame: Ref
    extents: tuple[Extent, Extent]
    taps: list[tuple[tuple[slice, slice], View, View]]
    shape: tuple[int, ...]  # (channels, multiplier, rows', columns', samples)

    @classmethod
    def of(cls, word: Depthwise, context: KernelContext, weight: str) -> "_Planes":
        shape = context.node.input_shapes[0]
        rows, columns = word.extents(shape)
        x = padded(context, context.x, (rows, columns))
        channels, samples = x.shape[0], x.shape[-1]
        value, gradient = context.parameter(weight)  # (height, width, 1, channels · multiplier)
        (s, t), (d, e), (height, width) = word.strides(), word.dilations(), word.pair()
        cells = (channels, word.multiplier)
        taps = [
            (
                (
                    slice(u * d, u * d + s * (rows.places - 1) + 1, s),
                    slice(v * e, v * e + t * (columns.places - 1) + 1, t),
                ),
                value[u, v, 0].reshape(*cells, 1, 1, 1),
                gradient[u, v, 0].reshape(*cells),
            )
            for u in range(height)
            for v in range(width)
        ]
        return cls(context, x, (rows, columns), taps, (*cells, rows.places, columns.places, samples))

    def _seen(self, of: Ref, places: tuple[slice, slice]) -> View:
        return of[(slice(None), None, *places)]

    def forward(self, y: Ref) -> None:
        """y = Σ x · w over the cells of a window; y is (channels · multiplier, rows', columns', samples)."""
        w = self.context.writer
        apart = w.reshaped(f"{y}_by_channel", y, self.shape)
        product = w.buffer(f"{self.context.node.name}_product", self.shape) if len(self.taps) > 1 else apart
        for number, (places, weight, _) in enumerate(self.taps):
            w.multiply(self._seen(self.frame, places), weight, out=product if number else apart)
            if number:
                w.add(apart, product, out=apart)

    def backward(self, d_y: Ref) -> Ref | None:
        """Write the gradients of the weights; return that of the images, None where it is not needed."""
        w, name = self.context.writer, self.context.node.name
        d_apart = w.reshaped(f"{d_y}_by_channel", d_y, self.shape)
        for places, _, gradient in self.taps:
            w.einsum("cmijn,cijn->cm", d_apart, self.frame[(slice(None), *places)], out=gradient)
        if not self.context.needs_gradient[0]:
            return None
        d_x = w.buffer(f"d_{name}_in", self.frame.shape)
        w.fill(d_x, 0)
        product = w.buffer(f"d_{name}_product", self.shape)
        many = self.shape[1] > 1
        total = w.buffer(f"d_{name}_total", (self.shape[0], *self.shape[2:])) if many else product[:, 0]
        for places, weight, _ in self.taps:
            w.multiply(d_apart, weight, out=product)
            if many:
                w.sum(product, axis=1, out=total)
            place = d_x[(slice(None), *places)]
            w.add(place, total, out=place)
        return unpadded(self.context, d_x, self.context.x, self.extents)


def _planned(word: Convolution, context: KernelContext) -> bool:
    """Return whether the samples are laid out as images."""
    return word.along_time(context.node.input_shapes[0]) is None and len(context.x.shape) == 4


@kernel(Depthwise)
def depthwise(word: Depthwise, context: KernelContext) -> Written | None:
    """y = Σ x · w + b by channel. Over time it takes the plain form."""
    if not _planned(word, context):
        return None
    w, name = context.writer, context.node.name
    planes, y = _Planes.of(word, context, "weight"), context.output()
    planes.forward(y)
    if word.bias:
        w.add(y, w.view(f"{name}_bias", context.parameter("bias")[0][:, None, None, None]), out=y)

    def backward(d_y: Ref) -> list[Ref | None]:
        d_y = contiguous(context, d_y)
        if word.bias:
            w.sum(d_y, axis=(1, 2, 3), out=w.view(f"d_{name}_bias", context.parameter("bias")[1]))
        return [planes.backward(d_y)]

    return y, backward


@kernel(Separable)
def separable(word: Separable, context: KernelContext) -> Written | None:
    """y = Wᵀ · (Σ x · w) + b: the products of the planes, and one matrix product over all positions."""
    if not _planned(word, context):
        return None
    w, name = context.writer, context.node.name
    planes, y = _Planes.of(word.depthwise(), context, "depthwise_weight"), context.output()
    channels = planes.shape[0] * planes.shape[1]
    positions = y.size // word.filters
    middle = w.buffer(f"{name}_middle", (channels, *y.shape[1:]))
    planes.forward(middle)
    middle_matrix = w.reshaped(f"{middle}_matrix", middle, (channels, positions))
    y_matrix = w.reshaped(f"{y}_matrix", y, (word.filters, positions))
    value, gradient = context.parameter("pointwise_weight")  # (channels, filters)
    weight = w.view(f"{name}_pointwise", value)
    matmul_by_columns(w, weight.T, middle_matrix, out=y_matrix)
    if word.bias:
        w.add(y_matrix, w.view(f"{name}_bias", context.parameter("bias")[0][:, None]), out=y_matrix)

    def backward(d_y: Ref) -> list[Ref | None]:
        d_y = contiguous(context, d_y)
        d_matrix = w.reshaped(f"{d_y}_matrix", d_y, y_matrix.shape)
        accumulate_outer(w, middle_matrix, d_matrix, out=w.view(f"d_{name}_pointwise", gradient))
        if word.bias:
            w.sum(d_matrix, axis=1, out=w.view(f"d_{name}_bias", context.parameter("bias")[1]))
        d_middle = w.buffer(f"d_{name}_middle", middle.shape)
        matmul_by_columns(w, weight, d_matrix, out=w.reshaped(f"{d_middle}_matrix", d_middle, middle_matrix.shape))
        return [planes.backward(d_middle)]

    return y, backward
