"""The state of a run as a checkpoint: writing, reading, locking, and the translation of errors.

The only module of the runtime that imports the checkpoints room. It knows which entries a run has; the checkpoints room
knows arrays and texts. checkpoint_validation.py checks the values that it reads.
"""

import hashlib
import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nnspec import checkpoints
from nnspec.checkpoints import Checkpoint, FormatError
from nnspec.runtime.arena import Arena
from nnspec.runtime.arrays import Array
from nnspec.runtime.data import Preprocessing
from nnspec.runtime.errors import CheckpointError, DataError
from nnspec.runtime.infer.network import Network
from nnspec.runtime.randomness import restored, state_text
from nnspec.runtime.train import checkpoint_validation as validated
from nnspec.runtime.train.environment import environment, machine
from nnspec.runtime.train.state import COUNTERS, Best, MetricHistory, State
from nnspec.spec_lang.check.canonical_text import canonical_text
from nnspec.spec_lang.check.examination import check_source
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.syntax.parse import parse_source
from nnspec.spec_lang.syntax.tree import Include
from nnspec.spec_lang.vocabulary.shape import Parameter
from nnspec.spec_lang.vocabulary.summary import known_words


@dataclass(frozen=True)
class Saved:
    """The content of a checkpoint.

    `network` is the network of `state`. `meta` is the checkpoint's metadata, `run` the entry run/info, `source` the
    text of the spec as the user wrote it.
    """

    network: Network
    state: State
    meta: dict[str, Any]
    run: dict[str, Any]
    source: str


def save_checkpoint(
    path: Path, state: State, data_digest: str, run: Mapping[str, object], keep_previous: bool = True
) -> None:
    """Write the state as a checkpoint, atomically.

    Arguments:
        path: the file; its former content becomes FILE.prev where `keep_previous` is true.
        state: the state to write.
        data_digest: the digest of the training data.
        run: what run/info holds besides the time and the machine: the folder of the spec, the seconds of training.
        keep_previous: whether to keep the former file.

    Raises CheckpointError where the system refuses.
    """
    with translate_errors():
        checkpoints.write(path, to_checkpoint(state, data_digest, run), keep_previous)


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise the errors of the checkpoints room as CheckpointError, with their advice."""
    try:
        yield
    except FormatError as error:
        raise CheckpointError(f"{error}\n  help: {error.help}" if error.help else str(error)) from None
    except FileNotFoundError as error:
        raise CheckpointError(f"{error.filename}: there is no such checkpoint", exit_code=2) from None
    except OSError as error:
        raise CheckpointError(f"{error.filename}: cannot be read ({error.strerror})", exit_code=2) from None


def differing_entries(state: State, saved: Saved, data_digest: str) -> list[str]:
    """Return the names of the entries in which a state differs from a saved one, versions and machines apart."""
    now = to_checkpoint(state, data_digest, {})
    before = to_checkpoint(saved.state, saved.meta["data_digest"], {})
    return checkpoints.differing_entries(now, before)


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a run's folder, and remove the temporary files that killed processes left in it.

    Raises CheckpointError where another process holds it.
    """
    with ExitStack() as held:
        with translate_errors():
            held.enter_context(checkpoints.lock(folder / "run"))
            checkpoints.sweep(folder)
        yield


def temporary_path(path: Path) -> Path:
    """Return a name next to `path` for a temporary file. `run_lock` removes the file where a kill leaves it."""
    return Path(checkpoints.temporary(str(path)))


def replace_file(path: Path, content: bytes) -> None:
    """Write a file atomically. Raises OSError where the system refuses."""
    checkpoints.replace_file(path, content)


def fsync_folder(path: Path) -> None:
    """Write the entries of a folder to the disk."""
    checkpoints.fsync_folder(str(path))


