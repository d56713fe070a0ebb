"""Every layer against PyTorch: outputs, the gradient of the input and those of the parameters, on random shapes."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from nnspec.runtime.arrays import Array
from nnspec.runtime.layers import Mode, build
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.layers.activation import Elu, LeakyRelu
from nnspec.spec_lang.vocabulary.layers.conv import Conv
from nnspec.spec_lang.vocabulary.layers.dense import Dense
from nnspec.spec_lang.vocabulary.layers.normalization import BatchNorm, LayerNorm
from nnspec.spec_lang.vocabulary.layers.pool import AvgPool, MaxPool, Pool
from nnspec.spec_lang.vocabulary.registry import words
from nnspec.spec_lang.vocabulary.shape import Shape
from nnspec.spec_lang.vocabulary.spatial import Windowed
from tests.support.strategies import Case, batches, convolutions, distinct, layer, pools, seeds

Tensors = Mapping[str, torch.Tensor]
Answer = Callable[[torch.Tensor, Tensors], torch.Tensor]

PLACES = st.sampled_from([Shape((6,)), Shape((4, 3, 2)), Shape((5, 4), sequence=True)])
many = settings(max_examples=60, deadline=None)


def check_agrees(word: Layer, shape: Shape, x: Array, arrays: dict[str, Array], answer: Answer, mode: Mode) -> None:
    """The layer's output and all its gradients, for a random gradient of the output, are PyTorch's to 10⁻⁸."""
    tensors = {
        name: torch.tensor(array, requires_grad=name in word.parameters(shape)) for name, array in arrays.items()
    }
    x_tensor = torch.tensor(x, requires_grad=True)
    theirs = answer(x_tensor, tensors)
    y, backward = build(word, shape, arrays)(x, mode)
    d_y = np.random.default_rng(len(x)).normal(size=y.shape)
    theirs.backward(torch.tensor(d_y))
    d_x, gradients = backward(d_y)
    close(y, theirs)
    close(d_x, x_tensor.grad)
    assert set(gradients) == set(word.parameters(shape))
    for name, gradient in gradients.items():
        close(gradient, tensors[name].grad)


def close(ours: Array, theirs: torch.Tensor | None) -> None:
    assert theirs is not None
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-8, atol=1e-8)


def channels_first(x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, 3, 1, 2)


def channels_last(y: torch.Tensor) -> torch.Tensor:
    return y.permute(0, 2, 3, 1)


def padded(word: Windowed, x: torch.Tensor, shape: Shape, fill: float) -> torch.Tensor:
    """The image with its padding: PyTorch's own is not for every stride and every side."""
    rows, columns = word.extents(shape)
    around = (columns.before, columns.after, rows.before, rows.after)
    return functional.pad(channels_first(x), around, value=fill)


@many
@given(case=convolutions(), batch=batches, seed=seeds)
def test_convolutions_are_pytorchs(case: Case, batch: int, seed: int) -> None:
    word, shape, random = case.word, case.shape, np.random.default_rng(seed)
    assert isinstance(word, Conv)

    def answer(x: torch.Tensor, arrays: Tensors) -> torch.Tensor:
        image = padded(word, x, shape, 0)
        weight = arrays["weight"].permute(3, 2, 0, 1).contiguous()
        options = {"stride": word.stride, "dilation": word.dilation, "groups": word.groups}
        return channels_last(functional.conv2d(image, weight, arrays.get("bias"), **options))

    check_agrees(word, shape, random.normal(size=(batch, *shape)), case.arrays(random), answer, Mode())


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")
@pytest.mark.parametrize("pad", ["valid", "same", 0, 1, 2])
@pytest.mark.parametrize("window", [(3, 3), (2, 3), (4, 1)])
def test_padding_is_pytorchs_own_of_the_same_name(pad: Any, window: tuple[int, int]) -> None:
    shape, random = Shape((6, 5, 2)), np.random.default_rng(1)
    word = Conv(window=window, filters=3, pad=pad)
    case = Case("", word, shape)

    def answer(x: torch.Tensor, arrays: Tensors) -> torch.Tensor:
        weight = arrays["weight"].permute(3, 2, 0, 1).contiguous()
        return channels_last(functional.conv2d(channels_first(x), weight, arrays["bias"], padding=pad))

    check_agrees(word, shape, random.normal(size=(2, *shape)), case.arrays(random), answer, Mode())


