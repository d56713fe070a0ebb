"""Nothing that a file says makes the checker fail: whatever comes in, a spec or diagnostics come out."""

import json

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.lark import from_lark
from lark import Lark

from nnspec.spec_lang.check.canonical_text import canonical_text
from nnspec.spec_lang.limits import MAX_FINDINGS
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.report.render import render_all
from nnspec.spec_lang.report.sarif import as_sarif
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.syntax.automaton import GRAMMAR
from nnspec.spec_lang.syntax.formatter import format_source
from nnspec.spec_lang.vocabulary.summary import known_words
from tests.support.spec_findings import spec_of
from tests.support.spec_texts import SHIPPED, cases, layouts, mutated, specs

LANGUAGE = Lark(GRAMMAR.read_text(encoding="utf-8"), parser="lalr", lexer="basic")

KEYS = st.sampled_from(
    ["drop", "optimizer.lr", "train.epochs", "data", "input", "x", "a.b.c", "", "=", "é", "optimizer"]
)
VALUES = st.one_of(
    st.text(max_size=12),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.sampled_from(["mnist", "sgd lr=1", "a\nb", '"']),
    st.none(),
)


def answered(content: str | bytes) -> bool:
    """Whether a text is a spec that can be written out and formatted for good, or gets diagnostics that can be told."""
    source = Source("fuzz.nnspec", content)
    try:
        written = canonical_text(spec_of(source)) != ""
    except SpecError as error:
        written = told(error, source)
    try:
        formatted = format_source(source, known_words())
        return written and format_source(formatted, known_words()) == formatted
    except SpecError as error:
        return written and told(error, source)


def told(error: SpecError, source: Source) -> bool:
    """Whether there is something to tell; asserts that it can be told in every form."""
    found = error.diagnostics
    assert 0 < len(found) <= MAX_FINDINGS
    assert render_all(found, colour=True, width=60).count("\x1b[0m") >= len(found)
    assert json.dumps([as_sarif(found, "1.0.0"), *(diagnostic.as_json() for diagnostic in found)])
    for diagnostic in found:
        assert diagnostic.message and diagnostic.message[0] not in " .,"
        if diagnostic.span.source is source:
            assert 0 <= diagnostic.span.start <= diagnostic.span.end
            assert diagnostic.span.start <= len(source.text)
    assert len(set(found)) == len(found), "nothing is told twice"
    return bool(found)


@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(str.encode)
    | st.text("x8$()->+|{}=,.#\"' \n3ab", max_size=80).map(str.encode)
)
@cases(800)
def test_any_bytes_are_answered(content: bytes) -> None:
    assert answered(content)


@given(from_lark(LANGUAGE, start="start", alphabet=st.characters(codec="ascii", exclude_categories=["Cc"])))
@cases(100)
def test_any_text_of_the_grammar_is_answered(text: str) -> None:
    assert answered(text)


@given(mutated(specs().flatmap(layouts)))
@cases(200)
def test_a_spec_with_mistakes_in_it_is_answered(text: str) -> None:
    assert answered(text)


@given(mutated(st.sampled_from(SHIPPED)))
@cases(600)
def test_a_shipped_spec_with_mistakes_in_it_is_answered(text: str) -> None:
    assert answered(text)


@given(
    st.sampled_from(SHIPPED),
    st.dictionaries(KEYS, VALUES, max_size=3),
    st.none() | st.text(max_size=10),
    st.none() | st.text(max_size=20),
)
@cases(400)
def test_any_settings_from_outside_are_answered(
    text: str, settings: dict[str, object], variant: str | None, data: str | None
) -> None:
    source = Source("fuzz.nnspec", text)
    try:
        assert canonical_text(spec_of(source, settings, variant, data))
    except SpecError as error:
        assert told(error, source)
