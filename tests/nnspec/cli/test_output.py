"""nnspec/cli/output.py: what is said where, and each error's exit code."""

import errno
import io
import json
import math
import os
from pathlib import Path
from typing import Any

import click
import pytest

from nnspec import checkpoints
from nnspec.cli import output
from nnspec.runtime.errors import DataError, Interrupted
from nnspec.spec_lang.report.errors import NNSpecError, SourceError
from nnspec.spec_lang.report.escapes import escaped_lines
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
    assert output.uses_colours(stream) is wanted


def test_diagnostics_are_coloured_where_it_is_asked_for(nnspec: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" not in nnspec("check", "input 4 -> dens 2").err
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[31m" in nnspec("check", "input 4 -> dens 2").err
    assert "\x1b[31m" in nnspec("check", "none.nnspec").err


def test_json_has_a_version_and_no_number_that_json_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json(loss=math.nan, rows=[{"a": math.inf}], count=3, name="größe")
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
    with pytest.raises(click.exceptions.Exit) as ended, output.report_errors():
        raise error
    assert ended.value.exit_code == code
    assert capsys.readouterr().err == told


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), output.report_errors():
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
    refused = pytest.raises(output.UnwritableError, match=r"nowhere/x\.txt cannot be written: No such file")
    with refused as told, output.translate_write_errors("x.txt"):
        (tmp_path / "nowhere" / "x.txt").write_text("")
    assert told.value.exit_code == 2


def test_a_full_disk_is_no_wrong_use() -> None:
    refused = pytest.raises(output.UnwritableError, match=r"x\.png cannot be written: No space left on device")
    with refused as told, output.translate_write_errors("x.png"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "x.png")
    assert told.value.exit_code == 1


def test_errors_are_wrapped_to_a_terminal_and_to_nothing_else(nnspec: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert output.terminal_width(Terminal()) == 60
    assert output.terminal_width(io.StringIO()) is None
    text = "input 28x28x1\nconv 3x3 x8 -> maxpool 4 -> conv 9x9 x16 -> maxpool 2 -> dense 10 softmax\n"
    told = nnspec("check", text).err
    monkeypatch.setattr(output, "terminal_width", lambda stream: 60)
    wrapped = nnspec("check", text).err
    assert max(map(len, wrapped.splitlines())) <= 60 < max(map(len, told.splitlines()))


EVIL = "\x1b]0;title\x07\x9b31m\u202e\u2028\r\x7f"
SHOWN = r"\x1b]0;title\x07\x9b31m\u202e\u2028\x0d\x7f"


def test_every_printer_escapes_control_characters_and_keeps_our_own_styles(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    output.print_result(f"{EVIL}\n\tx")
    output.print_note(EVIL)
    output.print_warning(EVIL)
    output.print_error(DataError(f"{EVIL}\n  help: {EVIL}"))
    output.print_error(Interrupted(EVIL, 15))
    found = capsys.readouterr()
    assert found.out == f"{SHOWN}\n\tx\n"
    note, warning, error, help, stopped = found.err.splitlines()
    assert note == stopped == SHOWN
    assert warning == f"\x1b[33m\x1b[1mwarning:\x1b[0m {SHOWN}"
    assert error == f"\x1b[31m\x1b[1merror:\x1b[0m {SHOWN}"
    assert help == f"  \x1b[34m\x1b[1mhelp:\x1b[0m {SHOWN}"


def test_json_escapes_what_json_leaves_and_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json(name=f"{EVIL}\udc80")
    out = capsys.readouterr().out
    assert json.loads(out)["name"] == f"{EVIL}\udc80"
    assert out.removesuffix("\n").isprintable()


def test_a_text_for_a_program_is_exact_and_escaped_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, wanted in ((io.StringIO(), EVIL), (Terminal(), SHOWN)):
        monkeypatch.setattr("sys.stdout", stream)
        output.print_text(EVIL)
        assert stream.getvalue() == wanted


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "--\x1b[31m"),
        ("\x1b[31mverify",),
        ("--\x1b[31m",),
        ("verify", "a\x1b[31m"),
        ("eval", "a\x1b[31m"),
        ("check", "a\x1b[31m.nnspec"),
        ("train", "input 2 -> dense 2", "--set", "\x1b[31m"),
        ("train", "input 2 -> dense 2", "--seed", "\x1b[31m"),
        ("plan", "input 2 -> dense 2", "--variant", "\x1b[31m"),
        ("eval", "none", "--split", "\x1b[31m"),
        ("explain", "\x1b[31m"),
        ("init", "\x1b[31m"),
        ("data", "fetch", "\x1b[31m"),
    ],
)
def test_an_argument_never_reaches_the_terminal_unescaped(nnspec: Command, arguments: tuple[str, ...]) -> None:
    ended = nnspec(*arguments)
    assert ended.code in (1, 2)
    assert "\x1b" not in ended.out + ended.err


def test_names_in_a_file_of_someone_else_never_reach_the_terminal(
    nnspec: Command, flowers: Path, tmp_path: Path
) -> None:
    found = checkpoints.read(flowers / "last.h5")
    entries, meta = dict(found.entries), dict(found.meta)
    entries["preprocessing/classes"] = json.dumps([EVIL, f"v{EVIL}\nerror: forged", "w"], ensure_ascii=False)
    meta["environment"] = {EVIL: EVIL}
    checkpoints.write(tmp_path / "last.h5", checkpoints.Checkpoint(meta, entries))
    (tmp_path / "new.csv").write_text("a,b\n0,0\n1,1\n")
    table = f'csv "{flowers.parent / "flowers.csv"}" target=kind'
    for arguments in (
        ("inspect", "last.h5"),
        ("inspect", "last.h5", "--json"),
        ("verify", "last.h5"),
        ("verify", "--untrusted", "last.h5"),
        ("predict", "last.h5", "new.csv"),
        ("predict", "last.h5", "new.csv", "--json"),
        ("eval", "last.h5", "--data", table),
        ("diff", "last.h5", flowers / "last.h5"),
    ):
        ended = nnspec(*arguments)
        assert escaped_lines(ended.out + ended.err) == ended.out + ended.err, arguments
        assert "\nerror: forged" not in ended.out


def test_generated_text_and_formatted_comments_are_escaped(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("ab\x1b\x9bc\n" * 40)
    (tmp_path / "net.nnspec").write_text(
        'data text "t.txt" window=8\nonehot -> rnn 4 return=sequence -> dense 6 softmax\ntrain 1 epochs\n'
    )
    assert nnspec("train", "net.nnspec", "--out", "run").code == 0
    written = nnspec("sample", "run", "--seed", 1, "--temperature", 2)
    assert r"\x1b" in written.out and escaped_lines(written.out) == written.out
