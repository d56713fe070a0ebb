"""The optimizers: how a gradient changes the parameters. Each equals PyTorch's with the same name and options, and Lion
that of its paper.

Parameters, gradients and each slot of an optimizer are arenas with the same order: a rule knows arrays of numbers, not
layers. It works in place, block by block, so that a block stays in the cache from its first operation to its last.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nnspec.runtime.arrays import Array, empty
from nnspec.runtime.registry import Registry
from nnspec.spec_lang.vocabulary.optimizers import (
    Adagrad,
    Adam,
    AdamW,
    Lion,
    Momentum,
    NAdam,
    Optimizer,
    RmsProp,
    Sgd,
)

BLOCK = 65_536
"""Numbers in a block: one each of parameters, gradients, slots and scratch fit into a second-level cache."""

SWEEP = 64
"""Steps between two sweeps of the slots."""

HEADROOM = 2.0**26
"""A sweep sets numbers of a slot up to this multiple of the smallest normal number to zero: 8e-31 in float32."""

Update = Callable[[Array, Array, Mapping[str, Array], int, float], None]
"""(parameters, gradients, slots, step, rate): make one step in place. Steps count from 1; slots start as zeros."""

Rule = Callable[[Array, Array, Mapping[str, Array], Array, int, float], None]
"""An update of one block; scratch of its size is the argument before the step. It may overwrite the gradients."""

RULES: Registry[Callable[[Any], Rule]] = Registry(__name__)
"""The rule of every optimizer, by the class of its word."""

implements_rule = RULES.implements


def rule(word: Optimizer) -> Update:
    """Return the update of an optimizer, for arenas of any length: see `in_blocks`.

    The update raises KeyError where the rule reads a slot that the word does not declare.
    """
    update = in_blocks(RULES[type(word)](word))

    def declared(parameters: Array, gradients: Array, slots: Mapping[str, Array], step: int, rate: float) -> None:
        try:
            update(parameters, gradients, slots, step, rate)
        except KeyError as error:
            (slot,) = error.args
            if slot in word.slots:
                raise
            needed = ", ".join(f'"{name}"' for name in (*word.slots, slot)) + "," * (not word.slots)
            raise KeyError(f"{word.word} reads the slot {slot}: declare slots = ({needed})") from error

    return declared


def in_blocks(step_block: Rule) -> Update:
    """Return the update that applies a rule block by block.

    `slots` has an arena for each of `word.slots`. The update overwrites `gradients`. It reuses its scratch memory at
    each call, so only one thread may use it at a time.

    Every `SWEEP` steps tiny numbers in the slots are set to zero. The averages of a weight without a gradient, such as
    one after a dead relu, decay into the subnormal numbers and stay there, because β times the smallest of them rounds
    to itself. Processors compute with subnormal numbers a hundred times more slowly.
    """
    scratch: dict[np.dtype[Any], Array] = {}

    def update(parameters: Array, gradients: Array, slots: Mapping[str, Array], step: int, rate: float) -> None:
        """Make one step over arenas, or over slices of them."""
        if parameters.dtype not in scratch:
            scratch[parameters.dtype] = empty(BLOCK, parameters.dtype)
        free = scratch[parameters.dtype]
        for start in range(0, parameters.size, BLOCK):
            p, g, parts = parameters, gradients, slots
            if parameters.size > BLOCK:
                block = slice(start, start + BLOCK)
                p, g = parameters[block], gradients[block]
                parts = {name: slot[block] for name, slot in slots.items()}
            step_block(p, g, parts, free[: p.size], step, rate)
            if step % SWEEP == 0:
                for part in parts.values():
                    _sweep(part, free[: p.size])

    return update


@implements_rule(Sgd)
def sgd(word: Sgd) -> Rule:
    """p ← p − rate · g, with g + weight_decay · p for g."""

    def update(p: Array, g: Array, slots: Mapping[str, Array], free: Array, step: int, rate: float) -> None:
        if word.weight_decay:
            _add(g, word.weight_decay, p, free)
        _add(p, -rate, g, free)

    return update


@implements_rule(Momentum)
def momentum(word: Momentum) -> Rule:
    """v ← beta · v + (1 − dampening) · g; p ← p − rate · v, or by nesterov p ← p − rate · (g + beta · v).

    The first step sets v = g without dampening, as PyTorch does.
    """

    def update(p: Array, g: Array, slots: Mapping[str, Array], free: Array, step: int, rate: float) -> None:
        """Make one step over a block."""
        v = slots["velocity"]
        if word.weight_decay:
            _add(g, word.weight_decay, p, free)
        if step == 1:
            v[:] = g
        else:
            v *= word.beta
            if word.dampening:
                _add(v, 1 - word.dampening, g, free)
            else:
                v += g
        if word.nesterov:
            _add(g, word.beta, v, free)
        _add(p, -rate, g if word.nesterov else v, free)

    return update


@implements_rule(RmsProp)
def rmsprop(word: RmsProp) -> Rule:
    """s ← alpha · s + (1 − alpha) · g²; p ← p − rate · g / (√s + eps).

    The slot is the sum S = s / (1 − alpha), which needs no pass for the factor: S ← alpha · S + g².
    """
    share = math.sqrt(1 - word.alpha)

    def update(p: Array, g: Array, slots: Mapping[str, Array], free: Array, step: int, rate: float) -> None:
        s = slots["square_sum"]
        if word.weight_decay:
            _add(g, word.weight_decay, p, free)
        np.multiply(g, g, out=free)
        s *= word.alpha
        s += free
        np.sqrt(s, out=free)
        free += word.eps / share
        g /= free
        _subtract(p, rate / share, g)

    return update


@implements_rule(Adagrad)
def adagrad(word: Adagrad) -> Rule:
    """s ← s + g²; p ← p − rate / (1 + (t − 1) · lr_decay) · g / (√s + eps)."""

    def update(p: Array, g: Array, slots: Mapping[str, Array], free: Array, step: int, rate: float) -> None:
        s = slots["square"]
        if word.weight_decay:
            _add(g, word.weight_decay, p, free)
        if step == 1:
            s.fill(word.initial_accumulator_value)
        np.multiply(g, g, out=free)
        s += free
        np.sqrt(s, out=free)
        free += word.eps
        g /= free
        _add(p, -rate / (1 + (step - 1) * word.lr_decay), g, free)

    return update


@implements_rule(Adam)
def adam(word: Adam) -> Rule:
    """m ← β₁m + (1 − β₁)g; s ← β₂s + (1 − β₂)g²; p ← p − rate · m̂ / (√ŝ + eps), m̂ = m / (1 − β₁ᵗ), ŝ = s / (1 − β₂ᵗ).

    With c = √(1 − β₂ᵗ) this is p − rate · c / (1 − β₁ᵗ) · m / (√s + c · eps): the corrections need no pass over arrays.
    Nor do the factors 1 − β, for the slots are the sums M = m / (1 − β₁) and S = s / (1 − β₂): M ← β₁M + g,
    S ← β₂S + g².
    """

    def update(p: Array, g: Array, slots: Mapping[str, Array], free: Array, step: int, rate: float) -> None:
        if word.weight_decay:
            _add(g, word.weight_decay, p, free)
        _adam(word, p, g, slots, free, step, rate)

    return update


@implements_rule(AdamW)
def adamw(word: AdamW) -> Rule:
    """p ← p − rate · weight_decay · p, then Adam without weight decay."""

    def update(p: Array, g: Array, slots: Mapping[str, Array], free: Array, step: int, rate: float) -> None:
        p *= 1 - rate * word.weight_decay
        _adam(word, p, g, slots, free, step, rate)

    return update


@implements_rule(NAdam)
def nadam(word: NAdam) -> Rule:
    """p ← p − rate · ((1 − μₜ) / (1 − Πμ) · g + μₜ₊₁ / (1 − Πμ · μₜ₊₁) · m) / (√ŝ + eps), ŝ = s / (1 − β₂ᵗ).

    m, s and the slots are Adam's, μₜ = β₁ · (1 − 0.96^(t · momentum_decay) / 2), and Πμ is the product of μ₁ to μₜ.
    """
    product = _Product(lambda step: _nadam_momentum(word, step))

    def update(p: Array, g: Array, slots: Mapping[str, Array], free: Array, step: int, rate: float) -> None:
        m, s = slots["sum"], slots["square_sum"]
        if word.weight_decay:
            _add(g, word.weight_decay, p, free)
        m *= word.beta1
        m += g
        s *= word.beta2
        np.multiply(g, g, out=free)
        s += free
        now, following, so_far = _nadam_momentum(word, step), _nadam_momentum(word, step + 1), product.up_to(step)
        g *= (1 - now) / (1 - so_far)
        _add(g, following / (1 - so_far * following) * (1 - word.beta1), m, free)
        correction = math.sqrt(1 - word.beta2**step) / math.sqrt(1 - word.beta2)
        np.sqrt(s, out=free)
        free += word.eps * correction
        g /= free
        _subtract(p, rate * correction, g)

    return update


def _nadam_momentum(word: NAdam, step: int) -> float:
    return float(word.beta1 * (1 - 0.5 * 0.96 ** (step * word.momentum_decay)))


class _Product:
    """The product of a sequence's first numbers, always multiplied in their order: equal bits after a resumption."""

    def __init__(self, number: Callable[[int], float]):
        self._number = number
        self._known = 0, 1.0

    def up_to(self, count: int) -> float:
        """Return the product of the numbers from 1 to `count`."""
        start, value = self._known if self._known[0] <= count else (0, 1.0)
        for index in range(start + 1, count + 1):
            value *= self._number(index)
        self._known = count, value
        return value


