"""Words made up by a test, with what the runtime computes for them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from nnspec.runtime.compiler.kernels import KERNELS
from nnspec.runtime.data import SOURCES
from nnspec.runtime.data.augmentation import PIXELS, PLACES
from nnspec.runtime.initializers import INITIALIZERS
from nnspec.runtime.layers import LAYERS, MERGES
from nnspec.runtime.losses import LOSSES
from nnspec.runtime.metrics import METRICS
from nnspec.runtime.optimizers import RULES
from nnspec.runtime.registry import Registry
from nnspec.runtime.schedules import SCHEDULES
from nnspec.spec_lang.vocabulary.fields import fields_of
from nnspec.spec_lang.vocabulary.registry import temporary_words

REGISTRIES: tuple[Registry[Any], ...] = (
    LAYERS,
    MERGES,
    KERNELS,
    RULES,
    LOSSES,
    SCHEDULES,
    INITIALIZERS,
    METRICS,
    SOURCES,
    PLACES,
    PIXELS,
)


@contextmanager
def throwaway_words() -> Iterator[None]:
    """Forget afterwards the words and functions that are registered while this lasts."""
    with ExitStack() as stack:
        stack.enter_context(temporary_words())
        for registry in REGISTRIES:
            stack.enter_context(registry.temporary())
        stack.callback(fields_of.cache_clear)
        yield
