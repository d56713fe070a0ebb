"""What a checkpoint may hold: names, numbers, texts and the JSON of /meta. Writer and reader both apply these rules.

In this package an entry is always a *stored* array: little-endian numbers, or a text as a 0-d array of bytes ("S12").
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnspec.checkpoints.errors import Refused

Array = np.ndarray[Any, np.dtype[Any]]

GROUPS = ("best", "buffers", "data", "history", "optimizer", "preprocessing", "rng", "run", "spec", "weights")
META = "meta"  # the one dataset outside the groups
NUMBERS = ("<f4", "<f8", "<i4", "<i8", "|u1")  # as numpy's dtype.str
RUN_BYTES = 4096  # of every text under run/: a fixed length, so that equal runs differ in those bytes alone
META_BYTES = 2**22  # parsed JSON takes about twenty times its size in memory
MAX_AXES = 32  # HDF5's own limit
MAX_NAME_PARTS = 16
MAX_PART_BYTES = 255
ADDED_TO_META = ("format_version", "entries")  # keys of /meta that belong to the format, not to the caller


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The state of a run as named arrays and texts. Compare two with `differing_entries`.

    `meta` is JSON with finite numbers; a reader that cannot read the file reports `meta["program_version"]`.
    `entries` maps names such as "weights/conv1/weight" to arrays (f4, f8, i4, i8, u1; bool is stored as u1) or texts.
    """

    meta: dict[str, Any]
    entries: Mapping[str, Array | str]


def check_names(names: Iterable[str]) -> None:
    """Raise Refused unless every name is GROUP/PART/… of visible characters and no name is inside another."""
    every = set(names)
    for name in every:
        parts = name.split("/")
        if parts[0] not in GROUPS or not 2 <= len(parts) <= MAX_NAME_PARTS:
            raise Refused(
                f"{name!r} is not a name of the format: write GROUP/NAME, with GROUP one of {', '.join(GROUPS)}"
            )
        for part in parts:
            check_part(part)
        for depth in range(2, len(parts)):
            if (outer := "/".join(parts[:depth])) in every:
                raise Refused(f"{outer!r} cannot be an entry and also hold {name!r}")


def check_part(part: str) -> None:
    """Raise Refused unless `part` is 1 to 255 bytes of visible characters without / and \\, and not . or .."""
    visible = part.isprintable() and not any(mark in part for mark in " /\\")
    if part in ("", ".", "..") or not visible or len(part.encode()) > MAX_PART_BYTES:
        raise Refused(
            f"{part[:80]!r} is not a valid part of a name: 1 to {MAX_PART_BYTES} bytes, visible, without / and \\"
        )


def to_stored(name: str, value: object) -> Array:
    """Return an entry as it is stored. Raises Refused for a type outside the format and for NaN and Inf."""
    if isinstance(value, str):
        return _text_to_stored(name, value)
    if not isinstance(value, np.ndarray | np.generic):
        raise Refused(f"{name} is a {type(value).__name__}, neither an array nor a text")
    array = np.asarray(value)
    dtype = np.dtype("u1") if array.dtype == np.bool_ else array.dtype.newbyteorder("<")
    if dtype.str not in NUMBERS:
        raise Refused(f"{name} is {array.dtype}, and the format has {', '.join(NUMBERS)} and bool")
    if array.ndim > MAX_AXES:
        raise Refused(f"{name} has {array.ndim} axes, and an array of the format at most {MAX_AXES}")
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
    """Return the stored length of a text: its own, except 1 for an empty text and RUN_BYTES for a text under run/."""
    return RUN_BYTES if name.startswith("run/") else max(1, len(encoded))


def is_text(stored: Array) -> bool:
    """Whether a stored array is a text."""
    return stored.dtype.kind == "S"


def text_of(name: str, stored: Array) -> str:
    """Return the text in a stored array. Raises Refused if it is not UTF-8 or its length is not `text_size`."""
    encoded = stored.tobytes().rstrip(b"\0")
    if b"\0" in encoded or stored.dtype.itemsize != text_size(name, encoded):
        raise Refused(f"{name} is a text of another length than it says")
    try:
        return encoded.decode()
    except UnicodeDecodeError as error:
        raise Refused(f"{name} is a text that is not UTF-8") from error


