"""The shapes in which a caller may give samples. One rule, for training, prediction, evaluation and gradients."""

import math
from typing import Any

from numpy.typing import ArrayLike, NDArray

from nnspec.runtime.data.samples import rectangular
from nnspec.runtime.errors import DataError
from nnspec.spec_lang.vocabulary.shape import same_meaning


def as_samples(inputs: ArrayLike, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return samples as an array (batch, *shape), a view where the memory allows.

    Besides (batch, *shape) these mean the same and are taken:

    - axes of length 1 at the end of a sample, missing or added: (batch, 28, 28) for 28x28x1, (batch,) for one feature
    - an image of one channel as a row, and a row as such an image: (batch, 784) for 28x28x1, (batch, 28, 28) for 784
    - one sample without the batch, in its own shape or with fewer axes: (28, 28) for 28x28x1 is a batch of one

    A row of several channels is an error, because others order it otherwise; so are channels before rows and columns.
    The message has the call that converts it. Raises DataError for these, and for samples that are not numbers.
    """
    batch = rectangular(inputs, "samples")
    if batch.dtype.kind not in "buif":
        raise DataError(f"samples must be numbers, and these are {batch.dtype}")
    if batch.ndim and batch.shape[1:] == shape:
        return batch
    if batch.ndim and same_meaning(batch.shape[1:], shape):
        return batch.reshape(len(batch), *shape)
    fewer_axes = batch.ndim < len(shape) and batch.shape[-1:] != (1,)
    if batch.shape == shape or (fewer_axes and same_meaning(batch.shape, shape)):
        return batch.reshape(1, *shape)
    raise DataError(_misfit(batch.shape, shape))


def _misfit(given: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """Return what is wrong with samples of a shape, batch included, and the call that converts them if there is one."""
    wanted, sizes = _by(shape), ", ".join(map(str, shape))
    message = f"samples of {_by(given[1:])} were given, and the network takes {wanted}"
    if not given:
        return f"a single number was given, and the network takes samples of {wanted}"
    if len(shape) == 3 and given[1:] == (shape[2], *shape[:2]):
        return f"{message}: channels come last, write x.transpose(0, 2, 3, 1)"
    if len(shape) == 3 and given == (shape[2], *shape[:2]):
        return f"one sample of {_by(given)} was given, and the network takes {wanted}: write x.transpose(1, 2, 0)[None]"
    if len(given) == 2 and len(shape) == 1:
        return f"samples of {given[1]} features were given, and the network takes {wanted}"
    if len(given) == 2 and given[1] == math.prod(shape):
        other = ""
        if len(shape) == 3:
            other = (
                f", or x.reshape(-1, {shape[2]}, {shape[0]}, {shape[1]}).transpose(0, 2, 3, 1) for channel by channel"
            )
        return f"{message}: write x.reshape(-1, {sizes}){other}"
    return message


def _by(sizes: tuple[int, ...]) -> str:
    return "x".join(map(str, sizes)) if sizes else "1"
