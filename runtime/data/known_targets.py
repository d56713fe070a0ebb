"""Targets that a caller gives for a network that exists: in the form of its loss and metrics, classes by name."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.data_frames import targets_from
from nnspec.runtime.data.fitted.preprocessing import Preprocessing
from nnspec.runtime.data.samples import as_targets
from nnspec.runtime.errors import DataError
from nnspec.spec_lang.report.diagnostics import near


def known_targets(y: Any, preprocessing: Preprocessing, one_each: bool) -> NDArray[Any]:
    """Return targets (samples, …): an array, a list, a series or a data frame of one.

    Classes are given by name, or by number in the order of the outputs. With `one_each`, the targets are one class for
    each sample, and a single column of them means the same. Raises DataError for text that names no class of the
    network, and for numbers that are not finite.
    """
    targets = targets_from(y, "the targets")
    if targets.dtype.kind == "S":
        targets = np.char.decode(targets, "utf-8", "replace")
    if targets.dtype.kind == "O" and targets.size and all(isinstance(name, str) for name in targets.flat):
        targets = targets.astype(str)
    if one_each and targets.ndim == 2 and targets.shape[1] == 1:
        targets = targets[:, 0]
    if targets.dtype.kind != "U":
        targets = as_targets(targets)
        if not one_each or not _are_names(preprocessing.classes):
            return targets
        targets = np.array([f"{label:.15g}" for label in targets.tolist()], str)
    return _numbers_of(targets, preprocessing) if targets.size else as_targets(targets)


def _are_names(classes: tuple[str, ...] | None) -> bool:
    """Return whether whole numbers are names of classes and not their places: 3 and 7, the labels of two classes."""
    if classes is None or classes == tuple(map(str, range(len(classes)))):
        return False
    return all(name.removeprefix("-").isdecimal() for name in classes)


def _numbers_of(names: NDArray[np.str_], preprocessing: Preprocessing) -> NDArray[np.int64]:
    """Return the number of each class, in the order of the outputs."""
    classes = preprocessing.classes
    if classes is None:
        raise DataError(
            f'the targets are text, as "{names.flat[0]}", and the network predicts numbers: give numbers', 2
        )
    known = {name: number for number, name in enumerate(classes)}
    found, places = np.unique(names, return_inverse=True)
    unknown = next((name for name in found.tolist() if name not in known), None)
    if unknown is not None:
        close = near(unknown, classes)
        hint = f'did you mean "{close}"? ' if close else ""
        listed = ", ".join(classes[:10]) + (", …" if len(classes) > 10 else "")
        raise DataError(f'the network knows no class "{unknown}"; {hint}its classes are {listed}', 2)
    numbers = np.array([known[name] for name in found.tolist()], np.int64)
    return numbers[places].reshape(names.shape)