def check_array(name: str, stored: Array) -> None:
    """Raise Refused for an array in run/, and for NaN or Inf: minimum and maximum show them without a full mask."""
    if name.startswith("run/"):
        raise Refused(f"{name} is an array, and run/ holds texts only")
    if stored.dtype.kind == "f" and stored.size and not np.isfinite([stored.min(), stored.max()]).all():
        raise Refused(f"{name} holds NaN or Inf, and a checkpoint holds finite numbers only")


Digest = Callable[[str, Array], str]
"""Returns the SHA-256 of the bytes of an entry, given with its name."""


def sha256_of(name: str, array: Array) -> str:
    """Return the SHA-256 of the bytes of an array."""
    return hashlib.sha256(_bytes_of(array).data).hexdigest()


def remembering() -> Digest:
    """Return a digest that compares the bytes of an entry with those that it hashed before: that is quicker by far."""
    known: dict[str, tuple[Array, str]] = {}

    def digest(name: str, array: Array) -> str:
        if name not in known or not np.array_equal(_bytes_of(known[name][0]), _bytes_of(array)):
            known[name] = array, sha256_of(name, array)
        return known[name][1]

    return digest


def _bytes_of(array: Array) -> Array:
    return array.reshape(-1).view(np.uint8)


def entry_table(stored: Mapping[str, Array], digest: Digest = sha256_of) -> dict[str, dict[str, Any]]:
    """Return the table in /meta: shape, dtype and SHA-256 of the bytes of every entry that is not under run/."""
    return {
        name: {
            "dtype": "text" if is_text(array) else array.dtype.str,
            "shape": list(array.shape),
            "sha256": digest(name, array),
        }
        for name, array in stored.items()
        if not name.startswith("run/")
    }


def canonical(value: object) -> str:
    """Return the canonical JSON of a value: keys sorted, no spaces, only required escapes, floats as Python's repr.

    Raises Refused for a value that JSON does not give back unchanged: NaN, tuples, keys that are not texts.
    """
    try:
        text = _dumped(value)
        text.encode()
        if json.loads(text) != value:
            raise ValueError("JSON would change it: use lists, not tuples, and texts as keys")
    except (TypeError, ValueError, RecursionError) as error:
        raise Refused(f"meta cannot be kept as JSON: {error}") from error
    return text


def _dumped(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def meta_text(meta: Mapping[str, Any], stored: Mapping[str, Array], version: int, digest: Digest = sha256_of) -> Array:
    """Return the stored text of /meta: the caller's keys, the format's version and the table of the entries."""
    for key in ADDED_TO_META:
        if key in meta:
            raise Refused(f"meta has a key {key!r}, which belongs to the format")
    text = canonical({**meta, "format_version": version, "entries": entry_table(stored, digest)})
    if len(text.encode()) > META_BYTES:
        raise Refused(f"meta is longer than {META_BYTES} bytes with the table of {len(stored)} entries")
    return _text_to_stored(META, text)


def open_meta(
    stored_meta: Array, stored: Mapping[str, Array], version: int, digest: Digest = sha256_of
) -> dict[str, Any]:
    """Return the caller's part of /meta after comparing the format's part with the entries found. Raises Refused."""
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
    if _dumped(meta.pop("format_version", None)) != _dumped(version):  # the text decides: 1 == 1.0 == True in Python
        raise Refused("/meta and the seal disagree on the format version")
    listed, found = meta.pop("entries", None), entry_table(stored, digest)
    if not isinstance(listed, dict):
        raise Refused("/meta has no table of the entries")
    for name in sorted(listed.keys() | found.keys()):
        if _dumped(listed.get(name)) != _dumped(found.get(name)):
            raise Refused(f"{name} is not what the table in /meta says")
    return meta


def differing_entries(a: Checkpoint, b: Checkpoint) -> list[str]:
    """Return the sorted names of the entries in which two checkpoints differ, with "meta" where the meta differs.

    Entries under run/ (wall clock, host) are ignored. Equal means the same dtype, shape and bits: 0.0 and -0.0 differ.
    """
    tables = [entry_table({name: to_stored(name, value) for name, value in c.entries.items()}) for c in (a, b)]
    names = {name for name in tables[0].keys() | tables[1].keys() if tables[0].get(name) != tables[1].get(name)}
    if canonical(a.meta) != canonical(b.meta):
        names.add(META)
    return sorted(names)
