"""Samples of a table with their columns encoded, as soon as the training rows are known."""

from dataclasses import replace
from typing import Any

from nnspec.runtime.data.samples import Samples, Unencoded
from nnspec.runtime.data.tables.encoding import ColumnEncoding


def encoded_samples(
    samples: Samples, rows: Any, known: ColumnEncoding | None = None, unused: str | None = None
) -> tuple[Samples, ColumnEncoding, tuple[str, ...]]:
    """Return samples whose inputs are numbers, how they were encoded, and what to warn of.

    Arguments:
        samples: of a table, whose inputs are its columns.
        rows: the training samples, a slice or indices.
        known: the encoding of a network; None learns one from the training rows.
        unused: a column that is no feature, such as the weights of samples.

    Raises DataError for columns and cells that cannot be encoded.
    """
    warnings: list[str] = []
    inputs: Unencoded = samples.inputs
    if unused is not None and known is None:
        inputs = inputs.without(unused)
    if known is None:
        known, left_out = inputs.fit(rows)
        warnings += left_out
    held = {name: _encoded(split, known, warnings) for name, split in samples.held()}
    made = replace(
        _encoded(replace(samples, inputs=inputs), known, warnings),
        validation=held.get("validation"),
        test=held.get("test"),
        notes=(*samples.notes, *known.stated()),
    )
    return made, known, tuple(warnings)


def _encoded(samples: Samples, encoding: ColumnEncoding, warnings: list[str]) -> Samples:
    inputs = samples.inputs.encoded(encoding, warnings.append)
    return replace(samples, inputs=inputs, features=encoding.outputs)
