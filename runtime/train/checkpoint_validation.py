"""Checks of the values that a checkpoint holds: a file with a valid seal may still have been written by anyone.

Each function returns the value of one entry, or raises ValueError that names the entry where no run can have the value.
checkpointing.py uses them.
"""

import json
import math
import re
from typing import Any

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.schedules import PlateauState
from nnspec.runtime.train.state import MetricHistory

INTEGER_COUNTERS = ("position", "step", "epoch", "samples", "loss_count", "waited")


def run_info(text: str) -> dict[str, Any]:
    """Return run/info, a JSON object: `folder`, where the spec's paths begin, `seconds` of training so far, `baseline`.

    A value that an earlier version did not write is that of a run without it.
    """
    try:
        found: dict[str, Any] = json.loads(text)
    except RecursionError:
        raise ValueError("run/info is nested too deeply") from None
    folder = found.setdefault("folder", ".") if isinstance(found, dict) else None
    if not isinstance(folder, str) or "\0" in folder:
        raise ValueError("run/info is not an object with a folder")
    seconds = _real("run/info seconds", found.setdefault("seconds", 0.0))
    if not 0 <= seconds < math.inf:
        raise ValueError("run/info seconds is negative or infinite")
    if not isinstance(found.get("made_in"), int | None):
        raise ValueError("run/info made_in is not an integer")
    found["resumed"] = _resumptions(found.get("resumed", []))
    found["baseline"] = measured_baseline(found.get("baseline"))
    return found


def _resumptions(found: object) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """Return the steps at which a run was resumed, each with the names of what had changed in the environment."""
    problem = ValueError("run/info resumed is not a list of steps and names")
    if not isinstance(found, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in found):
        raise problem
    if not all(isinstance(names, list) and all(isinstance(name, str) for name in names) for _, names in found):
        raise problem
    return tuple((_integer("run/info resumed", step), tuple(names)) for step, names in found)


def measured_baseline(found: object) -> dict[str, Any] | None:
    """Return the baseline of run/info: its `name`, the `split`, and numbers by the name of the loss or metric."""
    if found is None:
        return None
    texts = ("name", "split")
    if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in texts):
        raise ValueError("run/info baseline is not an object with a name and a split")
    return {name: value if name in texts else _real(f"baseline {name}", value) for name, value in found.items()}


def counters(found: object, samples: int) -> dict[str, Any]:
    """Return the counters of a state by their names; `samples` is the length of data/order."""
    found = _object("counters", found, {*INTEGER_COUNTERS, "loss_sum", "stopped"})
    checked: dict[str, Any] = {name: _integer(f"counter {name}", found[name]) for name in INTEGER_COUNTERS}
    if checked["position"] > samples:
        raise ValueError("counter position is after the end of data/order")
    checked["loss_sum"] = _real("counter loss_sum", found["loss_sum"])
    if not math.isfinite(checked["loss_sum"]) or not isinstance(found["stopped"], bool):
        raise ValueError("counter loss_sum is not a finite number, or counter stopped is not a boolean")
    return checked | {"stopped": found["stopped"]}


def best(found: object) -> tuple[float, int] | None:
    """Return the value and the step of the best evaluation; None before the first."""
    if found is None:
        return None
    found = _object("best", found, {"value", "step"})
    return _real("best value", found["value"]), _integer("best step", found["step"])


def plateau(found: object) -> PlateauState:
    """Return the state of the plateau schedule; before the first evaluation its best loss is infinite."""
    start = vars(PlateauState())
    found = _object("plateau", found, set(start))
    checked: dict[str, Any] = {}
    for name, like in start.items():
        check = _integer if isinstance(like, int) else _real
        checked[name] = check(f"plateau {name}", found[name])
    return PlateauState(**checked)


def metric_history(name: str, table: Array) -> MetricHistory:
    """Return the history of a metric from its table (2, evaluations): a row of increasing steps, a row of values."""
    if table.dtype != np.float64 or table.ndim != 2 or len(table) != 2:
        raise ValueError(f"history/{name} is not a float64 table of steps and values")
    steps, values = table
    if not np.array_equal(steps, np.floor(steps)) or (np.diff(steps) <= 0).any() or (steps < 0).any():
        raise ValueError(f"history/{name} has steps that are not increasing integers")
    return MetricHistory([int(step) for step in steps], [float(value) for value in values])


def permutation(order: Array) -> Array:
    """Return data/order: every integer from 0 on, once."""
    if order.dtype != np.int64 or order.ndim != 1 or not np.array_equal(np.sort(order), np.arange(len(order))):
        raise ValueError("data/order is not a permutation")
    return order


def check_environment(found: object) -> None:
    """Raise ValueError unless the environment that wrote the file is an object of texts and integers."""
    if not isinstance(found, dict) or not all(isinstance(value, str | int) for value in found.values()):
        raise ValueError("environment is not an object of texts and integers")


def check_digests(spec: object, data: object, found: str) -> None:
    """Raise ValueError unless `spec` is the digest `found` of spec/resolved, and `data` has the form of a digest."""
    if spec != found:
        raise ValueError("spec_digest is not the digest of spec/resolved")
    if not isinstance(data, str) or not re.fullmatch("[0-9a-f]{64}", data):
        raise ValueError("data_digest is not a SHA-256")


def _object(name: str, found: object, keys: set[str]) -> dict[str, Any]:
    if not isinstance(found, dict) or set(found) != keys:
        raise ValueError(f"{name} is not an object of {', '.join(sorted(keys))}")
    return found


def _integer(name: str, found: object) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < 2**63:
        raise ValueError(f"{name} is not an integer of 0 or more")
    return found


def _real(name: str, found: object) -> float:
    """Return a number; infinity is stored as text, because JSON does not have it."""
    if isinstance(found, bool) or not (isinstance(found, int | float) or found in ("inf", "-inf")):
        raise ValueError(f"{name} is not a number")
    return float(found)
