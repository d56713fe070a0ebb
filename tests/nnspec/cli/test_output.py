"""nnspec/cli/_output.py: what is said where, and each error's exit code."""

import errno
import io
import json
import math
import os
from pathlib import Path
from typing import Any

import click
import pytest

from nnspec.cli import _output
from nnspec.runtime.errors import DataError, Interrupted
from nnspec.spec_lang.report.errors import NNSpecError, SourceError
from tests.nnspec.conftest import Command


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environment", "wanted"),
    [
        (Terminal(), {}, True),
        (io.StringIO(), {}, False),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (io.StringIO(), {"FORCE_COLOR": "1"}, True),
        (io.StringIO(), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
    ],
)
def test_colours_follow_the_environment_then_the_stream(
    stream: io.StringIO, environment: dict[str, str], wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert _output.uses_colours(stream) is wanted


def test_diagnostics_are_coloured_where_it_is_asked_for(nnspec: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" not in nnspec("check", "input 4 -> dens 2").err
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[31m" in nnspec("check", "input 4 -> dens 2").err
    assert "\x1b[31m" in nnspec("check", "none.nnspec").err


def test_json_has_a_version_and_no_number_that_json_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    _output.print_json(loss=math.nan, rows=[{"a": math.inf}], count=3, name="größe")
    out = capsys.readouterr().out
    assert json.loads(out) == {"format_version": 1, "loss": None, "rows": [{"a": None}], "count": 3, "name": "größe"}
    assert "größe" in out


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (DataError("cut off"), 1, "error: cut off\n"),
        (DataError("there is no file x", exit_code=2), 2, "error: there is no file x\n"),
        (SourceError("net.nnspec: there is no such file"), 2, "error: net.nnspec: there is no such file\n"),
        (NNSpecError("odd\n  help: fix it"), 1, "error: odd\n  help: fix it\n"),
        (Interrupted("stopped after step 3", 15), 143, "stopped after step 3\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (MemoryError(), 1, "error: this machine has too little memory: use a smaller batch\n"),
    ],
)
def test_an_error_becomes_a_message_and_an_exit_code(
    error: BaseException, code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(click.exceptions.Exit) as ended, _output.report_errors():
        raise error
    assert ended.value.exit_code == code
    assert capsys.readouterr().err == told


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), _output.report_errors():
        _ = 1 / 0


def test_ctrl_c_outside_a_training_ends_with_130(
    nnspec: Command, digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(path: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nnspec.runtime.train.checkpointing.load_checkpoint", interrupted)
    stopped = nnspec("eval", digits)
    assert (stopped.code, stopped.out) == (130, "")


def test_a_file_that_cannot_be_written_is_told_with_its_path(tmp_path: Path) -> None:
    refused = pytest.raises(_output.UnwritableError, match=r"nowhere/x\.txt cannot be written: No such file")
    with refused as told, _output.translate_write_errors("x.txt"):
        (tmp_path / "nowhere" / "x.txt").write_text("")
    assert told.value.exit_code == 2


def test_a_full_disk_is_no_wrong_use() -> None:
    refused = pytest.raises(_output.UnwritableError, match=r"x\.png cannot be written: No space left on device")
    with refused as told, _output.translate_write_errors("x.png"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "x.png")
    assert told.value.exit_code == 1


def test_errors_are_wrapped_to_a_terminal_and_to_nothing_else(nnspec: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert _output.terminal_width(Terminal()) == 60
    assert _output.terminal_width(io.StringIO()) is None
    text = "input 28x28x1\nconv 3x3 x8 -> maxpool 4 -> conv 9x9 x16 -> maxpool 2 -> dense 10 softmax\n"
    told = nnspec("check", text).err
    monkeypatch.setattr(_output, "terminal_width", lambda stream: 60)
    wrapped = nnspec("check", text).err
    assert max(map(len, wrapped.splitlines())) <= 60 < max(map(len, told.splitlines()))
