"""The checkpoint of a run: writing, reading and locking.

The runtime imports the checkpoints room in two modules: in infer/network_file.py, which maps a network to entries and
back and translates errors, and here, where the entries of a run are added. checkpoint_validation.py checks the values
that are read.
"""

import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import nnspec.checkpoints as checkpoints
from nnspec.checkpoints import Checkpoint
from nnspec.runtime.arena import Arena
from nnspec.runtime.arrays import Array
from nnspec.runtime.data import Preprocessing
from nnspec.runtime.data.augmentation.streams import augmentation_streams
from nnspec.runtime.errors import CheckpointError
from nnspec.runtime.infer.baseline import Baseline
from nnspec.runtime.infer.network import Network
from nnspec.runtime.infer.network_file import (
    below,
    check_arrays,
    data_files_from,
    float_type,
    holds_a_run,
    network_from_checkpoint,
    network_to_checkpoint,
    prefixed,
    stored_spec,
    text_digest,
    text_entry,
    translate_content_errors,
    translate_errors,
)
from nnspec.runtime.randomness import generator_from_text, generator_to_text
from nnspec.runtime.train import checkpoint_validation as validated
from nnspec.runtime.train.environment import environment, machine
from nnspec.runtime.train.state import COUNTERS, Best, MetricHistory, State
from nnspec.spec_lang.vocabulary.optimizers import Optimizer
from nnspec.spec_lang.vocabulary.shape import Parameter

Resumptions = tuple[tuple[int, tuple[str, ...]], ...]
"""The steps at which a run was resumed, each with the names of the entries of the environment that had changed."""

TRAINED_WEIGHTS, TRAINED_BUFFERS = "optimizer/weights", "optimizer/buffers"
"""The groups of the weights and buffers that the optimizer moves, where those of the file are their averages."""


@dataclass(frozen=True)
class Saved:
    """The content of a checkpoint: the network, the metadata, the text of the spec as the user wrote it."""

    network: Network
    meta: dict[str, Any]
    source: str


@dataclass(frozen=True)
class SavedRun(Saved):
    """The content of a run's checkpoint: also the state, whose judged network it is, run/info, and the baseline.

    A run of an earlier version has no baseline.
    """

    state: State
    run: dict[str, Any]
    baseline: Baseline | None


def save_checkpoint(
    path: Path,
    state: State,
    data_digest: str,
    run: Mapping[str, object],
    keep_previous: bool = True,
    baseline: Array | None = None,
) -> None:
    """Write the state as a checkpoint, atomically.

    The former content of the file becomes FILE.prev where `keep_previous` is true. Other arguments are those of
    `checkpoint_image`. Raises CheckpointError where the system refuses.
    """
    write_image(path, checkpoint_image(path, state, data_digest, run, baseline), keep_previous)


def write_image(path: Path, image: bytes, keep_previous: bool = True) -> None:
    """Write what `checkpoint_image` has returned, as `save_checkpoint` does."""
    with translate_errors():
        checkpoints.write_image(path, image, keep_previous)


def checkpoint_image(
    path: Path, state: State, data_digest: str, run: Mapping[str, object], baseline: Array | None = None
) -> bytes:
    """Return the bytes of the checkpoint of a state, checked as a reader checks them.

    Arguments:
        path: the file that errors name.
        state: the state to write.
        data_digest: the digest of the training data.
        run: what run/info holds besides the time and the machine: the folder of the spec, the seconds of training, the
            identity of the folder in which the run was made, the measured baseline, the last resumptions.
        baseline: the values of the baseline, (n,) float64.

    Raises CheckpointError where the format cannot hold the state.
    """
    with translate_errors():
        return checkpoints.image_for(path, state_to_checkpoint(state, data_digest, run, baseline))


def state_differences(state: State, saved: SavedRun, data_digest: str) -> list[str]:
    """Return the names of the entries in which a state differs from a saved one, versions and machines apart."""
    now = state_to_checkpoint(state, data_digest, {})
    before = state_to_checkpoint(saved.state, saved.meta["data_digest"], {})
    return checkpoints.differing_entries(now, before)


def differing_state(first: SavedRun, second: SavedRun) -> list[str]:
    """Return the names of the entries in which the states of two runs of equal specs differ.

    Not compared are the texts of the specs, which may name the same data in other places, versions and machines.
    """
    both = [state_to_checkpoint(saved.state, saved.meta["data_digest"], {}) for saved in (first, second)]
    states = [
        Checkpoint(
            {key: value for key, value in checkpoint.meta.items() if key not in ("spec_digest", "data_files")},
            {name: value for name, value in checkpoint.entries.items() if not name.startswith("spec/")},
        )
        for checkpoint in both
    ]
    return checkpoints.differing_entries(*states)


