"""Files that are sealed and yet not ours: bytes and numbers of a real one changed at random.

They are read in a process with limits, so that a crash or a hang of a library ends that process and is counted.
"""

import copy
import hashlib
import random
import re
import resource
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from nnspec import checkpoints
from nnspec.checkpoints import Checkpoint, FormatError, seal
from nnspec.runtime.errors import CheckpointError
from nnspec.runtime.train.checkpointing import load_checkpoint
from tests.support.checkpoint_files import lookup3
from tests.support.commands import child_environment, nnspec, no_fsync, write_data, write_spec
from tools.soak.experiments import Tally, experiment, tries

MEMORY = 2**30  # bytes of address space for the reader
LONGEST = 60  # seconds that a reader may be silent; one file takes a hundredth of a second
NETWORK = "dense 3 relu -> batchnorm -> dense 3 softmax"


def sample(folder: Path) -> Path:
    """A small real checkpoint."""
    write_data(folder)
    length = "train 2 iterations batch=8 evaluate_every=1"
    write_spec(folder, NETWORK, "optimizer momentum", "schedule plateau", length)
    with no_fsync():
        assert nnspec(folder, "train", "net.nnspec", "--out", "run").exit_code == 0
    return folder / "run" / "last.h5"


def resealed(image: bytes) -> bytes:
    """The image with a seal that is right for its bytes, whatever they are."""
    rest = image[seal.SIZE :]
    return seal.Seal(1, "0.1.0", len(image), hashlib.sha256(rest).hexdigest()).block() + rest


def mutated(image: bytes, number: int) -> bytes:
    """A sealed file with a few bytes changed, mostly where HDF5 keeps its structure: the same for the same number."""
    chance = random.Random(number)
    data = bytearray(image)
    structure = _structure(image)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        start = chance.choice(structure) if chance.random() < 0.8 else chance.randrange(seal.SIZE, len(data))
        at = min(start + chance.randrange(200), len(data) - 1)
        data[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256), data[at] ^ 1 << chance.randrange(8)))
    if chance.random() < 0.1:
        data = data[: chance.randrange(seal.SIZE + 1, len(data))]
    return resealed(_with_checksums(data, image) if chance.random() < 0.7 else bytes(data))


@lru_cache(maxsize=1)
def _structure(image: bytes) -> list[int]:
    """Where HDF5 keeps its structure: headers of objects, and blocks of a group with many entries."""
    return [found.start() for found in re.finditer(rb"OHDR|FRHP|FHDB|OCHK", image) if found.start() >= seal.SIZE]


def _with_checksums(data: bytearray, before: bytes) -> bytes:
    """Put HDF5's own checksums right again where something was changed, so that they alone do not find it."""
    at = data.find(b"OHDR", seal.SIZE)
    while 0 <= at < len(data) - 6:
        width = 1 << (data[at + 5] & 3)
        first = at + 6 + width + (16 if data[at + 5] & 0x20 else 0) + (4 if data[at + 5] & 0x10 else 0)
        end = first + int.from_bytes(data[first - width : first], "little")
        if end + 4 <= len(data) and data[at:end] != before[at:end]:
            data[end : end + 4] = lookup3(bytes(data[at:end])).to_bytes(4, "little")
        at = data.find(b"OHDR", at + 4)
    return bytes(data)


def changed_numbers(checkpoint: Checkpoint, number: int) -> Checkpoint:
    """A checkpoint in the right format that no run wrote: something of its meta, texts or arrays is replaced."""
    chance = random.Random(number)
    meta, entries = copy.deepcopy(checkpoint.meta), dict(checkpoint.entries)
    odd = [None, True, -1, 0, 2**62, 2**80, 1e308, 0.5, "", "inf", "nan", "../../etc", [], [1], {}, {"x": 1}, "float16"]
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        if chance.random() < 0.5:
            _replace_somewhere(meta, chance, odd)
        else:
            name = chance.choice(sorted(entries))
            entries[name] = _odd_entry(entries[name], chance)
            if chance.random() < 0.2:
                entries[f"{name.split('/')[0]}/x{chance.randrange(3)}"] = entries.pop(name)
    meta["program_version"] = "0.1.0"
    return Checkpoint(meta, entries)


def _replace_somewhere(meta: dict[str, Any], chance: random.Random, odd: list[Any]) -> None:
    key = chance.choice(sorted(meta))
    if isinstance(meta[key], dict) and meta[key] and chance.random() < 0.8:
        _replace_somewhere(meta[key], chance, odd)
    elif chance.random() < 0.15:
        del meta[key]
    else:
        meta[key] = chance.choice(odd)


