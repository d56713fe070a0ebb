"""A model of another framework, in a file or in memory, as a page."""

import io
import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.models.keras import keras_draft
from nnspec.exchange.models.page import Page, written_page
from nnspec.exchange.models.torch import torch_draft
from nnspec.exchange.weights.files.keras import opened_h5, parsed_config
from nnspec.exchange.weights.stored import check_declared
from nnspec.spec_lang.regular_file import open_regular_file

SUFFIXES = (".json", ".keras", ".txt")
"""Files of models: Keras's JSON and archive, and what PyTorch prints."""

MOST_TEXT = 64 * 2**20


def page_of(model: Any, given_input: str = "", name: str = "model") -> Page:
    """Return the page that a model would be.

    Arguments:
        model: the path of a file; an nn.Sequential; a Keras model, or its configuration as a dict.
        given_input: the shape of a sample as a line `input` says it, such as "28x28x1", where the model does not.
        name: the name of the network, where the model is not a file.

    Raises ExchangeError for a model that cannot be said, naming the layer, and for a file that is not one.
    """
    if isinstance(model, str | os.PathLike):
        path = Path(model)
        return written_page(_draft_of_file(path, given_input))
    if isinstance(model, Mapping):
        return written_page(keras_draft(model, name, given_input))
    if hasattr(model, "to_json") and hasattr(model, "get_config"):
        return written_page(keras_draft(parsed_config(model.to_json(), name), name, given_input))
    if hasattr(model, "named_children"):
        return written_page(torch_draft(model, name, given_input))
    raise ExchangeError(
        f"model is a {type(model).__name__}: give an nn.Sequential, a Keras model or the path of one", 2
    )


def is_model(path: Path) -> bool:
    """Return whether a file is a model of another framework, by its name; an .h5 file if Keras has written it."""
    if path.suffix.lower() in SUFFIXES:
        return True
    if path.suffix.lower() not in (".h5", ".hdf5") or not path.is_file():
        return False
    with open_regular_file(path) as file:
        return file.read(8) == b"\x89HDF\r\n\x1a\n"


def _draft_of_file(path: Path, given_input: str) -> Any:
    try:
        with open_regular_file(path) as file:
            content = file.read()
    except (OSError, ValueError) as error:
        raise ExchangeError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}", 2) from None
    name, kind = path.name.partition(".")[0], path.suffix.lower()
    try:
        if kind in (".h5", ".hdf5"):
            return keras_draft(parsed_config(_config_in_h5(content), str(path)), name, given_input)
        if kind == ".keras":
            return keras_draft(parsed_config(_config_in_archive(content), str(path)), name, given_input)
        if len(content) > MOST_TEXT:
            raise ExchangeError(f"it has {len(content):,} bytes, and at most {MOST_TEXT:,} are read")
        text = content.decode("utf-8-sig", errors="replace")
        if kind == ".txt" or text.lstrip().startswith("Sequential("):
            return torch_draft(text, name, given_input)
        return keras_draft(parsed_config(text, str(path)), name, given_input)
    except ExchangeError as error:
        message = str(error)
        raise ExchangeError(message if message.startswith(str(path)) else f"{path}: {message}") from None
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as error:
        raise ExchangeError(f"{path}: it does not describe a model ({str(error)[:120]})") from None


def _config_in_archive(content: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            check_declared(archive.getinfo("config.json").file_size, len(content), "config.json")
            return archive.read("config.json")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, KeyError, OSError) as error:
        raise ExchangeError(f"it is not a .keras file, or it is damaged ({error})") from None


def _config_in_h5(content: bytes) -> str | bytes:
    try:
        with opened_h5(content) as file:
            config = file.attrs.get("model_config")
    except Exception as error:  # whatever HDF5 makes of a damaged file
        raise ExchangeError(f"it is not an HDF5 file, or it is damaged ({str(error)[:120]})") from None
    if not isinstance(config, str | bytes):
        raise ExchangeError("it has weights alone, and no model\n  help: model.save('net.keras') writes both")
    return config
