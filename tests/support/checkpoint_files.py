"""A small checkpoint, and HDF5 headers edited by hand to make files that are sealed and yet wrong."""

import io
import struct
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np

from nnspec import checkpoints
from nnspec.checkpoints import seal


def make_example() -> checkpoints.Checkpoint:
    """A checkpoint with every kind of entry, small enough to try each of its bytes. data/v1.h5 holds it."""
    return checkpoints.Checkpoint(
        meta={"program_version": "0.1.0", "counters": {"epoch": 2, "step": 60}, "loss": 0.1, "note": "größer"},
        entries={
            "spec/source": "conv 3x3 x2 -> dense 2 softmax\n",
            "spec/resolved": "",
            "weights/res2/conv1/weight": np.arange(12, dtype="f4").reshape(3, 2, 2) / 7,
            "weights/dense1/bias": np.array([0.5, -0.0]),
            "buffers/größe/seen": np.array(60, np.int64),
            "optimizer/m/dense1/bias": np.zeros((0, 2)),
            "data/order": np.array([2, 0, 1]),
            "history/loss": np.array([[1, 0.5], [2, 0.25]]),
            "preprocessing/mask": np.array([True, False]),
            "rng/order": '{"state":340282366920938463463374607431768211455}',
            "run/host": "example",
            "run/clock": "2026-01-01T00:00:00Z",
        },
    )


def with_header(image: bytes, name: str, edit: Callable[[list[list[Any]]], None]) -> bytes:
    """Edit the messages of an object's header, which no HDF5 library would write so, with the right checksum.

    A message is [kind, flags, body]; what the edited ones need less than before is filled with an empty message.
    """
    data = bytearray(image)
    with h5py.File(io.BytesIO(data)) as file:
        start = h5py.h5o.get_info(file[name].id).addr + seal.SIZE
    assert data[start : start + 5] == b"OHDR\x02" and data[start + 5] & ~3 == 0
    width = 1 << data[start + 5]
    first = start + 6 + width
    end = first + int.from_bytes(data[start + 6 : first], "little")
    messages, at = [], first
    while at + 4 <= end:
        kind, size, flags = struct.unpack_from("<BHB", data, at)
        if kind:
            messages.append([kind, flags, bytes(data[at + 4 : at + 4 + size])])
        at += 4 + size
    edit(messages)
    body = b"".join(struct.pack("<BHB", kind, len(text), flags) + text for kind, flags, text in messages)
    empty = end - first - len(body) - 4
    assert empty >= 0, "the header has no room for this"
    data[first:end] = body + struct.pack("<BHB", 0, empty, 0) + bytes(empty)
    data[end : end + 4] = struct.pack("<I", lookup3(bytes(data[start:end])))
    return bytes(data)


def lookup3(data: bytes) -> int:
    """Bob Jenkins' hash of 2006, by which HDF5 checks its metadata (H5_checksum_lookup3, initial value 0)."""

    def turn(x: int, k: int) -> int:
        return (x << k | x >> (32 - k)) & 0xFFFFFFFF

    def minus(x: int, y: int) -> int:
        return (x - y) & 0xFFFFFFFF

    a = b = c = (0xDEADBEEF + len(data)) & 0xFFFFFFFF
    for start in range(0, len(data), 12):
        words = struct.unpack("<III", data[start : start + 12].ljust(12, b"\0"))
        a, b, c = ((x + w) & 0xFFFFFFFF for x, w in zip((a, b, c), words, strict=True))
        if start + 12 < len(data):
            for k in (4, 6, 8, 16, 19, 4):
                a = minus(a, c) ^ turn(c, k)
                c = (c + b) & 0xFFFFFFFF
                a, b, c = b, c, a
    for k in (14, 11, 25, 16, 4, 14, 24):
        c = minus(c ^ b, turn(b, k))
        a, b, c = b, c, a
    return b
