"""Where statements end."""

from nnspec.spec_lang.limits import MAX_NESTING
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.syntax.grammar import tokens
from nnspec.spec_lang.syntax.lines import Line, split_statements
from nnspec.spec_lang.vocabulary.summary import known_words
from tests.support.spec_findings import codes_of, error_of

SOUND = "\ninput 4\ndense 3\n"


def lines(text: str, comments: bool = False) -> list[Line]:
    return list(split_statements(list(tokens(Source("a", text), comments)), known_words().statements))


def texts(text: str, comments: bool = False) -> list[str]:
    return [" ".join(token.text for token in line.tokens if token.type != "_NL") for line in lines(text, comments)]


def test_a_statement_ends_with_its_line() -> None:
    assert texts("a 1\n\n\nb 2\nc") == ["a 1", "b 2", "c"]
    assert texts("") == texts("\n\n") == []


def test_a_statement_goes_on_at_arrows_and_inside_brackets() -> None:
    assert texts("a ->\n\nb\n-> c\nd") == ["a -> b -> c", "d"]
    assert texts("(a\n+\nb)\nc") == ["( a + b )", "c"]
    assert texts("variant v {\na\nb\n}\nc") == ["variant v { a b }", "c"]


def test_newlines_are_kept_inside_braces_alone() -> None:
    assert [token.type for token in lines("variant v {\n(a\n-> b)\n}")[0].tokens].count("_NL") == 3
    assert [token.type for token in lines("(a\n-> b)")[0].tokens].count("_NL") == 0


def test_an_arrow_does_not_reach_into_a_statement_that_is_no_network() -> None:
    assert texts("a ->\noptimizer adam") == ["a ->", "optimizer adam"]
    assert texts("a ->\nlet w=3") == ["a ->", "let w=3"]


def test_comments_stand_with_their_statement_or_alone() -> None:
    text = "# one\na -> # two\n# three\nb # four\n# five\nc"
    assert texts(text, comments=True) == ["# one", "a -> # two # three b # four", "# five", "c"]


def test_the_innermost_bracket_left_open_is_told() -> None:
    (line,) = lines("(a + (b")
    assert line.unclosed is not None and line.unclosed.start == 5
    first, second = lines("(a + (b\ntrain 3 epochs")
    assert first.unclosed is not None and second.unclosed is None
    first, second = lines("variant v {\n(a\nvariant w {\n}")
    assert first.unclosed is not None and first.unclosed.text == "{"


def test_a_closing_bracket_without_its_opening_one_is_left_to_the_parser() -> None:
    assert texts(") a\n} b") == [") a", "} b"]


def test_brackets_may_be_nested_sixty_four_levels_deep_and_no_deeper() -> None:
    def nested(depth: int) -> str:
        return "input 4\n" + "(" * depth + "dense 3" + ")" * depth

    assert codes_of(nested(MAX_NESTING)) == []
    error = error_of(nested(MAX_NESTING + 1))
    assert (error.code, error.message) == ("E003", "nested more than 64 levels deep")
    assert codes_of("(" * 100_000) == ["E003"]
    assert codes_of(")" * 1000 + SOUND) == ["E002"]
