"""Resets after a fork: a child must not use pools whose threads are gone or locks that other threads held."""

import os
from collections.abc import Callable
from typing import TypeVar

Reset = TypeVar("Reset", bound=Callable[[], None])


def after_fork(reset: Reset) -> Reset:
    """Register a function that every forked child calls first. Does nothing on systems without fork."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=reset)
    return reset


def hold_during_fork(hold: Callable[[], None], go_on: Callable[[], None]) -> None:
    """Register what this process calls right before and after each fork. Nothing where there is no fork."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=hold, after_in_parent=go_on)
