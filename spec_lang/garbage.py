"""Work that makes many objects and little garbage."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def nothing_collected() -> Iterator[None]:
    """Disable garbage collection, which would traverse many small objects again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def grow_old() -> None:
    """Put every object into the oldest generation, as if it had survived the collections that were left out.

    After an import the next collection would otherwise traverse all that it made, and the one after that again. Nothing
    is done where the program keeps frozen objects of its own, which this would thaw.
    """
    if gc.get_freeze_count() == 0:
        gc.freeze()
        gc.unfreeze()
