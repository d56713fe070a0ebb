"""Preprocessing: learnt from the training split, applied to every sample, and stored with the weights."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Self, cast, get_args

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from nnspec.runtime.data.fitted.measure import limits, zscore
from nnspec.runtime.data.fitted.sample_shapes import as_samples
from nnspec.runtime.data.fitted.seen import Seen, finite_mean
from nnspec.runtime.data.fitted.stored_entries import StoredEntries, stored_error
from nnspec.runtime.data.fitted.target_scaling import TargetScaling
from nnspec.runtime.data.pictures import Fit
from nnspec.runtime.errors import DataError
from nnspec.spec_lang.vocabulary.shape import Shape

if TYPE_CHECKING:
    from nnspec.runtime.data.tables.encoding import ColumnEncoding

Normalize = Literal["zscore", "minmax", "unit", "none"]
Task = Literal["classification", "regression"]


@dataclass(frozen=True, eq=False)
class Preprocessing:
    """What prediction needs to know about the training data.

    A network sees (sample − shift) / scale. Both are float64 with one number for each channel of an image or feature of
    a table, (channels,) or (features,); the scale of a constant feature is 1. `input_shape` is that of one raw sample.
    `classes` names the classes in the order of the outputs and `features` the columns, if they are known. `vocabulary`
    names the symbols if samples are text. `limits` are the smallest and largest number in the training split; pictures
    are read in the same range. `columns` says how the raw columns of a table become the features, where these are more
    than numbers as they are. `picture_fit` is how pictures were brought to the size of the samples, if samples are
    pictures of a folder. `target_scaling` is that of numbers to predict, None where the network computes them as they
    are. `seen` is what training saw of each channel or feature; None where it is not known, and of symbols.
    """

    normalize: Normalize
    input_shape: tuple[int, ...]
    shift: NDArray[np.float64]
    scale: NDArray[np.float64]
    classes: tuple[str, ...] | None
    features: tuple[str, ...] | None
    task: Task
    limits: tuple[float, float] = (0.0, 255.0)
    vocabulary: tuple[str, ...] | None = None
    columns: "ColumnEncoding | None" = None
    picture_fit: Fit | None = None
    target_scaling: TargetScaling | None = None
    seen: Seen | None = None

    @classmethod
    def identity(cls, input_shape: tuple[int, ...], task: Task = "classification") -> Self:
        """Return preprocessing that changes nothing, for a network that has seen no data."""
        channels = input_shape[-1:] or (1,)
        return cls("none", tuple(input_shape), np.zeros(channels), np.ones(channels), None, None, task)

    @classmethod
    def fit(
        cls,
        inputs: NDArray[Any],
        normalize: Normalize,
        task: Task,
        classes: tuple[str, ...] | None = None,
        features: tuple[str, ...] | None = None,
        vocabulary: tuple[str, ...] | None = None,
    ) -> Self:
        """Learn a normalization from training samples (samples, …), which must be finite.

        zscore: the mean becomes 0 and the standard deviation 1. minmax: the smallest becomes 0 and the largest 1.
        unit: 255 becomes 1. Raises DataError for unit outside the range of a byte, and for numbers too large to
        compute a mean.
        """
        low, high = limits(inputs)
        shift, scale = np.zeros_like(low), np.ones_like(low)
        with np.errstate(over="ignore", invalid="ignore"):
            if normalize == "zscore":
                shift, scale = zscore(inputs, low, high)
            elif normalize == "minmax":
                shift, scale = low, np.where(high > low, high - low, 1.0)
            elif normalize == "unit":
                _check_bytes(inputs.dtype, float(low.min()), float(high.max()))
                scale = np.full_like(low, 255.0)
        if not (np.isfinite(shift).all() and np.isfinite(scale).all() and (scale > 0).all()):
            raise DataError(
                f"numbers from {low.min():g} to {high.max():g} cannot be normalized by {normalize}: their spread is "
                "outside the range of float64; scale them, or write normalize=none"
            )
        span = (float(low.min()), float(high.max()))
        seen = None
        if vocabulary is None:
            seen = Seen(low, high, shift if normalize == "zscore" else finite_mean(inputs))
        return cls(normalize, inputs.shape[1:], shift, scale, classes, features, task, span, vocabulary, seen=seen)

    def apply(self, inputs: ArrayLike, dtype: DTypeLike = np.float32, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Return (inputs − shift) / scale of raw samples (batch, …), in `dtype` or written to `out` (batch, …).

        Raises DataError as `as_batch` does.
        """
        batch = self.as_batch(inputs)
        if out is None:
            out = np.empty(batch.shape, dtype)
        if self.normalize == "none":
            np.copyto(out, batch, casting="same_kind")
            return out
        shift, scale = self.constants(batch.dtype, out.dtype)
        np.subtract(batch, shift, out=out, casting="same_kind")
        np.divide(out, scale, out=out, casting="same_kind")
        return out

    def as_batch(self, inputs: ArrayLike) -> NDArray[Any]:
        """Return raw samples as an array (batch, *input_shape), not copied. Raises DataError where they do not fit.

        `sample_shapes.as_samples` says which other shapes mean the same. The columns of a data frame are found by name
        and encoded as in training; what training did not see is a Python warning.
        """
        if not isinstance(inputs, np.ndarray):
            from nnspec.runtime.data.data_frames import is_data_frame, rows_from

            if is_data_frame(inputs):
                inputs = rows_from(inputs, self.encoding(), self.input_shape)
        return as_samples(inputs, self.input_shape)

    def unlike(self, samples: ArrayLike, labels: Sequence[str]) -> list[str]:
        """Return what is unlike training in raw samples (batch, …), in sentences that name them by their labels.

        Empty where it is not known what training saw. Raises DataError as `as_batch` does.
        """
        batch = self.as_batch(samples)
        return list(self.seen.unlike(batch, labels, self.features)) if self.seen is not None else []

    def with_columns(self, columns: "ColumnEncoding") -> Self:
        """Return this for features that a table's columns become: only the numbers among them are normalized."""
        if columns.plain:
            return self
        scaled = columns.scaled
        shift, scale = np.where(scaled, self.shift, 0.0), np.where(scaled, self.scale, 1.0)
        return replace(self, shift=shift, scale=scale, columns=columns)

    def sample_shape(self) -> Shape:
        """Return the shape of a raw sample, with the one-hot columns of a table."""
        return Shape(self.input_shape, blocks=self.columns.blocks() if self.columns is not None else ())

    def encoding(self) -> "ColumnEncoding | None":
        """Return how raw columns become features, None where a sample is not a row of a table.

        Where the columns are numbers as they are, a missing one is replaced by the mean if zscore knows it.
        """
        if self.columns is not None or self.features is None:
            return self.columns
        from nnspec.runtime.data.tables.encoding import numbers_alone

        return numbers_alone(self.features, self.shift if self.normalize == "zscore" else None)

    def class_name(self, number: int) -> str:
        """Return the name of a class, or its number if it has no name."""
        return self.classes[number] if self.classes is not None and number < len(self.classes) else str(number)

    def constants(self, sample_type: np.dtype[Any], result_type: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return shift and scale for samples of a type: float64 wherever float32 would lose precision."""
        exact = result_type == np.float64 or sample_type.itemsize > (4 if sample_type.kind == "f" else 2)
        return (self.shift, self.scale) if exact else self._single

    @cached_property
    def _single(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Shift and scale in float32, for samples whose values are all exact in float32: half the work, same result."""
        return self.shift.astype(np.float32), self.scale.astype(np.float32)

    def as_entries(self) -> dict[str, NDArray[Any] | str]:
        """Return what a checkpoint stores: arrays and text by name. Names of classes and features are JSON lists."""
        entries: dict[str, NDArray[Any] | str] = {
            "normalize": self.normalize,
            "task": self.task,
            "input_shape": np.array(self.input_shape, np.int64),
            "shift": self.shift,
            "scale": self.scale,
            "limits": np.array(self.limits),
        }
        if self.picture_fit is not None:
            entries["picture_fit"] = self.picture_fit
        named = {"classes": self.classes, "features": self.features, "vocabulary": self.vocabulary}
        for name, names in named.items():
            if names is not None:
                entries[name] = json.dumps(list(names), ensure_ascii=False)
        if self.columns is not None:
            entries["columns"] = self.columns.as_text()
        if self.seen is not None:
            entries |= {"low": self.seen.low, "high": self.seen.high, "mean": self.seen.mean}
        if self.target_scaling is not None:
            entries |= {"target_shift": self.target_scaling.shift, "target_scale": self.target_scaling.scale}
        return entries

    @classmethod
    def from_entries(cls, entries: Mapping[str, NDArray[Any] | str]) -> Self:
        """Return the value that `as_entries` stored, bit for bit.

        Raises DataError where an entry is missing, unknown, of another type or out of range.
        """
        reader = StoredEntries(entries)
        found = cls(
            cast("Normalize", reader.word("normalize", get_args(Normalize))),
            tuple(reader.array("input_shape", np.int64).tolist()),
            reader.array("shift", np.float64),
            reader.array("scale", np.float64),
            reader.names("classes"),
            reader.names("features"),
            cast("Task", reader.word("task", get_args(Task))),
            tuple(reader.array("limits", np.float64).tolist()),
            reader.names("vocabulary"),
            _stored_columns(reader),
            cast("Fit", reader.word("picture_fit", get_args(Fit))) if "picture_fit" in entries else None,
            _stored_target_scaling(reader),
            _stored_seen(reader),
        )
        channels = found.input_shape[-1:] or (1,)
        shapes_fit = found.shift.shape == found.scale.shape == channels and len(found.limits) == 2
        if unknown := sorted(set(entries) - set(found.as_entries())):
            raise stored_error(f"has an entry unknown to this version, {unknown[0]!r}")
        if min(found.input_shape, default=1) < 1 or not shapes_fit:
            raise stored_error("has shapes that do not match")
        if found.seen is not None and not all(seen.shape == channels for seen in vars(found.seen).values()):
            raise stored_error("has a low, a high or a mean that does not match its shape")
        if not (found.scale > 0).all():
            raise stored_error("has a scale that is not above 0")
        if found.columns is not None and found.columns.outputs != found.features:
            raise stored_error("has columns that do not become its features")
        if found.features is not None and len(found.features) != channels[0]:
            raise stored_error(f"names {len(found.features)} of {channels[0]} features")
        return found


def _check_bytes(dtype: np.dtype[Any], low: float, high: float) -> None:
    if dtype == np.uint8:
        return
    if low < 0 or high > 255:
        raise DataError(
            f"normalize=unit is for numbers from 0 to 255, and these run from {low:g} to {high:g}; "
            "write normalize=minmax"
        )
    if high <= 1:
        raise DataError(f"the numbers run from {low:g} to {high:g} already; write normalize=none instead of unit")


def _stored_columns(reader: StoredEntries) -> "ColumnEncoding | None":
    """Return how raw columns become features, None where a checkpoint does not say."""
    text = reader.entries.get("columns")
    if text is None:
        return None
    from nnspec.runtime.data.tables.encoding import ColumnEncoding

    try:
        return ColumnEncoding.from_text(cast("str", text))
    except (TypeError, ValueError):
        raise stored_error("has columns that this version cannot read") from None


def _stored_seen(reader: StoredEntries) -> Seen | None:
    """Return what training saw, None where a checkpoint does not say."""
    if "low" not in reader.entries:
        return None
    return Seen(*(reader.array(name, np.float64) for name in ("low", "high", "mean")))


def _stored_target_scaling(reader: StoredEntries) -> TargetScaling | None:
    """Return the scaling of targets that a checkpoint holds. One without its entries computes targets as they are."""
    if "target_shift" not in reader.entries:
        return None
    found = TargetScaling(reader.array("target_shift", np.float64), reader.array("target_scale", np.float64))
    if found.shift.shape != found.scale.shape or not (found.scale > 0).all():
        raise stored_error("has a target_scale that does not match target_shift, or is not above 0")
    return found
