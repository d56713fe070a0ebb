"""Standard streams that are closed, full or abandoned while a run trains."""

import os
import random
import shutil
import subprocess
import threading
from pathlib import Path

from tests.support.commands import child_command, child_environment, differing, lasting
from tools.soak.children import LONGEST
from tools.soak.experiments import Tally, experiment, tries
from tools.soak.stopping import LENGTH, prepare

CLOSED, FULL, ABANDONED, EMPTY, READ = "closed", "full", "abandoned", "/dev/null", "read"
WAYS = (CLOSED, FULL, ABANDONED, EMPTY, READ)
OPTIONS = ((), ("--json",), ("--quiet",), ("--json", "--quiet"))


@experiment(
    "a training whose standard streams are closed, full (/dev/full), abandoned by their reader at once or after a few "
    "bytes, or read, in any combination, with and without --json and --quiet, ends with 0 and in the same bytes",
    soak=2_000,
)
def streams(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """`count` is of processes, each with its own combination, drawn at random."""
    tally, drawn = Tally(), random.Random(seed)
    whole, run = prepare(folder, LENGTH), folder / "run"
    for _ in tries(count, seconds):
        standard_input = drawn.choice((CLOSED, EMPTY))
        ways, options = (drawn.choice(WAYS), drawn.choice(WAYS)), drawn.choice(OPTIONS)
        code = _trained(folder, standard_input == CLOSED, ways, options, drawn.choice((0, 1, 60)))
        found = differing(whole, lasting(run)) if run.exists() else ["everything"]
        told = f"input {standard_input}, output {ways[0]}, errors {ways[1]}, {options}: {code}, {found}"
        tally.count(code == 0 and not found, told)
        shutil.rmtree(run, ignore_errors=True)
    return tally


def _trained(folder: Path, no_input: bool, ways: tuple[str, str], options: tuple[str, ...], read: int) -> int:
    """Train with these streams and return the exit code; who abandons one reads `read` bytes before that."""
    closed = [0] * no_input + [number for number, way in enumerate(ways, 1) if way == CLOSED]

    def close() -> None:
        for number in closed:
            os.close(number)

    opened = [_opened(way) for way in ways]
    process = subprocess.Popen(
        child_command("train", "net.nnspec", "--out", "run", *options),
        cwd=folder,
        env=child_environment(),
        stdin=subprocess.DEVNULL,
        stdout=opened[0][0],
        stderr=opened[1][0],
        preexec_fn=close,
    )
    for written, _ in opened:
        os.close(written)
    for way, (_, reader) in zip(ways, opened, strict=True):
        if way == ABANDONED and reader is not None:
            os.read(reader, read)
            os.close(reader)
    return _end_of(process, [reader for way, (_, reader) in zip(ways, opened, strict=True) if way == READ and reader])


def _opened(way: str) -> tuple[int, int | None]:
    """Return the descriptor to write to, and the one to read from where there is one."""
    if way in (ABANDONED, READ):
        reader, written = os.pipe()
        return written, reader
    return os.open("/dev/full" if way == FULL else os.devnull, os.O_WRONLY), None


def _end_of(process: "subprocess.Popen[bytes]", readers: list[int]) -> int:
    """Read what is still read, and return the exit code; SIGKILL's where the process hangs."""
    reading = [threading.Thread(target=_read_all, args=(reader,)) for reader in readers]
    for thread in reading:
        thread.start()
    try:
        return process.wait(LONGEST)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
    finally:
        for thread in reading:
            thread.join()


def _read_all(reader: int) -> None:
    while os.read(reader, 65536):
        pass
    os.close(reader)
