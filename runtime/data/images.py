"""Pictures read as samples of a network: its size, its channels, its range of numbers."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.files import Received
from nnspec.runtime.data.fitted.preprocessing import Preprocessing
from nnspec.runtime.data.pictures import decode
from nnspec.runtime.errors import DataError


def read_picture(path: Path | Received, preprocessing: Preprocessing, invert: bool = False) -> NDArray[Any]:
    """Return a picture of any format and size as one raw sample (height, width, channels), or (height, width).

    The picture becomes grey for a network of one channel and RGB for one of three, and is brought to the network's size
    as those of its training were, see `decode`. `invert` swaps light and dark, for a network that was trained on light
    ink on a dark ground. The numbers are bytes, or 0 to 1 if the network was trained on arrays of that range.
    Raises DataError where the network does not take pictures, or the file cannot be read as one.
    """
    pixels: NDArray[Any] = decode(path, _wanted(path, preprocessing), preprocessing.picture_fit)
    pixels = (255 - pixels if invert else pixels).reshape(preprocessing.input_shape)
    if preprocessing.picture_fit is not None:
        return pixels
    low, high = preprocessing.limits
    if low < 0:
        raise DataError(
            f"{path}: the network was trained on numbers from {low:g} to {high:g}, and nothing says how 0 to 255 map "
            "to them; give the samples as .npy"
        )
    return pixels if high > 1 else pixels.astype(np.float32) / np.float32(255)


def takes_pictures(preprocessing: Preprocessing) -> bool:
    """Return whether the samples of a network are grey or RGB images, whatever the range of their numbers."""
    shape = preprocessing.input_shape
    return len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3))


def write_picture(path: Path, sample: NDArray[Any], preprocessing: Preprocessing) -> None:
    """Write a raw sample as a PNG that `read_picture` reads back; floats are rounded to the nearest 255th.

    Raises DataError where the network does not take pictures, OSError where the file cannot be written.
    """
    from PIL import Image

    height, width, channels = _wanted(path, preprocessing)
    low, high = preprocessing.limits
    if low < 0 or high > 255:
        raise DataError(f"{path}: numbers from {low:g} to {high:g} cannot be written as a picture")
    pixels = np.clip(np.rint(sample * (1 if high > 1 else 255)), 0, 255).astype(np.uint8)
    shape = (height, width) if channels == 1 else (height, width, 3)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.reshape(shape)).save(path, format="PNG")


def _wanted(path: Path | Received, preprocessing: Preprocessing) -> tuple[int, int, int]:
    """Return the height, width and channels of the pictures that a network takes."""
    shape = preprocessing.input_shape
    channels = shape[2] if len(shape) == 3 else 1
    if not takes_pictures(preprocessing):
        by = "x".join(map(str, shape))
        raise DataError(f"{path} is a picture, and the network takes samples of {by}; give them as .npy or .csv")
    return shape[0], shape[1], channels
