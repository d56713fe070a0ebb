"""A run's state ↔ a checkpoint: the narrow door between the training loop and the file format."""

import hashlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

import checkpoints
from checkpoints import Checkpoint, FormatError
from runtime.arena import Arena
from runtime.arrays import Array
from runtime.data import Preprocessing
from runtime.environment import environment
from runtime.errors import CheckpointError
from runtime.network import Network
from runtime.randomness import restored, state_text
from runtime.schedules import PlateauState
from runtime.state import COUNTERS, Best, Series, State
from spec_lang.check import check
from spec_lang.errors import SpecError
from spec_lang.resolve import resolved
from spec_lang.source import Source

T = TypeVar("T")


@dataclass(frozen=True)
class Saved:
    """What a checkpoint was read into: the network, and the state to go on from (None for weights alone)."""

    network: Network
    state: State
    meta: dict[str, Any]
    run: dict[str, Any]
    source: str


def save(path: Path, state: State, data_digest: str, run: Mapping[str, object]) -> None:
    """Write the state as a checkpoint, whole or not at all. Raises CheckpointError where the system refuses."""
    told(checkpoints.write, path, to_checkpoint(state, data_digest, run))


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


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, so that two trainers never share it; what a killed one left half-written is swept away."""
    with ExitStack() as held:
        told(held.enter_context, checkpoints.lock(folder / "run"))
        told(checkpoints.sweep, folder)
        yield


def to_checkpoint(state: State, data_digest: str, run: Mapping[str, object]) -> Checkpoint:
    """Everything that decides what comes next, as the format names it."""
    network = state.network
    text = resolved(network.spec)
    entries: dict[str, Array | str] = {"spec/source": network.spec.source.text, "spec/resolved": text}
    entries |= _under("weights", network.parameter_arena)
    entries |= _under("buffers", network.buffer_arena)
    for slot, arena in state.slots.items():
        entries |= _under(f"optimizer/{slot}", arena)
    entries |= {f"preprocessing/{name}": value for name, value in network.preprocessing.as_entries().items()}
    entries |= {f"history/{name}": _table(series) for name, series in state.history.items()}
    entries |= {"rng/order": state_text(state.order_random), "rng/dropout": state_text(state.dropout_random)}
    entries["data/order"] = state.order
    if state.best is not None:
        entries |= _under("best/weights", _filled(network.parameter_arena, network, state.best.weights))
        entries |= _under("best/buffers", _filled(network.buffer_arena, network, state.best.buffers))
    entries["run/info"] = json.dumps({**run, "saved": time.time(), "host": socket.gethostname()}, sort_keys=True)
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
    """Read a checkpoint. Nothing is used before all of it is proved whole and fitting its spec. Raises CheckpointError."""
    checkpoint = told(checkpoints.read, Path(path))
    try:
        return _restored(checkpoint, Path(path))
    except SpecError as error:
        raise CheckpointError(f"{path}: its spec cannot be compiled by this version\n{error}") from None
    except (KeyError, ValueError, TypeError) as error:
        raise CheckpointError(f"{path}: its contents do not fit its spec ({error})") from None


def _restored(checkpoint: Checkpoint, path: Path) -> Saved:
    meta, entries = checkpoint.meta, checkpoint.entries
    texts = {name: value for name, value in entries.items() if isinstance(value, str)}
    run = json.loads(texts["run/info"])
    preprocessing = Preprocessing.from_entries(_below(entries, "preprocessing"))
    folder = Path(os.path.normpath(path.parent / str(run.get("folder", "."))))
    source = Source(f"the spec in {path}", texts["spec/resolved"], folder)
    classes = len(preprocessing.classes) if preprocessing.classes else None
    spec = check(source, input_shape=preprocessing.input_shape, classes=classes)
    spec = replace(spec, source=replace(source, content=texts["spec/source"]))  # saved again as the user wrote it
    network = Network(spec, preprocessing, np.dtype(meta["dtype"]))
    _fill(network.parameter_arena, _below(entries, "weights"), "weights")
    _fill(network.buffer_arena, _below(entries, "buffers"), "buffers")
    slots = {name: Arena(spec.parameters(), network.dtype) for name in spec.optimizer.slots}
    for name, arena in slots.items():
        _fill(arena, _below(entries, f"optimizer/{name}"), f"optimizer/{name}")
    state = State(
        network=network,
        slots=slots,
        order_random=restored(texts["rng/order"]),
        dropout_random=restored(texts["rng/dropout"]),
        order=np.asarray(entries["data/order"]),
        plateau=PlateauState(**{k: _number(v) for k, v in meta["plateau"].items()}),
        history={name: _series(table) for name, table in _below(entries, "history").items()},
        **{name: _number(meta["counters"][name]) for name in COUNTERS},
    )
    if meta["best"] is not None:
        weights, buffers = Arena(spec.parameters(), network.dtype), Arena(spec.buffers(), network.dtype)
        _fill(weights, _below(entries, "best/weights"), "best/weights")
        _fill(buffers, _below(entries, "best/buffers"), "best/buffers")
        state.best = Best(_number(meta["best"]["value"]), meta["best"]["step"], weights.flat, buffers.flat)
    _check_ranges(state)
    return Saved(network, state, meta, run, texts["spec/source"])


def _check_ranges(state: State) -> None:
    """Counters and the order must be what a run can have."""
    if not 0 <= state.position <= len(state.order) or min(state.step, state.epoch, state.samples, state.loss_count) < 0:
        raise ValueError("a counter is out of its range")
    if state.order.dtype != np.int64 or not np.array_equal(np.sort(state.order), np.arange(len(state.order))):
        raise ValueError("data/order is no permutation")


def _under(group: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {f"{group}/{name}": array for name, array in arrays.items()}


def _below(entries: Mapping[str, Array | str], group: str) -> dict[str, Any]:
    start = f"{group}/"
    return {name.removeprefix(start): value for name, value in entries.items() if name.startswith(start)}


def _filled(like: Arena, network: Network, flat: Array) -> Arena:
    spec = network.spec
    arena = Arena(spec.parameters() if like is network.parameter_arena else spec.buffers(), network.dtype)
    arena.flat[...] = flat
    return arena


def _fill(arena: Arena, arrays: Mapping[str, Array], group: str) -> None:
    """Exactly the arrays that the spec has, in its shapes and its type."""
    if set(arrays) != set(arena):
        odd = sorted(set(arrays) ^ set(arena))
        raise ValueError(f"{group} has {odd[0]} too much or too little")
    for name, array in arrays.items():
        if array.dtype != arena.flat.dtype:
            raise ValueError(f"{group}/{name} is {array.dtype}, not {arena.flat.dtype}")
    arena.fill(arrays)


def _table(series: Series) -> Array:
    """(2, evaluations): steps above values."""
    return np.array([series.steps, series.values], np.float64)


def _series(table: Array) -> Series:
    steps, values = table
    return Series([int(step) for step in steps], [float(value) for value in values])


def _finite(value: Any) -> Any:
    """JSON has no infinity: a number that is none is written as text and read back by `_number`."""
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    return repr(value) if isinstance(value, float) and not np.isfinite(value) else value


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, str) else value


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
