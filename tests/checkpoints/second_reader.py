"""A second reader of the format, written from FORMAT.md alone: it shares no code and no constant with the first.

`judge` returns what the page calls a file: "whole", "not an nnspec checkpoint", "damaged", "newer" or "refused". Every
image that the tests of this room give to the first reader is judged by this one too, and the two must agree.
"""

import hashlib
import io
import itertools
import json
import re
import struct
import unicodedata
from typing import Any

import h5py
import numpy as np

SEAL = re.compile(
    rb"(nnspec checkpoint\nformat ([1-9]\d{0,8})\nprogram nnspec [!-~]{1,64}\nlength ([1-9]\d{0,18})\n"
    rb"sha256 ([0-9a-f]{64})\n)seal ([0-9a-f]{64})\n *\n"
)
GROUPS = ["spec", "weights", "buffers", "optimizer", "preprocessing", "best", "history", "rng", "data", "run"]
NUMBERS = {"<f4": "<f4", "<f8": "<f8", "<i4": "<i4", "<i8": "<i8", "|u1": "|u1"}


class RefusedError(Exception):
    """The seal is right, and a MUST of sections 2 or 3 is broken."""


def must(holds: bool, rule: str) -> None:
    """Raise RefusedError unless a rule holds."""
    if not holds:
        raise RefusedError(rule)


def judge(image: bytes) -> str:
    """Return the page's word for a file."""
    first = b"nnspec checkpoint\n"
    if not image or image[: len(first)] != first[: len(image)]:
        return "not an nnspec checkpoint"
    block = SEAL.fullmatch(image[:512])
    if block is None or len(image[:512]) < 512 or hashlib.sha256(block[1]).hexdigest().encode() != block[5]:
        return "damaged"
    if int(block[2]) > 1:
        return "newer"
    if len(image) != int(block[3]) or hashlib.sha256(image[512:]).hexdigest().encode() != block[4]:
        return "damaged"
    try:
        content(image)
    except RefusedError:
        return "refused"
    except Exception:  # HDF5 cannot read it: h5py raises errors of many types
        return "refused"
    return "whole"


def content(image: bytes) -> dict[str, np.ndarray]:
    """Return the stored datasets by name; raise RefusedError where sections 2 and 3 do not hold."""
    superblock = struct.unpack_from("<8sBBBBQQQ", image, 512)
    must(superblock[:6] == (b"\x89HDF\r\n\x1a\n", 3, 8, 8, 0, 512), "superblock")
    must(superblock[6:] == (2**64 - 1, len(image)), "no extension, end of file")
    with h5py.File(io.BytesIO(image), "r") as file:
        found = dict(walk(file.id, "", set()))
    spans = sorted((start, start + size) for start, size, _ in found.values() if size)
    must(all(start >= 512 and end <= len(image) for start, end in spans), "inside the file")
    must(all(a[1] <= b[0] for a, b in itertools.pairwise(spans)), "no shared bytes")
    stored = {
        name: np.frombuffer(image[start : start + size], kind).reshape(shape)
        for name, (start, size, (kind, shape)) in found.items()
    }
    must("meta" in stored, "/meta")
    for name, array in stored.items():
        text_or_numbers(name, array)
    table(stored)
    return stored


def walk(group: Any, path: str, seen: set[int]) -> Any:
    """Yield (name, (offset, size, (dtype, shape))) of every dataset below a group."""
    visit(group, seen)
    links: list[bytes] = []
    group.links.iterate(links.append)
    must(bool(links), "an empty group")
    for link in links:
        must(group.links.get_info(link).type == h5py.h5l.TYPE_HARD, "hard links alone")
        part = link.decode()
        visible = all(unicodedata.category(c)[0] not in "CZ" and c not in "/\\" for c in part)
        must(1 <= len(link) <= 255 and visible and part not in (".", ".."), "a link's name")
        name = f"{path}/{part}" if path else part
        must(len(name.split("/")) <= 16, "at most 16 names deep")
        inner = h5py.h5o.open(group, link)
        if isinstance(inner, h5py.h5g.GroupID):
            must(bool(path) or part in GROUPS, "a group at the root")
            yield from walk(inner, name, seen)
            continue
        must(isinstance(inner, h5py.h5d.DatasetID), "groups and datasets alone")
        must(bool(path) or name == "meta", "a dataset at the root")
        visit(inner, seen)
        yield name, dataset(inner)


