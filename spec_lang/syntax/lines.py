"""Tokens → statements: where one ends and the next begins, also if brackets are not closed."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field

from nnspec.spec_lang.limits import MAX_NESTING
from nnspec.spec_lang.source import Token

_KEYWORDS = {"LET", "BLOCK", "INCLUDE", "VARIANT", "SWEEP", "EXPECT"}


@dataclass
class Line:
    """The tokens of one statement, with newlines only inside braces.

    `unclosed` is the bracket that is reported as open at its end, `deep` the first one beyond MAX_NESTING levels.
    """

    tokens: list[Token] = field(default_factory=list)
    unclosed: Token | None = None
    deep: Token | None = None


def split_statements(tokens: Sequence[Token], statements: Container[str]) -> Iterator[Line]:
    """Yield the tokens of each statement.

    A statement is a line; it continues inside brackets, after "->" and before a line that begins with "->". An open
    bracket ends before a line that begins with one of `statements`, so that a missing ")" does not hide the rest of the
    file. A comment between statements is a statement here.
    """
    line, last = Line(), "_NL"
    brackets: list[Token] = []
    for token, following in zip(tokens, _following(tokens), strict=True):
        kind = token.type
        if kind == "_NL":
            if brackets and _left_open(brackets, following, statements):
                line.unclosed = _opened(brackets)
            elif brackets or (line.tokens and _goes_on(last, following, statements)):
                if any(bracket.type == "LBRACE" for bracket in brackets):
                    line.tokens.append(token)
                continue
            if line.tokens:
                yield line
            line, brackets, last = Line(), [], "_NL"
            continue
        line.tokens.append(token)
        last = kind if kind != "COMMENT" else last
        if kind in ("LPAR", "LBRACE"):
            brackets.append(token)
            if len(brackets) > MAX_NESTING and line.deep is None:
                line.deep = token
        elif kind == "RPAR" and brackets and brackets[-1].type == "LPAR":
            brackets.pop()
        elif kind == "RBRACE" and any(bracket.type == "LBRACE" for bracket in brackets):
            while brackets.pop().type != "LBRACE":
                pass  # a parenthesis left open inside the braces is reported when its statement is parsed
    line.unclosed = _opened(brackets) if brackets else line.unclosed
    if line.tokens:
        yield line


def _opened(brackets: list[Token]) -> Token:
    """Return the bracket to report as unclosed: a brace rather than the parentheses in it."""
    return next((bracket for bracket in brackets if bracket.type == "LBRACE"), brackets[-1])


def _left_open(brackets: list[Token], following: Token | None, statements: Container[str]) -> bool:
    """Return whether a line that begins with `following` starts a statement even inside open brackets."""
    if any(bracket.type == "LBRACE" for bracket in brackets):
        return following is not None and following.type == "VARIANT"  # variants do not nest
    return _begins_a_statement(following, statements)


def _goes_on(last: str, following: Token | None, statements: Container[str]) -> bool:
    """Return whether a line that ends in `last` continues on the next line."""
    return following is not None and (
        following.type == "ARROW" or (last == "ARROW" and not _begins_a_statement(following, statements))
    )


def _begins_a_statement(token: Token | None, statements: Container[str]) -> bool:
    """Return whether a token can only begin a statement other than the network."""
    return token is not None and (token.type in _KEYWORDS or (token.type == "NAME" and token.text in statements))


def _following(tokens: Sequence[Token]) -> Sequence[Token | None]:
    """Return for each token the next one that is neither a newline nor a comment."""
    after: list[Token | None] = []
    following: Token | None = None
    for token in reversed(tokens):
        after.append(following)
        if token.type not in ("_NL", "COMMENT"):
            following = token
    return after[::-1]


def variant_heading(tokens: Sequence[Token]) -> int | None:
    """Return the tokens up to the { of `variant a {` or `variant a from b {`, None for another heading."""
    types = [token.type for token in tokens[1:5]]
    if types[:2] == ["NAME", "LBRACE"]:
        return 3
    return 5 if types == ["NAME", "NAME", "NAME", "LBRACE"] and tokens[2].text == "from" else None
