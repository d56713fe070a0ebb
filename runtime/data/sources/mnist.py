"""MNIST (LeCun, Cortes & Burges 1998): 60,000 + 10,000 handwritten digits of 28x28 pixels."""

import hashlib
import os
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.datasets import Dataset, register
from nnspec.runtime.data.files import open_for_reading
from nnspec.runtime.data.load import reads
from nnspec.runtime.data.samples import Samples, numbered_places
from nnspec.runtime.data.sources.idx import read_pair
from nnspec.runtime.errors import DataError
from nnspec.spec_lang.vocabulary import data as words

URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
FILES = {
    "train-images-idx3-ubyte": "0b367032e93c5d0cea0925647cfdb18614af8ee15f83e6f2fc2ad904a6835971",
    "train-labels-idx1-ubyte": "1787548bbe0bff1ec2ecdc0ef292b02df999e2d1a6002d27500982c652b17203",
    "t10k-images-idx3-ubyte": "1a1a05eab793c14bb050b398624a11b0ffd1a2953baed553b1b9bd079e2a20be",
    "t10k-labels-idx1-ubyte": "b91679a0acfe4ba0e50a2437a903084cba1f5f92592b016a25a7dfd00455798b",
}
"""The four files, with the SHA-256 of each as published, gzipped."""

_TIMEOUT = 30  # seconds without receiving a byte


@reads(words.Mnist)
def load_mnist(word: words.Mnist, folder: Path) -> Samples:
    """Read the digits from NNSPEC_DATA, the cache, or a download, in this order."""
    return load_digits(word, fetch_mnist())


def load_digits(word: words.Digits, folder: Path) -> Samples:
    """Read the four files of a folder. Raises DataError where they hold anything but digits of 28x28 bytes."""
    paths = [_present(folder, name) for name in FILES]
    train_images, train_labels, test_images, test_labels = (path for path in paths if path is not None)
    test = _split(word, test_images, test_labels, None)
    return _split(word, train_images, train_labels, test)


def _split(word: words.Digits, images: Path, labels: Path, test: Samples | None) -> Samples:
    inputs, targets = read_pair(images, labels)
    _check_pixels(images, inputs)
    return Samples(word.word, inputs, targets, numbered_places(str(labels)), test, classes=word.classes)


def _check_pixels(path: Path, images: NDArray[np.generic]) -> None:
    if images.shape[1:] != (28, 28) or images.dtype != np.uint8:
        by = "x".join(map(str, images.shape[1:]))
        raise DataError(f"{path} holds {by} numbers of {images.dtype} for each sample, and a digit has 28x28 bytes")


def find_mnist() -> Path | None:
    """Return the first folder with all four files: NNSPEC_DATA, mnist in it, or the cache; None if none has them."""
    return next((folder for folder in [*_own_folders(), cache_folder()] if not _missing(folder)), None)


def fetch_mnist(progress: bool | None = None) -> Path:
    """Return the folder with all four files, downloading those that are missing from the cache or damaged in it.

    A download is checked against its SHA-256 before it is stored. Raises DataError where NNSPEC_OFFLINE forbids a
    download that is needed, or the download fails; the message has the address and what to do.
    """
    for folder in _own_folders():
        if not _missing(folder):
            return folder
    folder = cache_folder()
    wanted = [name for name in FILES if not _sound(folder, name)]
    if wanted and offline():
        looked = ", ".join(str(place) for place in [*_own_folders(), folder])
        raise DataError(
            f"mnist is missing or damaged on this machine, and NNSPEC_OFFLINE forbids a download. Looked in {looked} "
            f"for {', '.join(f'{name}.gz' for name in wanted)}. {_ADVICE}",
            exit_code=2,
        )
    for name in wanted:
        _download(f"{name}.gz", FILES[name], folder, progress)
    return folder