def _odd_entry(value: Any, chance: random.Random) -> Any:
    if isinstance(value, str):
        cut = chance.randrange(len(value) + 1)
        texts = [value[:cut], value[cut:], value.replace("3", "30000000000", 1), value.replace(":", ":[", 1), "", "[]"]
        texts += ["[" * 3000, "{}", value.replace("dense 3", "dense 99999999", 1), value + '\ninclude "canary.txt"']
        return chance.choice(texts)[:4000]
    array = np.asarray(value)
    types = [array.astype(kind) for kind in ("f8", "i4", "u1")]
    shapes = [array[..., :0], array.reshape(-1), array[None]]
    numbers = [
        array * 0 - 1,
        np.full_like(array, np.asarray(2**30).astype(array.dtype)),
        array[::-1] if array.ndim else array,
    ]
    with np.errstate(all="ignore"):
        return chance.choice([*types, *shapes, *(n.astype(array.dtype) for n in numbers)])


def judge(path: Path) -> str:
    """What reading a file comes to: whole, refused, or the name of an error that should not have been."""
    try:
        load_checkpoint(path)
    except CheckpointError:
        return "refused"
    except MemoryError:
        return "memory"
    except Exception as error:  # whatever it is, it is what is looked for
        return f"{type(error).__name__}: {error}"
    return "whole"


@experiment(
    "a file sealed again after bytes of it were changed at random, mostly in HDF5's structure, is refused or read; "
    "it never crashes, hangs or fails otherwise, within 1 GiB of address space",
    soak=500_000,
)
def mutated_files(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """`count` is of files."""
    return _tried_apart("mutated", sample(folder), count, seed, seconds)


@experiment(
    "a file in the right format whose counters, texts and arrays were changed at random is refused or read; no other "
    "error",
    soak=20_000,
)
def mutated_numbers(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """`count` is of files."""
    return _tried_apart("changed", sample(folder), count, seed, seconds)


def _tried_apart(kind: str, file: Path, count: int, seed: int, seconds: float) -> Tally:
    """Hand the numbers of files to a reader; one that dies or falls silent is counted and followed by another."""
    tally, verdicts = Tally(), dict[str, int]()
    waiting = tries(count, seconds)
    number = next(waiting, None)
    while number is not None:
        with _reader(kind, file, seed) as reader:
            while number is not None:
                verdict = _asked(reader, number)
                verdicts[verdict] = verdicts.get(verdict, 0) + 1
                tally.count(verdict in ("refused", "whole"), f"{kind} file {number} of seed {seed}: {verdict}")
                number = next(waiting, None)
                if reader.poll() is not None:
                    break
    tally.notes.append(", ".join(f"{times:,} {verdict}" for verdict, times in sorted(verdicts.items())))
    return tally


@contextmanager
def _reader(kind: str, file: Path, seed: int) -> Iterator[subprocess.Popen[str]]:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    code = "from tools.soak.hostile import serve; serve()"
    command = [sys.executable, "-c", code, kind, str(file), str(seed)]
    environment = child_environment(OPENBLAS_NUM_THREADS="1")
    reader = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=limited
    )
    try:
        yield reader
    finally:
        reader.kill()
        reader.communicate()


def _asked(reader: subprocess.Popen[str], number: int) -> str:
    assert reader.stdin is not None and reader.stdout is not None
    reader.stdin.write(f"{number}\n")
    reader.stdin.flush()
    if not select.select([reader.stdout], [], [], LONGEST)[0]:
        reader.kill()
        reader.wait()
        return "hung"
    verdict = reader.stdout.readline().strip()
    if not verdict:
        return f"died with {reader.wait()}"
    return verdict


def serve() -> None:
    """Make and judge the files whose numbers come on standard input."""
    kind, file, seed = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    image, checkpoint = file.read_bytes(), checkpoints.read(file)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "file.h5"
        for line in sys.stdin:
            number = seed * 1_000_000_007 + int(line)
            if kind == "mutated":
                place.write_bytes(mutated(image, number))
                print(judge(place), flush=True)
                continue
            try:
                place.write_bytes(checkpoints.to_bytes(changed_numbers(checkpoint, number)))
            except FormatError:  # no file of the format can hold this
                print("refused", flush=True)
            else:
                print(judge(place).replace("\n", " "), flush=True)