def to_checkpoint(state: State, data_digest: str, run: Mapping[str, object]) -> Checkpoint:
    """Return the state as a checkpoint, each value under its name in the format."""
    network = state.network
    text = canonical_text(network.spec)
    entries: dict[str, Array | str] = {"spec/source": network.spec.source.text, "spec/resolved": text}
    if network.spec.included:
        entries["spec/included"] = json.dumps(dict(network.spec.included), ensure_ascii=False, indent=0)
    entries |= _under("weights", network.parameter_arena)
    entries |= _under("buffers", network.buffer_arena)
    for slot, arena in state.slots.items():
        entries |= _under(f"optimizer/{slot}", arena)
    entries |= {f"preprocessing/{name}": value for name, value in network.preprocessing.as_entries().items()}
    entries |= {f"history/{name}": _history_table(history) for name, history in state.history.items()}
    entries |= {"rng/order": state_text(state.order_random), "rng/dropout": state_text(state.dropout_random)}
    entries["data/order"] = state.order
    entries |= _under("data/carried", state.carried)
    if state.best is not None:
        entries |= _under("best/weights", _views(network.parameter_arena, state.best.weights))
        entries |= _under("best/buffers", _views(network.buffer_arena, state.best.buffers))
    entries["run/info"] = json.dumps({**run, "saved": time.time(), **machine()}, sort_keys=True)
    counters = {name: getattr(state, name) for name in COUNTERS}
    meta = {
        "program_version": program_version(),
        "spec_digest": text_digest(text),
        "data_digest": data_digest,
        "dtype": network.dtype.name,
        "counters": counters,
        "plateau": vars(state.plateau),
        "best": None if state.best is None else {"value": state.best.value, "step": state.best.step},
        "environment": environment(),
    }
    return Checkpoint(_finite(meta), entries)


def load_checkpoint(path: str | Path) -> Saved:
    """Read a checkpoint, verify all of it, and return its content.

    Raises CheckpointError where the file does not exist, is damaged, or does not fit the spec in it.
    """
    with translate_errors():
        checkpoint = checkpoints.read(Path(path))
    try:
        return _restored(checkpoint, Path(path))
    except SpecError as error:
        raise CheckpointError(f"{path}: its spec cannot be compiled by this version\n{error}") from None
    except KeyError as error:
        raise CheckpointError(f"{path}: its contents do not fit its spec ({error} is missing)") from None
    except (ValueError, DataError) as error:
        raise CheckpointError(f"{path}: its contents do not fit its spec ({error})") from None


def _restored(checkpoint: Checkpoint, path: Path) -> Saved:
    meta, entries = checkpoint.meta, checkpoint.entries
    texts = {name: value for name, value in entries.items() if isinstance(value, str)}
    arrays = {name: value for name, value in entries.items() if not isinstance(value, str)}
    run = validated.run_info(texts["run/info"])
    preprocessing = Preprocessing.from_entries(_below(entries, "preprocessing"))
    spec = _spec(texts, preprocessing, path, run)
    dtype = validated.float_type(meta["dtype"])
    best = validated.best(meta["best"])
    groups = {"weights": spec.parameters(), "buffers": spec.buffers(), "data/carried": spec.carried()}
    groups |= {f"optimizer/{slot}": spec.parameters() for slot in spec.optimizer.slots}
    if best is not None:
        groups |= {"best/weights": spec.parameters(), "best/buffers": spec.buffers()}
    for group, parameters in groups.items():  # before any memory is allocated for the spec
        _check_arrays(group, _below(arrays, group), parameters, dtype)
    _check_no_other_arrays(arrays, groups)
    network = Network(spec, preprocessing, dtype)
    arenas = {group: Arena(parameters, dtype) for group, parameters in groups.items()}
    arenas |= {"weights": network.parameter_arena, "buffers": network.buffer_arena}
    for group, arena in arenas.items():
        arena.fill(_below(arrays, group))
    state = State(
        network=network,
        slots={slot: arenas[f"optimizer/{slot}"] for slot in spec.optimizer.slots},
        order_random=restored(texts["rng/order"]),
        dropout_random=restored(texts["rng/dropout"]),
        order=validated.permutation(arrays["data/order"]),
        carried=arenas["data/carried"],
        plateau=validated.plateau(meta["plateau"]),
        history={name: validated.metric_history(name, table) for name, table in _below(arrays, "history").items()},
        **validated.counters(meta["counters"], len(arrays["data/order"])),
    )
    if best is not None:
        state.best = Best(*best, arenas["best/weights"].flat, arenas["best/buffers"].flat)
    validated.check_environment(meta["environment"])
    validated.check_digests(meta["spec_digest"], meta["data_digest"], text_digest(texts["spec/resolved"]))
    return Saved(network, state, meta, run, texts["spec/source"])


