"""Formulas → values. Numbers are exact: 0.1 * 30 is the whole number 3, and no result depends on rounding."""

import math
from collections.abc import Callable
from fractions import Fraction

from nnspec.spec_lang.report.diagnostics import Diagnostic
from nnspec.spec_lang.source import Span
from nnspec.spec_lang.syntax.formula import Expression, Fault, Formula, Name, Number, Operation
from nnspec.spec_lang.syntax.tree import Value

LARGEST = Fraction(10) ** 308
"""Beyond it a number is no float."""

Meaning = Callable[[Value], Value | None]
"""Returns the value of a variable, None after reporting that it has none."""


class Misfigured(Exception):
    """A formula that has no value, with its error; None where that is reported already."""

    def __init__(self, found: Diagnostic | None):
        super().__init__(found.message if found is not None else "")
        self.found = found


def computed(written: Value, meaning: Meaning) -> Value:
    """Return the value of a formula, at its place; at that of an option of the command that gives a name in it a value.

    Raises Misfigured.
    """
    formula = written.value
    assert isinstance(formula, Formula)
    work = _Work(written.span, meaning)
    numbers = [work.number(part) for part in formula.parts]
    place = work.option or written.span
    if formula.form == "value":
        (number,) = numbers
        whole = number.denominator == 1
        return Value("int", int(number), place) if whole else Value("number", float(number), place)
    if formula.form == "ratio":
        return Value("ratio", tuple(map(float, numbers)), place)
    for number in numbers:
        if number.denominator != 1 or number < 0:
            what = "a count" if formula.form == "count" else "each number of a size"
            message = f"{what} is a whole number, and {written.span.text} has {shown(number)}"
            raise Misfigured(Diagnostic("E201", message, place, help="write // to divide and round down"))
    sizes = tuple(map(int, numbers))
    return Value("count", sizes[0], place) if formula.form == "count" else Value("size", sizes, place)


def shown(number: Fraction) -> str:
    """Return a number in decimal digits."""
    return str(int(number)) if number.denominator == 1 else f"{float(number):.12g}"


class _Work:
    """The computation of one formula at a span."""

    def __init__(self, span: Span, meaning: Meaning):
        self.span, self.meaning = span, meaning
        self.option: Span | None = None

    def _place(self, start: int, end: int) -> Span:
        return Span(self.span.source, self.span.start + start, self.span.start + end)

    def number(self, found: Expression) -> Fraction:
        """Return the value of an expression."""
        match found:
            case Fault(message, help, start, end):
                raise Misfigured(Diagnostic("E002", message, self._place(start, end), help=help))
            case Number(text, start):
                return self._literal(text, start)
            case Name(name, start, end):
                return self._named(name, self._place(start, end))
            case Operation(sign, operands, start):
                result = self._operated(sign, [self.number(operand) for operand in operands], start)
                return self._bounded(result, self._place(start, start + len(sign)))

    def _literal(self, text: str, start: int) -> Fraction:
        if float(text) == 0:
            return Fraction(0)
        place = self._place(start, start + len(text))
        return Fraction(text) if float(text) < float("inf") else self._bounded(LARGEST * 10, place)

    def _named(self, name: str, place: Span) -> Fraction:
        value = self.meaning(Value("variable", name, place))
        if value is None:
            raise Misfigured(None)
        if value.kind not in ("int", "number"):
            message = f"${name} is no number to compute with: it is {value.written()}"
            raise Misfigured(Diagnostic("E201", message, place, help=f"give {name} a number"))
        if value.span.source.option:
            self.option = value.span
        number = value.value
        if not math.isfinite(float(number)):  # type: ignore[arg-type]
            return self._bounded(LARGEST * 10, place)
        return self._bounded(Fraction(repr(number)), place)  # the decimal number that is written, not its nearest float

    def _bounded(self, number: Fraction, place: Span) -> Fraction:
        if abs(number) > LARGEST or number.denominator > LARGEST:
            raise Misfigured(Diagnostic("E202", "this number is too large", place, help="write a smaller one"))
        return number

    def _operated(self, sign: str, operands: list[Fraction], start: int) -> Fraction:
        if len(operands) == 1 and sign in "+-":
            return -operands[0] if sign == "-" else operands[0]
        if sign in ("min", "max"):
            return (min if sign == "min" else max)(operands)
        left, right = operands
        if sign in ("/", "//", "%") and right == 0:
            message = f"{shown(left)} {sign} 0 is not a number"
            place = self._place(start, start + len(sign))
            raise Misfigured(Diagnostic("E202", message, place, help="divide by another number than 0"))
        match sign:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case "/":
                return left / right
            case "//":
                return Fraction(left // right)
            case _:
                return left % right
