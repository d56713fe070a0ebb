"""The tutorial is executed from the first command to the last, and explains every line of the program that it shows."""

import difflib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.spec_texts import ROOT
from tools import pages

PAGE = ROOT / "docs" / "tutorial.md"


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[str]]]:
    """The folder in which the tutorial was executed, and what came out otherwise than shown."""
    folder = tmp_path_factory.mktemp("tutorial")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NNSPEC_OFFLINE", "1")
        yield folder, pages.disagreements(PAGE, folder)


def test_every_command_prints_what_is_shown(done: tuple[Path, list[str]]) -> None:
    assert "\n\n".join(done[1]) == ""


def test_the_page_shows_the_spec_that_init_writes(done: tuple[Path, list[str]]) -> None:
    assert (done[0] / "same.nnspec").read_text() == (done[0] / "quickstart.nnspec").read_text()


def test_every_line_of_the_printed_program_is_explained(done: tuple[Path, list[str]]) -> None:
    explained = "".join(block.body for block in pages.blocks(PAGE.read_text(encoding="utf-8")) if block.kind == "py")
    printed = (done[0] / "tiny.py").read_text(encoding="utf-8")
    real, shown = ([line for line in text.splitlines() if line.strip()] for text in (printed, explained))
    names = "nnspec plan tiny.nnspec --code", "docs/tutorial.md"
    changed = "\n".join(difflib.unified_diff(real, shown, *names, lineterm=""))
    assert changed == "", f"the program is not the one that the tutorial explains:\n{changed}"


@pytest.mark.parametrize("name", ["curves.png", "weights.png", "occlusion-3x3.png"])
def test_the_pictures_are_those_that_the_commands_draw(done: tuple[Path, list[str]], name: str) -> None:
    """Up to the rounding of another processor: a few pixels of a curve."""
    drawn, shown = (
        np.asarray(Image.open(folder / name).convert("RGB"), float)
        for folder in (done[0] / "runs" / "quickstart" / "pictures", ROOT / "docs" / "pictures")
    )
    assert drawn.shape == shown.shape
    assert np.abs(drawn - shown).mean() < 3
