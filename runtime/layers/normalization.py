"""Normalizations."""

from collections.abc import Callable, Mapping

import numpy as np

from nnspec.runtime.arrays import Array, sum_of_places
from nnspec.runtime.layers import Backward, Forward, Mode, implements
from nnspec.spec_lang.vocabulary.layers.normalization import BatchNorm, GroupNorm, InstanceNorm, LayerNorm
from nnspec.spec_lang.vocabulary.shape import Shape


@implements(BatchNorm)
def batchnorm(word: BatchNorm, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y = weight · (x − mean) / √(variance + eps) + bias, for each channel, the last axis (Ioffe & Szegedy 2015).

    Training takes the mean and variance of the batch, over samples and positions, and moves the running averages toward
    them in place by `momentum` of the difference. As in PyTorch, the variance that normalizes is divided by n, the
    running one by n − 1; a single number does not change it. Inference normalizes by the running averages, as
    constants. Padded steps are left out of the mean and the variance.
    """

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        """(batch, …, channels) → the same shape; changes the running averages while training."""
        running_mean, running_var = arrays["running_mean"], arrays["running_var"]
        if not mode.training:
            deviation = np.sqrt(running_var + word.eps)
            return _scaled((x - running_mean) / deviation, lambda d_normal: d_normal / deviation, arrays)

        real = mode.real(shape[0]) if shape.sequence else None
        counts = np.ones((), x.dtype) if real is None else real[..., None].astype(x.dtype)  # 0 where a step is padding
        count = x.size // x.shape[-1] if real is None else max(int(real.sum()), 1)
        mean = sum_of_places(x * counts) / count
        centred = x - mean
        variance = sum_of_places(centred * centred * counts) / count
        running_mean += word.momentum * (mean - running_mean)
        if count > 1:
            running_var += word.momentum * (variance * (count / (count - 1)) - running_var)
        deviation = np.sqrt(variance + word.eps)
        normal = centred / deviation

        def unnormal(d_normal: Array) -> Array:
            """Return the gradient of x; the mean and the variance depend on x too."""
            along_mean, along_normal = sum_of_places(d_normal) / count, sum_of_places(d_normal * normal) / count
            d_x: Array = (d_normal - counts * (along_mean + normal * along_normal)) / deviation
            return d_x

        return _scaled(normal, unnormal, arrays)

    return forward


@implements(GroupNorm)
def groupnorm(word: GroupNorm, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y = weight · (x − mean) / √(variance + eps) + bias, mean and variance of each sample and group of channels, over
    all positions (Wu & He 2018)."""
    return _over_positions(word.groups, word.eps, arrays, learned=True)


@implements(InstanceNorm)
def instancenorm(word: InstanceNorm, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y = (x − mean) / √(variance + eps), mean and variance of each sample and channel over all positions; with
    `learned=yes` times weight + bias (Ulyanov et al. 2016)."""
    return _over_positions(shape[-1], word.eps, arrays, word.learned)


def _over_positions(groups: int, eps: float, arrays: Mapping[str, Array], learned: bool) -> Forward:
    """Return the normalization of groups of channels, the last axis, over all positions of a sample."""

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        apart = x.reshape(len(x), -1, groups, x.shape[-1] // groups)  # (batch, position, group, channels / groups)

        def mean(values: Array) -> Array:
            found: Array = values.mean(axis=(1, 3), keepdims=True)
            return found

        centred = apart - mean(apart)
        deviation = np.sqrt(mean(centred * centred) + eps)
        normal = centred / deviation

        def unnormal(d_normal: Array) -> Array:
            d = d_normal.reshape(apart.shape)
            d_x: Array = (d - mean(d) - normal * mean(d * normal)) / deviation
            return d_x.reshape(x.shape)

        whole = normal.reshape(x.shape)
        return _scaled(whole, unnormal, arrays) if learned else (whole, lambda d_y: (unnormal(d_y), {}))

    return forward


@implements(LayerNorm)
def layernorm(word: LayerNorm, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y = weight · (x − mean) / √(variance + eps) + bias, mean and variance over the last axis (Ba et al. 2016)."""

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        centred = x - _mean(x)
        deviation = np.sqrt(_mean(centred * centred) + word.eps)
        normal = centred / deviation

        def unnormal(d_normal: Array) -> Array:
            d_x: Array = (d_normal - _mean(d_normal) - normal * _mean(d_normal * normal)) / deviation
            return d_x

        return _scaled(normal, unnormal, arrays)

    return forward


def _scaled(normal: Array, unnormal: Callable[[Array], Array], arrays: Mapping[str, Array]) -> tuple[Array, Backward]:
    """Return weight · normal + bias and its backward; `unnormal` maps the gradient of `normal` to that of the input."""
    weight, bias = arrays["weight"], arrays["bias"]

    def backward(d_y: Array) -> tuple[Array, dict[str, Array]]:
        return unnormal(d_y * weight), {"weight": sum_of_places(d_y * normal), "bias": sum_of_places(d_y)}

    return normal * weight + bias, backward


def _mean(x: Array) -> Array:
    """Return the mean over the last axis, which is kept with length 1."""
    mean: Array = x.mean(axis=-1, keepdims=True)
    return mean
