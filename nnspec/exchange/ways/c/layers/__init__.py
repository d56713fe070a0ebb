"""How each layer and merge is computed in C: a function by the word's class calls kernels and returns the output.

A word without a function is refused by its name.
"""

from collections.abc import Callable
from typing import Any

from nnspec.exchange.ways.c.program import Room, Site
from nnspec.runtime.registry import Registry

C_LAYERS: Registry[Callable[[Any, Site], Room]] = Registry(__name__)
"""(the word, what it is given) → the array of its output."""

in_c = C_LAYERS.implements
