"""Pictures read as samples of a network: its size, its channels, its range of numbers."""

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
    """Return a PNG, JPEG or BMP of any size as one raw sample (height, width, channels), or (height, width).

    The picture becomes grey for a network of one channel and RGB for one of three. Transparent pixels are blended onto
    white. It is resized to the network's size: averaged over areas where it shrinks, interpolated bilinearly where it
    grows, stretched where the aspect ratio differs. `invert` swaps light and dark, for a network that was trained on
    light ink on a dark ground. The numbers are bytes, or 0 to 1 if the network was trained on that range.
    Raises DataError where the network does not take pictures, or the file cannot be read as one.
    """
    height, width, mode = _wanted(path, preprocessing)
    pixels = np.asarray(_resized(_flat(_open(path), mode), width, height))  # (height, width) or (height, width, 3)
    pixels = (255 - pixels if invert else pixels).reshape(preprocessing.input_shape)
    low, high = preprocessing.limits
    if low < 0:
        raise DataError(
            f"{path}: the network was trained on numbers from {low:g} to {high:g}, and nothing says how 0 to 255 map "
            "to them; give the samples as .npy"
        )
    return pixels if high > 1 else pixels.astype(np.float32) / np.float32(255)


def write_picture(path: Path, sample: NDArray[Any], preprocessing: Preprocessing) -> None:
    """Write a raw sample as a PNG that `read_picture` reads back; floats are rounded to the nearest 255th.

    Raises DataError where the network does not take pictures, OSError where the file cannot be written.
    """
    from PIL import Image

    height, width, mode = _wanted(path, preprocessing)
    low, high = preprocessing.limits
    if low < 0 or high > 255:
        raise DataError(f"{path}: numbers from {low:g} to {high:g} cannot be written as a picture")
    pixels = np.clip(np.rint(sample * (1 if high > 1 else 255)), 0, 255).astype(np.uint8)
    shape = (height, width) if mode == "L" else (height, width, 3)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.reshape(shape)).save(path, format="PNG")


def _wanted(path: Path, preprocessing: Preprocessing) -> tuple[int, int, str]:
    shape = preprocessing.input_shape
    channels = shape[2] if len(shape) == 3 else 1
    if len(shape) not in (2, 3) or channels not in _MODES:
        by = "x".join(map(str, shape))
        raise DataError(f"{path} is a picture, and the network takes samples of {by}; give them as .npy or .csv")
    return shape[0], shape[1], _MODES[channels]


def _open(path: Path) -> "Image":
    """Return the first frame of a picture, decoded, turned as its EXIF orientation says."""
    from PIL import Image, ImageOps

    with open_for_reading(path) as file:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                image = Image.open(file, formats=FORMATS)
            image.load()
            return ImageOps.exif_transpose(image)
        except (Image.DecompressionBombWarning, Image.DecompressionBombError):
            raise DataError(
                f"{path} is too large a picture: it may have {Image.MAX_IMAGE_PIXELS:,} pixels at most"
            ) from None
        except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
            raise DataError(f"{path} cannot be read as a picture: it is damaged or cut off ({error})") from None


def _flat(image: "Image", mode: str) -> "Image":
    """Return grey or RGB bytes, with transparent pixels blended onto white."""
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
