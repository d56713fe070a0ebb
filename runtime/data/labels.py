"""Class labels that are whole numbers and leave some out: 1, 2, 3 without 0, or a stray 200."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LISTED = 12


@dataclass(frozen=True)
class LabelGaps:
    """Labels that are not all numbers from 0 to the largest: those that are `present`, in order, and what is `said`."""

    present: tuple[int, ...]
    said: str

    def classes(self) -> tuple[str, ...]:
        """Return the labels as names of classes."""
        return tuple(map(str, self.present))

    def advice(self) -> str:
        """Return what to write."""
        count = len(self.present)
        return (
            f"correct the labels, or write dense {count} softmax as the last layer: its classes are then called "
            f"{joined(self.classes())}"
        )


def gaps_in(name: str, labels: NDArray[np.int64], place: Callable[[int], str]) -> LabelGaps | None:
    """Return what is left out of the labels of the training samples and those to hold back, (samples,); else None.

    `place` returns where the sample of an index is. What is said names the sample of a label that only one has.
    """
    present, first, counts = np.unique(labels, return_index=True, return_counts=True)
    if not len(present) or len(present) == present[-1] + 1:
        return None
    said = f"the labels of {name} are {joined([str(label) for label in present])}"
    if len(present) < present[-1]:
        said += f", {len(present)} of the {present[-1] + 1:,} numbers from 0 to {present[-1]}"
    if counts[-1] == 1 and len(present) > 1 and counts.max() > 1:
        said += f"; a single sample has {present[-1]} ({place(int(first[-1]))})"
    return LabelGaps(tuple(present.tolist()), said)


def joined(names: Sequence[str]) -> str:
    """Return names as in a sentence: "0, 1 and 5"; of many the first and the last."""
    if len(names) > _LISTED:
        return f"{', '.join(names[: _LISTED - 1])}, … and {names[-1]}"
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
