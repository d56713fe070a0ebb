"""Every command and every program in the README does what it says."""

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from nnspec.cli import command_line

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    re.sub(r"\s+# .*", "", line.strip().removeprefix(".venv/bin/"))
    for line in README.splitlines()
    if re.match(r" {4}(\.venv/bin/)?nnspec \w", line)
]
RUNNABLE = [command for command in COMMANDS if not re.search(r"\b[A-Z]{3,}\b|  ", command)]
PROGRAM = "\n".join(
    line[4:] for line in README.split("## From Python")[1].split("## ")[0].splitlines() if line.startswith("    ")
)


@pytest.fixture
def newcomer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A folder as a newcomer has it: the specs, and a picture of a digit."""
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    picture = np.zeros((40, 40), np.uint8)
    picture[8:32, 18:23] = 255
    Image.fromarray(picture).save(tmp_path / "digit.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NNSPEC_OFFLINE", "1")
    return tmp_path


def test_the_commands_work_one_after_the_other(newcomer: Any) -> None:
    assert len(RUNNABLE) == 4
    for command in RUNNABLE:
        done = CliRunner().invoke(command_line, command.split()[1:], prog_name="nnspec")
        assert done.exit_code == 0, (command, done.output)


def test_every_verb_that_the_readme_lists_exists() -> None:
    for verb in {name for command in COMMANDS for name in command.split()[1].split("|")}:
        assert CliRunner().invoke(command_line, [verb, "--help"]).exit_code == 0, verb


def test_the_error_is_the_one_that_is_shown(newcomer: Any) -> None:
    shown = README.split("    error[E301]")[1].split("\n## ")[0]
    Path("bad.nnspec").write_text("input 28x28x1\nconv 3x3 x8 -> maxpool 4 -> conv 9x9 x16 -> dense 10 softmax\n")
    done = CliRunner().invoke(command_line, ["check", "bad.nnspec"])
    assert done.exit_code == 1
    expected = ["error[E301]" + shown.split("\n")[0], *(line[4:] for line in shown.rstrip().split("\n")[1:])]
    assert "\n".join(expected) in done.output


def test_the_whole_file_checks(newcomer: Any) -> None:
    file = README.split("## A whole file")[1].split("Every error")[0]
    Path("whole.nnspec").write_text("\n".join(line[4:] for line in file.splitlines()))
    assert CliRunner().invoke(command_line, ["check", "whole.nnspec"]).exit_code == 0


def test_the_program_runs(newcomer: Any) -> None:
    random = np.random.default_rng(0)
    space = {
        "images": random.integers(0, 256, (2, 28, 28, 1), np.uint8),
        "labels": np.array([3, 7]),
        "x": random.standard_normal((60, 4)),
        "y": random.integers(0, 3, 60),
    }
    exec(PROGRAM, space)
    assert space["maps"].shape == (2, 26, 26)
    assert set(space["run"].network.parameters) == {"dense1/weight", "dense1/bias", "dense2/weight", "dense2/bias"}
