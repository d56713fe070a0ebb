"""Augmentation: the random changes of training images, each the mirror of its word.

`augmenter.py` has what training uses. A function under `@changes_place` or `@changes_pixels` is one augmentation, and
another one is a function more: no list has to change. This package knows neither networks nor programs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nnspec.runtime.arrays import Array
from nnspec.runtime.registry import Registry

if TYPE_CHECKING:
    import numpy as np

    from nnspec.spec_lang.vocabulary.augment import Geometric, Pixelwise


@dataclass(frozen=True, eq=False)
class Images:
    """What is known of the images: their size, and the numbers in them.

    Arguments:
        height, width, channels: the size of one image.
        zero: what the network sees as 0, (height, width, channels).
        span: the difference of the largest and the smallest number in the training split.
    """

    height: int
    width: int
    channels: int
    zero: Array
    span: float


Place = Callable[[Any, Images, Array], Array]
"""From the word, the images and uniform numbers from −1 to 1, (samples, `numbers`), to matrices (samples, 3, 3).

A matrix maps the place of a pixel in the new image to its place in the old one. Places are (row, column, 1), counted
from the centre of the image.
"""

Pixels = Callable[[Any, Images, Array, "np.random.Generator", Array], None]
"""Changes images (samples, height, width, channels) in place, by the word and the generator of the augmentation.

The last argument is an array like the images, to compute in. Numbers must be drawn sample after sample, so that a batch
draws what its samples would one by one.
"""

PLACES: Registry[Place] = Registry(__name__)
PIXELS: Registry[Pixels] = Registry(__name__)


def changes_place(word: "type[Geometric]") -> Callable[[Place], Place]:
    """Register the decorated function, a `Place`, for a word."""
    return PLACES.implements(word)


def changes_pixels(word: "type[Pixelwise]") -> Callable[[Pixels], Pixels]:
    """Register the decorated function, a `Pixels`, for a word."""
    return PIXELS.implements(word)
