"""One rule for all pages: what is in a fenced block is executed, or is marked as something that is not."""

import re
from pathlib import Path

import pytest

from nnspec.spec_lang.source import Source
from nnspec.spec_lang.syntax.files import open_source
from tests.support.spec_findings import errors_of
from tests.support.spec_texts import ROOT
from tools import pages

DOCS = ROOT / "docs"
TEXTS = {path: path.read_text(encoding="utf-8") for path in sorted(DOCS.rglob("*.md"))}
EXECUTED = {"console", "python", "nnspec"}
"""Commands, programs and specs: specs are checked, the others run."""
SHOWN = {"text", "py", "json", "csv", "yaml", "toml", "ini", "lua", "elisp", "nginx", "dockerfile", "c"}
"""Outputs, excerpts, and files of other programs."""
OF_A_TEST = ("tutorial.md", "lesson/", "from_")
"""Pages with a test of their own, which executes them and compares more."""

RUN = [path for path, text in TEXTS.items() if any(block.runs for block in pages.blocks(text))]
FENCED = re.compile(r"^( *)```(\S*)[^\n]*\n.*?^\1```$", re.MULTILINE | re.DOTALL)


def name(path: Path) -> str:
    return str(path.relative_to(DOCS))


@pytest.mark.parametrize("path", TEXTS, ids=name)
def test_every_block_is_executed_or_says_what_it_is(path: Path) -> None:
    text = re.sub(r"^```\{.*?^```$", "", TEXTS[path], flags=re.MULTILINE | re.DOTALL)
    for indent, kind in FENCED.findall(text):
        assert kind in EXECUTED | SHOWN, f"a block of {kind!r}: see tools/pages.py"
        assert not indent or kind in SHOWN, "a block inside a list is not executed"
    outside = FENCED.sub("", text)
    assert re.findall(r"(?<=\n\n) {4}(?! *[-*|] ).*", outside) == [], "write a block with ``` and its kind"


@pytest.mark.parametrize("path", TEXTS, ids=name)
def test_what_another_test_executes_it_executes(path: Path) -> None:
    for block in pages.blocks(TEXTS[path]):
        if block.mark == "run by":
            assert path.name in (ROOT / block.value).read_text(encoding="utf-8"), f"{block.value} does not name it"


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=name(path), marks=[pytest.mark.long] if "<!-- long -->" in TEXTS[path] else [])
        for path in RUN
        if not name(path).startswith(OF_A_TEST)
    ],
)
def test_every_command_and_program_of_a_page_does_what_it_shows(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NNSPEC_OFFLINE", "1")
    if missing := [name for name in pages.named(TEXTS[path], "needs") if not pages.installed(name)]:
        pytest.skip(f"needs {missing}")
    assert "\n\n".join(pages.disagreements(path, tmp_path)) == ""


@pytest.mark.parametrize("path", [path for path, text in TEXTS.items() if "```nnspec" in text], ids=name)
def test_every_spec_on_a_page_is_sound(path: Path, tmp_path: Path) -> None:
    for number, block in enumerate(pages.blocks(TEXTS[path])):
        if block.kind == "nnspec" and block.mark == "statements":
            for line in block.body.splitlines():
                assert errors_of(Source("a page", f"{line}\ndense softmax\n")) == [], line
        elif block.kind == "nnspec":
            written = tmp_path / (block.file or f"example{number}.nnspec")
            written.write_text(block.body, encoding="utf-8")
            assert errors_of(open_source(written)) == [], block.body
