"""Arithmetic in values: `$(2 * width)`, `x$(width // 2)`, `$(k)x$(k)`, and `let half = $width / 2` → a tree.

The tree has offsets in the text that it was read from, and does not know what names mean.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

FUNCTIONS = ("min", "max")
"""The functions of any number of arguments."""

Form = Literal["value", "count", "size", "ratio"]
"""What the parts of a formula make: a number, `x` and a number, sizes with `x` between them, shares with `/`."""


class Number(NamedTuple):
    """A number as it is written."""

    text: str
    start: int


class Name(NamedTuple):
    """The name of a let or of a block's parameter, without its `$`; `start` and `end` are those of the name."""

    name: str
    start: int
    end: int


class Operation(NamedTuple):
    """A sign and its operands: one after a sign in front, two around `+ - * / // %`, any number of a function."""

    sign: str
    operands: tuple["Expression", ...]
    start: int


class Fault(NamedTuple):
    """A text that is not arithmetic: where, what is wrong, and what to write."""

    message: str
    help: str
    start: int
    end: int


Expression = Number | Name | Operation | Fault

MOST_OPERANDS = 100
"""Numbers, names, brackets and functions of one formula: its tree is walked once for each level."""

POWER = "write a power as a product: width * width"
_ORDER = {"+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "%": 2}
_TOKEN = re.compile(
    r"[ \t\f]*(?:(?P<number>(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])"
    r"|\$?(?P<name>[A-Za-z_]\w*)|(?P<sign>//|\$\(|.))"
)

_BARE = re.compile(r"[^x/$]+|.")
"""What stands between the brackets and signs of a size, a count or a ratio."""
_DECIMAL = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+")


class Formula(NamedTuple):
    """Arithmetic as a value. `bare` says that it has no brackets around it, as after the = of a let."""

    form: Form
    parts: tuple[Expression, ...]
    bare: bool = False

    def written(self) -> str:
        """Return the text in canonical form: blanks around signs, brackets where they are needed."""
        if self.bare:
            return _written(self.parts[0], dollar=True)
        texts = [part.text if _plain(part) else f"$({_written(part)})" for part in self.parts]  # type: ignore[union-attr]
        return (
            f"x{texts[0]}" if self.form == "count" else {"size": "x", "ratio": "/", "value": ""}[self.form].join(texts)
        )

    @property
    def sound(self) -> bool:
        """Whether all of it is arithmetic."""
        return not any(_faulty(part) for part in self.parts)

    def names(self) -> Iterator[Name]:
        """Yield the names in it, in the order of the text."""
        for part in self.parts:
            yield from _names(part)


def parse_formula(text: str) -> Formula:
    """Return the tree of a value with `$( … )` in it. A text that is not arithmetic has a Fault in it."""
    form: Form = "count" if text.startswith("x") else "value"
    at, parts = int(form == "count"), list[Expression]()
    while at < len(text):
        if text.startswith("$(", at):
            end = _closing(text, at + 1)
            parts.append(_Reader(text, at + 2, end).whole())
            at = end + 1
        elif text[at] in "x/":
            form = "size" if text[at] == "x" else "ratio"
            at += 1
        else:
            end = _BARE.match(text, at).end()  # type: ignore[union-attr]
            parts.append(_number(text[at:end], at))
            at = end
    return Formula(form, tuple(parts))


def _number(text: str, at: int) -> Number | Fault:
    if _DECIMAL.fullmatch(text):
        return Number(text, at)
    return Fault(f'"{text}" is no number', "write digits, with one point at most", at, at + len(text))


def parse_bare(text: str) -> Formula:
    """Return the tree of arithmetic without brackets around it."""
    return Formula("value", (_Reader(text, 0, len(text)).whole(),), bare=True)


def is_sum(text: str) -> bool:
    """Return whether a text is arithmetic without brackets around it, or is meant so: with a fault and a variable."""
    return "$" in text or parse_bare(text).sound


def _closing(text: str, opening: int) -> int:
    depth = 0
    for index in range(opening, len(text)):
        depth += (text[index] == "(") - (text[index] == ")")
        if depth == 0:
            return index
    return len(text)


class _Wrong(Exception):
    """Carries a Fault to the start of the reading."""

    def __init__(self, fault: Fault):
        super().__init__(fault.message)
        self.fault = fault


class _Reader:
    """Reads one expression from a part of a text, by precedence climbing."""

    def __init__(self, text: str, start: int, end: int):
        self.text, self.position, self.end = text, start, start + len(text[start:end].rstrip())
        self.operands = 0

    def whole(self) -> Expression:
        """Return the expression, or a Fault."""
        start = self.position
        try:
            found = self._sum(1)
            kind, text, at = self._next()
            if kind != "end":
                help = POWER if text == "^" else "write a sign between two values: + - * / // %"
                raise _Wrong(Fault(f'"{text}" does not fit here', help, at, at + len(text)))
            return found
        except _Wrong as wrong:
            fault = wrong.fault
            return fault if fault.end > fault.start else fault._replace(start=start, end=max(self.end, start + 1))

    def _next(self, take: bool = False) -> tuple[str, str, int]:
        match = _TOKEN.match(self.text, self.position, self.end)
        if match is None:
            return "end", "", self.end
        kind = str(match.lastgroup)
        if take:
            self.position = match.end()
        return kind, match[kind], match.start(kind)

    def _sum(self, least: int) -> Expression:
        left = self._operand()
        while (found := self._next())[0] == "sign" and _ORDER.get(found[1], 0) >= least:
            _, sign, at = self._next(take=True)
            left = Operation(sign, (left, self._sum(_ORDER[sign] + 1)), at)
        return left

    def _operand(self) -> Expression:
        kind, text, at = self._next(take=True)
        self.operands += 1
        if self.operands > MOST_OPERANDS:
            raise _Wrong(Fault("this formula is too long", "use a let for a part of it", at, at + max(len(text), 1)))
        if kind == "number":
            return Number(text, at)
        if kind == "name" and self._next()[1] == "(":
            return self._function(text, at)
        if kind == "name":
            return Name(text, at, at + len(text))
        if kind == "sign" and text in "+-":
            found: Expression = Operation(text, (self._operand(),), at)
        elif kind == "sign" and text in ("(", "$("):
            found = self._sum(1)
            self._expect(")", at)
        elif kind == "end":
            raise _Wrong(Fault("a value is missing", "write a number or the name of a let after the sign", at, at))
        else:
            help = POWER if text in "*^" else "write numbers, names and + - * / // %"
            raise _Wrong(Fault(f'"{text}" does not fit here', help, at, at + len(text)))
        return found

    def _function(self, name: str, at: int) -> Expression:
        if name not in FUNCTIONS:
            help = "there are min and max; // divides and rounds down"
            raise _Wrong(Fault(f'no function is called "{name}"', help, at, at + len(name)))
        self._next(take=True)
        operands = [self._sum(1)]
        while self._next()[1] == ",":
            self._next(take=True)
            operands.append(self._sum(1))
        self._expect(")", at)
        return Operation(name, tuple(operands), at)

    def _expect(self, sign: str, at: int) -> None:
        if self._next()[1] != sign:
            raise _Wrong(Fault('this "(" is never closed', "write the ) where the part ends", at, at + 1))
        self._next(take=True)


def _faulty(found: Expression) -> bool:
    return isinstance(found, Fault) or (isinstance(found, Operation) and any(map(_faulty, found.operands)))


def _plain(part: Expression) -> bool:
    return isinstance(part, Number)


def _written(found: Expression, least: int = 0, dollar: bool = False) -> str:
    match found:
        case Number(text, _):
            return text
        case Name(name, _, _):
            return f"${name}" if dollar else name
        case Operation(sign, operands, _) if sign in FUNCTIONS:
            return f"{sign}({', '.join(_written(operand, 0, dollar) for operand in operands)})"
        case Operation(sign, (only,), _):
            return f"{sign}{_written(only, 3, dollar)}"
        case Operation(sign, (left, right), _):
            order = _ORDER[sign]
            text = f"{_written(left, order, dollar)} {sign} {_written(right, order + 1, dollar)}"
            return f"({text})" if order < least else text
    return ""


def _names(found: Expression) -> Iterator[Name]:
    if isinstance(found, Name):
        yield found
    elif isinstance(found, Operation):
        for operand in found.operands:
            yield from _names(operand)
