"""The pages that are made of the words, and what they say of errors, differences and the form of a spec."""

import re
from collections import Counter

import pytest

import nnspec
from nnspec.cli import command_line
from nnspec.spec_lang.check import cross_checks as ends
from nnspec.spec_lang.check.difference import differences_text, spec_differences
from nnspec.spec_lang.report.render import render
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.syntax.formatter import format_source
from nnspec.spec_lang.vocabulary.fields import fields_of
from nnspec.spec_lang.vocabulary.registry import STAGES, Word, statements, words
from nnspec.spec_lang.vocabulary.summary import known_words
from tests.support.spec_findings import NAME, error_of, spec_of
from tests.support.spec_texts import ROOT
from tools.reference.command import command
from tools.reference.errors import errors
from tools.reference.pages import PICTURES, pages, shown
from tools.reference.pictures import pictures
from tools.reference.words import anchor, sections, shared_options
from tools.verbs import options, verbs

DOCS = ROOT / "docs"
PAGE = (DOCS / "language.md").read_text(encoding="utf-8")
MAKE = "run python -m tools.reference"


def every_word() -> list[type[Word]]:
    named = dict.fromkeys(cls for found in statements().values() for cls in found.values())
    return [*named, *(cls for kind in (*STAGES, "merge", "metric") for cls in words(kind).values())]


def test_the_pages_say_what_the_words_say() -> None:
    for path, text in pages(DOCS).items():
        assert text == path.read_text(encoding="utf-8"), f"{path.name}: {MAKE}"


def test_the_pictures_show_what_the_words_do() -> None:
    made = pictures()
    assert {path.name for path in (ROOT / PICTURES).iterdir()} == set(made), MAKE
    for name, text in made.items():
        assert (ROOT / PICTURES / name).read_text(encoding="utf-8") == text, f"{name}: {MAKE}"


def test_the_page_of_errors_says_what_the_table_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "physical_memory", lambda: 16_000_000_000)
    assert errors() == (DOCS / "errors.md").read_text(encoding="utf-8"), MAKE


def test_every_word_has_one_section() -> None:
    assert Counter(shown(DOCS)) == Counter(every_word())


@pytest.mark.parametrize("cls", every_word(), ids=lambda cls: f"{cls.kind} {cls.word}")
def test_every_option_is_described_in_the_section_of_its_word_or_once_for_its_kind(cls: type[Word]) -> None:
    section, shared = sections([cls], 2, "pictures"), shared_options(cls.kind)
    for field in fields_of(cls).values():
        if field.bare:
            assert f"**{field.name}**" in section
        elif f"- `{field.name}=" not in section:
            assert f"`{field.name}`" in section and f"](#{anchor(cls.kind)})" in section
            assert f"- `{field.name}=" in shared


def test_what_is_described_for_a_kind_is_on_the_page_of_each_of_its_words() -> None:
    for path, text in pages(DOCS).items():
        for name in re.findall(r"\]\(#(options-of-several-\w+)\)", text):
            assert f"# {name.replace('-', ' ').capitalize()}\n" in text, path.name


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


def test_every_verb_is_on_the_page_of_the_command_with_its_options() -> None:
    page = command()
    assert page == (DOCS / "command.md").read_text(encoding="utf-8"), MAKE
    for name, verb in verbs(command_line, "nnspec"):
        section = page.split(f"### {name}\n")[1].split("\n### ")[0]
        assert all(f"- `{written}`" in section for written, _ in options(verb))


def test_every_name_of_the_package_is_on_the_page_of_python() -> None:
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\.\. auto\w+:: (\w+)$", page, re.MULTILINE)) == sorted(nnspec.__all__)
