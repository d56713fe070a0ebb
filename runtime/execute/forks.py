"""What a fork of this process must not inherit: pools whose threads are gone, and locks that other threads hold."""

import os
from collections.abc import Callable
from typing import TypeVar

Reset = TypeVar("Reset", bound=Callable[[], None])


def after_fork(reset: Reset) -> Reset:
    """Register a function that every forked child of this process calls first. Nothing where there is no fork."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=reset)
    return reset
