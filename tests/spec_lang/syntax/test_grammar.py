"""The grammar file, and what its tokens mean."""

import re
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lark import Lark

from nnspec.spec_lang.limits import MAX_INTEGER
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.syntax import automaton, lark_tables
from nnspec.spec_lang.syntax.automaton import GRAMMAR, TABLES, tables
from nnspec.spec_lang.syntax.grammar import (
    OUTSIDE,
    VALUES,
    _parsed,
    is_name,
    lexicon,
    parse_statement,
    parse_token,
    tokens,
)
from nnspec.spec_lang.syntax.lark_tables import content
from nnspec.spec_lang.syntax.lines import split_statements
from nnspec.spec_lang.syntax.parse import parse_source
from nnspec.spec_lang.syntax.tree import Call, Pipeline, Value
from nnspec.spec_lang.vocabulary.registry import layers, statements
from nnspec.spec_lang.vocabulary.summary import known_words
from tests.support.spec_texts import cases, layouts, specs


def types(text: str) -> list[str]:
    return [token.type for token in tokens(Source("a", text))]


def test_the_grammar_file_is_accepted_by_lark_as_it_stands() -> None:
    parser = Lark(GRAMMAR.read_text(encoding="utf-8"), parser="lalr", lexer="contextual")
    tree = parser.parse(
        "let w = 16\nlet half = $w / 2\nblock res(w) = (conv 3x3 x$w + skip)\n"
        'res $w -> a: dense 10 softmax\ndata csv "a" split=75/25\n'
    )
    assert [child.data for child in tree.children if not isinstance(child, str)] == [
        "let",
        "let",
        "block",
        "pipeline",
        "pipeline",
    ]


def test_an_edited_grammar_has_its_tables_made_by_lark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edited = tmp_path / "grammar.lark"
    edited.write_text(GRAMMAR.read_text(encoding="utf-8").replace('"variant"', '"variety"'), encoding="utf-8")
    monkeypatch.setattr(automaton, "GRAMMAR", edited)
    monkeypatch.setattr(lark_tables, "GRAMMAR", edited)
    made, kept = tables.__wrapped__(), tables()
    assert made.texts == {name: text for name, text in kept.texts.items() if text != "variant"} | {"VARIETY": "variety"}
    assert len(made.states) == len(kept.states)


def test_the_parse_tables_are_those_of_the_grammar_file() -> None:
    assert TABLES.read_text(encoding="utf-8") == content(), (
        "python -m nnspec.spec_lang.syntax.lark_tables writes them again"
    )


def test_the_grammar_names_no_layer_and_no_setting() -> None:
    text = GRAMMAR.read_text(encoding="utf-8")
    assert not any(f'"{word}"' in text for word in [*layers(), *statements()])


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("10", "int", 10),
        ("-3", "int", -3),
        ("0010", "int", 10),
        ("0.5", "number", 0.5),
        ("1e-3", "number", 0.001),
        (".5", "number", 0.5),
        ("3x3", "size", (3, 3)),
        ("28x28x1", "size", (28, 28, 1)),
        ("x8", "count", 8),
        ("75/25", "ratio", (75.0, 25.0)),
        ("70/15.5/14.5", "ratio", (70.0, 15.5, 14.5)),
        ("relu", "name", "relu"),
        ("x", "name", "x"),
        ("xavier", "name", "xavier"),
        ("x8a", "name", "x8a"),
        ('"a b"', "text", "a b"),
        ("$width", "variable", "width"),
        ("x$w", "variable", "w"),
    ],
)  # fmt: skip
def test_a_value_has_a_kind_and_a_meaning(text: str, kind: str, value: object) -> None:
    read = parse_token(Source("a", text))
    assert read is not None
    assert (read.kind, read.value, read.span.text) == (kind, value, text)


@pytest.mark.parametrize("text", ["", "8x", "3x3x", "1.2.3", "a b", "2024-01-01", "a/b", '"a', "$", "1_000", "٣"])
def test_what_is_no_token_is_no_value(text: str) -> None:
    assert parse_token(Source("a", text)) is None