def visit(found: Any, seen: set[int]) -> None:
    """An object has one link and no attribute, and there are at most 65536."""
    info = h5py.h5o.get_info(found)
    must(info.addr not in seen and info.num_attrs == 0, "one link to an object, no attributes")
    seen.add(info.addr)
    must(len(seen) <= 65536, "at most 65536 objects")


def dataset(found: Any) -> tuple[int, int, tuple[str, tuple[int, ...]]]:
    """Return where a dataset is, and what: contiguous, of one of six types, its size that of its dataspace."""
    plist = found.get_create_plist()
    must(plist.get_layout() == h5py.h5d.CONTIGUOUS, "contiguous")
    must(not plist.get_external_count() and not plist.get_nfilters(), "no other file, no filter")
    stored, space = found.get_type(), found.get_space()
    must(not stored.committed(), "no committed type")
    must(space.get_simple_extent_type() in (h5py.h5s.SCALAR, h5py.h5s.SIMPLE), "scalar or simple")
    shape = space.get_simple_extent_dims()
    must(len(shape) <= 32, "at most 32 extents")
    if stored.get_class() == h5py.h5t.STRING:
        padded = (stored.is_variable_str(), stored.get_strpad(), stored.get_cset())
        must(padded == (False, h5py.h5t.STR_NULLPAD, h5py.h5t.CSET_UTF8) and shape == (), "a text")
        kind = f"S{stored.get_size()}"
    else:
        same = [name for name, number in NUMBERS.items() if stored.equal(h5py.h5t.py_create(np.dtype(number)))]
        must(len(same) == 1, "a number type")
        kind = same[0]
    size = np.dtype(kind).itemsize
    limit = size
    for extent in shape:
        size, limit = size * extent, limit * (extent or 1)
    must(limit < 2**63 and size == found.get_storage_size(), "the size of its dataspace")
    return found.get_offset() or 0, size, (kind, shape)


def text_or_numbers(name: str, array: np.ndarray) -> None:
    """A text is UTF-8 of its stored length; floats are finite; /run holds texts alone."""
    if array.dtype.kind == "S":
        value = array.tobytes().rstrip(b"\0")
        must(b"\0" not in value, "a text without NUL")
        value.decode()
        length = 4096 if name.startswith("run/") else max(1, len(value))
        must(array.dtype.itemsize == length, "the stored length of a text")
    else:
        must(not name.startswith("run/") and name != "meta", "/meta and /run hold texts")
        must(array.dtype.kind != "f" or bool(np.isfinite(array).all()), "finite floats")


def table(stored: dict[str, np.ndarray]) -> None:
    """/meta is one canonical object, whose `entries` are the datasets and whose `format_version` is the seal's."""
    text = stored["meta"].tobytes()
    must(len(text) <= 4194304, "at most 4194304 bytes")
    meta = json.loads(text.rstrip(b"\0"))
    must(isinstance(meta, dict), "an object")
    written = json.dumps(meta, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    must(written.encode() == text.rstrip(b"\0"), "canonical")
    must(type(meta.get("format_version")) is int and meta["format_version"] == 1, "format_version")
    entries = {
        name: {
            "dtype": "text" if array.dtype.kind == "S" else array.dtype.str,
            "shape": list(array.shape),
            "sha256": hashlib.sha256(array.tobytes()).hexdigest(),
        }
        for name, array in stored.items()
        if name != "meta" and not name.startswith("run/")
    }
    must(repr(sorted(meta.get("entries", {}).items())) == repr(sorted(ordered(entries).items())), "entries")


def ordered(entries: dict[str, Any]) -> dict[str, Any]:
    """The entries with their members in sorted order, as /meta has them."""
    return {name: dict(sorted(entry.items())) for name, entry in entries.items()}
