"""The augmentations that move pixels: for each image the matrix from a place in the new image to one in the old."""

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.data.augmentation import Images, changes_place
from nnspec.spec_lang.vocabulary.augment import Flip, Rotate, Shift, Zoom


@changes_place(Shift)
def shift(word: Shift, images: Images, drawn: Array) -> Array:
    """Move by `pixels` times the two numbers, down and to the right."""
    matrices = identities(len(drawn))
    matrices[:, :2, 2] = -word.pixels * drawn
    return matrices


@changes_place(Rotate)
def rotate(word: Rotate, images: Images, drawn: Array) -> Array:
    """Rotate about the centre by `degrees` times the number."""
    angle = np.deg2rad(word.degrees) * drawn[:, 0]
    matrices = identities(len(drawn))
    matrices[:, 0, 0] = matrices[:, 1, 1] = np.cos(angle)
    matrices[:, 0, 1] = np.sin(angle)
    matrices[:, 1, 0] = -matrices[:, 0, 1]
    return matrices


@changes_place(Zoom)
def zoom(word: Zoom, images: Images, drawn: Array) -> Array:
    """Scale about the centre by 1 + `share` times the number."""
    matrices = identities(len(drawn))
    matrices[:, 0, 0] = matrices[:, 1, 1] = 1 / (1 + word.share * drawn[:, 0])
    return matrices


@changes_place(Flip)
def flip(word: Flip, images: Images, drawn: Array) -> Array:
    """Mirror the rows where the first number is below 0, the columns where the second one is."""
    matrices = identities(len(drawn))
    if word.axis in ("vertical", "both"):
        matrices[:, 0, 0] = np.where(drawn[:, 0] < 0, -1, 1)
    if word.axis in ("horizontal", "both"):
        matrices[:, 1, 1] = np.where(drawn[:, 1] < 0, -1, 1)
    return matrices


def identities(samples: int) -> Array:
    """Return matrices that change nothing, (samples, 3, 3)."""
    return np.tile(np.eye(3), (samples, 1, 1))
