"""Decoding pictures: any format, size and kind of pixel becomes grey or RGB bytes of one size.

images.py uses it for pictures to predict, image_folder.py for those to train on.
"""

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.files import Received, looks_like, open_for_reading
from nnspec.runtime.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

Fit = Literal["crop", "pad", "stretch"]

FORMATS = {
    "a PNG picture": "PNG",
    "a JPEG picture": "JPEG",
    "a BMP picture": "BMP",
    "a GIF picture": "GIF",
    "a TIFF picture": "TIFF",
    "a WebP picture": "WEBP",
    "a PNM picture": "PPM",
}
"""The formats that are read, by what `looks_like` calls them."""

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
"""The endings of names of files that are taken for pictures, whatever they hold."""

_THREADS = 4
_AT_ONCE = 256  # pictures that are waiting to be decoded

_MODES = {1: "L", 3: "RGB"}


def decode(path: Path | Received, shape: tuple[int, int, int], fit: Fit | None) -> NDArray[np.uint8]:
    """Return a picture as bytes (height, width, channels) of this shape, of 1 or 3 channels.

    The picture is turned as its EXIF orientation says; the first frame or page counts; transparent pixels are blended
    onto white; 16 bits become 8. `crop` keeps the middle at the wanted aspect ratio, `pad` shows all of it between
    black bars, `stretch` changes the aspect ratio; each is resized with an antialiasing triangle filter. None stretches
    as files of version 0.1 do: averaged over areas where it shrinks, interpolated where it grows.
    Raises DataError, which names the file, where it cannot be read as a picture.
    """
    with _quiet():
        return _decoded(path, shape, fit)


def decode_all(paths: Sequence[Path], shape: tuple[int, int, int], fit: Fit) -> Iterator[NDArray[np.uint8] | DataError]:
    """Yield each picture in the order of the paths, decoded as `decode` does, or the error that it would raise.

    Several threads decode at once. They end with the iterator: a process with other threads starts no worker process.
    """

    def one(path: Path) -> NDArray[np.uint8] | DataError:
        try:
            return _decoded(path, shape, fit)
        except DataError as error:
            return error

    from concurrent.futures import ThreadPoolExecutor

    with _quiet(), ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as threads:
        for start in range(0, len(paths), _AT_ONCE):
            yield from threads.map(one, paths[start : start + _AT_ONCE])


def _decoded(path: Path | Received, shape: tuple[int, int, int], fit: Fit | None) -> NDArray[np.uint8]:
    height, width, channels = shape
    with _opened(path) as image:
        if fit is not None:
            _shrink_while_decoding(image, max(height, width))
        flat = _flat(_turned(image), _MODES[channels])
        resized = _stretched(flat, width, height) if fit is None else _fitted(flat, (width, height), fit)
        return np.asarray(resized).reshape(shape)


def size_of(path: Path) -> tuple[int, int]:
    """Return the height and width of a picture as it is shown, without decoding it. Raises DataError as `decode`."""
    with _quiet(), _opened(path) as image:
        turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)  # the orientations that swap the two
        return image.size if turned else (image.height, image.width)


@contextmanager
def _quiet() -> Iterator[None]:
    """Ignore what Pillow warns of: metadata that are broken, of which nothing is used. For one thread at a time."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _opened(path: Path | Received) -> "Iterator[Image]":
    """Open a picture; whatever is wrong with it inside is a DataError that names the file."""
    from PIL import Image

    with open_for_reading(path) as file:
        head = file.read(512)
        if looks_like(head) not in FORMATS:
            raise DataError(f"{path} cannot be read as a picture: it seems to be {looks_like(head)}")
        file.seek(0)
        try:
            with Image.open(file, formats=tuple(FORMATS.values())) as image:
                most = Image.MAX_IMAGE_PIXELS
                if most is not None and image.width * image.height > most:
                    raise _Unusable(f"it has {image.width * image.height:,} pixels, and may have {most:,} at most")
                yield image
        except _Unusable as error:
            raise DataError(f"{path} cannot be read as a picture: {error}") from None
        except Image.DecompressionBombError:
            most = Image.MAX_IMAGE_PIXELS
            raise DataError(f"{path} cannot be read as a picture: it may have {most:,} pixels at most") from None
        except Exception as error:  # damage may show anywhere in Pillow's decoders, as an error of any type
            raise DataError(f"{path} cannot be read as a picture: it is damaged or cut off ({error})") from None


class _Unusable(Exception):
    """A picture that is whole, of a kind that is not read."""


def _shrink_while_decoding(image: "Image", longest: int) -> None:
    """Let a JPEG be decoded at a half, quarter or eighth, still at least twice as large as it will be."""
    image.draft(None, (2 * longest, 2 * longest))


def _turned(image: "Image") -> "Image":
    from PIL import ImageOps

    image.load()
    return ImageOps.exif_transpose(image)


def _flat(image: "Image", mode: str) -> "Image":
    """Return grey or RGB bytes, with transparent pixels blended onto white."""
    from PIL import Image

    if image.mode == "F":
        raise _Unusable("its pixels are floating-point numbers, and nothing says how they map to 0 to 255")
    if image.mode.startswith("I"):  # 16 bits a pixel, which Pillow would clip
        pixels = np.asarray(image, np.float64)
        if pixels.min() < 0 or pixels.max() > 65535:
            raise _Unusable("its pixels are not numbers of 16 bits")
        image = Image.fromarray((pixels / 257).round().astype(np.uint8))
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert(mode)


def _fitted(image: "Image", size: tuple[int, int], fit: Fit) -> "Image":
    from PIL import ImageOps
    from PIL.Image import Resampling

    if image.size == size:
        return image
    if fit == "stretch":
        return image.resize(size, Resampling.BILINEAR)
    return (ImageOps.fit if fit == "crop" else ImageOps.pad)(image, size, Resampling.BILINEAR)


def _stretched(image: "Image", width: int, height: int) -> "Image":
    from PIL.Image import Resampling

    if image.size == (width, height):
        return image
    smaller = image.width >= width and image.height >= height
    return image.resize((width, height), Resampling.BOX if smaller else Resampling.BILINEAR)


def listed(names: list[Any], most: int = 10) -> str:
    """Return names for a message, at most some of them."""
    return ", ".join(map(str, names[:most])) + (f" and {len(names) - most:,} more" if len(names) > most else "")
