"""What a checkpoint may hold: names, numbers, texts and the JSON of /meta. Writer and reader both go by these rules.

Inside this room an entry is always a *stored* array: little-endian numbers, or a text as a 0-d array of bytes ("S12").
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnspec.checkpoints.errors import Refused

Array = np.ndarray[Any, np.dtype[Any]]

GROUPS = ("best", "buffers", "data", "history", "optimizer", "preprocessing", "rng", "run", "spec", "weights")
META = "meta"  # the one dataset that stands in no group
NUMBERS = ("<f4", "<f8", "<i4", "<i8", "|u1")  # as numpy's dtype.str
RUN_BYTES = 4096  # a text under run/ always takes this many, so that equal runs differ in those bytes alone
META_BYTES = 2**22  # JSON unfolds to about twenty times its size in memory
MOST_AXES = 32  # HDF5's own limit
DEEPEST = 16  # parts of a name
LONGEST_PART = 255  # bytes
ADDED_TO_META = ("format_version", "entries")  # keys of /meta that are the format's, not the caller's


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A run so far, as named arrays and texts. Two are compared with `same`.

    `meta` is JSON-able and finite; `meta["program_version"]` is told to whoever cannot read the file.
    `entries` maps names such as "weights/conv1/weight" to arrays (f4, f8, i4, i8, u1; bool is stored as u1) or texts.
    """

    meta: dict[str, Any]
    entries: Mapping[str, Array | str]


def check_names(names: Iterable[str]) -> None:
    """Every name is GROUP/PART/… of visible characters, and none lies inside another. Raises Refused."""
    every = set(names)
    for name in every:
        parts = name.split("/")
        if parts[0] not in GROUPS or not 2 <= len(parts) <= DEEPEST:
            raise Refused(
                f"{name!r} is no name of the format, which are GROUP/NAME with GROUP one of {', '.join(GROUPS)}"
            )
        for part in parts:
            check_part(part)
        for depth in range(2, len(parts)):
            if (outer := "/".join(parts[:depth])) in every:
                raise Refused(f"{outer!r} cannot be an entry and also hold {name!r}")


def check_part(part: str) -> None:
    """A part of a name is 1 to 255 bytes of visible characters without / and \\, and not . or .. : Refused."""
    visible = part.isprintable() and not any(mark in part for mark in " /\\")
    if part in ("", ".", "..") or not visible or len(part.encode()) > LONGEST_PART:
        raise Refused(f"{part[:80]!r} is no part of a name: 1 to {LONGEST_PART} bytes, visible, without / and \\")


def to_stored(name: str, value: object) -> Array:
    """One entry as it lies in the file. Raises Refused for a kind that the format does not have, for NaN and Inf."""
    if isinstance(value, str):
        return _text_to_stored(name, value)
    if not isinstance(value, np.ndarray | np.generic):
        raise Refused(f"{name} is a {type(value).__name__}, neither an array nor a text")
    array = np.asarray(value)
    dtype = np.dtype("u1") if array.dtype == np.bool_ else array.dtype.newbyteorder("<")
    if dtype.str not in NUMBERS:
        raise Refused(f"{name} is {array.dtype}, and the format has {', '.join(NUMBERS)} and bool")
    if array.ndim > MOST_AXES:
        raise Refused(f"{name} has {array.ndim} axes, and an array of the format at most {MOST_AXES}")
    stored = array.astype(dtype, order="C", copy=False)
    check_array(name, stored)
    return stored


def _text_to_stored(name: str, text: str) -> Array:
    try:
        encoded = text.encode()
    except UnicodeEncodeError as error:
        raise Refused(f"{name} is not Unicode text: {error.reason}") from error
    if b"\0" in encoded:
        raise Refused(f"{name} is a text with a NUL character in it")
    if name.startswith("run/") and len(encoded) > RUN_BYTES:
        raise Refused(f"{name} is {len(encoded)} bytes long, and a text under run/ has {RUN_BYTES}")
    return np.array(encoded, dtype=f"S{text_size(name, encoded)}")


def text_size(name: str, encoded: bytes) -> int:
    """How many bytes a text takes: as many as it has, but an empty one takes 1 and one under run/ always RUN_BYTES."""
    return RUN_BYTES if name.startswith("run/") else max(1, len(encoded))


def is_text(stored: Array) -> bool:
    """Whether a stored array is a text."""
    return stored.dtype.kind == "S"


