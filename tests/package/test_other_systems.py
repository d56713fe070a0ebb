"""What a system other than Linux does not have is hidden, one thing at a time: a run ends in the same bytes."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nnspec import checkpoints
from tests.support.commands import child_environment

pytestmark = pytest.mark.slow

MISSING = {
    "nothing": (),
    "file locks": ("module fcntl",),
    "limits of a process": ("module resource",),
    "hard links": ("os link",),
    "forks": ("os fork", "os register_at_fork"),
    "semaphores": ("module _multiprocessing",),
    "a kill that cannot be caught": ("signal SIGKILL",),
    "handles of folders": ("os O_DIRECTORY",),
    "reading at an offset": ("os pread",),
    "opening without waiting": ("os O_NONBLOCK",),
    "the processors of a process": ("os sched_getaffinity", "os sched_yield"),
    "facts of the machine": ("os fork", "os sysconf", "os fchmod", "os getuid", "os geteuid"),
}
MISSING["everything"] = tuple(what for names in MISSING.values() for what in names)

SCRIPT = """
import os, signal, sys
import click, h5py, lark, numpy, pooch, pydantic, threadpoolctl, tqdm  # they know such systems

draws = len(sys.argv) > 10  # where everything is missing
if draws:
    import matplotlib

for what in sys.argv[1:]:
    owner, name = what.split()
    if owner == "module":
        sys.modules[name] = None
    elif hasattr(sys.modules[owner], name):
        delattr(sys.modules[owner], name)

import nnspec
from nnspec.cli import command_line

def nnspec_does(*arguments):
    try:
        command_line(arguments)
    except SystemExit as end:
        assert end.code == 0, (arguments, end.code)

nnspec_does("train", "net.nnspec", "--out", "run", "--quiet")
nnspec_does("train", "net.nnspec", "--out", "half", "--quiet", "--set", "train.epochs=1")
nnspec_does("resume", "run", "--quiet")
nnspec_does("verify", "run/last.h5")
nnspec_does("eval", "run")
if draws:
    nnspec_does("plot", "curves", "run")
nnspec_does("fmt", "untidy.nnspec")
assert nnspec.load("run").predict(numpy.zeros((2, 300), "f4")).shape == (2, 3)
"""
SPEC = """\
dense 400 relu -> dropout 0.4 -> dense 3 softmax
data npz "data.npz" split=75/25
optimizer adam
train 2 epochs batch=16 seed=5
"""


@pytest.fixture
def digest_without(tmp_path: Path) -> Callable[[str], str]:
    """Run the script where something is missing; gives the SHA-256 of its last checkpoint but for the run's texts."""

    def run(missing: str) -> str:
        folder = tmp_path / missing.replace(" ", "-")
        folder.mkdir()
        random = np.random.default_rng(0)
        np.savez(folder / "data.npz", x=random.normal(size=(64, 300)).astype("f4"), y=np.arange(64) % 3)
        (folder / "net.nnspec").write_text(SPEC)
        (folder / "untidy.nnspec").write_text(SPEC.replace(" ->", "   ->"))
        command = [sys.executable, "-c", SCRIPT, *MISSING[missing]]
        done = subprocess.run(command, cwd=folder, env=child_environment(), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert not list(folder.rglob("*.tmp"))
        return hashlib.sha256(checkpoints.comparable((folder / "run" / "last.h5").read_bytes())).hexdigest()

    return run


@pytest.fixture(scope="module")
def digests() -> dict[str, str]:
    """The digest where nothing is missing, made once."""
    return {}


OFTEN = ("forks", "everything")
"""What CI tries; the others are left to make test."""


@pytest.mark.parametrize(
    "missing", [pytest.param(m, marks=() if m in OFTEN else pytest.mark.long) for m in MISSING if m != "nothing"]
)
def test_a_run_ends_in_the_same_bytes_without(
    missing: str, digest_without: Callable[[str], str], digests: dict[str, str]
) -> None:
    if not digests:
        digests["nothing"] = digest_without("nothing")
    assert digest_without(missing) == digests["nothing"]
