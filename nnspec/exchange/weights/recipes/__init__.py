"""What each layer keeps in another framework, and how it becomes the arrays here: one module for each framework.

A recipe is a function of a node of the spec and its `Order`, registered for the class of its layer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nnspec.exchange.weights.modules import Module
from nnspec.exchange.weights.order import Order
from nnspec.runtime.arrays import Array
from nnspec.spec_lang.check.spec import Node


@dataclass(frozen=True)
class Slot:
    """An array that a module keeps: its role and shape there. An optional one may be missing."""

    role: str
    shape: tuple[int, ...]
    optional: bool = False


@dataclass(frozen=True)
class Filled:
    """An array here, by its name in the layer: from which roles of a module it is, its numbers, and how they came.

    `more` are roles of other modules, each after the number of its module.
    """

    name: str
    roles: tuple[str, ...]
    array: Array
    how: str = "as it is"
    module: int = 0
    more: tuple[tuple[int, str], ...] = ()


Given = Sequence[Mapping[str, Array]]
"""The arrays of each module, by role."""


@dataclass(frozen=True)
class Recipe:
    """How a layer is filled: the slots of each module that it is made of, and the function that fills it from them.

    `kinds` are the classes of layers that it may be there, as the paths of a file name them. `refuses` returns why a
    module cannot be it, `remarks` what its arguments there have to do with it, both in words.
    """

    modules: tuple[tuple[Slot, ...], ...]
    fill: Callable[[Given], list[Filled]]
    kinds: tuple[str, ...] = ()
    refuses: Callable[[Module], str | None] = lambda module: None
    remarks: Callable[[Module], str | None] = lambda module: None


Make = Callable[[Node, Order], Recipe]


def ordered(array: Array, places: Array | None, axis: int = 0) -> Array:
    """Return an array with one axis in our order."""
    return array if places is None else np.take(array, places, axis=axis)