def as_images(word: Pool, shape: Shape, x: torch.Tensor) -> torch.Tensor:
    """Samples as channels first; a sequence is an image one pixel wide."""
    return channels_first(x.reshape(len(x), *word.plane(shape)[0]))


def as_output(word: Pool, shape: Shape, y: torch.Tensor) -> torch.Tensor:
    return channels_last(y).reshape(len(y), *word.output_shape(shape))


def reached(word: Pool, shape: Shape, image: torch.Tensor) -> torch.Tensor:
    """The part of a padded image that the windows reach: there may be more of it after the last."""
    extents, window = word.extents(shape), word.plane(shape)[1]
    tall, wide = (
        (e.places - 1) * stride + reach
        for e, stride, reach in zip(extents, word.strides(), word.reaches(window), strict=True)
    )
    return image[:, :, :tall, :wide]


@pytest.mark.parametrize("pad", ["valid", "same", 2, (4, 0), (0, 3)])
@pytest.mark.parametrize(("window", "stride", "dilation", "groups"), [(3, 1, 1, 1), (4, 2, 1, 2), (3, 1, 2, 2)])
def test_a_convolution_over_time_is_pytorchs_in_one_dimension(
    pad: Any, window: int, stride: int, dilation: int, groups: int
) -> None:
    shape, random = Shape((11, 4), sequence=True), np.random.default_rng(1)
    word = Conv(window=(window,), filters=6, pad=pad, stride=stride, dilation=dilation, groups=groups)
    around = word.extents(shape)[0][1:]

    def answer(x: torch.Tensor, arrays: Tensors) -> torch.Tensor:
        steps = functional.pad(x.transpose(1, 2), around)
        weight = arrays["weight"].permute(2, 1, 0).contiguous()
        options = {"stride": stride, "dilation": dilation, "groups": groups}
        return functional.conv1d(steps, weight, arrays["bias"], **options).transpose(1, 2)

    check_agrees(word, shape, random.normal(size=(2, *shape)), Case("", word, shape).arrays(random), answer, Mode())


@many
@given(case=pools(MaxPool), batch=batches, seed=seeds)
def test_maxpools_are_pytorchs(case: Case, batch: int, seed: int) -> None:
    word, shape, random = case.word, case.shape, np.random.default_rng(seed)
    assert isinstance(word, Pool)

    def answer(x: torch.Tensor, arrays: Tensors) -> torch.Tensor:
        rows, columns = word.extents(shape)
        around = (columns.before, columns.after, rows.before, rows.after)
        image = reached(word, shape, functional.pad(as_images(word, shape, x), around, value=-torch.inf))
        y = functional.max_pool2d(image, word.plane(shape)[1], word.strides(), dilation=word.dilations())
        return as_output(word, shape, y)

    few = random.integers(0, 4, (batch, *shape)).astype(float)  # many equals: the first wins
    for x in (distinct(random, (batch, *shape)), few):
        check_agrees(word, shape, x, {}, answer, Mode())


