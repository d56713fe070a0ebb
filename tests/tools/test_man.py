"""The manual page."""

import shutil
import subprocess
from pathlib import Path

import click
import pytest

from nnspec.cli import command_line
from tests.support.imports import ROOT
from tools.man import HOME, page


def test_the_page_is_up_to_date() -> None:
    assert (ROOT / HOME).read_text(encoding="utf-8") == page(), "python -m tools.man writes it again"


def test_every_verb_is_on_the_page() -> None:
    text = page()
    for verb in command_line.list_commands(click.Context(command_line)):
        assert f"\n.SS nnspec {verb}" in text


def test_the_program_is_named_as_man_looks_for_it() -> None:
    assert "\nnnspec \\- " in page()


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_groff_finds_nothing_wrong(tmp_path: Path) -> None:
    (tmp_path / "nnspec.1").write_text(page(), encoding="utf-8")
    command = ["groff", "-k", "-man", "-ww", "-Tutf8", str(tmp_path / "nnspec.1")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == "" and "nnspec check FILE..." in done.stdout
