"""How a program's arrays hold samples: images as (channels, height, width, samples), sequences as (time, samples,
features), everything else with the samples last."""

from nnspec.runtime.compiler.program.operands import Operand
from nnspec.spec_lang.vocabulary.shape import Shape


def laid_out(shape: Shape, samples: int) -> tuple[int, ...]:
    """Return the shape of the array that holds samples of this shape; that of single numbers has one row.

    The samples of sequences are between time and features: a step of all samples is a matrix, and so are all steps.
    """
    image = shape.as_image()
    if image is not None:
        return (image[2], image[0], image[1], samples)
    if is_steps(shape):
        return (shape[0], samples, shape[1])
    return (*shape, samples) if shape else (1, samples)


def as_laid(samples: Operand, shape: Shape) -> Operand:
    """Return an array (samples, *shape) in the layout of `laid_out`, a view."""
    if shape.as_image() is not None:
        return (samples if len(shape) == 3 else samples[..., None]).transpose(3, 1, 2, 0)
    if is_steps(shape):
        return samples.transpose(1, 0, 2)
    return samples.transpose(*range(1, len(shape) + 1), 0) if shape else samples[None]


def as_samples(laid: Operand, shape: Shape) -> Operand:
    """Return an array in the layout of `laid_out` as (samples, *shape), a view."""
    if shape.as_image() is not None:
        samples = laid.transpose(3, 1, 2, 0)
        return samples if len(shape) == 3 else samples[..., 0]
    if is_steps(shape):
        return laid.transpose(1, 0, 2)
    return laid.transpose(len(shape), *range(len(shape))) if shape else laid[0]


def is_steps(shape: Shape) -> bool:
    """Return whether samples of this shape are sequences of rows, (time, features)."""
    return shape.sequence and len(shape) == 2
