"""Samples and targets that a program gives, as arrays or data frames."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from nnspec.runtime.data.data_frames import frame_from, is_data_frame, targets_from
from nnspec.runtime.data.fitted.sample_shapes import as_samples
from nnspec.runtime.data.samples import Samples, numbered_places, rectangular
from nnspec.runtime.data.weights import checked_weights
from nnspec.runtime.errors import DataError
from nnspec.spec_lang.vocabulary.shape import same_meaning


@dataclass(frozen=True)
class Arrays:
    """Samples `x` and targets `y`, each an array, a list or a data frame, instead of a spec's data.

    `validation` is another such pair. `sample_weight` (samples,) are the weights of the samples in the training loss.
    `classes` are the names of the classes, whose numbers `y` then has, from 0 on; a class need not have a sample.
    """

    x: Any
    y: Any
    validation: tuple[Any, Any] | None = None
    sample_weight: Any = None
    classes: tuple[str, ...] | None = None

    def sample_shape(self) -> tuple[int, ...] | None:
        """Return the shape of a sample; None for a data frame, whose columns may become several numbers each."""
        if is_data_frame(self.x):
            return None
        shape = np.shape(rectangular(self.x, "samples"))
        return shape[1:] or (1,)

    def in_shape(self, shape: tuple[int, ...]) -> Self:
        """Return the samples in the shape of a network's input if theirs means the same, else as they are.

        An image for a network that reads a row stays an image, so that it is normalized as one.
        """
        if is_data_frame(self.x):
            return self
        held = self.validation and (_in_shape(self.validation[0], shape), self.validation[1])
        return replace(self, x=_in_shape(self.x, shape), validation=held)

    def samples(self, steps: bool) -> Samples:
        """Return them as a source returns its samples. With `steps` there is a target for each step of a sequence.

        Raises DataError for values of other kinds, and for an array where the other samples are a data frame.
        """
        samples = _samples("data", "samples", self.x, self.y, steps)
        if self.sample_weight is not None:
            weights = rectangular(self.sample_weight, "sample weights")
            own = checked_weights(weights, "the sample weights", len(samples.inputs))
            samples = replace(samples, weights=own)
        if self.classes is not None:
            samples = replace(samples, classes=len(self.classes), class_names=self.classes)
        if self.validation is None:
            return samples
        if is_data_frame(self.x) != is_data_frame(self.validation[0]):
            raise DataError("of data and validation only one is a data frame: give both as frames, or both as arrays")
        held = _samples("validation", "validation samples", *self.validation, steps)
        return replace(samples, validation=held)


def _samples(name: str, what: str, x: Any, y: Any, steps: bool) -> Samples:
    targets = rectangular(y, f"{name} targets") if steps else targets_from(y, f"the targets of {name}")
    if is_data_frame(x):
        from nnspec.runtime.data.tables.encoding import ColumnTable

        frame = frame_from(x, name)
        return Samples(name, ColumnTable(frame), targets, frame.place)
    inputs = rectangular(x, what)
    if inputs.ndim == 1 and inputs.dtype.kind in "buif":
        inputs = inputs[:, None]  # a single feature
    return Samples(name, inputs, targets, numbered_places(name), steps=steps)


def _in_shape(x: Any, shape: tuple[int, ...]) -> Any:
    samples = rectangular(x, "samples")
    given = samples.shape[1:]
    image_for_a_row = len(shape) == 1 and len(given) > 1
    if given == shape or image_for_a_row or not same_meaning(given, shape):
        return samples
    return as_samples(samples, shape)