def cache_folder() -> Path:
    """Return the folder of downloaded files: mnist in NNSPEC_HOME, else in the platform's cache folder."""
    home = os.environ.get("NNSPEC_HOME")
    if home:
        return Path(home).expanduser() / "mnist"
    import pooch

    return Path(pooch.os_cache("nnspec")) / "mnist"


def offline() -> bool:
    """Return whether NNSPEC_OFFLINE forbids downloads: set to anything but 0, no, false or nothing."""
    return os.environ.get("NNSPEC_OFFLINE", "").strip().lower() not in ("", "0", "no", "false")


def _own_folders() -> list[Path]:
    own = os.environ.get("NNSPEC_DATA")
    return [Path(own).expanduser(), Path(own).expanduser() / "mnist"] if own else []


def _present(folder: Path, name: str) -> Path | None:
    """Return a file of a folder, plain or gzipped, named with a dash or with the dot of the original archive."""
    forms = (name, f"{name}.gz", name.replace("-idx", ".idx"), f"{name.replace('-idx', '.idx')}.gz")
    return next((folder / form for form in forms if (folder / form).is_file()), None)


def _missing(folder: Path) -> list[str]:
    return [name for name in FILES if _present(folder, name) is None]


def _sound(folder: Path, name: str) -> bool:
    """Return whether the cache has a file; the published gzip must also have its published SHA-256."""
    path = _present(folder, name)
    if path is None or path.name != f"{name}.gz":
        return path is not None
    with open_for_reading(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == FILES[name]


_ADVICE = (
    "Put the four files into a folder and set NNSPEC_DATA to it, or run `nnspec data fetch mnist` with a network "
    "connection. The package includes mnist_sample."
)


def _download(name: str, sha256: str, folder: Path, progress: bool | None) -> None:
    import pooch
    from requests import RequestException

    base = os.environ.get("NNSPEC_MNIST_URL") or URL
    url = f"{base.rstrip('/')}/{name}"
    if not url.startswith(("http://", "https://")):
        raise DataError(f"NNSPEC_MNIST_URL is {base}: an address begins with http:// or https://", exit_code=2)
    drawn = sys.stderr.isatty() if progress is None else progress
    # With a content encoding, requests would decompress the file, and the published digest is that of the gzip.
    headers = {"Accept-Encoding": "identity"}
    downloader = pooch.HTTPDownloader(progressbar=drawn, chunk_size=2**16, timeout=_TIMEOUT, headers=headers)
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("WARNING")
    try:
        pooch.retrieve(url, f"sha256:{sha256}", fname=name, path=folder, downloader=downloader)
    except RequestException as error:
        raise DataError(f"{url} could not be downloaded: {_reason(error)}. {_ADVICE}", exit_code=2) from error
    except ValueError as error:
        raise DataError(
            f"{url} is not the file that was published: its SHA-256 differs, so nothing of it was kept. Try again, or "
            f"set NNSPEC_MNIST_URL to another mirror. {_ADVICE}"
        ) from error
    except OSError as error:
        raise DataError(
            f"{name} cannot be stored in {folder}: {error.strerror or error}. Set NNSPEC_HOME to another folder",
            exit_code=2,
        ) from error
    finally:
        logger.setLevel(level)


def _reason(error: Exception) -> str:
    from requests import ConnectionError, HTTPError, Timeout
    from requests.exceptions import ChunkedEncodingError

    match error:
        case HTTPError() if error.response is not None:
            return f"the server answered {error.response.status_code}"
        case Timeout():
            return f"no answer within {_TIMEOUT} seconds"
        case ChunkedEncodingError():
            return "the connection ended before the file did"
        case ConnectionError() if "refused" in str(error).lower():
            return "the connection was refused"
        case ConnectionError():
            return "there is no connection to the server"
        case _:
            return str(error)


register(
    Dataset("mnist", words.Mnist.help(), 60_000, 10_000, (28, 28, 1), find_mnist, fetch_mnist),
)
