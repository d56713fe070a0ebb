"""Weights of another framework in a network: read, matched, converted, and every array filled exactly once."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.weights.files.keras import read_h5, read_keras_archive
from nnspec.exchange.weights.files.npz import read_npz
from nnspec.exchange.weights.files.pickled import from_tensors, read_pickled
from nnspec.exchange.weights.files.safetensors import read_safetensors
from nnspec.exchange.weights.match import Pair, pairs_of, parts_of, without_counters
from nnspec.exchange.weights.modules import Module, keras_modules, torch_modules, unnamed_modules
from nnspec.exchange.weights.order import SAME, torch_orders
from nnspec.exchange.weights.own_module import arrays_of_own_module, preprocessing_of
from nnspec.exchange.weights.recipes import Filled, Recipe
from nnspec.exchange.weights.recipes.keras import KERAS
from nnspec.exchange.weights.recipes.torch import TORCH
from nnspec.exchange.weights.stored import Framework, Stored, as_numbers, checked_name
from nnspec.runtime.arrays import Array
from nnspec.runtime.data import Preprocessing
from nnspec.runtime.infer.network import Network
from nnspec.runtime.train.spec_and_data import check_with_data, check_with_shapes
from nnspec.spec_lang.check.spec import Node, Spec
from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.regular_file import open_regular_file
from nnspec.spec_lang.vocabulary.shape import Shape

READERS = {
    ".safetensors": read_safetensors,
    ".npz": read_npz,
    ".h5": read_h5,
    ".hdf5": read_h5,
    ".keras": read_keras_archive,
    ".pt": read_pickled,
    ".pth": read_pickled,
}
"""Formats of weights, by the ending of the name of a file."""

LAYOUTS = ("torch", "keras", "nnspec")
MATCHES = ("name", "order")


@dataclass(frozen=True)
class Step:
    """One array that was filled: from which arrays there, in which shape, and how it came."""

    theirs: tuple[str, ...]
    their_shapes: tuple[tuple[int, ...], ...]
    ours: str
    shape: tuple[int, ...]
    how: str


@dataclass(frozen=True)
class Imported:
    """A network with imported weights: what every array was filled from, and what else there is to say."""

    network: Network
    layout: Framework
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def import_weights(
    request: Request,
    weights: Any,
    layout: str | None = None,
    match: Literal["name", "order"] | str | None = None,
    fit: bool = False,
    dtype: Any = np.float32,
) -> Imported:
    """Return the network of a spec with weights that another framework trained.

    Arguments:
        request: the spec.
        weights: the path of a file, arrays or tensors by name (a state_dict), or a list of arrays in order.
        layout: "torch", "keras" or "nnspec", whose shapes and orders the arrays have; None for that of the file.
        match: "name" or "order"; None for names where every layer has one there, else the order.
        fit: whether normalization, and the names of classes, are fitted to the data of the spec. Otherwise raw samples
            go in as they are.
        dtype: float32 or float64, what the network computes in.

    Raises ExchangeError where the weights cannot be read or do not fit, SpecError, DataError.
    """
    stored = read_weights(weights)
    spec, preprocessing, said = _prepared(request, fit)
    network = Network(spec, preprocessing, dtype)
    own = arrays_of_own_module(network, without_counters(stored.arrays)) if layout is None else None
    if own is not None:
        return _of_own_module(network, stored, own, fit)
    chosen, why, pairs, how = _matched(spec.nodes, stored, layout, match)
    steps = _fill(network, pairs, stored) if chosen != "nnspec" else _copy(network, stored)
    _check_filled(network, steps)
    warnings = [
        f"{pair.part.node.name}: {remark}"
        for pair in pairs
        for module in pair.modules
        if (remark := pair.part.recipe.remarks(module)) is not None
    ]
    left = _left_over(stored, steps)
    notes = (*stored.notes, *left, f"layers matched {how}; {why}", said)
    return Imported(network, chosen, tuple(steps), notes, tuple(warnings))


def _of_own_module(network: Network, stored: Stored, own: Mapping[str, tuple[str, Array]], fit: bool) -> Imported:
    """Return the network with the arrays of a module that nnspec wrote for PyTorch."""
    if not fit:
        fitted = preprocessing_of(network.preprocessing, stored.arrays, network.spec.loss.answers)
        network = Network(network.spec, fitted, network.dtype)
    steps = []
    for name, (key, array) in own.items():
        _write(network, name, as_numbers(array, key))
        turned = "as it is" if array.shape == stored.arrays[key].shape else "turned back"
        steps.append(Step((key,), (stored.arrays[key].shape,), name, array.shape, turned))
    _check_filled(network, steps)
    said = "fitted to the data" if fit else "as in the file"
    notes = ("it is a module that nnspec export --to torch wrote", f"normalization and units of targets: {said}")
    return Imported(network, "torch", tuple(steps), (*stored.notes, *notes))


def read_weights(weights: Any) -> Stored:
    """Return the arrays of a file, a state_dict or a list. Raises ExchangeError where they cannot be read."""
    if isinstance(weights, str | os.PathLike):
        return _read_file(Path(weights))
    if isinstance(weights, Mapping):
        if any(hasattr(each, "detach") for each in weights.values()):
            return from_tensors(weights, "the state_dict")
        return Stored({checked_name(name, "weights"): np.asarray(array) for name, array in weights.items()})
    if isinstance(weights, Sequence):
        return Stored({str(place): np.asarray(array) for place, array in enumerate(weights)})
    raise ExchangeError(
        f"weights are a {type(weights).__name__}: give a path, a dict of arrays by name, or a list of arrays", 2
    )


def _read_file(path: Path) -> Stored:
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise ExchangeError(f"{path} is not a file of weights: {', '.join(READERS)} are read", 2)
    try:
        with open_regular_file(path) as file:
            content = file.read()
    except (OSError, ValueError) as error:
        raise ExchangeError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}", 2) from None
    stored = reader(content, str(path))
    if not stored.arrays:
        raise ExchangeError(f"{path} holds no arrays")
    return stored


def _prepared(request: Request, fit: bool) -> tuple[Spec, Preprocessing, str]:
    """Return the checked spec, the preprocessing, and in words what becomes of raw samples."""
    if not fit:
        spec, _ = check_with_shapes(request)
        assert spec.input is not None
        task: Literal["classification", "regression"] = "classification" if spec.loss.classifies else "regression"
        said = "raw samples go in as they are"
        asked = getattr(spec.data, "normalize", "none")
        if asked not in (None, "none"):
            said += f", though the data statement says normalize={asked}: --fit fits that to the data"
        return spec, Preprocessing.identity(spec.input, task), said
    spec, data = check_with_data(request)
    fitted = data.preprocessing
    said = f"normalize={fitted.normalize}, fitted to the training split of {data.name}"
    if fitted.target_scaling is not None:
        said += "; targets=zscore, so what the network computes is scaled to the units of the targets"
    return spec, fitted, said


def _matched(
    nodes: Sequence[Node], stored: Stored, layout: str | None, match: str | None
) -> tuple[Framework, str, list[Pair], str]:
    """Return whose layout the arrays have and why, the layers with their modules, and how they were matched."""
    for given, known, what in ((layout, LAYOUTS, "layout"), (match, MATCHES, "match")):
        if given is not None and given not in known:
            raise ExchangeError(f"{what} is {given!r}: give {', '.join(known)}", 2)
    own = {name for node in nodes for name in (*node.parameters(), *node.buffers())}
    unnamed = all(re.fullmatch(r"(arr_)?\d+", name) for name in stored.arrays)
    if layout == "nnspec" or (layout is None and set(stored.arrays) == own):
        return "nnspec", "the arrays have the names and shapes of nnspec", [], "by name"
    if layout is not None:
        chosen: Framework = "torch" if layout == "torch" else "keras"
        return chosen, f"shapes as {_title(chosen)} has them, as asked", *_pairs(nodes, stored, chosen, match, unnamed)
    likely = stored.framework or _by_names(stored.arrays)
    if likely is not None:
        try:
            return likely, f"shapes as {_title(likely)} has them", *_pairs(nodes, stored, likely, match, unnamed)
        except ExchangeError as error:
            advice = _would_fit(nodes, stored, _other(likely), match, unnamed)
            raise ExchangeError(f"{error}{advice}") from None
    return _either(nodes, stored, match, unnamed)


def _either(
    nodes: Sequence[Node], stored: Stored, match: str | None, unnamed: bool
) -> tuple[Framework, str, list[Pair], str]:
    """Return the layout whose shapes fit; the convention of the format where both do.

    That is PyTorch's for safetensors and Keras's for other arrays without names, which get_weights returns.
    """
    found: dict[Framework, tuple[list[Pair], str]] = {}
    errors: dict[Framework, ExchangeError] = {}
    for framework in (stored.convention, _other(stored.convention)):
        try:
            found[framework] = _pairs(nodes, stored, framework, match, unnamed)
        except ExchangeError as error:
            errors[framework] = error
    if not found:
        raise ExchangeError(f"the arrays fit neither as Keras nor as PyTorch has them. Keras: {errors['keras']}")
    chosen, pairs = next(iter(found.items()))
    why = f"shapes as {_title(chosen)} has them, which alone fit"
    if len(found) == 2:
        other = _other(chosen)
        why = f"nothing says whose they are; read as {_title(chosen)} has them, --layout {other} reads them otherwise"
    return chosen, why, *pairs


def _other(framework: Framework) -> Framework:
    return "keras" if framework == "torch" else "torch"


def _title(framework: str) -> str:
    return {"torch": "PyTorch", "keras": "Keras"}[framework]


def _would_fit(nodes: Sequence[Node], stored: Stored, other: Framework, match: str | None, unnamed: bool) -> str:
    """Return the advice to read the arrays as those of the other framework, where they would fit."""
    try:
        _pairs(nodes, stored, other, match, unnamed)
    except ExchangeError:
        return ""
    return f"\n  help: --layout {other}: as {_title(other)} has them they fit"


def _by_names(names: Mapping[str, Array]) -> Framework | None:
    """Return the framework whose names arrays have, None where they say nothing."""
    roles = {re.split(r"[./]", name)[-1].removesuffix(":0") for name in names}
    if roles & {"kernel", "gamma", "moving_mean", "embeddings", "recurrent_kernel", "depthwise_kernel"}:
        return "keras"
    return "torch" if roles & {"weight", "running_mean", "weight_ih_l0", "in_proj_weight"} else None


def _pairs(
    nodes: Sequence[Node], stored: Stored, framework: Framework, match: str | None, unnamed: bool
) -> tuple[list[Pair], str]:
    """Return every layer with its modules, read as a framework has them. Raises ExchangeError where they do not fit."""
    parts = parts_of(nodes, _recipes(nodes, framework))
    stored = replace(stored, arrays=without_counters(stored.arrays))
    if unnamed:
        counts = (len(slots) for part in parts if not part.tied for slots in part.recipe.modules)
        modules: Sequence[Module] = unnamed_modules(stored, counts)
        parts = [part for part in parts if not part.tied]
    else:
        modules = torch_modules(stored) if framework == "torch" else keras_modules(stored)
    return pairs_of(parts, modules, stored.ordered, match)


def _recipes(nodes: Sequence[Node], framework: Framework) -> Any:
    orders = torch_orders(nodes) if framework == "torch" else {}
    table = TORCH if framework == "torch" else KERAS

    def recipe(node: Node) -> Recipe | None:
        try:
            make = table[type(node.layer)]
        except KeyError:
            return None
        return make(node, orders.get(node.name, SAME))

    return recipe


def _fill(network: Network, pairs: Sequence[Pair], stored: Stored) -> list[Step]:
    """Write the arrays of every layer, and return what each was filled from.

    Raises ExchangeError where a number is not finite.
    """
    steps: list[Step] = []
    arenas = {**network.parameter_arena, **network.buffer_arena}
    for pair in pairs:
        node = pair.part.node
        for filled in pair.filled():
            names = pair.names(filled)
            for name in names:
                as_numbers(stored.arrays[name], name)
            tie = node.ties.get(filled.name)
            name = f"{node.name}/{filled.name}"
            if tie is not None:
                _check_tie(name, filled, arenas[tie.array], tie.transposed)
            else:
                _write(network, name, filled.array)
            shapes = tuple(stored.arrays[each].shape for each in names)
            how = filled.how if tie is None else f"shared: the same numbers as {tie.array}"
            steps.append(Step(names, shapes, name, filled.array.shape, how))
    return steps


def _check_tie(name: str, filled: Filled, owner: Array, transposed: bool) -> None:
    """Raise ExchangeError where a file has other numbers for an array that the spec shares."""
    ours = owner.T if transposed else owner
    if not np.array_equal(filled.array.astype(ours.dtype), ours):
        raise ExchangeError(
            f"{name} is shared with an earlier layer here (as=), and has other numbers there: leave as= out"
        )


def _write(network: Network, name: str, array: Array) -> None:
    with np.errstate(over="ignore"):
        cast = array.astype(network.dtype)
    if not np.isfinite(cast).all():
        raise ExchangeError(f"{name} has numbers beyond the range of {network.dtype}")
    if name in network.parameter_arena:
        network.set_parameters({name: cast})
    else:
        network.set_buffers({name: cast})


def _copy(network: Network, stored: Stored) -> list[Step]:
    """Write arrays that have the names of nnspec. Raises ExchangeError for an unknown name or another shape."""
    steps = []
    known = {**network.parameter_arena, **network.buffer_arena}
    for name, array in stored.arrays.items():
        if name not in known:
            raise ExchangeError(f"the network has no {name}; it has {', '.join(list(known)[:12])}")
        if array.shape != known[name].shape:
            raise ExchangeError(f"{name} is {Shape(array.shape)}, and {Shape(known[name].shape)} is needed")
        _write(network, name, as_numbers(array, name))
        steps.append(Step((name,), (array.shape,), name, array.shape, "as it is"))
    return steps


def _left_over(stored: Stored, steps: Sequence[Step]) -> tuple[str, ...]:
    """Return, in words, which arrays of the file are in no layer; those that count batches are not weights."""
    used = {name for step in steps for name in step.theirs}
    left = [name for name in without_counters(stored.arrays) if name not in used]
    return (f"left over in the file: {', '.join(left)}",) if left else ()


def _check_filled(network: Network, steps: Sequence[Step]) -> None:
    """Raise ExchangeError unless every array of the network was filled exactly once."""
    filled = [step.ours for step in steps]
    for name in (*network.parameter_arena, *network.buffer_arena):
        if filled.count(name) != 1:
            count = "not filled" if name not in filled else "filled twice"
            raise ExchangeError(f"{name} was {count}: the file has no array for it")
