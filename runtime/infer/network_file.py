"""A network as a sealed file or bytes: its spec, its weights and its preprocessing, without a run.

`Network` uses it for files, pickles and copies, and train/checkpointing.py adds the entries of a run. These two are the
only modules of the runtime that import the checkpoints room. This one does not know optimizers, data or run folders.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import nnspec.checkpoints as checkpoints
from nnspec.checkpoints import Checkpoint, FormatError
from nnspec.runtime.arrays import Array
from nnspec.runtime.data import Preprocessing
from nnspec.runtime.errors import CheckpointError, DataError, LockedError
from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.check.canonical_text import canonical_text
from nnspec.spec_lang.check.examination import check_source
from nnspec.spec_lang.check.spec import DataFile, Spec
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.syntax.grammar import is_name
from nnspec.spec_lang.syntax.parse import parse_source
from nnspec.spec_lang.syntax.tree import Include
from nnspec.spec_lang.vocabulary.shape import Parameter
from nnspec.spec_lang.vocabulary.summary import known_words

NETWORK_GROUPS = {"spec", "weights", "buffers", "preprocessing"}
"""The groups of the format that a network has; the others belong to a run."""

FLOAT_TYPES = ("float32", "float64")


def network_to_bytes(network: Network) -> bytes:
    """Return the network as the bytes of a sealed file. Raises CheckpointError where a weight is NaN or infinite."""
    with translate_errors():
        return checkpoints.to_bytes(network_to_checkpoint(network))


def network_from_bytes(data: bytes) -> Network:
    """Return the network in the bytes of a sealed file. Raises CheckpointError unless every byte is as written."""
    with translate_errors():
        checkpoint = checkpoints.from_bytes(bytes(data))
    name = Path("the bytes of a network")
    with translate_content_errors(name):
        return network_from_checkpoint(checkpoint, name)


def save_network(network: Network, path: str | os.PathLike[str]) -> None:
    """Write the network to a file, atomically; a former file stays as FILE.prev.

    Raises CheckpointError where the system refuses, or a weight is NaN or infinite.
    """
    with translate_errors():
        checkpoints.write(Path(path), network_to_checkpoint(network))


def network_to_checkpoint(network: Network) -> Checkpoint:
    """Return what every checkpoint has of a network: its spec, its arrays and its preprocessing."""
    text = canonical_text(network.spec)
    entries: dict[str, Array | str] = {"spec/source": network.spec.source.text, "spec/resolved": text}
    if network.spec.included:
        entries["spec/included"] = json.dumps(dict(network.spec.included), ensure_ascii=False, indent=0)
    if network.spec.variant is not None:
        entries["spec/variant"] = network.spec.variant
    if network.spec.overrides:
        entries["spec/overrides"] = json.dumps(network.spec.overrides, ensure_ascii=False, indent=0)
    entries |= prefixed("weights", network.parameter_arena)
    entries |= prefixed("buffers", network.buffer_arena)
    entries |= {f"preprocessing/{name}": value for name, value in network.preprocessing.as_entries().items()}
    digest = text_digest(text)
    meta: dict[str, Any] = {
        "program_version": program_version(), "spec_digest": digest, "dtype": network.dtype.name
    }  # fmt: skip
    if network.spec.data_files:
        meta["data_files"] = {
            file.field: {"bytes": file.size, "sha256": file.digest} for file in network.spec.data_files
        }
    return Checkpoint(meta, entries)


def holds_a_run(checkpoint: Checkpoint) -> bool:
    """Return whether a checkpoint has more than a network: groups of entries that belong to a run."""
    return not {name.split("/")[0] for name in checkpoint.entries} <= NETWORK_GROUPS


def network_from_checkpoint(checkpoint: Checkpoint, path: Path) -> Network:
    """Return the network of a checkpoint without a run. `path` names it in messages, and is where its data are sought.

    Raises ValueError, KeyError, SpecError and DataError where its content does not fit its spec.
    """
    entries = checkpoint.entries
    preprocessing = Preprocessing.from_entries(below(entries, "preprocessing"))
    spec = stored_spec(entries, preprocessing, path, path.parent)
    files = data_files_from(checkpoint.meta.get("data_files"), spec)
    spec = replace(spec, data_within=path.parent, kept_in=path.parent, data_files=files)
    dtype = float_type(checkpoint.meta["dtype"])
    groups = {"weights": spec.parameters(), "buffers": spec.buffers()}
    for group, parameters in groups.items():  # before any memory is allocated for the spec
        check_arrays(group, below(entries, group), parameters, dtype)
    if checkpoint.meta["spec_digest"] != text_digest(text_entry(entries, "spec/resolved")):
        raise ValueError("spec_digest is not the digest of spec/resolved")
    network = Network(spec, preprocessing, dtype)
    network.parameter_arena.fill(below(entries, "weights"))
    network.buffer_arena.fill(below(entries, "buffers"))
    return network


def stored_spec(entries: Mapping[str, Array | str], preprocessing: Preprocessing, path: Path, folder: Path) -> Spec:
    """Return the checked spec of a checkpoint, its data relative to `folder`.

    Raises ValueError where it includes a file: nnspec writes none.
    """
    source = Source(f"the spec in {path}", text_entry(entries, "spec/resolved"), folder)
    statements, _ = parse_source(source, known_words())
    if any(isinstance(statement, Include) for statement in statements):
        raise ValueError("spec/resolved includes another file")
    classes = len(preprocessing.classes) if preprocessing.classes else None
    spec = check_source(source, input_shape=preprocessing.input_shape, classes=classes)
    if spec.data is not None and spec.loss.numbers:  # files of versions that scaled no targets do not say so
        scaled = preprocessing.target_scaling is not None
        spec = replace(spec, data=spec.data.model_copy(update={"targets": "zscore" if scaled else "none"}))
    included = included_texts(text_entry(entries, "spec/included") if "spec/included" in entries else "{}")
    as_written = replace(source, content=text_entry(entries, "spec/source"))
    return replace(spec, source=as_written, included=included, variant=_variant(entries), overrides=_overrides(entries))


def data_files_from(found: object, spec: Spec) -> tuple[DataFile, ...]:
    """Return the files of the data that /meta names: an object of `bytes` and `sha256` by fields of the data statement.

    Raises ValueError for anything else. An earlier version wrote none.
    """
    if found is None:
        return ()
    fields = spec.data.given_paths() if spec.data is not None else {}
    if not isinstance(found, dict) or not found.keys() <= fields.keys():
        raise ValueError("data_files is not an object of files that the data statement names")
    files = []
    for field, file in found.items():
        size, digest = (file.get("bytes"), file.get("sha256")) if isinstance(file, dict) else (None, None)
        if not isinstance(size, int) or not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest):
            raise ValueError(f"data_files {field} is not a size and a SHA-256")
        files.append(DataFile(field, size, digest))
    return tuple(files)


def _variant(entries: Mapping[str, Array | str]) -> str | None:
    """Return the name of the variant of a checkpoint's spec, None for the spec itself."""
    if "spec/variant" not in entries:
        return None
    variant = text_entry(entries, "spec/variant")
    if not is_name(variant):
        raise ValueError("spec/variant is not a name")
    return variant


