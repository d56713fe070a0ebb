"""The pages for those who come from another tool: its code and ours are executed, and do the same job."""

import importlib.util
import os
import re
from pathlib import Path
from typing import Any

import click
import pytest

import nnspec
from nnspec.cli import command_line
from nnspec.spec_lang.report.other_spellings import WORDS
from nnspec.spec_lang.vocabulary.registry import layers, statements
from tests.support.spec_texts import ROOT
from tools import pages

DOCS = ROOT / "docs"
TOOLS = ("keras", "pytorch", "sklearn", "ludwig")


def executed(tool: str, folder: Path) -> dict[str, Any]:
    """What the page of a tool has defined, once it has been executed; its commands print what it shows."""
    space: dict[str, Any] = {}
    assert pages.disagreements(DOCS / f"from_{tool}.md", folder, space) == []
    return space


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Keras itself
def test_keras_reads_digits_as_well_and_its_model_comes_along(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    os.environ.setdefault("KERAS_BACKEND", "torch" if importlib.util.find_spec("torch") else "numpy")
    pytest.importorskip("keras")
    if os.environ["KERAS_BACKEND"] == "numpy":
        pytest.skip("Keras trains on PyTorch, TensorFlow or JAX alone")
    space = executed("keras", tmp_path)
    assert min(space["theirs"], space["ours"]) > 0.95
    assert space["difference"] < 1e-4


@pytest.mark.long
def test_pytorch_reads_digits_as_well_and_its_model_comes_along(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("torch")
    space = executed("pytorch", tmp_path)
    assert min(space["theirs"], space["ours"]) > 0.95
    assert space["difference"] < 1e-3
    assert (tmp_path / "digits.py").exists() and (tmp_path / "digits.safetensors").exists()


def test_scikit_learn_tells_flowers_apart_as_well(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    space = executed("sklearn", tmp_path)
    assert min(space["theirs"], space["ours"], space["search"].score(space["x_test"], space["y_test"])) > 0.9


def test_the_page_for_ludwig_trains(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    executed("ludwig", tmp_path)
    network = nnspec.load(tmp_path / "runs" / "iris" / "best.h5")
    assert network.classes is not None and len(network.classes) == 3


def test_ludwig_takes_the_file_of_its_page() -> None:
    ludwig = pytest.importorskip("ludwig.api")
    yaml = pytest.importorskip("yaml")
    (text,) = (block.body for block in pages.blocks((DOCS / "from_ludwig.md").read_text()) if block.kind == "yaml")
    ludwig.LudwigModel(yaml.safe_load(text))


@pytest.mark.parametrize("tool", TOOLS)
def test_what_a_table_calls_ours_is_ours(tool: str) -> None:
    """The first word of a piece of code in the last column is a word of the language, an option, a verb or a name."""
    known = layers().keys() | statements().keys() | {"sweep"}
    verbs = command_line.list_commands(click.Context(command_line))
    rows = table(tool)
    assert len(rows) >= 15
    for theirs, ours in rows:
        for code in re.findall(r"`([^`]+)`", ours):
            first = code.split()[0]
            option = re.match(r"(\w+)=", first)
            if first == "nnspec":
                assert code.split()[1] in verbs, (theirs, code)
            elif first.startswith(("nnspec.", "network.", "(", "runs/")) or first.isupper():
                continue
            else:
                assert option or first in known, (theirs, code)


@pytest.mark.parametrize("tool", ["keras", "pytorch"])
def test_a_table_agrees_with_what_the_errors_answer(tool: str) -> None:
    answered = 0
    for theirs, ours in table(tool):
        name = re.sub(r"^`(?:\w+\.)*", "", theirs.partition("(")[0]).strip("`").lower()
        if name in WORDS and "nnspec" not in ours:
            answered += 1
            assert any(re.search(rf"\b{word}\b", ours) for word in WORDS[name]), (theirs, ours)
    assert answered >= 5


def table(tool: str) -> list[tuple[str, str]]:
    """The rows under "Their words, ours"."""
    part = (DOCS / f"from_{tool}.md").read_text(encoding="utf-8").partition("## Their words, ours")[2]
    rows = re.findall(r"^\| (.*?) (?<!\\)\| (.*?) \|$", part, re.MULTILINE)
    return [row for row in rows if "`" in row[0]]


def test_every_page_says_what_nnspec_is_not_for() -> None:
    for tool in TOOLS:
        assert "not_for.md" in (DOCS / f"from_{tool}.md").read_text(encoding="utf-8")
