"""The weights that a training begins with: those of the layers of a checkpoint that fit."""

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from nnspec.runtime.errors import CheckpointError
from nnspec.runtime.infer.network import Network
from nnspec.runtime.train.checkpointing import load_checkpoint
from nnspec.runtime.train.run_folder import resolve_checkpoint
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.vocabulary.fine_tuning import From, layers_named


def begun_from(spec: Spec, checkpoint: str | Path | None) -> Spec:
    """Return the spec with the line `from` of a checkpoint, instead of its own; as it is where that is None.

    The checkpoint, or run folder, is relative to the current folder. Raises CheckpointError where it is not there.
    """
    if checkpoint is not None:
        path = os.path.abspath(resolve_checkpoint(checkpoint))
        with suppress(ValueError):  # on another drive
            path = os.path.relpath(path, spec.folder.resolve())
        spec = replace(spec, begins=From(path=path))
    return spec if spec.begins is None else replace(spec, begins=_with_digest(spec, spec.begins))


def checkpoint_of(spec: Spec, begins: From) -> Path:
    """Return the file that a line `from` means. Raises CheckpointError where a folder has none."""
    return resolve_checkpoint(spec.folder / begins.path)


def begin(network: Network, spec: Spec) -> list[str]:
    """Give a network the arrays that its spec's line `from` takes; return what was taken and what was not, in words.

    Raises CheckpointError where the file is not there, damaged or another one, or holds nothing that was asked for.
    """
    if spec.begins is None:
        return []
    file = checkpoint_of(spec, spec.begins)
    former = load_checkpoint(file).network
    wanted = {name for names in spec.begins.only for name in layers_named(names, [name for name, _ in spec.outline])}
    taken, left = _matching(network, former, wanted if spec.begins.only else None)
    if not taken:
        raise CheckpointError(f"{file} has nothing that the network could begin with: {_reasons(left)}")
    if spec.begins.only and left:
        raise CheckpointError(f"{file} lacks what only= asks for: {_reasons(left)}")
    for arena in (network.parameter_arena, network.buffer_arena):
        arena.fill({name: array for name, array in taken.items() if name in arena})
    layers = list(dict.fromkeys(_layer(name) for name in taken))
    numbers = sum(array.size for array in taken.values())
    said = f"begins with {', '.join(layers)} of {file}, {numbers:,} numbers"
    if left:
        said += f"; not with {_reasons(left)}"
    return [said]


def _with_digest(spec: Spec, begins: From) -> From:
    """Return the line with the SHA-256 of its file. Raises CheckpointError where it has another one already."""
    file = checkpoint_of(spec, begins)
    try:
        with open(file, "rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except FileNotFoundError:
        raise CheckpointError(f"{file}: there is no such checkpoint", exit_code=2) from None
    except OSError as error:
        raise CheckpointError(f"{file}: the checkpoint to begin with cannot be read ({error.strerror})", 2) from None
    if begins.sha256 not in (None, digest):
        help = "restore the former file, or leave sha256= out to begin with what it is now"
        raise CheckpointError(f"{file} is not the checkpoint that the spec begins with\n  help: {help}")
    return begins.model_copy(update={"sha256": digest})


def _matching(
    network: Network, former: Network, wanted: set[str] | None
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return the arrays to take by their names, and by layer why others are not. `wanted` are layers, None for all."""
    ours, theirs = _by_layer(network), _by_layer(former)
    taken: dict[str, np.ndarray] = {}
    left: dict[str, str] = {}
    for layer, arrays in ours.items():
        if wanted is not None and layer not in wanted:
            continue
        reason = _difference(arrays, theirs.get(layer))
        if reason is None:
            taken |= theirs[layer]
        else:
            left[layer] = reason
    return taken, left


def _by_layer(network: Network) -> dict[str, dict[str, np.ndarray]]:
    """Return the parameters and buffers of each layer that has any, by layer and by their full names."""
    layers: dict[str, dict[str, np.ndarray]] = {}
    for name, array in {**network.parameter_arena, **network.buffer_arena}.items():
        layers.setdefault(_layer(name), {})[name] = array
    return layers


def _difference(ours: Mapping[str, np.ndarray], theirs: Mapping[str, np.ndarray] | None) -> str | None:
    """Return why a layer's arrays are not those of the layer of its name, None where they are."""
    if theirs is None:
        return "it is not there"
    for name in {**ours, **theirs}:
        if name not in theirs:
            return f"there it has no {name}"
        if name not in ours:
            return f"there it has {name}"
        if ours[name].shape != theirs[name].shape:
            return f"there {name} is {_size(theirs[name])}, not {_size(ours[name])}"
    return None


def _layer(name: str) -> str:
    return name.rpartition("/")[0]


def _size(array: np.ndarray) -> str:
    return "x".join(map(str, array.shape))


def _reasons(left: Mapping[str, str]) -> str:
    """Return why layers were left, in words."""
    return "; ".join(f"{layer}: {reason}" for layer, reason in left.items())
