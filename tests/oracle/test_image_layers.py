"""Image layers, and normalizations over positions, against PyTorch: outputs and all gradients, on random shapes."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from torch.nn import functional

from nnspec.runtime.layers import Mode
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.layers.activation import Prelu
from nnspec.spec_lang.vocabulary.layers.conv import Depthwise, Separable
from nnspec.spec_lang.vocabulary.layers.framing import Crop, PadLayer
from nnspec.spec_lang.vocabulary.layers.normalization import GroupNorm, InstanceNorm
from nnspec.spec_lang.vocabulary.layers.reshape import Permute
from nnspec.spec_lang.vocabulary.layers.upsampling import Transposed, Upsample
from nnspec.spec_lang.vocabulary.shape import Shape
from tests.oracle.test_layers import Answer, Tensors, channels_first, channels_last, check_agrees, padded
from tests.support.strategies import Case, batches, distinct, fits, paddings, seeds, steps

many = settings(max_examples=60, deadline=None)
IMAGES = st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 4)).map(Shape)
SEQUENCES = st.tuples(st.integers(1, 8), st.integers(1, 4)).map(lambda sizes: Shape(sizes, sequence=True))


def agree(word: Layer, shape: Shape, seed: int, batch: int, answer: Answer) -> None:
    if not fits(word, shape):
        reject()
    random = np.random.default_rng(seed)
    arrays = Case("", word, shape).arrays(random)
    check_agrees(word, shape, distinct(random, (batch, *shape)), arrays, answer, Mode())


@many
@given(
    shape=IMAGES | SEQUENCES, mode=st.sampled_from(["nearest", "bilinear"]), corners=st.booleans(),
    factors=st.tuples(st.integers(1, 3), st.integers(1, 3)), batch=batches, seed=seeds,
)  # fmt: skip
def test_upsampling_is_pytorchs(
    shape: Shape, mode: Any, corners: bool, factors: tuple[int, int], batch: int, seed: int
) -> None:
    options: dict[str, Any] = {"align_corners": corners} if mode == "bilinear" else {}
    word = Upsample(factor=factors[:1] if shape.sequence else factors, mode=mode, **options)

    def answer(x: torch.Tensor, _: Tensors) -> torch.Tensor:
        if shape.sequence:
            named = "linear" if mode == "bilinear" else mode
            y = functional.interpolate(x.transpose(1, 2), scale_factor=factors[0], mode=named, **options)
            return y.transpose(1, 2)
        return channels_last(functional.interpolate(channels_first(x), scale_factor=factors, mode=mode, **options))

    agree(word, shape, seed, batch, answer)


@st.composite
def transposed_convolutions(draw: st.DrawFn) -> tuple[Transposed, Shape]:
    """A transposed convolution whose padding PyTorch has too: the same before and after."""
    groups = draw(st.integers(1, 3))
    shape = Shape((draw(st.integers(1, 5)), draw(st.integers(1, 5)), groups * draw(st.integers(1, 2))))
    cells = st.integers(0, 2)
    word = Transposed(
        window=(draw(st.integers(1, 4)), draw(st.integers(1, 4))),
        filters=groups * draw(st.integers(1, 2)),
        stride=draw(steps(st.integers(1, 3))),
        pad=draw(st.just("valid") | cells | st.tuples(cells, cells)),
        dilation=draw(steps(st.integers(1, 2))),
        output_pad=draw(cells | st.tuples(cells, cells)),
        groups=groups,
        bias=draw(st.booleans()),
    )
    assume(fits(word, shape))
    return word, shape


@many
@given(made=transposed_convolutions(), batch=batches, seed=seeds)
def test_transposed_convolutions_are_pytorchs(made: tuple[Transposed, Shape], batch: int, seed: int) -> None:
    word, shape = made

    def answer(x: torch.Tensor, arrays: Tensors) -> torch.Tensor:
        weight = arrays["weight"].permute(2, 3, 0, 1).contiguous()
        options: dict[str, Any] = {"stride": word.stride, "dilation": word.dilation, "groups": word.groups}
        options |= {"padding": 0 if word.pad == "valid" else word.pad, "output_padding": word.output_pad}
        return channels_last(functional.conv_transpose2d(channels_first(x), weight, arrays.get("bias"), **options))

    agree(word, shape, seed, batch, answer)


@pytest.mark.parametrize("pad", ["valid", 1, (2, 0)])
@pytest.mark.parametrize(("window", "stride", "dilation", "groups"), [(3, 1, 1, 1), (4, 2, 1, 2), (3, 3, 2, 2)])
def test_a_transposed_convolution_over_time_is_pytorchs_in_one_dimension(
    pad: Any, window: int, stride: int, dilation: int, groups: int
) -> None:
    shape = Shape((5, 4), sequence=True)
    word = Transposed(window=(window,), filters=6, pad=pad, stride=stride, dilation=dilation, groups=groups)
    before, after = pad if isinstance(pad, tuple) else (0, 0) if pad == "valid" else (pad, pad)

    def answer(x: torch.Tensor, arrays: Tensors) -> torch.Tensor:
        weight = arrays["weight"].permute(1, 2, 0).contiguous()
        options = {"stride": stride, "dilation": dilation, "groups": groups}
        whole = functional.conv_transpose1d(x.transpose(1, 2), weight, arrays["bias"], **options)
        return whole[..., before : whole.shape[2] - after].transpose(1, 2)

    agree(word, shape, 1, 2, answer)


@pytest.mark.parametrize(("window", "stride"), [(2, 2), (3, 2), (4, 2), (3, 1), (2, 3), (5, 3)])
def test_padding_same_of_a_transposed_convolution_is_the_gradient_of_one_with_padding_same(
    window: int, stride: int
) -> None:
    shape = Shape((3, 4, 2))
    word = Transposed(window=(window, window), filters=3, stride=stride, pad="same", bias=False)
    total = max(window - stride, 0)
    around = (total // 2, total - total // 2)

    def answer(x: torch.Tensor, arrays: Tensors) -> torch.Tensor:
        """The gradient of the convolution of an image `stride` times as large, padded as Keras pads it."""
        larger = torch.zeros(len(x), 3, 3 * stride, 4 * stride, dtype=x.dtype, requires_grad=True)
        weight = arrays["weight"].permute(2, 3, 0, 1)
        y = functional.conv2d(functional.pad(larger, (*around, *around)), weight, stride=stride)
        (gradient,) = torch.autograd.grad(y, larger, channels_first(x), create_graph=True)
        return channels_last(gradient)

    assert word.output_shape(shape) == (3 * stride, 4 * stride, 3)
    agree(word, shape, 1, 2, answer)


@many
@given(
    shape=IMAGES, multiplier=st.integers(1, 3), window=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=steps(st.integers(1, 2)), dilation=steps(st.integers(1, 2)), pad=paddings(2), filters=st.integers(1, 3),
    bias=st.booleans(), batch=batches, seed=seeds,
)  # fmt: skip
def test_depthwise_and_separable_convolutions_are_pytorchs_in_groups(
    shape: Shape, filters: int, bias: bool, batch: int, seed: int, **options: Any
) -> None:
    depthwise = Depthwise(bias=bias, **options)
    separable = Separable(filters=filters, bias=bias, **options)
    assume(fits(depthwise, shape))

    def first(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        image, kernel = padded(depthwise, x, shape, 0), weight.permute(3, 2, 0, 1).contiguous()
        own = {"stride": depthwise.strides(), "dilation": depthwise.dilations(), "groups": shape[2]}
        return channels_last(functional.conv2d(image, kernel, bias, **own))

    agree(depthwise, shape, seed, batch, lambda x, arrays: first(x, arrays["weight"], arrays.get("bias")))

    def both(x: torch.Tensor, arrays: Tensors) -> torch.Tensor:
        middle = first(x, arrays["depthwise_weight"], None)
        return functional.linear(middle, arrays["pointwise_weight"].T, arrays.get("bias"))

    agree(separable, shape, seed, batch, both)


@many
@given(
    shape=IMAGES, cells=st.tuples(*[st.integers(0, 3)] * 4), mode=st.sampled_from(["zeros", "reflect", "edge"]),
    batch=batches, seed=seeds,
)  # fmt: skip
def test_padding_is_pytorchs_of_each_mode(
    shape: Shape, cells: tuple[int, int, int, int], mode: Any, batch: int, seed: int
) -> None:
    named = {"zeros": "constant", "reflect": "reflect", "edge": "replicate"}[mode]
    top, bottom, left, right = cells

    def answer(x: torch.Tensor, _: Tensors) -> torch.Tensor:
        return channels_last(functional.pad(channels_first(x), (left, right, top, bottom), mode=named))

    agree(PadLayer(cells=cells, mode=mode), shape, seed, batch, answer)


@many
@given(shape=IMAGES, cells=st.tuples(*[st.integers(0, 3)] * 4), batch=batches, seed=seeds)
def test_cropping_is_negative_padding(shape: Shape, cells: tuple[int, int, int, int], batch: int, seed: int) -> None:
    top, bottom, left, right = (-n for n in cells)

    def answer(x: torch.Tensor, _: Tensors) -> torch.Tensor:
        return channels_last(functional.pad(channels_first(x), (left, right, top, bottom)))

    agree(Crop(cells=cells), shape, seed, batch, answer)


@many
@given(shape=IMAGES, order=st.permutations([1, 2, 3]), batch=batches, seed=seeds)
def test_permuting_is_pytorchs(shape: Shape, order: list[int], batch: int, seed: int) -> None:
    agree(Permute(order=tuple(order)), shape, seed, batch, lambda x, _: x.permute(0, *order))


def first_channels(x: torch.Tensor) -> torch.Tensor:
    return x.movedim(-1, 1)


@many
@given(
    shape=IMAGES | SEQUENCES | st.tuples(st.integers(2, 6)).map(Shape), groups=st.integers(1, 3), batch=batches,
    eps=st.sampled_from([1e-5, 0.1]), seed=seeds,
)  # fmt: skip
def test_groupnorms_are_pytorchs(shape: Shape, groups: int, eps: float, batch: int, seed: int) -> None:
    def answer(x: torch.Tensor, arrays: Tensors) -> torch.Tensor:
        y = functional.group_norm(first_channels(x), groups, arrays["weight"], arrays["bias"], eps)
        return y.movedim(1, -1)

    agree(GroupNorm(groups=groups, eps=eps), shape, seed, batch, answer)


@many
@given(shape=IMAGES | SEQUENCES, learned=st.booleans(), batch=batches, eps=st.sampled_from([1e-5, 0.1]), seed=seeds)
def test_instancenorms_are_pytorchs(shape: Shape, learned: bool, eps: float, batch: int, seed: int) -> None:
    def answer(x: torch.Tensor, arrays: Tensors) -> torch.Tensor:
        y = functional.instance_norm(first_channels(x), None, None, arrays.get("weight"), arrays.get("bias"), eps=eps)
        y.register_hook(lambda d_y: d_y.contiguous())  # PyTorch 2.13 gives wrong gradients for other strides
        return y.movedim(1, -1)

    agree(InstanceNorm(learned=learned, eps=eps), shape, seed, batch, answer)


@many
@given(
    shape=IMAGES | SEQUENCES | st.tuples(st.integers(1, 6)).map(Shape), shared=st.booleans(), batch=batches, seed=seeds
)
def test_prelus_are_pytorchs(shape: Shape, shared: bool, batch: int, seed: int) -> None:
    def answer(x: torch.Tensor, arrays: Tensors) -> torch.Tensor:
        return functional.prelu(first_channels(x), arrays["weight"]).movedim(1, -1)

    agree(Prelu(shared=shared), shape, seed, batch, answer)


def test_the_defaults_are_pytorchs() -> None:
    assert GroupNorm(groups=2).eps == torch.nn.GroupNorm(2, 4).eps
    assert InstanceNorm().eps == torch.nn.InstanceNorm2d(4).eps
    assert InstanceNorm().learned == torch.nn.InstanceNorm2d(4).affine
    assert torch.nn.PReLU().weight.tolist() == [Prelu().parameters(Shape((3,)))["weight"].value]
