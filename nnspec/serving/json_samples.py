"""Samples that were sent as JSON: nested lists, or rows of a table as objects."""

import json
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.inputs import samples_of_table
from nnspec.runtime.data.samples import rectangular
from nnspec.runtime.data.tables.encoding import ColumnEncoding
from nnspec.runtime.data.tables.frame import Frame
from nnspec.runtime.data.tables.kinds import FittedColumn
from nnspec.runtime.errors import DataError
from nnspec.serving.limits import Refusal
from nnspec.serving.served import Served

KEY = "samples"
_TYPES = {bool: "boolean", int: "number", float: "number", str: "string", type(None): "null"}


def samples_of_json(served: Served, body: bytes) -> tuple[NDArray[Any], list[str]]:
    """Return the samples (batch, *shape) float64 of a body, and what to warn of.

    Raises Refusal where it is not JSON or has other keys, DataError where the samples do not fit.
    """
    found = _document(body)
    if not isinstance(found, dict) or KEY not in found:
        raise Refusal(422, f'the body is not an object with samples: write {{"{KEY}": [...]}}')
    if others := [key for key in found if key != KEY]:
        raise Refusal(422, f'the body has "{others[0]}", and its only key is "{KEY}"')
    samples = found[KEY]
    if not isinstance(samples, list) or not samples:
        raise Refusal(422, f'"{KEY}" is not a list of at least one sample')
    if any(isinstance(sample, dict) for sample in samples):
        if served.columns is None:
            raise Refusal(422, "the samples are objects, and the network takes lists of numbers: it knows no columns")
        return _rows(served, served.columns, samples)
    truth = b"true" in body or b"false" in body
    return _numbers(served, samples, truth), []


def _document(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_no_constant)
    except Refusal:
        raise
    except RecursionError:
        raise Refusal(400, "the body is not valid JSON: it is nested too deeply") from None
    except ValueError as error:
        raise Refusal(400, f"the body is not valid JSON: {error}") from None


def _no_constant(name: str) -> NoReturn:
    raise Refusal(400, f"the body is not valid JSON: {name} is no number; samples must be finite")


def _numbers(served: Served, samples: list[Any], may_hold_truth: bool) -> NDArray[Any]:
    """Return nested lists as an array, in the shape of the samples."""
    if may_hold_truth and _holds_truth(samples):
        raise DataError("samples must be numbers, and these have true or false: write 1 or 0")
    array = rectangular(samples, "samples")
    if array.dtype.kind == "O" and _whole(samples):  # whole numbers beyond 64 bits
        array = array.astype(np.float64)
    if array.dtype.kind in "iu":
        array = array.astype(np.float64)
    if array.dtype.kind != "f":
        kind = "text" if array.dtype.kind in "US" else "null, text or lists of different lengths"
        raise DataError(f"samples must be numbers, and these have {kind}")
    if array.shape[1:] not in served.forms:
        if array.shape in served.forms:
            raise DataError(f'"{KEY}" is one sample: write it in a list, {{"{KEY}": [[...]]}}')
        served.network.preprocessing.as_batch(array)  # raises for most, in its own words
        raise DataError(f"samples are of {_by(array.shape[1:])}, and the network takes {_by(served.shape)}")
    return array.reshape(len(array), *served.shape)


def _holds_truth(value: Any) -> bool:
    return any(map(_holds_truth, value)) if isinstance(value, list) else isinstance(value, bool)


def _whole(value: Any) -> bool:
    """Return whether all are whole numbers that a float can hold; floats among them have a type of their own."""
    if isinstance(value, list):
        return all(map(_whole, value))
    return isinstance(value, int | float) and abs(value) < 1e308


def _rows(served: Served, encoding: ColumnEncoding, samples: list[Any]) -> tuple[NDArray[Any], list[str]]:
    """Return rows of a table as samples, or their windows where a sample is several rows."""
    warnings: list[str] = []
    for number, row in enumerate(samples):
        if not isinstance(row, dict):
            raise DataError(f"row {number} is not an object, and others are: write every row as {{column: value}}")
        lacking = [name for name in encoding.names if name not in row]
        if lacking:
            raise _lacking(encoding, row, number, lacking)
    columns = {
        column.name: _cells(column, [row[column.name] for row in samples], served.largest)
        for column in encoding.columns
    }
    frame = Frame("the request", columns)
    labelled = samples_of_table(frame, encoding, served.shape, warnings.append)
    return np.stack([sample for _, sample in labelled]), warnings


def _lacking(encoding: ColumnEncoding, row: dict[str, Any], number: int, lacking: list[str]) -> DataError:
    """Return the error for columns that a row does not have: all of them at once, with the nearest name."""
    error = Frame("the request", dict.fromkeys(row, np.empty(0))).lacks(lacking[0])
    if len(lacking) > 1:
        missing = ", ".join(f'"{name}"' for name in lacking)
        return DataError(f"row {number} of the request has no columns {missing}; write null where one is missing")
    return DataError(f"row {number}: {error}")


def _cells(column: FittedColumn, values: list[Any], largest: float) -> NDArray[Any]:
    """Return a column of a frame. Raises DataError for a value of another type than the column's schema has."""
    schema = column.cell_schema()
    types, numeric = set(schema["type"]), True
    for number, value in enumerate(values):
        kind = _TYPES.get(type(value))
        if kind not in types:
            what = "a list or an object" if kind is None else "null" if kind == "null" else f"a {kind}"
            wanted = " or ".join("null" if name == "null" else f"a {name}" for name in schema["type"])
            raise DataError(f'the request, row {number}, column "{column.name}" is {what}: write {wanted}')
        if kind == "number" and not abs(value) <= largest:
            raise DataError(f'the request, row {number}, column "{column.name}" is too large a number')
        numeric &= kind in ("number", "null")
    if numeric and not column.reads_text:
        return np.array([np.nan if value is None else float(value) for value in values], np.float64)
    return np.array([None if value is None else _text(value) for value in values], object)


def _text(value: Any) -> str:
    """Return a cell as a table has it: 3.0 is "3", true is "true"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value == value // 1:
        return str(int(value))
    return value.strip() if isinstance(value, str) else repr(value)


def _by(sizes: tuple[int, ...]) -> str:
    return "x".join(map(str, sizes)) if sizes else "a single number"