def text_of(name: str, stored: Array) -> str:
    """The text in a stored array. Raises Refused where it is not UTF-8, or padded otherwise than `text_size` says."""
    encoded = stored.tobytes().rstrip(b"\0")
    if b"\0" in encoded or stored.dtype.itemsize != text_size(name, encoded):
        raise Refused(f"{name} is a text of another length than it says")
    try:
        return encoded.decode()
    except UnicodeDecodeError as error:
        raise Refused(f"{name} is a text that is not UTF-8") from error


def check_array(name: str, stored: Array) -> None:
    """Raises Refused for NaN and Inf (the extremes tell, without a mask as large) and for an array in run/."""
    if name.startswith("run/"):
        raise Refused(f"{name} is an array, and run/ holds texts only")
    if stored.dtype.kind == "f" and stored.size and not np.isfinite([stored.min(), stored.max()]).all():
        raise Refused(f"{name} holds NaN or Inf, and a checkpoint holds finite numbers only")


def table(stored: Mapping[str, Array]) -> dict[str, dict[str, Any]]:
    """The table of /meta: shape, dtype and SHA-256 of the bytes of every entry, those under run/ left out."""
    return {
        name: {
            "dtype": "text" if is_text(array) else array.dtype.str,
            "shape": list(array.shape),
            "sha256": hashlib.sha256(array.reshape(-1).view(np.uint8).data).hexdigest(),
        }
        for name, array in stored.items()
        if not name.startswith("run/")
    }


def canonical(value: object) -> str:
    """The one JSON text of a value: keys sorted, no spaces, no escapes but the needed ones, floats as Python's repr.

    Raises Refused for what would not come back from JSON as it was: NaN, tuples, keys that are not texts.
    """
    try:
        text = _dumped(value)
        text.encode()
        if json.loads(text) != value:
            raise ValueError("it would come back changed: use lists, not tuples, and texts as keys")
    except (TypeError, ValueError, RecursionError) as error:
        raise Refused(f"meta cannot be kept as JSON: {error}") from error
    return text


def _dumped(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def meta_text(meta: Mapping[str, Any], stored: Mapping[str, Array], version: int) -> Array:
    """The stored text of /meta: the caller's keys, the format's version and the table of the entries."""
    for key in ADDED_TO_META:
        if key in meta:
            raise Refused(f"meta has a key {key!r}, which is the format's own")
    text = canonical({**meta, "format_version": version, "entries": table(stored)})
    if len(text.encode()) > META_BYTES:
        raise Refused(f"meta is longer than {META_BYTES} bytes with the table of {len(stored)} entries")
    return _text_to_stored(META, text)


def open_meta(stored_meta: Array, stored: Mapping[str, Array], version: int) -> dict[str, Any]:
    """The caller's part of /meta, once the format's part agrees with the entries that were found. Raises Refused."""
    if stored_meta.dtype.itemsize > META_BYTES:
        raise Refused(f"/meta is longer than {META_BYTES} bytes")
    text = text_of(META, stored_meta)
    try:
        meta = json.loads(text)
        same_text = _dumped(meta) == text
    except (ValueError, RecursionError) as error:
        raise Refused("/meta is not JSON, or holds a number that JSON does not have") from error
    if not isinstance(meta, dict) or not same_text:
        raise Refused("/meta is not an object in canonical JSON")
    if meta.pop("format_version", None) != version:
        raise Refused("/meta and the seal disagree on the format version")
    told, found = meta.pop("entries", None), table(stored)
    if not isinstance(told, dict):
        raise Refused("/meta has no table of the entries")
    for name in sorted(told.keys() | found.keys()):
        if told.get(name) != found.get(name):
            raise Refused(f"{name} is not what the table in /meta says")
    return meta


def same(a: Checkpoint, b: Checkpoint) -> list[str]:
    """The names of the entries in which two checkpoints differ, sorted; "meta" where that does. Empty: they are equal.

    Entries under run/ (wall clock, host) are left out. Equal means the same dtype, shape and bits: 0.0 and -0.0 differ.
    """
    tables = [table({name: to_stored(name, value) for name, value in c.entries.items()}) for c in (a, b)]
    names = {name for name in tables[0].keys() | tables[1].keys() if tables[0].get(name) != tables[1].get(name)}
    if canonical(a.meta) != canonical(b.meta):
        names.add(META)
    return sorted(names)