@contextmanager
def run_lock(folder: Path) -> Iterator[Callable[[], None]]:
    """Hold the lock of a run's folder, and remove the temporary files that killed processes left in it.

    Yields a function that raises CheckpointError where the lock file was removed; call it before each write. Raises
    CheckpointError where another process holds the lock.
    """
    with ExitStack() as held:
        with translate_errors():
            check = held.enter_context(checkpoints.lock(folder / "run"))
            checkpoints.sweep(folder)

        def check_lock() -> None:
            with translate_errors():
                check()

        yield check_lock


def temporary_path(path: Path) -> Path:
    """Return a name next to `path` for a temporary file. `run_lock` removes the file where a kill leaves it."""
    return Path(checkpoints.temporary(str(path)))


def replace_file(path: Path, content: bytes) -> None:
    """Write a file atomically. Raises OSError where the system refuses."""
    checkpoints.replace_file(path, content)


def fsync_folder(path: Path) -> None:
    """Write the entries of a folder to the disk."""
    checkpoints.fsync_folder(str(path))


def state_to_checkpoint(
    state: State, data_digest: str, run: Mapping[str, object], baseline: Array | None = None
) -> Checkpoint:
    """Return the state as a checkpoint, each value under its name in the format."""
    network = state.judged
    alone = network_to_checkpoint(network)
    entries = dict(alone.entries)
    if state.averaged is not None:  # the weights of the file are the averages
        entries |= prefixed(TRAINED_WEIGHTS, state.network.parameter_arena)
        entries |= prefixed(TRAINED_BUFFERS, state.network.buffer_arena)
    for slot, arena in state.slots.items():
        entries |= prefixed(f"optimizer/{slot}", arena)
    entries |= {f"history/{name}": _history_table(history) for name, history in state.history.items()}
    entries |= {
        "rng/order": generator_to_text(state.order_random),
        "rng/dropout": generator_to_text(state.dropout_random),
        **{f"rng/augment/{word}": generator_to_text(random) for word, random in state.augment_random.items()},
    }
    entries["data/order"] = state.order
    if baseline is not None:
        entries["data/baseline"] = baseline
    entries |= prefixed("data/carried", state.carried)
    if state.best is not None:
        entries |= prefixed("best/weights", _views(network.parameter_arena, state.best.weights))
        entries |= prefixed("best/buffers", _views(network.buffer_arena, state.best.buffers))
    entries["run/info"] = json.dumps({**run, "saved": time.time(), **machine()}, sort_keys=True)
    counters = {name: getattr(state, name) for name in COUNTERS}
    meta = {
        **alone.meta,
        "data_digest": data_digest,
        "counters": counters,
        "plateau": vars(state.plateau),
        "best": None if state.best is None else {"value": state.best.value, "step": state.best.step},
        "environment": environment(),
    }
    return Checkpoint(_finite(meta), entries)


def load_checkpoint(path: str | Path) -> Saved:
    """Read a checkpoint, verify all of it, and return its content: a SavedRun where it has a run.

    Raises CheckpointError where the file does not exist, is damaged, or does not fit the spec in it.
    """
    path = Path(path)
    with translate_errors():
        checkpoint = checkpoints.read(path)
    with translate_content_errors(path):
        if holds_a_run(checkpoint):
            return _run_from_checkpoint(checkpoint, path)
        network = network_from_checkpoint(checkpoint, path)
        return Saved(network, checkpoint.meta, text_entry(checkpoint.entries, "spec/source"))


def load_run(path: str | Path) -> SavedRun:
    """Read a checkpoint of a run. Raises CheckpointError as `load_checkpoint` does, and for a network without a run."""
    saved = load_checkpoint(path)
    if isinstance(saved, SavedRun):
        return saved
    advice = f"nnspec train SPEC --init-from {path} begins with its weights"
    raise CheckpointError(f"{path} holds a network without a run: {advice}", exit_code=2)


def adopt_run(path: Path, spec_folder: Path) -> None:
    """Make the folder of a checkpoint that came from another machine the folder of its run.

    `spec_folder` is the folder of relative paths in its spec. Raises CheckpointError unless every byte is as written.
    """
    with translate_errors():
        checkpoint = checkpoints.read(path)
        info = json.loads(text_entry(checkpoint.entries, "run/info"))
        info["folder"] = os.path.relpath(spec_folder.resolve(), path.parent.resolve())
        info["made_in"] = folder_identity(path.parent)
        entries = {**checkpoint.entries, "run/info": json.dumps(info, sort_keys=True)}
        checkpoints.write(path, Checkpoint(checkpoint.meta, entries), keep_previous=False)


