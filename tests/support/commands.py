"""The real command on small runs: specs, their data, stops at a chosen step, and what of two runs must be equal."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from click.testing import CliRunner, Result

from nnspec import checkpoints
from nnspec.cli import command_line
from nnspec.runtime.train.step import Stepper
from nnspec.spec_lang.vocabulary.registry import words

ROOT = Path(__file__).resolve().parents[2]
SAMPLES, BATCH = 36, 8  # five batches in an epoch, the last of them short
NETWORKS = {
    "plain": "dense 5 tanh -> dense 3 softmax",
    "dropout": "dense 8 relu -> dropout 0.4 -> dense 3 softmax",
    "batchnorm": "dense 6 relu -> batchnorm -> dense 3 softmax",
    "recurrent": "reshape 2x2 -> rnn 4 -> dense 3 softmax",
}
LENGTH = f"train 10 iterations batch={BATCH} evaluate_every=2 checkpoint_every=3 seed=5\nearly_stop patience=9"
"""Two epochs. Evaluations and saves fall apart, so that sums over part of an interval are saved too."""


def nnspec(folder: Path, *arguments: object) -> Result:
    """Run the command in this process and in a folder. What is no error of a user's is raised."""
    with chdir(folder):
        return CliRunner().invoke(command_line, [str(a) for a in arguments], prog_name="nnspec", catch_exceptions=False)


def write_data(folder: Path, samples: int = SAMPLES, features: int = 4) -> None:
    """data.npz: three clouds of points."""
    random = np.random.default_rng(0)
    y = np.arange(samples) % 3
    x = (random.normal(size=(samples, features)) + y[:, None]).astype(np.float32)
    np.savez(folder / "data.npz", x=x, y=y)


def write_spec(folder: Path, network: str, optimizer: str, schedule: str, length: str = LENGTH) -> None:
    """net.nnspec beside data.npz, three quarters of which train."""
    data = 'data npz "data.npz" split=75/25'
    (folder / "net.nnspec").write_text("\n".join((network, data, optimizer, schedule, length)) + "\n")


def networks() -> dict[str, str]:
    """Those of the networks whose layers there are."""
    known = words("layer")
    return {name: text for name, text in NETWORKS.items() if name != "recurrent" or "rnn" in known}


def statements(kind: str) -> Iterator[str]:
    """A statement for every optimizer or schedule: its own first example where it has one."""
    for name, word in sorted(words(kind).items()):
        text = word.examples[0] if word.examples else f"{kind} {name}"
        yield text.replace("every=5000", "every=3").replace("patience=3", "patience=0")


@contextmanager
def no_fsync() -> Iterator[None]:
    """Runs by the hundred without waiting for a disk; what fsync is for, crash_points.py tries."""
    with patch.object(checkpoints.system, "fsync", lambda handle: None):
        yield


@contextmanager
def at_step(count: int, number: signal.Signals = signal.SIGINT) -> Iterator[None]:
    """Send this process a signal right after so many steps of training."""
    advance, made = Stepper.advance, 0

    def watched(self: Stepper, most: int) -> list[float]:
        nonlocal made
        losses = advance(self, most)
        made += len(losses)
        if made - len(losses) < count <= made:
            signal.raise_signal(number)
        return losses

    with patch.object(Stepper, "advance", watched):
        yield


def lasting(run: Path) -> dict[str, Any]:
    """All of a run that must be equal for two equal ones: checkpoints but for /run, texts, what was measured."""
    found: dict[str, Any] = {p.name: checkpoints.comparable(p.read_bytes()) for p in run.glob("*.h5")}
    found |= {path.name: path.read_bytes() for path in run.glob("*.nnspec")}
    log = run / "metrics.jsonl"
    events = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    found["evaluations"] = [event for event in events if event["event"] == "evaluation"]
    found["ends"] = [event["steps"] for event in events if event["event"] == "end"]
    found["odd files"] = sorted(path.name for path in run.iterdir() if path.name.endswith(".tmp"))
    return found


def differing(a: dict[str, Any], b: dict[str, Any]) -> list[str]:
    """The names under which two runs differ, with where the bytes of a file do."""
    return sorted(
        f"{name}{_where(a.get(name), b.get(name))}" for name in a.keys() | b.keys() if a.get(name) != b.get(name)
    )


def _where(a: Any, b: Any) -> str:
    """What the first bytes are that differ, of two files."""
    if not (isinstance(a, bytes) and isinstance(b, bytes)):
        return ""
    place = next((at for at, pair in enumerate(zip(a, b, strict=False)) if pair[0] != pair[1]), min(len(a), len(b)))
    return f" at byte {place}: {a[max(0, place - 40) : place + 40]!r}, {b[max(0, place - 40) : place + 40]!r}"


def child_environment(**more: str) -> dict[str, str]:
    """The environment of a process that runs the command from this tree."""
    return os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | more


def child_command(*arguments: object) -> list[str]:
    """The command as a process of its own."""
    return [sys.executable, "-m", "nnspec", *map(str, arguments)]
