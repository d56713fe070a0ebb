"""nnspec fmt."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from nnspec.checkpoints import system
from nnspec.cli import command_line
from tests.nnspec.conftest import Command

UGLY = "input   28x28x1 # digits\n\n\nconv 3x3 x8   ->\n dense 10 softmax\noptimizer adam\ntrain 5 epochs\n"
TIDY = "input 28x28x1  # digits\n\nconv 3x3 x8 -> dense 10 softmax\noptimizer adam\ntrain     5 epochs\n"


def test_a_file_is_written_anew_once_and_keeps_its_permissions(nnspec: Command, tmp_path: Path) -> None:
    file = tmp_path / "net.nnspec"
    file.write_text(UGLY)
    file.chmod(0o640)
    assert nnspec("fmt", "net.nnspec").out == "net.nnspec: formatted\n"
    assert file.read_text() == TIDY
    assert file.stat().st_mode & 0o777 == 0o640
    before = file.stat()
    again = nnspec("fmt", "net.nnspec")
    assert (again.code, again.out) == (0, "")
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert [path.name for path in tmp_path.iterdir()] == ["net.nnspec"]


def test_a_link_stays_one_and_the_file_that_it_leads_to_is_written(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "real").write_text(UGLY)
    (tmp_path / "net.nnspec").symlink_to("real")
    assert nnspec("fmt", "net.nnspec").code == 0
    assert (tmp_path / "net.nnspec").is_symlink() and (tmp_path / "real").read_text() == TIDY


def test_check_writes_nothing_and_ends_with_1_where_something_would_change(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "ugly.nnspec").write_text(UGLY)
    (tmp_path / "tidy.nnspec").write_text(TIDY)
    checked = nnspec("fmt", "--check", "ugly.nnspec", "tidy.nnspec")
    assert (checked.code, checked.out) == (1, "")
    assert checked.err == "ugly.nnspec would change\n1 file of 2 would change\n"
    assert (tmp_path / "ugly.nnspec").read_text() == UGLY
    assert nnspec("fmt", "--check", "tidy.nnspec").code == 0


def test_diff_shows_the_lines_that_would_change(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "net.nnspec").write_text(UGLY)
    shown = nnspec("fmt", "--diff", "net.nnspec")
    assert shown.code == 0
    assert {"--- net.nnspec", "-train 5 epochs", "+train     5 epochs", " optimizer adam"} <= set(shown.out.split("\n"))
    assert (tmp_path / "net.nnspec").read_text() == UGLY
    assert nnspec("fmt", "--diff", "--check", "net.nnspec").code == 1


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf" + TIDY.encode(), TIDY.replace("\n", "\r\n").encode()])
def test_a_byte_order_mark_and_other_line_ends_are_differences(nnspec: Command, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "net.nnspec").write_bytes(content)
    assert "byte order mark" in nnspec("fmt", "--check", "--diff", "net.nnspec").out
    assert nnspec("fmt", "net.nnspec").code == 0
    assert (tmp_path / "net.nnspec").read_bytes() == TIDY.encode()


def test_standard_input_and_a_text_go_to_standard_output(nnspec: Command) -> None:
    done = CliRunner().invoke(command_line, ["fmt", "-"], input=UGLY)
    assert (done.exit_code, done.stdout) == (0, TIDY)
    assert nnspec("fmt", "conv 3x3 x8->dense  3").out == "conv 3x3 x8 -> dense 3\n"
    assert CliRunner().invoke(command_line, ["fmt", "--check", "-"], input=UGLY).exit_code == 1


def test_a_file_that_cannot_be_read_as_a_spec_is_left_alone_and_hides_no_other(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "bad.nnspec").write_text("dense (3\n")
    (tmp_path / "net.nnspec").write_text(UGLY)
    done = nnspec("fmt", "bad.nnspec", "net.nnspec")
    assert done.code == 1 and "error[E002]" in done.err
    assert (tmp_path / "bad.nnspec").read_text() == "dense (3\n"
    assert (tmp_path / "net.nnspec").read_text() == TIDY
    assert nnspec("fmt", "none.nnspec").code == 2


def test_a_write_that_fails_leaves_the_file_and_no_other_one(
    nnspec: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "net.nnspec").write_text(UGLY)
    monkeypatch.setattr(system, "fsync", full)
    failed = nnspec("fmt", "net.nnspec")
    assert failed.code == 1 and "net.nnspec cannot be written: No space left on device" in failed.err
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("net.nnspec", UGLY)]


def test_standard_output_has_every_character_of_a_comment(nnspec: Command) -> None:
    assert nnspec("fmt", "input 2  # \x1b[31mred\ndense 2").out == "input 2  # \x1b[31mred\ndense 2\n"


def test_json_has_the_text_the_differences_and_the_errors(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "bad.nnspec").write_text("dense (3\n")
    (tmp_path / "net.nnspec").write_text(UGLY)
    checked = nnspec("fmt", "--check", "--diff", "--json", "bad.nnspec", "net.nnspec", "dense  3")
    assert checked.code == 1
    named, text = checked.json["specs"]
    assert (named["file"], named["differs"], named["replaced"], named["text"]) == ("net.nnspec", True, False, TIDY)
    assert "-train 5 epochs" in named["diff"] and text["text"] == "dense 3\n"
    assert [found["code"] for found in checked.json["diagnostics"]] == ["E002"]
    assert (tmp_path / "net.nnspec").read_text() == UGLY
    assert nnspec("fmt", "--json", "net.nnspec").json["specs"][0]["replaced"] is True
    assert (tmp_path / "net.nnspec").read_text() == TIDY