@many
@given(case=pools(AvgPool), batch=batches, seed=seeds)
def test_avgpools_are_sums_of_pytorchs_windows_over_the_cells_that_count(case: Case, batch: int, seed: int) -> None:
    word, shape, random = case.word, case.shape, np.random.default_rng(seed)
    assert isinstance(word, AvgPool)
    size = word.plane(shape)[1]
    ones = np.ones((1, 1, *size))

    def summed(image: torch.Tensor) -> torch.Tensor:
        kernel = torch.tensor(ones).expand(image.shape[1], 1, *size)
        return functional.conv2d(image, kernel, stride=word.strides(), dilation=word.dilations(), groups=image.shape[1])

    def answer(x: torch.Tensor, arrays: Tensors) -> torch.Tensor:
        rows, columns = word.extents(shape)
        inner = [(after if word.count_include_pad else 0) for _, after in word.padding(shape)]
        before = [(first if word.count_include_pad else 0) for first, _ in word.padding(shape)]
        image = as_images(word, shape, x)
        around = (columns.before, columns.after, rows.before, rows.after)
        counted = functional.pad(torch.ones_like(image), (before[1], inner[1], before[0], inner[0]), value=1)
        missing = (
            columns.before - before[1], columns.after - inner[1], rows.before - before[0], rows.after - inner[0]
        )  # fmt: skip
        cells = summed(reached(word, shape, functional.pad(counted, missing)))
        y = summed(reached(word, shape, functional.pad(image, around))) / cells
        return as_output(word, shape, y)

    check_agrees(word, shape, random.normal(size=(batch, *shape)), {}, answer, Mode())


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize(
    ("window", "stride", "pad"), [(3, 2, 1), (2, 2, 0), (2, 3, 1), (3, 3, 0), (4, 3, 2), (5, 2, 2), (2, 2, 1)]
)
@pytest.mark.parametrize("size", [(6, 5), (7, 8), (11, 4)])
def test_a_pools_own_options_are_pytorchs(
    size: tuple[int, int], window: int, stride: int, pad: int, ceil_mode: bool
) -> None:
    shape, x = Shape((*size, 2)), np.random.default_rng(1).normal(-3, 1, (2, *size, 2))
    given: dict[str, Any] = {"stride": stride, "pad": pad, "ceil_mode": ceil_mode}
    same: dict[str, Any] = {"stride": stride, "padding": pad, "ceil_mode": ceil_mode}

    def largest(x: torch.Tensor, _: Tensors) -> torch.Tensor:
        return channels_last(functional.max_pool2d(channels_first(x), window, **same))

    check_agrees(MaxPool(window=(window,), **given), shape, x, {}, largest, Mode())
    for counts in (True, False):

        def mean(x: torch.Tensor, _: Tensors, counts: bool = counts) -> torch.Tensor:
            y = functional.avg_pool2d(channels_first(x), window, count_include_pad=counts, **same)
            return channels_last(y)

        check_agrees(AvgPool(window=(window,), count_include_pad=counts, **given), shape, x, {}, mean, Mode())


@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize(("window", "stride", "pad"), [(3, 2, 1), (2, 2, 0), (2, 1, 1), (3, 4, 0)])
def test_a_pool_over_time_is_pytorchs_in_one_dimension(
    window: int, stride: int, pad: int, ceil_mode: bool, dilation: int
) -> None:
    shape, x = Shape((12, 3), sequence=True), np.random.default_rng(1).normal(-3, 1, (2, 12, 3))
    same: dict[str, Any] = {"padding": pad, "ceil_mode": ceil_mode}
    word = MaxPool(window=(window,), stride=stride, pad=pad, ceil_mode=ceil_mode, dilation=dilation)

    def largest(x: torch.Tensor, _: Tensors) -> torch.Tensor:
        return functional.max_pool1d(x.transpose(1, 2), window, stride, dilation=dilation, **same).transpose(1, 2)

    check_agrees(word, shape, x, {}, largest, Mode())
    for counts in (True, False):
        mean_word = AvgPool(window=(window,), stride=stride, pad=pad, ceil_mode=ceil_mode, count_include_pad=counts)

        def mean(x: torch.Tensor, _: Tensors, counts: bool = counts) -> torch.Tensor:
            y = functional.avg_pool1d(x.transpose(1, 2), window, stride, count_include_pad=counts, **same)
            return y.transpose(1, 2)

        check_agrees(mean_word, shape, x, {}, mean, Mode())


@many
@given(
    shape=st.sampled_from([Shape((4, 3, 2)), Shape((5, 4), sequence=True), Shape((3, 3))]), batch=batches, seed=seeds
)
def test_global_pools_are_pytorchs_means_and_maxima(shape: Shape, batch: int, seed: int) -> None:
    x = distinct(np.random.default_rng(seed), (batch, *shape))

    def places(x: torch.Tensor) -> torch.Tensor:
        channels = 1 if len(shape) == 2 and not shape.sequence else shape[-1]
        return x.reshape(batch, -1, channels)

    check_agrees(layer("globalavgpool"), shape, x, {}, lambda x, _: places(x).mean(1), Mode())
    check_agrees(layer("globalmaxpool"), shape, x, {}, lambda x, _: places(x).amax(1), Mode())


