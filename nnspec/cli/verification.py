"""Verify a checkpoint: in this process, or one that nobody trusts in a process with limits on memory and time."""

import os
import subprocess
import sys
from pathlib import Path

import nnspec
from nnspec.cli.output import FOUND, WRONG_USE

try:
    import resource
except ImportError:  # Windows has no limits for a process
    resource = None  # type: ignore[assignment]

MEMORY = 2**30  # bytes of address space, plus eight times the size of the file
SECONDS = 20  # of processor time; twice as many of wall time


def verify_checkpoint(path: Path) -> tuple[str, str, int]:
    """Verify a file: return the verdict, what to do, and the exit code."""
    from nnspec import checkpoints
    from nnspec.runtime.errors import CheckpointError
    from nnspec.runtime.train.checkpointing import load_checkpoint

    try:
        summary = checkpoints.verify(path)
        load_checkpoint(path)
    except checkpoints.FormatError as error:
        kind = "damaged" if isinstance(error, checkpoints.Damaged) else "not usable"
        return f"{kind}: {error.reason.removeprefix(f'{kind}: ')}", error.help, FOUND
    except CheckpointError as error:
        return f"intact, but not usable: {str(error).removeprefix(f'{path}: ')}", "", FOUND
    except MemoryError:
        return "not usable: reading it needs more memory than this machine has", "", FOUND
    except OSError as error:
        return f"cannot be read: {error.strerror or error}", "", WRONG_USE
    size = f"{summary.arrays} arrays of {summary.numbers:,} numbers, {summary.size:,} bytes"
    return f"OK, {size}, format {summary.format_version}, nnspec {summary.program}", "", 0


def verify_in_sandbox(path: Path) -> tuple[str, str, int]:
    """Return the verdict, help and exit code of `nnspec verify` for one file. Reaching a limit is a verdict too."""
    if resource is None:
        return "not verified: this system has no limits on the memory and time of a process", _NO_LIMITS, 2
    try:
        memory = MEMORY + 8 * path.stat().st_size
    except OSError:
        memory = MEMORY

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    home = str(Path(nnspec.__file__).resolve().parents[1])
    places = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-P", "-m", "nnspec.cli.verification", str(path)]  # -P: nothing from the current folder
    try:
        done = subprocess.run(
            command,
            env=os.environ | {"PYTHONPATH": places},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=2 * SECONDS,
            preexec_fn=limited,
        )
    except subprocess.TimeoutExpired:
        return f"not usable: reading it took more than {2 * SECONDS} seconds", _ADVICE, 1
    if done.returncode not in (0, 1, 2) or not done.stdout:
        how = f"ended by signal {-done.returncode}" if done.returncode < 0 else "ended without a verdict"
        return f"not usable: the process that read it {how}", _ADVICE, 1
    verdict, _, help = done.stdout.removesuffix("\n").partition("\n")
    return verdict, help, done.returncode


_NO_LIMITS = "verify it under Linux or macOS, or without --untrusted if you trust its source"
_ADVICE = "do not use it: a file that nnspec wrote is read well within these limits"


def _main() -> int:
    """Verify the file named on the command line, in the separate process, and print the verdict and what to do."""
    verdict, help, code = verify_checkpoint(Path(sys.argv[1]))
    print(f"{verdict}\n{help}")
    return code


if __name__ == "__main__":
    sys.exit(_main())
