"""A network's outputs beside their targets, as metrics read them: classes, labels or numbers."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.targets import PADDING, TargetError, as_classes, as_numbers


@dataclass(frozen=True, eq=False)
class Answers:
    """The outputs (sample, …) for all samples of a split, and their targets.

    `threshold` is the output from which on a label, or the second of two classes with one output, is predicted.
    """

    outputs: Array
    targets: Array
    threshold: float = 0.5

    @property
    def labelled(self) -> bool:
        """Whether targets are several labels of each sample rather than one class."""
        outputs = self.outputs
        return outputs.ndim > 1 and outputs.shape[-1] > 1 and self.targets.shape == outputs.shape

    @cached_property
    def _classified(self) -> tuple[Array, Array]:
        """Scores (place, classes) and true classes (place,), with all axes merged and padding removed."""
        outputs, targets = self.outputs, self.targets
        if outputs.ndim == targets.ndim == 1:
            outputs = outputs[:, None]
        if outputs.shape[-1] == 1:
            targets = targets.reshape(outputs.shape[:-1]) if targets.shape == outputs.shape else targets
            outputs = np.concatenate([2 * self.threshold - outputs, outputs], axis=-1)
        truth = as_classes(targets, outputs).reshape(-1)
        scores, real = outputs.reshape(-1, outputs.shape[-1]), truth != PADDING
        return (scores, truth) if real.all() else (scores[real], truth[real])

    @property
    def scores(self) -> Array:
        """The probability, or the score, of each class, (place, classes). Raises TargetError for other targets."""
        return self._classified[0]

    @property
    def truth(self) -> Array:
        """The true class of each place, (place,)."""
        return self._classified[1]

    @property
    def predicted(self) -> Array:
        """The most probable class of each place, (place,); of equals the first counts."""
        classes: Array = self.scores.argmax(axis=-1)
        return classes

    def confusion(self) -> Array:
        """Return how often class i (row) was predicted as class j (column), (classes, classes)."""
        classes = self.scores.shape[-1]
        return np.bincount(self.truth * classes + self.predicted, minlength=classes**2).reshape(classes, classes)

    @property
    def labels(self) -> tuple[Array, Array]:
        """Which labels were predicted and which are true, bool (place, labels) each."""
        count = self.outputs.shape[-1]
        said, true = self.outputs >= self.threshold, self.targets >= 0.5
        return said.reshape(-1, count), true.reshape(-1, count)

    def counts(self) -> tuple[Array, Array, Array]:
        """Return how often each class, or label, was predicted rightly, predicted, and true, (classes,) each."""
        if self.labelled:
            said, true = self.labels
            return (said & true).sum(axis=0), said.sum(axis=0), true.sum(axis=0)
        table = self.confusion()
        return table.diagonal(), table.sum(axis=0), table.sum(axis=1)

    @property
    def numbers(self) -> Array:
        """The target of each output, in the outputs' shape, float64. Raises TargetError for another shape."""
        return as_numbers(self.targets, self.outputs.astype(np.float64))

    @property
    def differences(self) -> Array:
        """y − t in float64, in the outputs' shape."""
        difference: Array = self.outputs.astype(np.float64) - self.numbers
        return difference

    def require_two(self, what: str) -> None:
        """Raise TargetError unless the targets are two classes."""
        count = self.outputs.shape[-1] if self.labelled else self.scores.shape[-1]
        if self.labelled or count != 2:
            raise TargetError(f"{what} measures the second of two classes, and there are {count}")
