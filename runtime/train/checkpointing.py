"""A run's state ↔ a checkpoint: the narrow door between the training loop and the file format."""

import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from nnspec import checkpoints
from nnspec.checkpoints import Checkpoint, FormatError
from nnspec.runtime.arena import Arena
from nnspec.runtime.arrays import Array
from nnspec.runtime.data import Preprocessing
from nnspec.runtime.errors import CheckpointError, DataError
from nnspec.runtime.infer.network import Network
from nnspec.runtime.randomness import restored, state_text
from nnspec.runtime.train import checkpoint_validation as stored
from nnspec.runtime.train.environment import environment, machine
from nnspec.runtime.train.state import COUNTERS, Best, Series, State
from nnspec.spec_lang.check.canonical_text import canonical_text
from nnspec.spec_lang.check.examination import check_source
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.syntax.parse import parse_source
from nnspec.spec_lang.syntax.tree import Include
from nnspec.spec_lang.vocabulary.shape import Parameter
from nnspec.spec_lang.vocabulary.summary import known_words

T = TypeVar("T")


@dataclass(frozen=True)
class Saved:
    """What a checkpoint was read into: the network, and the state to go on from (None for weights alone)."""

    network: Network
    state: State
    meta: dict[str, Any]
    run: dict[str, Any]
    source: str


def save(path: Path, state: State, data_digest: str, run: Mapping[str, object], keep_previous: bool = True) -> None:
    """Write the state as a checkpoint, whole or not at all. Raises CheckpointError where the system refuses."""
    told(checkpoints.write, path, to_checkpoint(state, data_digest, run), keep_previous)


def told(action: Callable[..., T], *arguments: Any) -> T:
    """An action of the checkpoint room, its errors as this program's own, with their advice."""
    try:
        return action(*arguments)
    except FormatError as error:
        raise CheckpointError(f"{error}\n  help: {error.help}" if error.help else str(error)) from None
    except FileNotFoundError as error:
        raise CheckpointError(f"{error.filename}: there is no such checkpoint", exit_code=2) from None
    except OSError as error:
        raise CheckpointError(f"{error.filename}: it cannot be read ({error.strerror})", exit_code=2) from None


