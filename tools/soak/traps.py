"""Hostile files, sealed again so that the seal is right: whatever the format does not have, and pointers elsewhere.

They are read in a process of its own, whose time, memory and opened files are looked at.
"""

import io
import json
import os
import re
import resource
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nnspec import checkpoints
from nnspec.checkpoints import Checkpoint
from tests.support.checkpoint_files import with_header
from tests.support.commands import ROOT, child_environment
from tools.soak.experiments import Tally, experiment
from tools.soak.hostile import judge, resealed, sample
from tools.soak.pace import computing_seconds

LONGEST = 1.0  # seconds of computing for one file
HANGING = 300  # seconds on the clock for all of them
MOST_MEMORY = 300 * 10**6  # bytes at the peak, for Python and its libraries too
WEIGHT = "weights/dense1/weight"
FILTERS, LINK, LAYOUT = 11, 6, 8  # kinds of messages in an object's header
PROGRAM = (f"{ROOT}/", f"{sys.base_prefix}/", f"{sys.prefix}/")  # modules imported on first use are there
BEGIN = "/nowhere/trap"  # looked for before each file is read, so that a trace of the process separates them


def traps(file: Path, canary: Path) -> dict[str, bytes]:
    """Sealed files that point at another file in every way there is. What the last three say is no crime."""
    outside = json.dumps({"folder": str(canary.parent), "seconds": 0.0})
    storage, link = [(str(canary), 0, 16)], h5py.ExternalLink(str(canary), "/")
    return {
        "external storage": altered(file, lambda f: f.create_dataset("weights/x", (4,), "<f4", external=storage)),
        "an external link": altered(file, lambda f: f.__setitem__("weights/x", link)),
        "a link in the middle of a path": altered(file, lambda f: (f.__delitem__("spec"), f.__setitem__("spec", link))),
        "a virtual dataset": altered(file, lambda f: _add_virtual(f, canary)),
        "an include": with_text(file, "spec/resolved", lambda text: f'include "{canary.name}"\n{text}'),
        "an include by its path": with_text(file, "spec/resolved", lambda text: f'include "{canary}"\n{text}'),
        "data of another place": with_text(file, "spec/resolved", lambda t: t.replace("data.npz", str(canary))),
        "another folder": with_text(file, "run/info", lambda text: outside),
        "its own source": with_text(file, "spec/source", lambda text: f'include "{canary}"\n{text}'),
    }


HARMLESS = ("data of another place", "another folder", "its own source")


def kinds(file: Path) -> Iterator[tuple[str, bytes]]:
    """Yield sealed files, each with one thing that the format does not have, or that no run has."""
    yield from _structures(file)
    yield from _headers(file.read_bytes())
    yield from _contents(file)


def _structures(file: Path) -> Iterator[tuple[str, bytes]]:
    """Yield files with objects, types, values or names that the format does not have."""
    changes: dict[str, Callable[[Any], object]] = {
        "a soft link": lambda f: f.__setitem__("weights/x", h5py.SoftLink("/meta")),
        "a soft link to nowhere": lambda f: f.__setitem__("weights/x", h5py.SoftLink("/none")),
        "a soft link in the middle of a path": lambda f: (f.move("spec", "run/spec"), f.__setitem__("spec", SPEC)),
        "an object reached twice": lambda f: f.__setitem__("weights/x", f[WEIGHT]),
        "a group reached twice": lambda f: f.__setitem__("weights/x", f["weights/dense1"]),
        "a group inside itself": lambda f: f.__setitem__("weights/x", f["/"]),
        "a filter": lambda f: f.create_dataset("weights/x", data=np.zeros(64, "f4"), compression="gzip"),
        "a checksum as a filter": lambda f: f.create_dataset("weights/x", data=np.zeros(64, "f4"), fletcher32=True),
        "a compression bomb": _add_bomb,
        "chunks": lambda f: f.create_dataset("weights/x", data=np.zeros(64, "f4"), chunks=(8,)),
        "a shape of 2^60": lambda f: f.create_dataset("weights/x", (2**60,), "<f4"),
        "a shape of 2^60 in chunks": lambda f: f.create_dataset("weights/x", (2**60,), "<f4", chunks=(4,)),
        "a shape of 2^62 and none": lambda f: f.create_dataset("weights/x", (0, 2**62), "<f4"),
        "an attribute": lambda f: f["weights"].attrs.__setitem__("x", 1),
        "an attribute of the root": lambda f: f.attrs.__setitem__("x", 1),
        "a large attribute": lambda f: f[WEIGHT].attrs.__setitem__("x", np.zeros(8000)),
        "half precision": lambda f: f.create_dataset("weights/x", data=np.zeros(4, "f2")),
        "numbers of the other byte order": lambda f: f.create_dataset("weights/x", data=np.zeros(4, ">f4")),
        "a compound type": lambda f: f.create_dataset("weights/x", data=np.zeros(4, "f4,f4")),
        "a text of any length": lambda f: f.create_dataset("weights/x", data="text"),
        "references": lambda f: f.create_dataset("weights/x", data=f.ref, dtype=h5py.ref_dtype),
        "a named type": lambda f: f.__setitem__("weights/x", np.dtype("<f4")),
        "a dataset without a shape": lambda f: f.create_dataset("weights/x", data=h5py.Empty("<f4")),
        "NaN": lambda f: f[WEIGHT].__setitem__((0, 0), np.nan),
        "Inf": lambda f: f[WEIGHT].__setitem__((0, 0), np.inf),
        "a name of two dots": lambda f: f.create_dataset("weights/..", data=np.zeros(4, "f4")),
        "a name with a backslash": lambda f: f.create_dataset("weights/..\\x", data=np.zeros(4, "f4")),
        "a name of controls": lambda f: f.create_dataset("weights/\x1b[2J", data=np.zeros(4, "f4")),
        "a name that is not UTF-8": lambda f: f.create_dataset(b"weights/\xff", data=np.zeros(4, "f4")),
        "a name that turns the writing round": lambda f: f.create_dataset("weights/\u202ex", data=np.zeros(4, "f4")),
        "groups 5,000 deep": lambda f: f.create_group("weights" + "/x" * 5000),
        "5,000 datasets": _add_many,
        "another group": lambda f: f.create_dataset("pickles/x", data=np.zeros(4, "f4")),
        "no meta": lambda f: f.__delitem__("meta"),
    }
    for label, change in changes.items():
        yield label, altered(file, change)