def _run_from_checkpoint(checkpoint: Checkpoint, path: Path) -> SavedRun:
    meta, entries = checkpoint.meta, checkpoint.entries
    texts = {name: value for name, value in entries.items() if isinstance(value, str)}
    arrays = {name: value for name, value in entries.items() if not isinstance(value, str)}
    run = validated.run_info(texts["run/info"])
    preprocessing = Preprocessing.from_entries(below(entries, "preprocessing"))
    folder = Path(os.path.normpath(path.parent.resolve() / run["folder"]))
    spec = stored_spec(entries, preprocessing, path, folder)
    files = data_files_from(meta.get("data_files"), spec)
    spec = replace(spec, kept_in=path.parent, data_files=files)
    if not _was_made_in(path.parent, run):
        spec = replace(spec, data_within=path.parent)
    dtype = float_type(meta["dtype"])
    best = validated.best(meta["best"])
    groups = {"weights": spec.parameters(), "buffers": spec.buffers(), "data/carried": spec.carried()}
    groups |= {f"optimizer/{slot}": spec.parameters() for slot in spec.optimizer.slots}
    arrays = _with_present_slots(arrays, spec.optimizer)
    if spec.ema is not None:
        groups |= {TRAINED_WEIGHTS: spec.parameters(), TRAINED_BUFFERS: spec.buffers()}
    if best is not None:
        groups |= {"best/weights": spec.parameters(), "best/buffers": spec.buffers()}
    for group, parameters in groups.items():  # before any memory is allocated for the spec
        check_arrays(group, below(arrays, group), parameters, dtype)
    _check_no_other_arrays(arrays, groups)
    network, averaged = Network(spec, preprocessing, dtype), None
    arenas = {group: Arena(parameters, dtype) for group, parameters in groups.items()}
    arenas |= {"weights": network.parameter_arena, "buffers": network.buffer_arena}
    if spec.ema is not None:
        network, averaged = Network(spec, preprocessing, dtype), network
        arenas |= {TRAINED_WEIGHTS: network.parameter_arena, TRAINED_BUFFERS: network.buffer_arena}
    for group, arena in arenas.items():
        arena.fill(below(arrays, group))
    state = State(
        network=network,
        slots={slot: arenas[f"optimizer/{slot}"] for slot in spec.optimizer.slots},
        order_random=generator_from_text(texts["rng/order"]),
        dropout_random=generator_from_text(texts["rng/dropout"]),
        augment_random={
            word: generator_from_text(texts[f"rng/augment/{word}"]) for word in augmentation_streams(spec.augment, 0)
        },
        order=validated.permutation(arrays["data/order"]),
        carried=arenas["data/carried"],
        averaged=averaged,
        plateau=validated.plateau(meta["plateau"]),
        history={name: validated.metric_history(name, table) for name, table in below(arrays, "history").items()},
        **validated.counters(meta["counters"], len(arrays["data/order"])),
    )
    if best is not None:
        state.best = Best(*best, arenas["best/weights"].flat, arenas["best/buffers"].flat)
    validated.check_environment(meta["environment"])
    validated.check_digests(meta["spec_digest"], meta["data_digest"], text_digest(texts["spec/resolved"]))
    values = arrays.get("data/baseline")
    baseline = Baseline.stored(network, values) if values is not None else None
    return SavedRun(state.judged, meta, texts["spec/source"], state, run, baseline)


def _with_present_slots(arrays: dict[str, Array], optimizer: Optimizer) -> dict[str, Array]:
    """Return the arrays of a checkpoint with the slots that the optimizer has now: an earlier version had others."""
    present = {}
    for name, array in arrays.items():
        group, _, rest = name.partition("/")
        slot, _, place = rest.partition("/")
        if group == "optimizer" and slot in optimizer.former_slots:
            now, factor = optimizer.former_slots[slot]
            with np.errstate(over="ignore"):
                name, array = f"optimizer/{now}/{place}", array * array.dtype.type(factor)
        present[name] = array
    return present


def folder_identity(folder: Path) -> int:
    """Return the number by which the file system knows a folder, also after a rename. Raises OSError."""
    return folder.stat().st_ino


def _was_made_in(folder: Path, run: Mapping[str, Any]) -> bool:
    """Return whether run/info says that the run was made in this folder, which belongs to the current user.

    The writer of a file cannot know the number of the folder in which someone else puts it, unless the folder is the
    root of a file system.
    """
    try:
        same = run.get("made_in") == folder_identity(folder) and not os.path.ismount(folder)
        return same and (not hasattr(os, "geteuid") or folder.stat().st_uid == os.geteuid())
    except OSError:
        return False


def _check_no_other_arrays(arrays: Mapping[str, Array], groups: Mapping[str, Mapping[str, Parameter]]) -> None:
    """Raise ValueError where a checkpoint has an array of weights, buffers or slots that its spec does not have."""
    known = {f"{group}/{name}" for group, parameters in groups.items() for name in parameters}
    for name in sorted(set(arrays) - known):
        if name.split("/")[0] in ("weights", "buffers", "optimizer", "best"):
            raise ValueError(f"{name} is not an array of the spec")


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
