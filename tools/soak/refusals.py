"""A system that refuses: every system call of every save of a run fails once, and the run is gone on with."""

import errno
import os
import shutil
from pathlib import Path

from nnspec import checkpoints
from tests.support.commands import differing, lasting, nnspec, no_fsync
from tools.soak.children import at_call
from tools.soak.experiments import Tally, experiment, tries
from tools.soak.stopping import SHORT, go_on, prepare

ERRORS = (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EACCES)
KINDS = ("open", "write", "fsync", "pread", "link", "replace")
"""Calls that a save needs. Others, which only read the former file, may fail, and the run continues."""


@experiment(
    "the k-th open, write, fsync, read-back, link or rename of a whole run fails with ENOSPC, EIO, EDQUOT or EACCES: "
    "the command reports the path and the error and exits with 1, no temporary file is left, every file is whole, and "
    "the resumed run ends in the same bytes; every k",
    soak=100_000,
)
def refused_calls(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """`count` is of calls and errors, spread over all there are."""
    tally = Tally()
    with no_fsync():
        whole, run = prepare(folder, SHORT), folder / "run"
        places = list[tuple[str, int, int]]()
        for kind in KINDS:
            with at_call(0, lambda: None, (kind,)) as made:
                assert nnspec(folder, "train", "net.nnspec", "--out", "run", "--quiet").exit_code == 0
            shutil.rmtree(run)
            places += [(kind, place, number) for place in range(1, len(made) + 1) for number in ERRORS]
        for number in tries(min(count, len(places)), seconds):
            kind, place, error = places[(number * len(places) + seed) // min(count, len(places)) % len(places)]

            def refuse(error: int = error) -> None:
                raise OSError(error, os.strerror(error))

            with at_call(place, refuse, (kind,)):
                done = nnspec(folder, "train", "net.nnspec", "--out", "run", "--quiet")
            reported = done.exit_code == 0 or (done.exit_code == 1 and _reports(done.stderr, error))
            left = [path.name for path in run.iterdir() if path.name.endswith(".tmp")]
            unsound = [file.name for file in run.glob("*.h5*") if not _sound(file)]
            again = done.exit_code and nnspec(folder, *go_on(run)).exit_code
            found = differing(whole, lasting(run))
            seen = f"{kind} {place}, {errno.errorcode[error]}: {done.exit_code}, {again}, {left}, {unsound}, {found}"
            tally.count(
                reported and not left and not unsound and again == 0 and not found, f"{seen}, {done.stderr[-300:]}"
            )
            shutil.rmtree(run)
    return tally


def _reports(text: str, error: int) -> bool:
    return (
        " run" in text and f"{os.strerror(error)} (" in text and f"errno {error})" in text and "Traceback" not in text
    )


def _sound(file: Path) -> bool:
    return file.suffix == ".lock" or checkpoints.is_whole(str(file))