@many
@given(shape=PLACES, units=st.integers(1, 5), bias=st.booleans(), batch=batches, seed=seeds)
def test_dense_layers_are_pytorchs(shape: Shape, units: int, bias: bool, batch: int, seed: int) -> None:
    word, random = Dense(units=units, bias=bias), np.random.default_rng(seed)

    def answer(x: torch.Tensor, arrays: Tensors) -> torch.Tensor:
        rows = x if shape.sequence else x.flatten(1)
        return functional.linear(rows, arrays["weight"].T, arrays.get("bias"))

    check_agrees(word, shape, random.normal(size=(batch, *shape)), Case("", word, shape).arrays(random), answer, Mode())


@many
@given(
    shape=PLACES,
    momentum=st.sampled_from([0.1, 0.5, 1.0]),
    eps=st.sampled_from([1e-5, 0.1]),
    training=st.booleans(),
    batch=st.integers(2, 4),
    seed=seeds,
)
def test_batchnorms_and_their_running_averages_are_pytorchs(
    shape: Shape, momentum: float, eps: float, training: bool, batch: int, seed: int
) -> None:
    word, random = BatchNorm(momentum=momentum, eps=eps), np.random.default_rng(seed)
    arrays = Case("", word, shape).arrays(random)
    means, variances = torch.tensor(arrays["running_mean"]), torch.tensor(arrays["running_var"])

    def answer(x: torch.Tensor, parameters: Tensors) -> torch.Tensor:
        rows = x.reshape(-1, shape[-1])
        weight, bias = parameters["weight"], parameters["bias"]
        y = functional.batch_norm(rows, means, variances, weight, bias, training, momentum, eps)
        return y.reshape(x.shape)

    x = distinct(random, (batch, *shape)) + random.normal(size=shape[-1])
    check_agrees(word, shape, x, arrays, answer, Mode(training))
    close(arrays["running_mean"], means)
    close(arrays["running_var"], variances)


@many
@given(shape=PLACES, eps=st.sampled_from([1e-5, 0.1]), batch=batches, seed=seeds)
def test_layernorms_are_pytorchs(shape: Shape, eps: float, batch: int, seed: int) -> None:
    word, random = LayerNorm(eps=eps), np.random.default_rng(seed)

    def answer(x: torch.Tensor, arrays: Tensors) -> torch.Tensor:
        return functional.layer_norm(x, shape[-1:], arrays["weight"], arrays["bias"], eps)

    check_agrees(word, shape, distinct(random, (batch, *shape)), Case("", word, shape).arrays(random), answer, Mode())


ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "linear": lambda x: x * 1,
    "relu": torch.relu,
    "leaky_relu": functional.leaky_relu,
    "elu": functional.elu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softplus": functional.softplus,
    "selu": functional.selu,
    "mish": functional.mish,
    "softmax": lambda x: torch.softmax(x, -1),
}


@pytest.mark.parametrize("name", sorted(words("activation")))
@settings(max_examples=20, deadline=None)
@given(shape=PLACES, batch=batches, scale=st.sampled_from([0.1, 1.0, 10.0, 1000.0]), seed=seeds)
def test_activations_are_pytorchs(name: str, shape: Shape, batch: int, scale: float, seed: int) -> None:
    x = np.random.default_rng(seed).normal(0, scale, (batch, *shape))
    x.flat[:2] = 0  # where slopes change
    check_agrees(layer(name), shape, x, {}, lambda x, _: ACTIVATIONS[name](x), Mode())


@settings(max_examples=20, deadline=None)
@given(option=st.floats(0.01, 3), seed=seeds)
def test_the_options_of_activations_are_pytorchs(option: float, seed: int) -> None:
    shape, x = Shape((9,)), np.random.default_rng(seed).normal(size=(2, 9))
    check_agrees(LeakyRelu(slope=option), shape, x, {}, lambda x, _: functional.leaky_relu(x, option), Mode())
    check_agrees(Elu(alpha=option), shape, x, {}, lambda x, _: functional.elu(x, option), Mode())
