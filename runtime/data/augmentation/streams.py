"""The random numbers of augmentations: a stream for each, which is part of the state of a run."""

from typing import TYPE_CHECKING

from nnspec.runtime.randomness import stream

if TYPE_CHECKING:
    import numpy as np

    from nnspec.spec_lang.vocabulary.augment import Augment


def augmentation_streams(augment: "Augment | None", seed: int) -> dict[str, "np.random.Generator"]:
    """Return a generator for each augmentation by its word; none without augmentation."""
    words = [change.word for change in augment.changes] if augment is not None else []
    return {word: stream(seed, f"augment/{word}") for word in words}
