"""The parse tables of the language, made from grammar.lark by Lark.

python -m nnspec.spec_lang.syntax.lark_tables           writes grammar.json, which the parser reads
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from lark import Lark
from lark.grammar import Rule, Terminal
from lark.lexer import PatternStr
from lark.parsers.lalr_analysis import LALR_Analyzer, ParseTable, Shift

from nnspec.spec_lang.syntax.automaton import CHILD, GRAMMAR, LIST, TABLES, grammar_digest

WHOLE_CALLS = "\n%declare CALL\n%extend call: CALL\n"
"""Lets the parser take a word and all its arguments as one token, which `grammar._CallToken` is."""


def compiled() -> Lark:
    """Return the grammar with every terminal and rule that a statement has."""
    text = GRAMMAR.read_text(encoding="utf-8") + WHOLE_CALLS
    return Lark(text, parser="lalr", lexer="basic", start="statement", maybe_placeholders=False)


def content() -> str:
    """Return the file: a line for each terminal, rule and state."""
    lark = compiled()
    terminals = sorted(lark.terminals, key=lambda t: (-t.priority, -t.pattern.max_width, t.name))
    texts = {t.name: t.pattern.value for t in terminals if isinstance(t.pattern, PatternStr)}
    between = (s.name for rule in lark.rules if rule.origin.name.startswith("__group_") for s in rule.expansion)
    rules = sorted(lark.rules, key=str)
    table = _table(lark)
    numbers = _numbered(table)
    places = {rule: number for number, rule in enumerate(rules)}
    parts: dict[str, Any] = {
        "grammar": grammar_digest(),
        "terminals": {t.name: t.pattern.to_regexp() for t in terminals},
        "texts": texts,
        "merges": {name: texts[name] for name in dict.fromkeys(between) if name in texts},
        "rules": [_rule(rule) for rule in rules],
        "states": [
            {
                symbol: numbers[target] if action is Shift else -1 - places[target]
                for symbol, (action, target) in sorted(table.states[state].items())
            }
            for state in numbers
        ],
        "start": numbers[table.start_states["statement"]],
        "end": numbers[table.end_states["statement"]],
    }
    return "{\n" + ",\n".join(_lines(parts)) + "\n}\n"


def _table(lark: Lark) -> ParseTable:
    analyzer: Any = LALR_Analyzer(lark.parser.parser_conf)
    analyzer.compute_lalr()
    table: ParseTable = analyzer.parse_table
    return table


def _numbered(table: ParseTable) -> dict[Any, int]:
    """Return the states in the order in which they are reached from the start: that of Lark may differ by run."""
    found = dict.fromkeys(table.start_states.values())
    todo = list(found)
    for state in todo:
        for _, (action, target) in sorted(table.states[state].items()):
            if action is Shift and target not in found:
                found[target] = None
                todo.append(target)
    return {state: number for number, state in enumerate(found)}


def _rule(rule: Rule) -> tuple[str, int, str, list[tuple[int, bool]] | None]:
    kept = [
        (position, not symbol.is_term and symbol.name.startswith("_"))
        for position, symbol in enumerate(rule.expansion)
        if rule.options.keep_all_tokens or not (isinstance(symbol, Terminal) and symbol.filter_out)
    ]
    assert rule.expansion, "the automaton reduces no empty rule"
    makes = rule.alias or rule.origin.name
    if rule.origin.name.startswith("_"):
        makes = LIST
    elif rule.options.expand1 and not rule.alias:
        assert len(kept) == 1, f"{rule} may have several children"
        makes = CHILD
    every = len(kept) == len(rule.expansion) and not any(takes_in for _, takes_in in kept)
    return rule.origin.name, len(rule.expansion), makes, None if every else kept


def _lines(parts: dict[str, Any]) -> Iterator[str]:
    for name, part in parts.items():
        if name in ("rules", "states"):
            yield f'"{name}": [\n' + ",\n".join(map(json.dumps, part)) + "\n]"
        elif name == "terminals":
            entries = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in part.items())
            yield f'"{name}": {{\n' + ",\n".join(entries) + "\n}"
        else:
            yield f'"{name}": {json.dumps(part)}'


if __name__ == "__main__":
    TABLES.write_text(content(), encoding="utf-8")
    sys.stdout.write(f"wrote {TABLES.name}\n")
