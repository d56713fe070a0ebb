"""The arithmetic of the tables: medians, minima, ratios within a run, slopes. It knows nothing of how a run is made.

A result holds what each peer took for a workload in each of its ways: {"name": "W1", "flops": …, "goal": …, "ways":
[{"peer": "torch", "way": "fused, 1 thread", "seconds": [one for each round]}, …]}.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

Result = Mapping[str, Any]

AS_USED = {"train": "train", "predict": "predict", "occlude": "occlude"}
"""The way of nnspec that a goal is about, by the workload's kind: what users call."""


WITHOUT = "without "
"""What the names of nnspec's ways begin with that leave a rewrite of the plan out."""


@dataclass(frozen=True)
class Timing:
    """One way of one peer: seconds of a step in each round."""

    peer: str
    way: str
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median round."""
        return median(self.seconds)

    @property
    def fastest(self) -> float:
        """The fastest round."""
        return min(self.seconds)


def timings(result: Result, peer: str) -> list[Timing]:
    """Every way of a peer, the fastest by its median first."""
    found = [Timing(peer, way["way"], tuple(way["seconds"])) for way in result["ways"] if way["peer"] == peer]
    return sorted(found, key=lambda timing: timing.median)


def best(result: Result, peer: str) -> Timing | None:
    """The best way of a peer; None where it took no part."""
    return next(iter(timings(result, peer)), None)


def way(result: Result, peer: str, name: str) -> Timing | None:
    """A peer's way of this name; None where it was not measured."""
    return next((timing for timing in timings(result, peer) if timing.way == name), None)


def as_used(result: Result) -> Timing | None:
    """nnspec as users call it, which is what a goal is about."""
    return way(result, "nnspec", AS_USED.get(result["kind"], "")) or best(result, "nnspec")


def times_as_fast(theirs: Timing, ours: Timing) -> float:
    """How many times as fast we are: the median over the rounds of their seconds by ours in the same round.

    Rounds are interleaved, so both of a pair saw the same machine. Raises ValueError where the rounds are not the same.
    """
    return median(a / b for a, b in zip(theirs.seconds, ours.seconds, strict=True))


def reached(result: Result, ours: Timing | None = None) -> float | None:
    """How many times as fast as the best of PyTorch nnspec is, as users call it or in the way given.

    None where one of them took no part.
    """
    theirs, ours = best(result, "torch"), ours or as_used(result)
    return times_as_fast(theirs, ours) if theirs is not None and ours is not None else None


def gains(result: Result) -> dict[str, float]:
    """How many times as long a planned step takes without each rewrite of its plan, by the rewrite's name."""
    planned = way(result, "nnspec", "planned")
    return {
        timing.way.removeprefix(WITHOUT): times_as_fast(timing, planned)
        for timing in timings(result, "nnspec")
        if planned is not None and timing.way.startswith(WITHOUT)
    }


def share_of_peak(result: Result, timing: Timing) -> float | None:
    """The part of the machine's speed at matrix products, measured in the same rounds, that a way reaches."""
    peak = way(result, "machine", "gemm")
    if peak is None or not result["flops"]:
        return None
    share: float = median(
        result["flops"] / ours / (result["gemm_flops"] / gemm)
        for ours, gemm in zip(timing.seconds, peak.seconds, strict=True)
    )
    return share


def slope(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The exponent b of the line seconds = a · size^b that fits best by least squares in logarithms.

    Raises ValueError for fewer than two sizes.
    """
    if len(sizes) < 2:
        raise ValueError("a slope needs two points")
    xs, ys = [math.log(size) for size in sizes], [math.log(value) for value in seconds]
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - x_mean) ** 2 for x in xs)
    return sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True)) / spread


def growing(growth: Mapping[str, Any], peer: str) -> float | None:
    """The slope of a peer's times over the larger half of a growth's sizes; None where it has no part in one."""
    found = [best(result, peer) for result in growth["results"]]
    seconds = [timing.median for timing in found if timing is not None]
    if len(seconds) < len(found):
        return None
    half = max(2, (len(seconds) + 1) // 2)
    return slope(growth["sizes"][-half:], seconds[-half:])


def difference(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The largest relative difference of two lists of losses or answers; small numbers count as 0.001.

    Infinite where the lists are not as long as each other, or where a number is not finite.
    """
    if len(ours) != len(theirs) or not all(map(math.isfinite, [*ours, *theirs])):
        return math.inf
    return max((abs(a - b) / max(1e-3, abs(b)) for a, b in zip(ours, theirs, strict=True)), default=0.0)
