"""Colours, and the TextMate grammar that gives the same ones."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from nnspec.spec_lang.editor.colour import Colour, colour_spans
from nnspec.spec_lang.editor.textmate import HOME, SCOPES, textmate, textmate_json
from nnspec.spec_lang.source import Source
from tests.support.spec_texts import SHIPPED, cases, mutated, specs

ROOT = Path(__file__).parents[3]
COLOURS = {f"{scope}.nnspec": colour for colour, scope in SCOPES.items()}
RULES: list[dict[str, Any]] = textmate()["patterns"]  # type: ignore[assignment]
WHOLE = """\
# a comment -> conv
let width = 16
block res(w, k) = (conv 3x3 x$w pad=same + skip) -> relu
data csv "a.csv" target=species split=75/25
stem: conv 3x3 x8 bias=no -> repeat 2 (res $width)
variant a {
  optimizer adam lr=1e-3
}
sweep optimizer.lr = 0.1, 0.01
let half = min(4, $(2 - w)) * ($width // 2 + 1) - 0.5  # c
conv $(k)x$(k) x$(2 * (w + 1)) pad=$(k // 2)
sweep width = log 8..$big points 5
sweep a.b=1e-4 ..  0.5 step 0.1
expect accuracy >= 95 %, loss<$a
dense 3 'x'
"""


def painted(text: str) -> list[tuple[str, str]]:
    return [(span.text, colour.name) for span, colour in colour_spans(Source("a", text))]


def test_every_kind_of_word_has_its_colour() -> None:
    found = painted(WHOLE)
    assert {colour for _, colour in found} == {colour.name for colour in Colour}
    assert found[:5] == [
        ("# a comment -> conv", "COMMENT"),
        ("let", "KEYWORD"),
        ("width", "NAME"),
        ("=", "SIGN"),
        ("16", "NUMBER"),
    ]
    expected = {
        ("res", "NAME"), ("w", "VARIABLE"), ("conv", "LAYER"), ("x$w", "VARIABLE"), ("same", "CHOICE"),
        ("skip", "LAYER"), ("relu", "LAYER"), ("data", "STATEMENT"), ("species", "CHOICE"), ("75/25", "NUMBER"),
        ("stem", "NAME"), ("no", "TRUTH"), ("optimizer", "STATEMENT"), ("adam", "CHOICE"), ("optimizer.lr", "OPTION"),
        ("'x'", "ERROR"),
    }  # fmt: skip
    assert expected <= set(found)
    assert painted("dense 10 relu")[2] == ("relu", "CHOICE")


@given(mutated(specs()))
@cases(30)
def test_pieces_come_in_order_and_leave_out_blanks_alone(text: str) -> None:
    source, at = Source("a", text), 0
    for span, _ in colour_spans(source):
        assert at <= span.start < span.end and source.text[at : span.start].isspace() in (True, at < span.start)
        at = span.end
    assert not source.text[at:].strip()


def matched(line: str) -> Iterator[tuple[str, Colour]]:
    """A line as an editor reads it: at each place the first of the rules that match earliest."""
    at = 0
    while True:
        found = [
            (match.start(), rank)
            for rank, rule in enumerate(RULES)
            if (match := re.compile(rule["match"]).search(line, at))
        ]
        if not found:
            return
        rule = RULES[min(found)[1]]
        match = re.compile(rule["match"]).search(line, at)
        assert match is not None and match.end() > at
        at = match.end()
        if "name" in rule:
            yield match.group(), COLOURS[rule["name"]]
        for number, scope in rule.get("captures", {}).items():
            if match[int(number)]:
                yield match[int(number)], COLOURS[scope["name"]]


@pytest.mark.parametrize("text", [*SHIPPED, WHOLE.replace("dense 3 'x'\n", "")])
def test_the_textmate_grammar_gives_the_same_colours(text: str) -> None:
    there = [
        (word, colour.name)
        for line in text.split("\n")
        for piece, colour in matched(line)
        for word in piece.replace(",", " , ").split()
    ]
    here = [(word, colour) for piece, colour in painted(text) for word in piece.replace(",", " , ").split()]
    assert [pair for pair in there if pair[0] != ","] == [pair for pair in here if pair[0] != ","]


def test_the_committed_grammar_is_the_one_that_the_words_make() -> None:
    assert (ROOT / HOME).read_text(encoding="utf-8") == textmate_json()