def _headers(image: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield files with object headers that h5py would not write."""
    deflate = struct.pack("<BBHHHI", 2, 1, 1, 0, 1, 6)
    yield (
        "a filter on contiguous numbers",
        resealed(with_header(image, WEIGHT, lambda m: m.append([FILTERS, 0, deflate]))),
    )
    yield "a name with slashes in it", resealed(with_header(image, "spec", _rename))
    for label, address, size in (
        ("after the end", 2**40, None),
        ("of 2^60 bytes", None, 2**60),
        ("-1", 2**64 - 1, None),
    ):
        yield f"numbers {label}", resealed(with_header(image, WEIGHT, partial(_move, address=address, size=size)))


def _contents(file: Path) -> Iterator[tuple[str, bytes]]:
    """Yield files in the right format with contents that no run has."""
    texts = {
        "a spec that asks for terabytes": "dense 3 relu -> dense 3000000000000 -> dense 3 softmax",
        "a spec of two large layers": "dense 1000000 -> dense 1000000 -> dense 3 softmax",
        "a spec of a billion layers": "repeat 1000000000 (dense 3)",
        "a spec of repeats in repeats": "repeat 999 (" * 20 + "dense 3" + ")" * 20,
        "a spec nested a thousand times": "(" * 1000 + "dense 3" + ")" * 1000,
        "a spec of another network": "dense 4 relu -> dense 3 softmax",
        "a spec that is none": "\x01",
    }
    for label, text in texts.items():
        yield label, checkpoints.to_bytes(_with(checkpoints.read(file), "spec/resolved", text))
    yield "a batch of 2^62", with_text(file, "spec/resolved", lambda text: re.sub(r"batch=\d+", f"batch={2**62}", text))
    yield "a text in run/info nested 4,000 times", with_text(file, "run/info", lambda text: "[" * 4000)
    whole = checkpoints.read(file)
    yield "an order of another length", checkpoints.to_bytes(_with(whole, "data/order", np.arange(10)[::-1] + 1))
    yield "meta of 4 MB", checkpoints.to_bytes(Checkpoint({**whole.meta, "counters": [[0]] * 900_000}, whole.entries))
    yield (
        "meta nested 900 times",
        checkpoints.to_bytes(Checkpoint({**whole.meta, "counters": _nested(900)}, whole.entries)),
    )


SPEC = h5py.SoftLink("/run/spec")


def altered(file: Path, change: Callable[[Any], object]) -> bytes:
    """The file changed through h5py, as a stranger could, and sealed again."""
    image = io.BytesIO(file.read_bytes())
    with h5py.File(image, "r+", libver=("v110", "v110")) as opened:
        change(opened)
    return resealed(image.getvalue())


def with_text(file: Path, name: str, change: Callable[[str], str]) -> bytes:
    """The file with another text, in order otherwise."""
    checkpoint = checkpoints.read(file)
    text = checkpoint.entries[name]
    assert isinstance(text, str)
    return checkpoints.to_bytes(_with(checkpoint, name, change(text)))


def _with(checkpoint: Checkpoint, name: str, value: Any) -> Checkpoint:
    return Checkpoint(checkpoint.meta, {**checkpoint.entries, name: value})


def _nested(depth: int) -> list[Any]:
    inner: list[Any] = []
    for _ in range(depth):
        inner = [inner]
    return inner


def _add_virtual(file: Any, canary: Path) -> None:
    layout = h5py.VirtualLayout((4,), "<f4")
    layout[:] = h5py.VirtualSource(str(canary), "x", (4,))
    file.create_virtual_dataset("weights/x", layout)


def _add_bomb(file: Any) -> None:
    """A few kilobytes that unfold to four gigabytes of zeros."""
    chunk, chunks = 2**21, 512
    bomb = file.create_dataset("weights/x", (chunk * chunks,), "<f4", chunks=(chunk,), compression="gzip")
    packed = zlib.compress(bytes(4 * chunk), 9)
    for number in range(chunks):
        bomb.id.write_direct_chunk((number * chunk,), packed)


def _add_many(file: Any) -> None:
    group = file.create_group("buffers/many")
    for number in range(5_000):
        group.create_dataset(f"{number}", data=np.uint8(0))


def _rename(messages: list[list[Any]]) -> None:
    (link,) = [entry for entry in messages if entry[0] == LINK and b"resolved" in entry[2]]
    link[2] = link[2].replace(b"resolved", b"a/../../")


def _move(messages: list[list[Any]], address: int | None, size: int | None) -> None:
    """Another address or size of a dataset's numbers."""
    (layout,) = [entry for entry in messages if entry[0] == LAYOUT]
    start, length = struct.unpack_from("<QQ", layout[2], 2)
    layout[2] = layout[2][:2] + struct.pack(
        "<QQ", start if address is None else address, length if size is None else size
    )


@experiment(
    f"a hostile file with a right seal is refused in under {LONGEST:.0f} second of computing and "
    f"{MOST_MEMORY // 10**6} MB, Python included, and no other file is opened on the way, as strace sees it (one that "
    "only names another place may be whole)",
    soak=1,
)
def hostile_files(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """Try every kind once. Without strace the opened files are not checked, and a note says so."""
    tally, file, place = Tally(), sample(folder), folder / "elsewhere"
    place.mkdir()
    canary = place / "canary.txt"
    canary.write_text("dense 2 softmax\n")
    labels = list[str]()
    for name, image in (*traps(file, canary).items(), *kinds(file)):
        (place / f"{len(labels)}.h5").write_bytes(image)
        labels.append(name)
    trace = folder / "trace.txt"
    command = [sys.executable, "-c", "from tools.soak.traps import serve; serve()", str(file), str(len(labels))]
    if strace := shutil.which("strace"):
        command = [strace, "-f", "-e", "trace=open,openat,openat2,creat,execve", "-o", str(trace), *command]
    done = subprocess.run(
        command, cwd=place, env=child_environment(), stdout=subprocess.PIPE, text=True, timeout=HANGING
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    opened = _opened(trace) if strace else {}
    usual = opened.get(
        -1, set()
    )  # what reading the good file looks at: where the system reports how much memory there is
    for number, name in enumerate(labels):
        if number >= len(lines):
            tally.count(False, f"{name}: the reader ended with {done.returncode}")
            continue
        verdict, taken, memory = lines[number]
        right = verdict == "refused" or (verdict == "whole" and name in HARMLESS)
        others = opened.get(number, set()) - usual - {f"{number}.h5", f"{number}.h5.prev"}
        others = {path for path in others if not path.startswith(PROGRAM) and path != str(place)}
        seen = strace is None or f"{number}.h5" in opened.get(number, set())
        right &= taken < LONGEST and memory < MOST_MEMORY and not others and seen
        tally.count(right, f"{name}: {verdict} in {taken:.2f} s, {memory / 1e6:.0f} MB, opened {sorted(others)}")
    if lines:
        longest, name = max((line[1], name) for line, name in zip(lines, labels, strict=False))
        tally.notes.append(
            f"longest: {longest:.2f} s for {name}; at most {max(line[2] for line in lines) / 1e6:.0f} MB"
        )
    if strace is None:
        tally.notes.append("strace is not installed: the opened files were not checked")
    return tally


def _opened(trace: Path) -> dict[int, set[str]]:
    """The paths that the reader opened or asked for while it read each file."""
    opened: dict[int, set[str]] = {}
    number = None
    for line in trace.read_text(errors="replace").splitlines():
        for path in re.findall(r'"((?:[^"\\]|\\.)*)"', line)[:1]:
            if path.startswith(BEGIN):
                number = int(path.removeprefix(BEGIN))
                opened[number] = set()
            elif number is not None:
                opened[number].add(path)
    return opened


def serve() -> None:
    """Judge a good file twice, and then 0.h5 and so on: verdict, seconds of computing, peak memory in bytes."""
    good = Path(sys.argv[1])
    assert judge(good) == "whole"  # now all is imported
    for number in range(-1, int(sys.argv[2])):
        with suppress(FileNotFoundError):
            os.open(f"{BEGIN}{number}", os.O_RDONLY)
        if number < 0:
            assert judge(good) == "whole"
            continue
        verdict, taken = computing_seconds(partial(judge, Path(f"{number}.h5")), LONGEST)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps([verdict, taken, memory]), flush=True)