def _overrides(entries: Mapping[str, Array | str]) -> tuple[tuple[str, str], ...]:
    """Return the settings from outside, a JSON list of pairs: the key, the value."""
    try:
        found = json.loads(text_entry(entries, "spec/overrides")) if "spec/overrides" in entries else []
    except RecursionError:
        raise ValueError("spec/overrides is nested too deeply") from None
    if not isinstance(found, list) or not all(_is_pair_of_texts(pair) for pair in found):
        raise ValueError("spec/overrides is not a list of keys and values")
    return tuple((key, value) for key, value in found)


def _is_pair_of_texts(found: object) -> bool:
    return isinstance(found, list) and len(found) == 2 and all(isinstance(text, str) for text in found)


def included_texts(text: str) -> tuple[tuple[str, str], ...]:
    """Return spec/included, a JSON object: the texts that the spec includes, by their paths from its folder."""
    try:
        found = json.loads(text)
    except RecursionError:
        raise ValueError("spec/included is nested too deeply") from None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ValueError("spec/included is not an object of texts")
    return tuple(found.items())


def float_type(name: object) -> np.dtype[Any]:
    """Return the dtype of a network. Raises ValueError for any but float32 and float64."""
    if name not in FLOAT_TYPES:
        raise ValueError(f"dtype is {str(name)[:40]}, which is not one of {', '.join(FLOAT_TYPES)}")
    return np.dtype(str(name))


def check_arrays(group: str, arrays: Mapping[str, Array], parameters: Mapping[str, Parameter], dtype: Any) -> None:
    """Raise ValueError unless the arrays are those of the spec, in its shapes and its dtype."""
    if odd := sorted(set(arrays) ^ set(parameters)):
        unexpected = "has an array that its spec does not have" if odd[0] in arrays else "lacks an array of its spec"
        raise ValueError(f"{group} {unexpected}: {odd[0]}")
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray) or array.dtype != dtype or array.shape != parameters[name].shape:
            found = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else "a text"
            raise ValueError(f"{group}/{name} is {found}, and the spec needs {dtype} {parameters[name].shape}")


def text_entry(entries: Mapping[str, Array | str], name: str) -> str:
    """Return an entry that is a text. Raises KeyError where it is missing or an array."""
    value = entries[name]
    if not isinstance(value, str):
        raise KeyError(name)
    return value


def prefixed(group: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return the arrays under their names in a group: GROUP/NAME."""
    return {f"{group}/{name}": array for name, array in arrays.items()}


def below(entries: Mapping[str, Array | str], group: str) -> dict[str, Any]:
    """Return the entries of a group by their names in it."""
    start = f"{group}/"
    return {name.removeprefix(start): value for name, value in entries.items() if name.startswith(start)}


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise the errors of the checkpoints room as CheckpointError, with their advice."""
    try:
        yield
    except FormatError as error:
        kind = LockedError if isinstance(error, checkpoints.Locked) else CheckpointError
        raise kind(f"{error}\n  help: {error.help}" if error.help else str(error)) from None
    except FileNotFoundError as error:
        raise CheckpointError(f"{error.filename}: there is no such checkpoint", exit_code=2) from None
    except OSError as error:
        raise CheckpointError(f"{error.filename}: cannot be read ({error.strerror})", exit_code=2) from None


@contextmanager
def translate_content_errors(path: Path) -> Iterator[None]:
    """Raise what is wrong with the content of an intact file as CheckpointError that names the file."""
    try:
        yield
    except SpecError as error:
        raise CheckpointError(f"{path}: its spec cannot be compiled by this version\n{error}") from None
    except KeyError as error:
        raise CheckpointError(f"{path}: its contents do not fit its spec ({error} is missing)") from None
    except (ValueError, DataError) as error:
        raise CheckpointError(f"{path}: its contents do not fit its spec ({error})") from None


def text_digest(text: str) -> str:
    """Return the SHA-256 of a text in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def program_version() -> str:
    """Return the version of the installed package, or "unknown"."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("nnspec")
    except PackageNotFoundError:
        return "unknown"
