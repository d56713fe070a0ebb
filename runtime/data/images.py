"""Pictures as a network wants them: its size, its channels, its range of numbers."""

import struct
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.files import open_for_reading
from nnspec.runtime.data.preprocessing import Preprocessing
from nnspec.runtime.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "BMP")
_MODES = {1: "L", 3: "RGB"}


def read_picture(path: Path, preprocessing: Preprocessing, invert: bool = False) -> NDArray[Any]:
    """A PNG, JPEG or BMP of any size as one raw sample (height, width, channels), or (height, width).

    It is made grey or RGB as the network has one channel or three, laid onto white where it is transparent, and resized
    to the network's size: averaged over areas where it becomes smaller, interpolated where it becomes larger; another
    aspect ratio is stretched. `invert` swaps light and dark, for a network that knows light ink on a dark ground.
    Its numbers are bytes, or 0 to 1 where that is the range that the network was trained on.
    Raises DataError where the network takes no pictures, or the file is none that can be read.
    """
    height, width, mode = _wanted(path, preprocessing)
    pixels = np.asarray(_resized(_flat(_open(path), mode), width, height))  # (height, width) or (height, width, 3)
    pixels = (255 - pixels if invert else pixels).reshape(preprocessing.input_shape)
    low, high = preprocessing.limits
    if low < 0:
        raise DataError(
            f"{path}: the network was trained on numbers from {low:g} to {high:g}, and how a picture's 0 to 255 become "
            "those is not known; give the samples as .npy"
        )
    return pixels if high > 1 else pixels.astype(np.float32) / np.float32(255)


def write_picture(path: Path, sample: NDArray[Any], preprocessing: Preprocessing) -> None:
    """Write a raw sample as the PNG that `read_picture` reads back, to the nearest 255th where its numbers are floats.

    Raises DataError where the network takes no pictures, OSError where the file cannot be written.
    """
    from PIL import Image

    height, width, mode = _wanted(path, preprocessing)
    low, high = preprocessing.limits
    if low < 0 or high > 255:
        raise DataError(f"{path}: numbers from {low:g} to {high:g} make no picture")
    pixels = np.clip(np.rint(sample * (1 if high > 1 else 255)), 0, 255).astype(np.uint8)
    shape = (height, width) if mode == "L" else (height, width, 3)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.reshape(shape)).save(path, format="PNG")


def _wanted(path: Path, preprocessing: Preprocessing) -> tuple[int, int, str]:
    shape = preprocessing.input_shape
    channels = shape[2] if len(shape) == 3 else 1
    if len(shape) not in (2, 3) or channels not in _MODES:
        by = "x".join(map(str, shape))
        raise DataError(f"{path} is a picture, and the network takes samples of {by}: give them as .npy or .csv")
    return shape[0], shape[1], _MODES[channels]


def _open(path: Path) -> "Image":
    """The first frame of a picture, decoded, the way up that its camera says."""
    from PIL import Image, ImageOps

    with open_for_reading(path) as file:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                image = Image.open(file, formats=FORMATS)
            image.load()
            return ImageOps.exif_transpose(image)
        except (Image.DecompressionBombWarning, Image.DecompressionBombError):
            raise DataError(f"{path} is too large a picture: {Image.MAX_IMAGE_PIXELS:,} pixels are the most") from None
        except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
            raise DataError(f"{path} cannot be read as a picture: it is damaged or cut off ({error})") from None


def _flat(image: "Image", mode: str) -> "Image":
    """Grey or RGB bytes, what is transparent laid onto white."""
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits a pixel, which Pillow would clip
        image = Image.fromarray((np.asarray(image, np.float64) / 257).round().astype(np.uint8))
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert(mode)


def _resized(image: "Image", width: int, height: int) -> "Image":
    from PIL.Image import Resampling

    if image.size == (width, height):
        return image
    smaller = image.width >= width and image.height >= height
    return image.resize((width, height), Resampling.BOX if smaller else Resampling.BILINEAR)
