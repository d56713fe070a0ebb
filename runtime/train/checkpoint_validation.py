"""The numbers of a run as a checkpoint has them, each checked: a sealed file may still have been written by anyone.

Every function raises ValueError, in words that name the entry, for what no run can have.
"""

import json
import math
import re
from typing import Any

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.schedules import PlateauState
from nnspec.runtime.train.state import Series

FLOAT_TYPES = ("float32", "float64")
WHOLE_COUNTERS = ("position", "step", "epoch", "samples", "loss_count", "waited")


def run_info(text: str) -> dict[str, Any]:
    """run/info: a JSON object, with the folder of the spec's paths and the seconds of training so far."""
    try:
        found: dict[str, Any] = json.loads(text)
    except RecursionError:
        raise ValueError("run/info is nested too deep") from None
    folder = found.setdefault("folder", ".") if isinstance(found, dict) else None
    if not isinstance(folder, str) or "\0" in folder:
        raise ValueError("run/info is no object with a folder")
    seconds = _real("run/info seconds", found.setdefault("seconds", 0.0))
    if not 0 <= seconds < math.inf:
        raise ValueError("run/info has seconds that no clock shows")
    return found


def included(text: str) -> tuple[tuple[str, str], ...]:
    """spec/included: a JSON object of the texts that the spec included, by their paths from its folder."""
    try:
        found = json.loads(text)
    except RecursionError:
        raise ValueError("spec/included is nested too deep") from None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ValueError("spec/included is no object of texts")
    return tuple(found.items())


def float_type(name: object) -> np.dtype[Any]:
    """The type of a network's numbers."""
    if name not in FLOAT_TYPES:
        raise ValueError(f"a network of {str(name)[:40]}, which is none of {', '.join(FLOAT_TYPES)}")
    return np.dtype(str(name))


def counters(found: object, samples: int) -> dict[str, Any]:
    """Where the run stands, by the names of the state, with an order of so many samples."""
    found = _object("counters", found, {*WHOLE_COUNTERS, "loss_sum", "stopped"})
    checked: dict[str, Any] = {name: _whole(f"counter {name}", found[name]) for name in WHOLE_COUNTERS}
    if checked["position"] > samples:
        raise ValueError("counter position is behind the end of data/order")
    checked["loss_sum"] = _real("counter loss_sum", found["loss_sum"])
    if not math.isfinite(checked["loss_sum"]) or not isinstance(found["stopped"], bool):
        raise ValueError("counters loss_sum and stopped are a finite number and a truth value")
    return checked | {"stopped": found["stopped"]}


def best(found: object) -> tuple[float, int] | None:
    """The best evaluation's value and step; None before the first."""
    if found is None:
        return None
    found = _object("best", found, {"value", "step"})
    return _real("best value", found["value"]), _whole("best step", found["step"])


def plateau(found: object) -> PlateauState:
    """The state of the plateau schedule; without an evaluation its best loss is infinite."""
    start = vars(PlateauState())
    found = _object("plateau", found, set(start))
    checked: dict[str, Any] = {}
    for name, like in start.items():
        checked[name] = _whole(f"plateau {name}", found[name]) if isinstance(like, int) else _real(name, found[name])
    return PlateauState(**checked)


def series(name: str, table: Array) -> Series:
    """A metric's history from (2, evaluations): steps, which rise, above values."""
    if table.dtype != np.float64 or table.ndim != 2 or len(table) != 2:
        raise ValueError(f"history/{name} is no table of steps and values")
    steps, values = table
    if not np.array_equal(steps, np.floor(steps)) or (np.diff(steps) <= 0).any() or (steps < 0).any():
        raise ValueError(f"history/{name} has steps that do not rise")
    return Series([int(step) for step in steps], [float(value) for value in values])


def permutation(order: Array) -> Array:
    """The order of the samples: every number from 0 on once."""
    if order.dtype != np.int64 or order.ndim != 1 or not np.array_equal(np.sort(order), np.arange(len(order))):
        raise ValueError("data/order is no permutation")
    return order


def check_environment(found: object) -> None:
    """What wrote the file, as names and texts or whole numbers."""
    if not isinstance(found, dict) or not all(isinstance(value, str | int) for value in found.values()):
        raise ValueError("environment is no object of texts and numbers")


def check_digests(spec: object, data: object, found: str) -> None:
    """The digest of the spec is that of its text, which is `found`; that of the data can only be looked at."""
    if spec != found:
        raise ValueError("spec/resolved is not the text of spec_digest")
    if not isinstance(data, str) or not re.fullmatch("[0-9a-f]{64}", data):
        raise ValueError("data_digest is no SHA-256")


def _object(name: str, found: object, keys: set[str]) -> dict[str, Any]:
    if not isinstance(found, dict) or set(found) != keys:
        raise ValueError(f"{name} is no object of {', '.join(sorted(keys))}")
    return found


def _whole(name: str, found: object) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < 2**63:
        raise ValueError(f"{name} is no whole number")
    return found


def _real(name: str, found: object) -> float:
    """A number; an infinite one is a text, for JSON has none."""
    if isinstance(found, bool) or not (isinstance(found, int | float) or found in ("inf", "-inf")):
        raise ValueError(f"{name} is no number")
    return float(found)
