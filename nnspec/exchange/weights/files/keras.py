"""Keras's files: .weights.h5 of Keras 3, the older .h5 with the names of layers, and .keras, a zip with the former."""

import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import h5py
import numpy as np

from nnspec.checkpoints.seal import MAGIC
from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.weights.stored import MOST_ARRAYS, Stored, check_declared, checked_name
from nnspec.runtime.arrays import Array

_NO_WEIGHTS = ("optimizer", "optimizer_weights", "metrics", "seed_generator", "loss_tracker")
"""Groups of a file that are of the training, or of random numbers, and not of the network."""

_NESTED = ("Sequential", "Functional", "Model")


def read_keras_archive(content: bytes, where: str) -> Stored:
    """Return the weights of a .keras file, with the order and the arguments of the layers in its config.json."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in ("config.json", "model.weights.h5"):
                check_declared(archive.getinfo(name).file_size, len(content), f"{where}: {name}")
            config = parsed_config(archive.read("config.json"), where)
            weights = archive.read("model.weights.h5")
    except KeyError as error:
        raise ExchangeError(f"{where} is not a .keras file: {str(error)[1:-1]}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise ExchangeError(f"{where} is not a .keras file, or it is damaged ({error})") from None
    stored = read_h5(weights, where)
    layers = dict(_layers(config, "layers"))
    if not set(_tops(stored.arrays)) <= set(layers):
        return stored
    return replace(stored, settings=layers, order=tuple(layers), ordered=True)


def read_h5(content: bytes, where: str) -> Stored:
    """Return the arrays of either layout of an HDF5 file. Raises ExchangeError for a damaged one, or another."""
    if content.startswith(MAGIC):
        raise ExchangeError(f"{where} is a checkpoint of nnspec: nnspec.load reads it, and a line `from` in a spec")
    try:
        with opened_h5(content) as file:
            root = file.get("model_weights", file)
            if "layer_names" in root.attrs or "layer_names0" in root.attrs:
                return _by_layer_names(file, root, len(content), where)
            return _by_variables(file, len(content), where)
    except ExchangeError:
        raise
    except Exception as error:  # whatever HDF5 makes of a damaged file
        said = str(error).split("\n", 1)[0][:120]
        raise ExchangeError(f"{where} is not an HDF5 file of Keras, or it is damaged ({said})") from None


def opened_h5(content: bytes) -> h5py.File:
    """Return an HDF5 file in memory. Raises OSError, or another error of HDF5's, where it is damaged."""
    return h5py.File(h5py.h5f.open_file_image(content))


def parsed_config(text: bytes | str, where: str) -> dict[str, Any]:
    """Return the JSON object that describes a model. Raises ExchangeError for anything else."""
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise ExchangeError(f"{where}: it is not a JSON object")
    return config


def snake_case(name: str) -> str:
    """Return the name that Keras makes of a class: Conv2D → conv2d, PReLU → p_re_lu."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _layers(config: Mapping[str, Any], folder: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the path of each layer among the weights of Keras 3, and its arguments, in the order of the network."""
    inner = config.get("config")
    given = inner.get("layers") if isinstance(inner, dict) else inner
    counts: dict[str, int] = {}
    for layer in given if isinstance(given, list) else ():
        if not isinstance(layer, dict) or not isinstance(layer.get("class_name"), str):
            continue
        kind = snake_case(layer["class_name"])
        number = counts[kind] = counts.get(kind, -1) + 1
        path = f"{folder}/{kind}_{number}" if number else f"{folder}/{kind}"
        if layer["class_name"] in _NESTED:
            yield from _layers(layer, f"{path}/layers")
        elif isinstance(layer.get("config"), dict):
            yield path, {"class_name": layer["class_name"], **layer["config"]}


def _tops(arrays: Mapping[str, Array]) -> Iterator[str]:
    """Yield the path of each array's layer, as `_layers` has it."""
    for name in arrays:
        parts = name.split("/")
        last = max((place for place, part in enumerate(parts) if part == "layers"), default=-1)
        yield "/".join(parts[: last + 2])


