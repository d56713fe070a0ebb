"""The parse tables of grammar.lark, and the automaton that reads a statement with them.

Lark makes the tables, and grammar.json keeps them, so that no process waits for Lark to make them again
(`python -m nnspec.spec_lang.syntax.lark_tables`). Where grammar.lark has been edited since, Lark makes them anyway.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

GRAMMAR = Path(__file__).with_name("grammar.lark")

TABLES = Path(__file__).with_name("grammar.json")

END = "$END"
"""The type of the token after the last one."""

LIST, CHILD = "", "?"
"""What a rule makes that has no node: the list of its children, which its parent takes in, or its one child."""


class Rule(NamedTuple):
    """A rule of the grammar: what it is part of, how many symbols it has, and what it makes of them.

    `makes` is the name of a node, LIST or CHILD. `kept` are the positions of its children among its symbols, each with
    whether it is a LIST to take in; None where every symbol is a child.
    """

    origin: str
    size: int
    makes: str
    kept: tuple[tuple[int, bool], ...] | None


class Tables(NamedTuple):
    """The grammar as Lark has compiled it.

    Attributes:
        terminals: the pattern of each terminal, in the order in which they are tried.
        texts: the terminals that match one text.
        merges: the signs between the branches of a group, by their terminals.
        rules: every rule of a statement.
        states: for each state and symbol the next state, or -1 - n where rule n is complete.
        start, end: the state before a statement, and after it.
    """

    terminals: dict[str, str]
    texts: dict[str, str]
    merges: dict[str, str]
    rules: tuple[Rule, ...]
    states: tuple[dict[str, int], ...]
    start: int
    end: int


@cache
def tables() -> Tables:
    """Return the tables of the grammar."""
    stored = json.loads(TABLES.read_text(encoding="utf-8"))
    if stored.pop("grammar") != grammar_digest():
        from nnspec.spec_lang.syntax.lark_tables import content

        stored = json.loads(content())
        del stored["grammar"]
    rules = [
        Rule(origin, size, makes, kept and tuple(map(tuple, kept))) for origin, size, makes, kept in stored["rules"]
    ]
    return Tables(**stored | {"rules": tuple(rules), "states": tuple(stored["states"])})


def grammar_digest() -> str:
    """Return the SHA-256 of grammar.lark."""
    return hashlib.sha256(GRAMMAR.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


class Terminal(Protocol):
    """What the automaton reads of a token."""

    @property
    def type(self) -> str:
        """The name of its terminal."""


class UnexpectedToken(Exception):
    """A token that cannot follow those before it: the token, and the terminals that could have."""

    def __init__(self, token: Any, expected: set[str]):
        super().__init__(token, expected)
        self.token = token
        self.expected = expected


class Automaton:
    """One reading of a statement, token by token: an LALR(1) automaton over the tables.

    `nodes` has a function for each node: its children, tokens and nodes → the node.
    """

    def __init__(self, nodes: Mapping[str, Callable[[list[Any]], Any]]):
        self._tables = tables()
        self._nodes = nodes
        self._states = [self._tables.start]
        self._values: list[Any] = []

    def fits(self, terminal: str) -> bool:
        """Return whether a terminal has an entry in the current state."""
        return terminal in self._tables.states[self._states[-1]]

    def feed(self, token: Terminal) -> Any:
        """Read a token; return the statement after END, else None. Raises UnexpectedToken."""
        _, _, _, rules, table, _, end = self._tables
        states, values, kind = self._states, self._values, token.type
        while True:
            found = table[states[-1]].get(kind)
            if found is None:
                raise UnexpectedToken(token, {symbol for symbol in table[states[-1]] if symbol.isupper()})
            if found >= 0:
                states.append(found)
                values.append(token)
                return None
            rule = rules[-1 - found]
            children = values[-rule.size :]
            del states[-rule.size :], values[-rule.size :]
            values.append(self._made(rule, children))
            states.append(table[states[-1]][rule.origin])
            if kind == END and states[-1] == end:
                return values[-1]

    def _made(self, rule: Rule, symbols: list[Any]) -> Any:
        children = symbols
        if rule.kept is not None:
            children = []
            for position, takes_in in rule.kept:
                children += symbols[position] if takes_in else (symbols[position],)
        if rule.makes == CHILD:
            return children[0]
        return children if rule.makes == LIST else self._nodes[rule.makes](children)