@pytest.mark.parametrize("digits", ["9" * 20, "1" + "0" * 5000, "9223372036854775808"])
def test_a_number_of_any_length_is_read_at_once_and_stays_too_large(digits: str) -> None:
    read = parse_token(Source("a", digits))
    assert read is not None and isinstance(read.value, int) and read.value > MAX_INTEGER


def test_an_option_is_one_token_with_all_its_values() -> None:
    assert types("a = 3 , x8,relu b=4") == ["OPTION", "OPTION"]
    assert types("lr=0.1, beta=0.9") == ["OPTION", "COMMA", "OPTION"]
    (read,), _ = parse_source(Source("a", "word name = 3, x8 , $w"), known_words())
    assert isinstance(read, Pipeline) and isinstance(read.stages[0], Call)
    (option,) = read.stages[0].arguments
    assert not isinstance(option, Value)
    assert (option.name, [value.span.text for value in option.values]) == ("name", ["3", "x8", "$w"])
    assert option.name_span.text == "name"


def test_reserved_words_are_tokens_of_their_own_only_where_they_stand_alone() -> None:
    assert types("let letter lets") == ["LET", "NAME", "NAME"]
    assert set(lexicon().reserved) == {"let", "block", "include", "variant", "sweep", "expect", "repeat"}
    assert is_name("letter") and not is_name("let") and not is_name("x8") and not is_name("a b") and not is_name("")


def test_a_name_that_is_an_option_s_value_does_not_swallow_the_next_option() -> None:
    assert types("pad=same stride=2") == ["OPTION", "OPTION"]
    assert types("a=b=c") == ["NAME", "EQUAL", "OPTION"]


def test_every_character_is_part_of_some_token() -> None:
    text = "a.b conv × 3x3 ; “x” 'a' \"open\n\x00\u2028 ->"
    found = list(tokens(Source("a", text), comments=True))
    covered = "".join(token.text for token in found)
    assert covered.replace(" ", "") == text.replace(" ", "")
    assert {token.type for token in found} & set(OUTSIDE) == set(OUTSIDE)


def test_comments_are_tokens_only_where_they_are_asked_for() -> None:
    source = Source("a", "dense 3 # why\n# alone\n")
    assert [token.type for token in tokens(source)] == ["NAME", "INT", "_NL", "_NL"]
    assert [token.text for token in tokens(source, comments=True) if token.type == "COMMENT"] == ["# why", "# alone"]


@given(specs().flatmap(layouts))
@cases(40)
def test_calls_read_at_once_are_the_calls_that_the_parser_reads(text: str) -> None:
    lines = [
        line.tokens
        for line in split_statements(list(tokens(Source("a", text))), known_words().statements)
        if line.tokens[0].type != "VARIANT"
    ]
    assert lines
    assert [parse_statement(line) for line in lines] == [_parsed(line, calls_at_once=False) for line in lines]


@given(st.text('x8$()->+|.,=_:a "3/e-', max_size=40))
@cases(300)
def test_values_are_matched_as_the_terminals_of_the_grammar_say(text: str) -> None:
    plain = {name: re.compile(pattern) for name, pattern in tables().terminals.items() if name in VALUES}
    match = lexicon().value.match(text)
    found = {name for name, pattern in plain.items() if (m := pattern.match(text)) and match and m[0] == match[0]}
    assert (match.lastgroup in found) if match else not any(pattern.match(text) for pattern in plain.values())


def test_a_million_blanks_take_no_longer_than_a_million_letters() -> None:
    for text in (" " * 10**6, "dense 3" + "\t " * 500_000, "lr" + " " * 10**6 + "= 1", " \n" * 500_000):
        begun = process_time()
        assert len(types(text)) <= 500_001
        assert process_time() - begun < 10  # it is a fraction of a second; were it quadratic, hours
