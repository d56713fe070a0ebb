"""The command in this process or in one of its own, and small runs that it made."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from nnspec import api
from nnspec.cli import command_line

ROOT = Path(__file__).resolve().parents[2]
DIGITS = "maxpool 4 -> dense 10 softmax"  # learns mnist_sample to about 80 % in a fifth of a second


@dataclass(frozen=True)
class Outcome:
    """What a command ended with and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The object on standard output."""
        return json.loads(self.out)


Command = Callable[..., Outcome]


@pytest.fixture
def nnspec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run the command in this process, in an empty folder. What is no error of a user's is raised."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "NNSPEC_DATA", "NNSPEC_HOME"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object) -> Outcome:
        words = [str(argument) for argument in arguments]
        done = CliRunner().invoke(command_line, words, prog_name="nnspec", catch_exceptions=False)
        return Outcome(done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture
def process(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start the command in a process of its own, in an empty folder."""

    def start(*arguments: object, **settings: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "nnspec", *map(str, arguments)]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | settings.pop("env", {})
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | settings
        return subprocess.Popen(command, cwd=tmp_path, env=environment, text=True, **pipes)

    return start


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on handwritten digits. No test writes into it."""
    folder = tmp_path_factory.mktemp("digits") / "run"
    api.train(DIGITS, folder, {"train.epochs": 2, "optimizer.lr": 0.01}, data="mnist_sample")
    return folder


@pytest.fixture(scope="session")
def flowers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on a table: two columns, three classes u, v and w. The table is flowers.csv beside it."""
    folder = tmp_path_factory.mktemp("flowers")
    write_flowers(folder / "flowers.csv", seed=0)
    (folder / "net.nnspec").write_text('dense 3 softmax\ndata csv "flowers.csv" target=kind\ntrain 30 epochs batch=8')
    api.train(folder / "net.nnspec", folder / "run", {"optimizer.lr": 0.1})
    return folder / "run"


@pytest.fixture(scope="session")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that gives a number. The table is prices.csv beside it."""
    folder = tmp_path_factory.mktemp("prices")
    x = np.random.default_rng(0).normal(size=40)
    rows = "".join(f"{a:.4f},{3 * a + 1:.4f}\n" for a in x)
    (folder / "prices.csv").write_text(f"size,price\n{rows}")
    (folder / "net.nnspec").write_text('dense 1\ndata csv "prices.csv" target=price\ntrain 40 epochs batch=4')
    api.train(folder / "net.nnspec", folder / "run", {"optimizer.lr": 0.1})
    return folder / "run"


def write_flowers(path: Path, seed: int, columns: tuple[str, ...] = ("a", "b", "kind"), classes: str = "uvw") -> None:
    """Sixty samples whose class is where they lie."""
    random = np.random.default_rng(seed)
    lines = [",".join(columns)]
    for index in range(60):
        kind = classes[index % len(classes)]
        a, b = random.normal("uvw".find(kind), 0.2, 2)
        cells = {"a": f"{a:.3f}", "b": f"{b:.3f}", "kind": kind}
        lines.append(",".join(cells[column] for column in columns))
    path.write_text("\n".join(lines) + "\n")
