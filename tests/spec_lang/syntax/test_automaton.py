"""The automaton over the parse tables, compared with the parser of Lark that they are from."""

from functools import cache, partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lark import Lark, Transformer
from lark.exceptions import UnexpectedToken as LarksError

from nnspec.spec_lang.source import Source, Token
from nnspec.spec_lang.syntax.automaton import END, Automaton, UnexpectedToken, tables
from nnspec.spec_lang.syntax.grammar import _ToSyntax, tokens
from nnspec.spec_lang.syntax.lark_tables import compiled
from tests.support.spec_texts import cases, layouts, specs

SOURCE = Source("a", "")


class Nodes(Transformer[Any, Any]):
    """Every node as its rule and its children."""

    def __getattribute__(self, name: str) -> Any:
        if name in vars(_ToSyntax):
            return partial(node, name)
        return super().__getattribute__(name)


@cache
def lark() -> Lark:
    parser = compiled()
    options = {"parser": "lalr", "lexer": "basic", "start": "statement", "maybe_placeholders": False}
    return Lark(parser.source_grammar, transformer=Nodes(), **options)


def outcome(parser: Any, types: list[str]) -> object:
    """Return the tree of a statement, or where it is wrong and what could have been there."""
    for position, kind in enumerate([*types, END]):
        try:
            made = parser.feed(Token(kind, kind, position, position, SOURCE))
        except (UnexpectedToken, LarksError) as error:
            return position, set(error.expected)
    return made


def of_lark(types: list[str]) -> object:
    parser = lark().parse_interactive(start="statement")
    parser.feed = parser.feed_token
    return outcome(parser, types)


def of_tables(types: list[str]) -> object:
    names = {rule.makes for rule in tables().rules} - {"", "?"}
    return outcome(Automaton({name: partial(node, name) for name in names}), types)


def node(name: str, children: list[Any]) -> tuple[Any, ...]:
    return (name, *children)


TERMINALS = sorted({name for state in tables().states for name in state if name.isupper()} - {END})


@given(st.lists(st.sampled_from(TERMINALS), max_size=8))
@cases(300)
def test_tokens_in_any_order_are_read_as_lark_reads_them(types: list[str]) -> None:
    assert of_tables(types) == of_lark(types)


@given(specs().flatmap(layouts), st.integers(0, 30), st.integers(0, 30))
@cases(60)
def test_parts_of_a_spec_are_read_as_lark_reads_them(text: str, first: int, count: int) -> None:
    types = [token.type for token in tokens(Source("a", text)) if token.type in TERMINALS]
    part = types[first : first + count]
    assert of_tables(part) == of_lark(part)


@pytest.mark.parametrize(
    "types",
    [
        ["BLOCK", "NAME", "LPAR", "NAME", "COMMA", "OPTION", "RPAR", "EQUAL", "NAME", "INT"],
        ["VARIANT", "NAME", "NAME", "NAME", "LBRACE", "_NL", "NAME", "_NL", "LET", "SUM", "_NL", "NAME", "RBRACE"],
        ["LABEL", "LPAR", "NAME", "STAR", "CALL", "STAR", "REPEAT", "INT", "LPAR", "NAME", "RPAR", "RPAR"],
        ["NAME", "PATTERN", "COMMA", "NAME"],
        ["NAME", "ARROW", "VARIABLE", "ARROW", "REPEAT", "FORMULA", "LPAR", "NAME", "RPAR"],
    ],
)
def test_a_sound_statement_makes_the_tree_of_lark(types: list[str]) -> None:
    made = of_lark(types)
    assert of_tables(types) == made
    assert isinstance(made, tuple)
    assert isinstance(made[0], str)
