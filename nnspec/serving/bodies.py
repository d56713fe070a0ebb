"""The body of a request as samples: JSON, an array (.npy), a picture, or several pictures as a form."""

import io
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from nnspec.runtime.data.files import Received, looks_like
from nnspec.runtime.data.fitted.measure import first_nonfinite_index
from nnspec.runtime.data.images import read_picture
from nnspec.runtime.data.pictures import FORMATS
from nnspec.runtime.data.sources.npy import read_header
from nnspec.runtime.errors import DataError
from nnspec.serving.forms import files_of
from nnspec.serving.json_samples import samples_of_json
from nnspec.serving.limits import Refusal
from nnspec.serving.served import Served

JSON, NPY, BINARY, FORM = "application/json", "application/x-npy", "application/octet-stream", "multipart/form-data"
PICTURES = ("image/png", "image/jpeg", "image/webp", "image/bmp", "image/gif", "image/tiff")

Samples = tuple[NDArray[Any], list[str]]
"""Raw samples (batch, *shape), and what to warn of."""


def taken(served: Served) -> tuple[str, ...]:
    """Return the types of bodies that a network takes."""
    return (JSON, NPY, BINARY, *((*PICTURES, FORM) if served.pictures else ()))


def media_type(content_type: str) -> str:
    """Return the type in a Content-Type header, without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def reader(served: Served, content_type: str) -> Callable[[bytes], Samples]:
    """Return the function that reads a body of this type. Raises Refusal for a type that is not taken."""
    kind = media_type(content_type)
    if kind == JSON:
        return lambda body: _checked(served, *samples_of_json(served, body))
    if kind in (NPY, BINARY):
        return lambda body: _checked(served, _array(served, body), [])
    if served.pictures and (kind in PICTURES or kind == "image/*"):
        return lambda body: pictures(served, [body])
    if served.pictures and kind == FORM:
        return lambda body: pictures(served, files_of(content_type, body))
    if not kind:
        raise Refusal(415, f"the request has no Content-Type: send one of {', '.join(taken(served))}")
    raise Refusal(415, f"bodies of this Content-Type are not read: send one of {', '.join(taken(served))}")


def pictures(served: Served, contents: list[bytes]) -> Samples:
    """Return pictures as samples. Raises Refusal where one cannot be read."""
    found = []
    for number, content in enumerate(contents):
        name = "the body" if len(contents) == 1 else f"file {number}"
        if looks_like(content[:512]) not in FORMATS:
            raise Refusal(400, f"{name} is not a picture: it seems to be {looks_like(content[:512])}")
        try:
            picture = read_picture(Received(name, content), served.network.preprocessing, served.invert)
        except DataError as error:
            raise Refusal(400, str(error)) from None
        found.append(picture.reshape(served.shape))
    return _checked(served, np.stack(found), [])


def _array(served: Served, body: bytes) -> NDArray[Any]:
    """Return the array of an .npy file as samples. Nothing is unpickled, and no more is allocated than was sent."""
    if not body.startswith(npy_format.MAGIC_PREFIX):
        raise Refusal(400, f"the body is not a NumPy array (.npy): it seems to be {looks_like(body[:512])}")
    start = _head(body)
    shape, fortran, dtype = _header(body[:start])
    if dtype.kind not in "buif":
        raise DataError("samples must be numbers, and these are of another type")
    count = int(np.prod(shape, dtype=object))
    if count * dtype.itemsize != len(body) - start:
        raise Refusal(400, "the body is cut off or has more bytes than its header announces")
    flat = np.frombuffer(body, dtype, count, start)
    array = flat.reshape(shape, order="F" if fortran else "C")
    if not dtype.isnative or dtype.itemsize > 8:
        array = array.astype(np.float64 if dtype.itemsize > 8 else dtype.newbyteorder("="))
    single = array.shape == served.shape or (*array.shape, 1) == served.shape
    return served.network.programs.as_samples(array[None] if single else array).reshape(-1, *served.shape)


def _head(body: bytes) -> int:
    """Return the length of an .npy file's header: what is before the numbers."""
    size = 2 if body[6:7] == b"\x01" else 4  # bytes of the length itself, by the version
    return 8 + size + int.from_bytes(body[8 : 8 + size], "little")


@lru_cache(maxsize=256)  # parsing one takes as long as a small prediction, and few are different
def _header(head: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return the shape, the order and the type that a header announces. Raises Refusal."""
    try:
        return read_header(io.BytesIO(head))
    except Exception:  # a damaged header may fail anywhere in NumPy's parser
        raise Refusal(400, "the body is not a NumPy array (.npy): its header is damaged") from None


def unlike(served: Served, samples: NDArray[Any]) -> list[str]:
    """Return sentences on what is unlike the training data in samples (batch, *shape)."""
    return served.network.preprocessing.unlike(samples, [f"sample {number}" for number in range(len(samples))])


def _checked(served: Served, samples: NDArray[Any], warnings: list[str]) -> Samples:
    """Return samples that the network can compute with. Raises DataError where one is not finite or not a symbol."""
    if not len(samples):
        raise DataError("there are no samples: send at least one")
    if (place := first_nonfinite_index(samples)) is not None:
        raise DataError(f"sample {place[0]} has {samples[place]}: samples must be finite")
    if samples.dtype.itemsize > 4 and (most := float(max(samples.max(), -samples.min()))) > served.largest:
        raise DataError(f"a sample has {most:g}, and the network computes with numbers up to {served.largest:.3g}")
    checked = served.network.programs.as_samples(samples).reshape(samples.shape)
    return checked, warnings