def _by_variables(file: h5py.File, size: int, where: str) -> Stored:
    """Return the arrays of Keras 3, PATH/vars/NUMBER, sorted by path and number; they have no order of layers."""
    found: dict[str, Array] = {}
    called: dict[str, str] = {}
    left: set[str] = set()
    for path, item in _walk(file, where):
        plain = path.replace("\\", "/")
        parts = plain.split("/")
        if any(part in _NO_WEIGHTS for part in parts):
            left.update(part for part in parts if part in _NO_WEIGHTS and isinstance(item, h5py.Dataset))
        elif isinstance(item, h5py.Dataset):
            found[plain] = _array(item, size, f"{where}: {plain}")
        elif parts[-1] == "vars" and isinstance(item.attrs.get("name"), str):
            called[plain.removesuffix("/vars")] = checked_name(item.attrs["name"], where)
    if not found or not all(name.split("/")[-2:-1] == ["vars"] for name in found):
        raise ExchangeError(
            f"{where} is not a file of Keras's weights\n  help: model.save_weights('net.weights.h5') writes one"
        )
    arrays = {name: found[name] for name in sorted(found, key=_natural)}
    return Stored(arrays, "keras", called=called, ordered=False, notes=_left_out(where, left))


def _by_layer_names(file: h5py.File, root: h5py.Group, size: int, where: str) -> Stored:
    """Return the arrays of the older layout, LAYER/NAME, in the order that the file states."""
    arrays: dict[str, Array] = {}
    left = {name for name in file if name in _NO_WEIGHTS}
    for layer in _texts(root.attrs, "layer_names", where):
        group = root[layer]
        for name in _texts(group.attrs, "weight_names", where):
            if any(part in _NO_WEIGHTS for part in name.split("/")):
                left.add("seed_generator")
                continue
            if f"{layer}/{name}" in arrays:
                raise ExchangeError(f"{where}: {name} is there twice")
            arrays[f"{layer}/{name}"] = _array(_own(group, name, where), size, f"{where}: {name}")
    settings = {}
    if isinstance(file.attrs.get("model_config"), str | bytes):
        config = parsed_config(file.attrs["model_config"], where)
        settings = {str(each.get("name")): each for _, each in _layers(config, "layers")}
    return Stored(arrays, "keras", settings=settings, notes=_left_out(where, left))


def _left_out(where: str, left: set[str]) -> tuple[str, ...]:
    return (f"{where}: left out, for they are not weights: {', '.join(sorted(left))}",) if left else ()


def _walk(file: h5py.File, where: str) -> Iterator[tuple[str, Any]]:
    """Yield every group and dataset of a file; a link to elsewhere is refused."""
    groups: list[tuple[str, h5py.Group]] = [("", file)]
    entries = 0
    while groups:
        path, group = groups.pop()
        for name in group:
            entries += 1
            if entries > MOST_ARRAYS or path.count("/") > 32:
                raise ExchangeError(f"{where}: it has more than {MOST_ARRAYS:,} groups, or they are nested in a circle")
            item = _own(group, checked_name(name, where), where)
            below = f"{path}/{name}" if path else name
            yield below, item
            if isinstance(item, h5py.Group):
                groups.append((below, item))


def _own(group: h5py.Group, name: str, where: str) -> Any:
    """Return an entry of a group by its path. Raises ExchangeError where a link on the way leads elsewhere."""
    item: Any = group
    for part in name.split("/"):
        if not isinstance(item, h5py.Group) or not isinstance(item.get(part, getlink=True), h5py.HardLink):
            raise ExchangeError(f"{where}: {name} is not there, or a link to elsewhere")
        item = item[part]
    return item


def _texts(attrs: Any, name: str, where: str) -> list[str]:
    """Return a list of texts in an attribute, which may be cut into name0, name1, …"""
    parts = [attrs[name]] if name in attrs else []
    while name not in attrs and f"{name}{len(parts)}" in attrs:
        parts.append(attrs[f"{name}{len(parts)}"])
    texts = [each.decode() if isinstance(each, bytes) else each for part in parts for each in np.atleast_1d(part)]
    if len(texts) > MOST_ARRAYS:
        raise ExchangeError(f"{where}: it names {len(texts):,} arrays, and at most {MOST_ARRAYS:,} are read")
    return [checked_name(str(text), where) for text in texts]


def _array(item: Any, size: int, what: str) -> Array:
    if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "fiub" or item.shape is None:
        raise ExchangeError(f"{what} is not an array of numbers")
    if item.external or item.is_virtual:
        raise ExchangeError(f"{what} is in another file, which is not read")
    check_declared(item.size * item.dtype.itemsize, size, what)
    array: Array = item[()] if item.shape else np.asarray(item[()])
    return array


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts numbers by their size."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name) if part]