def _spec(texts: Mapping[str, str], preprocessing: Preprocessing, path: Path, run: Mapping[str, Any]) -> Spec:
    """Return the checked spec of a checkpoint. Raises ValueError where it includes a file: nnspec writes none."""
    folder = Path(os.path.normpath(path.parent / run["folder"]))
    source = Source(f"the spec in {path}", texts["spec/resolved"], folder)
    statements, _ = parse_source(source, known_words())
    if any(isinstance(statement, Include) for statement in statements):
        raise ValueError("spec/resolved includes another file")
    classes = len(preprocessing.classes) if preprocessing.classes else None
    spec = check_source(source, input_shape=preprocessing.input_shape, classes=classes)
    included = validated.included(texts.get("spec/included", "{}"))
    as_written = replace(source, content=texts["spec/source"])
    return replace(spec, source=as_written, included=included)


def _check_arrays(group: str, arrays: Mapping[str, Array], parameters: Mapping[str, Parameter], dtype: Any) -> None:
    """Raise ValueError unless the arrays are those of the spec, in its shapes and its dtype."""
    if odd := sorted(set(arrays) ^ set(parameters)):
        unexpected = "has an array that its spec does not have" if odd[0] in arrays else "lacks an array of its spec"
        raise ValueError(f"{group} {unexpected}: {odd[0]}")
    for name, array in arrays.items():
        if array.dtype != dtype or array.shape != parameters[name].shape:
            expected = f"{dtype} {parameters[name].shape}"
            raise ValueError(f"{group}/{name} is {array.dtype} {array.shape}, and the spec needs {expected}")


def _check_no_other_arrays(arrays: Mapping[str, Array], groups: Mapping[str, Mapping[str, Parameter]]) -> None:
    """Raise ValueError where a checkpoint has an array of weights, buffers or slots that its spec does not have."""
    known = {f"{group}/{name}" for group, parameters in groups.items() for name in parameters}
    for name in sorted(set(arrays) - known):
        if name.split("/")[0] in ("weights", "buffers", "optimizer", "best"):
            raise ValueError(f"{name} is not an array of the spec")


def _under(group: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {f"{group}/{name}": array for name, array in arrays.items()}


def _below(entries: Mapping[str, Array | str], group: str) -> dict[str, Any]:
    start = f"{group}/"
    return {name.removeprefix(start): value for name, value in entries.items() if name.startswith(start)}


def _views(like: Arena, flat: Array) -> dict[str, Array]:
    """Return the named arrays as views of a flat array that has the layout of an arena."""
    offsets = like.offsets.items()
    return {name: flat[start : start + math.prod(shape)].reshape(shape) for name, (start, shape) in offsets}


def _history_table(history: MetricHistory) -> Array:
    """Return a history as (2, evaluations): a row of steps, a row of values."""
    return np.array([history.steps, history.values], np.float64)


def _finite(value: Any) -> Any:
    """Return metadata with NaN and infinity as text, which JSON does not have; `validated` reads the text back."""
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    return repr(value) if isinstance(value, float) and not np.isfinite(value) else value


def text_digest(text: str) -> str:
    """Return the SHA-256 of a text in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def program_version() -> str:
    """Return the version of the installed package, or "unknown"."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("nnspec")
    except PackageNotFoundError:
        return "unknown"
