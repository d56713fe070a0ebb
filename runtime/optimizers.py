"""The optimizers: how a gradient changes the parameters. Each is PyTorch's of the same name and options.

Parameters lie in one row (an arena), their gradients in another and each slot of the optimizer in one more, all in the
same order: a rule knows numbers, not layers. It works in place, through blocks that stay in the cache from the first
operation on them to the last.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nnspec.runtime.arrays import Array, empty
from nnspec.runtime.registry import Registry
from nnspec.spec_lang.vocabulary.optimizers import Adam, AdamW, Momentum, Optimizer, RmsProp, Sgd

BLOCK = 65_536
"""Numbers in a block: one each of parameters, gradients, slots and scratch fit into a second-level cache."""

SWEEP = 64
"""Steps from one sweep of the slots to the next."""

HEADROOM = 2.0**26
"""How many times the smallest normal number is still worth nothing in a slot: 8e-31 in float32."""

Update = Callable[[Array, Array, Mapping[str, Array], int, float], None]
"""(parameters, gradients, slots, step, rate): one step, in place. Steps count from 1; slots begin as zeros."""

Rule = Callable[[Array, Array, Mapping[str, Array], Array, int, float], None]
"""An update of one block, with scratch of its size before the step. The gradients are scratch too."""

RULES: Registry[Callable[[Any], Rule]] = Registry(__name__)
"""Every optimizer's arithmetic, by its class of word."""

implements_rule = RULES.implements


def rule(word: Optimizer) -> Update:
    """The update of an optimizer, over arenas of any length, block by block: see `in_blocks`."""
    return in_blocks(RULES[type(word)](word))


def in_blocks(step_block: Rule) -> Update:
    """Return the update that applies a rule block by block.

    `slots` has an arena for each of `word.slots`. What is left in `gradients` afterwards means nothing. The scratch is
    the update's own and used again at each call, so one update serves one thread at a time.

    Every `SWEEP` steps what a slot has next to nothing of becomes nothing. A weight without gradient, as behind a dead
    relu, leaves averages that shrink from step to step into the subnormal numbers and never come to zero there, for
    β times the smallest of them rounds to itself; and processors compute with those a hundred times as slowly.
    """
    scratch: dict[np.dtype[Any], Array] = {}

    def update(parameters: Array, gradients: Array, slots: Mapping[str, Array], step: int, rate: float) -> None:
        """One step over arenas, or over parts of them."""
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
        """One step over a block."""
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
    """s ← alpha · s + (1 − alpha) · g²; p ← p − rate · g / (√s + eps)."""

    def update(p: Array, g: Array, slots: Mapping[str, Array], free: Array, step: int, rate: float) -> None:
        s = slots["square"]
        if word.weight_decay:
            _add(g, word.weight_decay, p, free)
        np.multiply(g, g, out=free)
        free *= 1 - word.alpha
        s *= word.alpha
        s += free
        np.sqrt(s, out=free)
        free += word.eps
        g /= free
        _add(p, -rate, g, free)

    return update


@implements_rule(Adam)
def adam(word: Adam) -> Rule:
    """m ← β₁m + (1 − β₁)g; s ← β₂s + (1 − β₂)g²; p ← p − rate · m̂ / (√ŝ + eps), m̂ = m / (1 − β₁ᵗ), ŝ = s / (1 − β₂ᵗ).

    With c = √(1 − β₂ᵗ) this is p − rate · c / (1 − β₁ᵗ) · m / (√s + c · eps): the corrections take no pass.
    """

    def update(p: Array, g: Array, slots: Mapping[str, Array], free: Array, step: int, rate: float) -> None:
        if word.weight_decay:
            _add(g, word.weight_decay, p, free)
        _adam(word, p, g, slots, free, step, rate)

    return update


@implements_rule(AdamW)
def adamw(word: AdamW) -> Rule:
    """p ← p − rate · weight_decay · p, then Adam by the gradient alone."""

    def update(p: Array, g: Array, slots: Mapping[str, Array], free: Array, step: int, rate: float) -> None:
        p *= 1 - rate * word.weight_decay
        _adam(word, p, g, slots, free, step, rate)

    return update


def _adam(word: Adam, p: Array, g: Array, slots: Mapping[str, Array], free: Array, step: int, rate: float) -> None:
    m, s = slots["mean"], slots["square"]
    m *= word.beta1
    _add(m, 1 - word.beta1, g, free)
    g *= g
    s *= word.beta2
    _add(s, 1 - word.beta2, g, free)
    correction = math.sqrt(1 - word.beta2**step)
    np.sqrt(s, out=free)
    free += word.eps * correction
    np.divide(m, free, out=g)
    _add(p, -rate * correction / (1 - word.beta1**step), g, free)


def _add(total: Array, factor: float, x: Array, free: Array) -> None:
    """total ← total + factor · x."""
    np.multiply(x, factor, out=free)
    total += free


def _sweep(slot: Array, free: Array) -> None:
    """slot ← 0 where |slot| is at most `HEADROOM` times the smallest normal number of its type."""
    np.abs(slot, out=free)
    np.multiply(slot, free > np.finfo(slot.dtype).smallest_normal * HEADROOM, out=slot)