@implements_rule(Lion)
def lion(word: Lion) -> Rule:
    """p ← p − rate · (sign(β₁m + (1 − β₁)g) + weight_decay · p); m ← β₂m + (1 − β₂)g: algorithm 2 of the paper."""

    def update(p: Array, g: Array, slots: Mapping[str, Array], free: Array, step: int, rate: float) -> None:
        m = slots["mean"]
        p *= 1 - rate * word.weight_decay
        np.subtract(m, g, out=free)
        free *= word.beta1
        free += g
        np.sign(free, out=free)
        free *= rate
        p -= free
        m *= word.beta2
        _add(m, 1 - word.beta2, g, free)

    return update


def _adam(word: Adam, p: Array, g: Array, slots: Mapping[str, Array], free: Array, step: int, rate: float) -> None:
    m, s = slots["sum"], slots["square_sum"]
    m *= word.beta1
    m += g
    g *= g
    s *= word.beta2
    s += g
    correction = math.sqrt(1 - word.beta2**step) / math.sqrt(1 - word.beta2)
    np.sqrt(s, out=free)
    free += word.eps * correction
    np.divide(m, free, out=g)
    _subtract(p, rate * correction * (1 - word.beta1) / (1 - word.beta1**step), g)


def _add(total: Array, factor: float, x: Array, free: Array) -> None:
    """total ← total + factor · x."""
    np.multiply(x, factor, out=free)
    total += free


def _subtract(total: Array, factor: float, x: Array) -> None:
    """total ← total − factor · x; x is overwritten."""
    x *= factor
    total -= x


def _sweep(slot: Array, free: Array) -> None:
    """slot ← 0 where |slot| is at most `HEADROOM` times the smallest normal number of its type."""
    np.abs(slot, out=free)
    np.multiply(slot, free > np.finfo(slot.dtype).smallest_normal * HEADROOM, out=slot)
