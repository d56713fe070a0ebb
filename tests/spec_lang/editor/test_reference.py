"""The pages made of the words, and the examples on them."""

import re
from pathlib import Path

import pytest

from nnspec.spec_lang.check import cross_checks as ends
from nnspec.spec_lang.check.difference import differences_text, spec_differences
from nnspec.spec_lang.editor.reference import errors, language
from nnspec.spec_lang.report.render import render
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.syntax.files import open_source
from nnspec.spec_lang.syntax.formatter import format_source
from nnspec.spec_lang.vocabulary.fields import fields_of
from nnspec.spec_lang.vocabulary.registry import layers, statements
from nnspec.spec_lang.vocabulary.summary import known_words
from tests.support.spec_findings import NAME, error_of, errors_of, spec_of

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "language.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```nnspec(?: (\S+))?\n(.*?)```", PAGE, re.DOTALL)

MAKE = "run python -m nnspec.spec_lang.editor.reference"


def test_the_tables_say_what_the_words_say() -> None:
    assert language(PAGE) == PAGE, MAKE


def test_the_page_of_errors_says_what_the_table_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "physical_memory", lambda: 16_000_000_000)
    assert errors() == (DOCS / "errors.md").read_text(encoding="utf-8"), MAKE


def test_every_word_and_every_option_stands_on_the_page() -> None:
    named = [cls for words in (layers(), *statements().values()) for cls in words.values()]
    for cls in named:
        (row,) = (line for line in PAGE.split("\n") if line.startswith(f"| `{cls.word}` |") and _belongs(line, cls))
        for slot in fields_of(cls).values():
            if not slot.bare and f"{slot.name}=" not in row:
                assert f"`{slot.name}`" in row
                shared = [line for line in PAGE.split("\n") if line.startswith(f"| `{slot.name}=")]
                assert any(line.endswith("| all |") or f"`{cls.word}`" in line for line in shared)


def _belongs(line: str, cls: type) -> bool:
    return " ".join((cls.__doc__ or "").split()).replace("|", "\\|") in line


def test_every_example_on_the_page_is_sound(tmp_path: Path) -> None:
    assert len(EXAMPLES) > 5
    for number, (name, example) in enumerate(EXAMPLES):
        path = tmp_path / (name or f"example{number}.nnspec")
        path.write_text(example)
        assert errors_of(open_source(path)) == []


def test_the_errors_on_the_page_are_those_that_are_told() -> None:
    network = "input 28x28x1\nconv 3x3 filters=8 -> dense 10 softmax"
    block = "block a(w) = dense $w relu\ninput 4\na 0"
    for wrong in (network, block):
        assert f"```text\n{render(error_of(Source(NAME, wrong)))}\n```" in PAGE


def test_the_differences_on_the_page_are_those_that_are_told() -> None:
    first = "input 28x28x1\nconv 3x3 x8 -> maxpool 2 -> dense 10 softmax\n"
    second = first.replace("x8", "x16") + "optimizer adam lr=0.01\n"
    assert f"```text\n{differences_text(spec_differences(spec_of(first), spec_of(second)))}\n```" in PAGE


def test_the_form_on_the_page_is_the_one_that_fmt_writes() -> None:
    part = PAGE.split("## The form that fmt writes")[1].split("\n## ")[0]
    (example,) = re.findall(r"```nnspec\n(.*?)```", part, re.DOTALL)
    assert format_source(example, known_words()) == example
