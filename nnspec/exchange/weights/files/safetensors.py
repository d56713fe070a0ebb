"""safetensors: eight bytes with the size of a JSON header, the header, and the numbers of every tensor in turn.

The format is the one page of https://github.com/huggingface/safetensors; files of PyTorch, and of anyone, are in it.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.weights.stored import MOST_ARRAYS, Stored, checked_name
from nnspec.runtime.arrays import Array

MOST_HEADER = 100_000_000  # bytes, as the format says

TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1", "BOOL": "|b1", "BF16": "<u2",
}  # fmt: skip


def read_safetensors(content: bytes, where: str) -> Stored:
    """Return the tensors of a file, in the order of their numbers. Raises ExchangeError for a damaged one."""
    header, start = _header(content, where)
    metadata = header.pop("__metadata__", {})
    if len(header) > MOST_ARRAYS:
        raise ExchangeError(f"{where}: it has {len(header):,} tensors, and at most {MOST_ARRAYS:,} are read")
    found = [(checked_name(name, where), *_place(name, entry, where)) for name, entry in header.items()]
    arrays: dict[str, Array] = {}
    end = 0
    for name, kind, shape, (first, last) in sorted(found, key=lambda each: each[3]):
        if first != end:
            raise ExchangeError(f"{where}: the numbers of {name} begin at byte {first:,}, not at {end:,}")
        end = last
        if start + end > len(content):
            raise ExchangeError(
                f"{where}: the file is cut off: {name} ends at byte {start + end:,} of {len(content):,}"
            )
        arrays[name] = _numbers(content, start + first, start + last, kind, shape)
    if start + end != len(content):
        raise ExchangeError(f"{where}: {len(content) - start - end:,} bytes follow the last tensor")
    framework = metadata.get("format") if isinstance(metadata, dict) else None
    return Stored(arrays, "torch" if framework == "pt" else None, convention="torch")


def write_safetensors(arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> bytes:
    """Return float32 or float64 arrays as a file: the header padded to eight bytes, the tensors in the given order."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    parts, end = [], 0
    for name, array in arrays.items():
        plain = np.ascontiguousarray(array)
        kind = {"float64": "F64", "float32": "F32", "int64": "I64"}[plain.dtype.name]
        parts.append(plain.astype(TYPES[kind], copy=False).tobytes())
        header[name] = {"dtype": kind, "shape": list(plain.shape), "data_offsets": [end, end + len(parts[-1])]}
        end += len(parts[-1])
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(parts)


def _header(content: bytes, where: str) -> tuple[dict[str, Any], int]:
    """Return the header and the place of the first number."""
    size = struct.unpack("<Q", content[:8])[0] if len(content) >= 8 else 0
    if size < 2 or size > min(MOST_HEADER, len(content) - 8):
        raise ExchangeError(f"{where} is not a safetensors file, or it is cut off")
    try:
        header = json.loads(content[8 : 8 + size].decode(), object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise ExchangeError(f"{where}: its header is not a JSON object with each tensor once")
    return header, 8 + size


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is repeated")
    return found


def _place(name: str, entry: object, where: str) -> tuple[str, tuple[int, ...], tuple[int, int]]:
    """Return the type, the shape and the first and last byte of a tensor."""
    fields = entry if isinstance(entry, dict) else {}
    kind, shape, offsets = fields.get("dtype"), _whole(fields.get("shape")), _whole(fields.get("data_offsets"))
    if shape is None or offsets is None or len(offsets) != 2 or not isinstance(kind, str):
        raise ExchangeError(f"{where}: {name} has no type, shape and place")
    if kind not in TYPES:
        raise ExchangeError(f"{where}: {name} is of type {kind[:20]!r}; save it as float32")
    size = int(np.dtype(TYPES[kind]).itemsize)
    for length in shape:
        size *= length
    if offsets[1] - offsets[0] != size:
        raise ExchangeError(f"{where}: {name} has {offsets[1] - offsets[0]:,} bytes, and its shape needs {size:,}")
    return kind, shape, (offsets[0], offsets[1])


def _whole(given: object) -> tuple[int, ...] | None:
    """Return a list of whole numbers, None for anything else."""
    if isinstance(given, list) and all(type(each) is int and 0 <= each < 2**63 for each in given):
        return tuple(given)
    return None


def _numbers(content: bytes, first: int, last: int, kind: str, shape: tuple[int, ...]) -> Array:
    flat: Array = np.frombuffer(content[first:last], TYPES[kind])
    if kind == "BF16":  # the upper half of a float32
        flat = (flat.astype(np.uint32) << 16).view(np.float32)
    return flat.reshape(shape)
