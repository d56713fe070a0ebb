"""The pages made of the words, and the examples on them."""

import re
from pathlib import Path

import pytest

from spec_lang import ends
from spec_lang.bind import slots
from spec_lang.reference import errors, language
from spec_lang.render import render
from spec_lang.source import Source, open_source
from spec_lang.word import layers, statements
from tests.spec_lang.said import NAME, error_of, errors_of

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "language.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```nnspec(?: (\S+))?\n(.*?)```", PAGE, re.DOTALL)

MAKE = "run python -m spec_lang.reference"


def test_the_tables_say_what_the_words_say() -> None:
    assert language(PAGE) == PAGE, MAKE


def test_the_page_of_errors_says_what_the_table_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "physical_memory", lambda: 16_000_000_000)
    assert errors() == (DOCS / "errors.md").read_text(encoding="utf-8"), MAKE


def test_every_word_and_every_option_stands_on_the_page() -> None:
    named = [cls for words in (layers(), *statements().values()) for cls in words.values()]
    for cls in named:
        (row,) = (line for line in PAGE.split("\n") if line.startswith(f"| `{cls.word}` |") and _belongs(line, cls))
        assert all(f"{slot.name}=" in row for slot in slots(cls).values() if not slot.bare)


def _belongs(line: str, cls: type) -> bool:
    return " ".join((cls.__doc__ or "").split()).replace("|", "\\|") in line


def test_every_example_on_the_page_is_sound(tmp_path: Path) -> None:
    assert len(EXAMPLES) > 5
    for number, (name, text) in enumerate(EXAMPLES):
        path = tmp_path / (name or f"example{number}.nnspec")
        path.write_text(text)
        assert errors_of(open_source(path)) == []


def test_the_errors_on_the_page_are_those_that_are_told() -> None:
    network = "input 28x28x1\nconv 3x3 filters=8 -> dense 10 softmax"
    block = "block a(w) = dense $w relu\ninput 4\na 0"
    for text in (network, block):
        assert f"```text\n{render(error_of(Source(NAME, text)))}\n```" in PAGE