def differing_entries(state: State, saved: Saved, data_digest: str) -> list[str]:
    """The entries in which a state differs from one that was saved, whatever program and machine wrote that."""
    now = to_checkpoint(state, data_digest, {})
    before = to_checkpoint(saved.state, saved.meta["data_digest"], {})
    return checkpoints.differing_entries(now, before)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, so that two trainers never share it; what a killed one left half-written is swept."""
    with ExitStack() as held:
        told(held.enter_context, checkpoints.lock(folder / "run"))
        told(checkpoints.sweep, folder)
        yield


def to_checkpoint(state: State, data_digest: str, run: Mapping[str, object]) -> Checkpoint:
    """Everything that decides what comes next, as the format names it."""
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
    entries |= {f"history/{name}": _table(series) for name, series in state.history.items()}
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
        "spec_digest": digest(text),
        "data_digest": data_digest,
        "dtype": network.dtype.name,
        "counters": counters,
        "plateau": vars(state.plateau),
        "best": None if state.best is None else {"value": state.best.value, "step": state.best.step},
        "environment": environment(),
    }
    return Checkpoint(_finite(meta), entries)


def load(path: str | Path) -> Saved:
    """Read a checkpoint. Nothing is used before all of it is proved whole and fits its spec. Raises CheckpointError."""
    checkpoint = told(checkpoints.read, Path(path))
    try:
        return _restored(checkpoint, Path(path))
    except SpecError as error:
        raise CheckpointError(f"{path}: its spec cannot be compiled by this version\n{error}") from None
    except KeyError as error:
        raise CheckpointError(f"{path}: its contents do not fit its spec (there is no {error})") from None
    except (ValueError, DataError) as error:
        raise CheckpointError(f"{path}: its contents do not fit its spec ({error})") from None


def _restored(checkpoint: Checkpoint, path: Path) -> Saved:
    meta, entries = checkpoint.meta, checkpoint.entries
    texts = {name: value for name, value in entries.items() if isinstance(value, str)}
    arrays = {name: value for name, value in entries.items() if not isinstance(value, str)}
    run = stored.run_info(texts["run/info"])
    preprocessing = Preprocessing.from_entries(_below(entries, "preprocessing"))
    spec = _spec(texts, preprocessing, path, run)
    dtype = stored.float_type(meta["dtype"])
    best = stored.best(meta["best"])
    groups = {"weights": spec.parameters(), "buffers": spec.buffers(), "data/carried": spec.carried()}
    groups |= {f"optimizer/{slot}": spec.parameters() for slot in spec.optimizer.slots}
    if best is not None:
        groups |= {"best/weights": spec.parameters(), "best/buffers": spec.buffers()}
    for group, parameters in groups.items():  # before any memory is asked for in the name of the spec
        _check_arrays(group, _below(arrays, group), parameters, dtype)
    _check_nothing_else(arrays, groups)
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
        order=stored.permutation(arrays["data/order"]),
        carried=arenas["data/carried"],
        plateau=stored.plateau(meta["plateau"]),
        history={name: stored.series(name, table) for name, table in _below(arrays, "history").items()},
        **stored.counters(meta["counters"], len(arrays["data/order"])),
    )
    if best is not None:
        state.best = Best(*best, arenas["best/weights"].flat, arenas["best/buffers"].flat)
    stored.check_environment(meta["environment"])
    stored.check_digests(meta["spec_digest"], meta["data_digest"], digest(texts["spec/resolved"]))
    return Saved(network, state, meta, run, texts["spec/source"])


def _spec(texts: Mapping[str, str], preprocessing: Preprocessing, path: Path, run: Mapping[str, Any]) -> Spec:
    """The spec of a checkpoint, checked. It stands alone: one that asks for another file was not written by us."""
    folder = Path(os.path.normpath(path.parent / run["folder"]))
    source = Source(f"the spec in {path}", texts["spec/resolved"], folder)
    statements, _ = parse_source(source, known_words())
    if any(isinstance(statement, Include) for statement in statements):
        raise ValueError("spec/resolved includes another file")
    classes = len(preprocessing.classes) if preprocessing.classes else None
    spec = check_source(source, input_shape=preprocessing.input_shape, classes=classes)
    included = stored.included(texts.get("spec/included", "{}"))
    return replace(
        spec, source=replace(source, content=texts["spec/source"]), included=included
    )  # as the user wrote it


def _check_arrays(group: str, arrays: Mapping[str, Array], parameters: Mapping[str, Parameter], dtype: Any) -> None:
    """Exactly the arrays that the spec has, in its shapes and its type. Raises ValueError."""
    if odd := sorted(set(arrays) ^ set(parameters)):
        raise ValueError(f"{group} has {odd[0]} too {'much' if odd[0] in arrays else 'little'}")
    for name, array in arrays.items():
        if array.dtype != dtype or array.shape != parameters[name].shape:
            wanted = f"{dtype} {parameters[name].shape}"
            raise ValueError(f"{group}/{name} is {array.dtype} {array.shape}, and the spec asks for {wanted}")


def _check_nothing_else(arrays: Mapping[str, Array], groups: Mapping[str, Mapping[str, Parameter]]) -> None:
    """No array of the network's beside those of the spec. Raises ValueError."""
    known = {f"{group}/{name}" for group, parameters in groups.items() for name in parameters}
    for name in sorted(set(arrays) - known):
        if name.split("/")[0] in ("weights", "buffers", "optimizer", "best"):
            raise ValueError(f"{name} is not the spec's")


def _under(group: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {f"{group}/{name}": array for name, array in arrays.items()}


def _below(entries: Mapping[str, Array | str], group: str) -> dict[str, Any]:
    start = f"{group}/"
    return {name.removeprefix(start): value for name, value in entries.items() if name.startswith(start)}


def _views(like: Arena, flat: Array) -> dict[str, Array]:
    """The named arrays in a flat one that is laid out like an arena's, not copied."""
    offsets = like.offsets.items()
    return {name: flat[start : start + math.prod(shape)].reshape(shape) for name, (start, shape) in offsets}


def _table(series: Series) -> Array:
    """(2, evaluations): steps above values."""
    return np.array([series.steps, series.values], np.float64)


def _finite(value: Any) -> Any:
    """JSON has no infinity: a number that is none is written as text and read back by `stored.number`."""
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    return repr(value) if isinstance(value, float) and not np.isfinite(value) else value


def digest(text: str) -> str:
    """SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def program_version() -> str:
    """The version of the installed program."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("nnspec")
    except PackageNotFoundError:
        return "unknown"
