"""What a run's result means: the baseline beside it, and whether the loss was still falling when the run ended."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nnspec.runtime.data import Data, Split
from nnspec.runtime.data.array_likes import take
from nnspec.runtime.infer.baseline import Baseline
from nnspec.runtime.train.state import MetricHistory
from nnspec.spec_lang.check.spec import Spec

STEEP, STEADY, PART, SOME = 0.05, 0.005, 0.1, 0.001
"""A loss still falls where it fell by STEEP of itself and SOME of all that it fell; or by STEADY of itself and PART of
all."""

MOST_MEASURED = 10_000
"""The most training samples that an evaluation measures."""


def judged_split(data: Data) -> str:
    """Return the name of the split that evaluations measure: validation, else train."""
    return "validation" if data.validation is not None else "train"


def measured_training_split(spec: Spec, data: Data) -> Split:
    """Return the training samples that evaluations measure: at most MOST_MEASURED, evenly spaced, in their order.

    A stateful network reads consecutive samples, so these are the first ones there.
    """
    every = 1 if spec.train.stateful else max(1, math.ceil(len(data.train) / MOST_MEASURED))
    chosen = slice(0, MOST_MEASURED * every, every)
    return Split(take(data.train.inputs, chosen), data.train.targets[chosen])


def measured_baseline(baseline: Baseline, data: Data, split: str) -> dict[str, Any]:
    """Return a baseline as events and checkpoints have it: its name, the split, the loss and the metrics on it.

    What is infinite there is left out.
    """
    measured = baseline.measure(dict(data.splits())[split])
    finite = {name: value for name, value in measured.items() if math.isfinite(value)}
    return {"name": baseline.name, "split": split, **finite}


def baseline_of_result(
    baseline: Baseline, data: Data, last: Mapping[str, float], judged: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the baseline of a run's last measurements, on their split, and whether the network beats it.

    The split is test, else validation; of a run without both it is the training split, of which only the loss counts.
    `judged` is what `measured_baseline` has returned for the split of the evaluations.
    """
    split = next((name for name in ("test", "validation") if f"{name}_loss" in last), "train")
    own = judged if split == judged["split"] else measured_baseline(baseline, data, split)
    prefix = f"{split}_" if split != "train" else ""
    found = {name: last[f"{prefix}{name}"] for name in own if f"{prefix}{name}" in last}
    return {**own, "beaten": baseline.beaten(found, own)}


def still_falling(spec: Spec, history: Mapping[str, MetricHistory]) -> dict[str, Any] | None:
    """Return by how much the loss fell at the end of a run, and the train statement to write; None where it did not.

    The loss is that of validation, else of training. Its means over the quarters of the evaluations are compared. It
    still falls where its lowest value is in the last quarter, and that is much lower than the quarter before, or is a
    good part of a steady fall.
    """
    name = "validation_loss" if "validation_loss" in history else "loss"
    values = history[name].values if name in history else []
    quarter = max(1, len(values) // 4)
    if len(values) < 2 * quarter:
        return None
    means = [float(np.mean(part)) for part in _quarters(values, quarter)]
    before, last = means[-2:]
    if not before > last > 0 or min(values) not in values[-quarter:]:
        return None
    fall = 1 - last / before
    part = (before - last) / max(values[0] - last, before - last)
    steady = len(means) > 2 and means[-3:] == sorted(means[-3:], reverse=True)
    if not (fall >= STEEP and part >= SOME) and not (steady and fall >= STEADY and part >= PART):
        return None
    length = 2 * spec.train.length
    return {
        "metric": name,
        "by": round(fall, 4),
        "evaluations": quarter,
        "write": f"train {length} {spec.train.unit}",
        "set": f"train.{spec.train.unit}={length}",
    }


def _quarters(values: list[float], quarter: int) -> Iterator[list[float]]:
    """Yield the last consecutive parts of this length, the last of them last."""
    for start in range(len(values) % quarter, len(values), quarter):
        yield values[start : start + quarter]
