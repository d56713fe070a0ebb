"""The schedules: the factor on the learning rate over the course of a training."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nnspec.runtime.registry import Registry
from nnspec.spec_lang.vocabulary.schedules import (
    ConstantRate,
    Cosine,
    CosineRestarts,
    Exponential,
    Linear,
    Milestones,
    OneCycle,
    Plateau,
    Schedule,
    StepDecay,
)

ROUNDING = 1e-9
"""The share by which a time may have been rounded down: it counts as the one that is this much later."""

SCHEDULES: Registry[Callable[[Any, float, float, float], float]] = Registry(__name__)
"""The factor (word, time, length, step) of every schedule, by the class of its word."""

implements_schedule = SCHEDULES.implements

FOLLOWERS: Registry[Callable[[Any, "PlateauState", float], "PlateauState"]] = Registry(__name__)
"""The next state by (word, state, loss) of every schedule that declares `follows_loss`, by its class of word."""


def factor(word: Schedule, time: float, length: float, step: float = 0.0) -> float:
    """Return the factor on the learning rate at a time, 0 at the first step, of a training of this length.

    Time, length, the length `step` of one training step, `every` and `warmup` are in the unit of the train statement,
    epochs or iterations. During the warm-up the factor is time / warmup; the schedule begins after it and lasts for
    the rest of the length.
    """
    if time < word.warmup:
        return time / word.warmup
    return SCHEDULES[type(word)](word, time - word.warmup, length - word.warmup, step)


def after_evaluation(word: Schedule, state: "PlateauState", loss: float) -> "PlateauState":
    """Return the state of a schedule after an evaluation; it changes only where the factor follows from losses."""
    return FOLLOWERS[type(word)](word, state, loss) if word.follows_loss else state


@implements_schedule(ConstantRate, Plateau)
def constant(word: ConstantRate | Plateau, time: float, length: float, step: float) -> float:
    """Return 1. The factor of a plateau depends on losses, not on time: see PlateauState."""
    return 1.0


@implements_schedule(StepDecay)
def step_decay(word: StepDecay, time: float, length: float, step: float) -> float:
    """Return factor^⌊time / every⌋; a time rounded to just below a multiple of `every` counts as the multiple."""
    return word.factor ** math.floor(time / word.every + ROUNDING)


@implements_schedule(Exponential)
def exponential(word: Exponential, time: float, length: float, step: float) -> float:
    """Return factor^(time / every)."""
    return float(word.factor ** (time / word.every))


@implements_schedule(Cosine)
def cosine(word: Cosine, time: float, length: float, step: float) -> float:
    """Return floor + (1 − floor) · (1 + cos(π · time / length)) / 2; after the length, the floor."""
    share = min(time / length, 1.0) if length > 0 else 1.0
    return word.floor + (1 - word.floor) * 0.5 * (1 + math.cos(math.pi * share))


@implements_schedule(Milestones)
def milestones(word: Milestones, time: float, length: float, step: float) -> float:
    """Return factor^n, n the number of milestones that have been reached; one rounded to just above `time` is."""
    return float(word.factor ** sum(time * (1 + ROUNDING) >= milestone for milestone in word.at))


@implements_schedule(CosineRestarts)
def cosine_restarts(word: CosineRestarts, time: float, length: float, step: float) -> float:
    """Return floor + (1 − floor) · (1 + cos(π · s)) / 2, s the share of the current fall that is over.

    Fall n, from 0 on, has the length every · multⁿ.
    """
    falls, length_of = time / word.every, 1.0  # both in lengths of the first fall
    if word.mult > 1:
        number = math.floor(math.log(1 + (falls + ROUNDING) * (word.mult - 1), word.mult))
        length_of = word.mult**number
        falls = (falls - (length_of - 1) / (word.mult - 1)) / length_of
    share = max(falls - math.floor(falls + ROUNDING / length_of), 0.0)
    return word.floor + (1 - word.floor) * 0.5 * (1 + math.cos(math.pi * share))


@implements_schedule(Linear)
def linear(word: Linear, time: float, length: float, step: float) -> float:
    """Return start_factor + (end_factor − start_factor) · min(time / over, 1), over all of the length by default."""
    over = word.over if word.over is not None else length
    share = min(time / over, 1.0) if over > 0 else 1.0
    return word.start_factor + (word.end_factor - word.start_factor) * share


@implements_schedule(OneCycle)
def one_cycle(word: OneCycle, time: float, length: float, step: float) -> float:
    """Return the factor of PyTorch's OneCycleLR: its rise ends one step before pct_start · length, its fall one step
    before the length, with the last step."""
    top, end = word.pct_start * length - step, length - step
    first = word.max_factor / word.div_factor
    last = first / word.final_div_factor
    if time <= top:
        return _annealed(word, first, word.max_factor, time / top if top > 0 else 1.0)
    return _annealed(word, word.max_factor, last, (time - top) / (end - top) if end > top else 1.0)


def _annealed(word: OneCycle, start: float, end: float, share: float) -> float:
    """Return the factor where this share of the way from start to end is over."""
    share = min(share, 1.0)
    if word.anneal == "linear":
        return start + (end - start) * share
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * share))


@dataclass(frozen=True)
class PlateauState:
    """The state of a plateau schedule: the lowest loss, the evaluations since, and the current factor."""

    best: float = math.inf
    wait: int = 0
    factor: float = 1.0

    def update(self, word: Plateau, loss: float) -> "PlateauState":
        """Return the state after one more evaluation.

        After more than `patience` evaluations in a row that are not lower than the best by more than min_delta, the
        factor is multiplied and the count restarts, as in PyTorch's ReduceLROnPlateau with threshold_mode="abs".
        """
        if loss < self.best - word.min_delta:
            return PlateauState(loss, 0, self.factor)
        if self.wait < word.patience:
            return PlateauState(self.best, self.wait + 1, self.factor)
        return PlateauState(self.best, 0, self.factor * word.factor)


@FOLLOWERS.implements(Plateau)
def plateau(word: Plateau, state: PlateauState, loss: float) -> PlateauState:
    """See PlateauState."""
    return state.update(word, loss)
