"""Puts a clock around every line of a planned program's text, so that the program can be asked where its time goes."""

import ast
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from nnspec.runtime.compiler.assemble import Plan
from nnspec.runtime.compiler.program.lane_program import LaneProgram

PRODUCTS = ("dot", "matmul")


@dataclass(frozen=True)
class Line:
    """A line of a step: its text, and the comment above it, which says what it belongs to."""

    part: str
    text: str


@dataclass
class Book:
    """What one lane's lines cost in a call: nanoseconds, how often each ran, and the arrays it worked on last.

    `factors` are the two arrays of a matrix product, `results` the array that another operation wrote.
    """

    lines: Sequence[Line]
    spent: list[int] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    factors: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    results: dict[int, Any] = field(default_factory=dict)

    def clear(self) -> None:
        """Reset the measurements."""
        self.spent[:] = self.calls[:] = [0] * len(self.lines)

    def rate(self, number: int, nanoseconds: float) -> str:
        """How fast a line is that takes so long each time: operations of a product, or numbers written, a second."""
        if number in self.factors and nanoseconds > 0:
            a, b = self.factors[number]
            stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
            columns = b.shape[-1] if b.ndim > 1 else 1
            return f"{2 * prod(stack) * prod(a.shape[-2:]) * columns / nanoseconds:.1f} GFLOP/s"
        if number in self.results and nanoseconds > 0:
            return f"{self.results[number].size / nanoseconds:.2f} G numbers/s"
        return ""


BOOKS: list[Book] = []
"""A book for each lane that was made of an instrumented text, in the order of the lanes."""

_LINES: dict[int, Sequence[Line]] = {}


def open_book(key: int) -> Book:
    """The book of a lane that is being made; the instrumented text calls this."""
    book = Book(_LINES[key])
    book.clear()
    BOOKS.append(book)
    return book


def instrumented(plan: Plan) -> Plan:
    """The plan with a clock around every line of its step. A lane's book is in BOOKS once the lane is bound."""
    return replace(plan, lanes={size: ClockedLane(**vars_of(lane)) for size, lane in plan.lanes.items()})


class ClockedLane(LaneProgram):
    """A lane whose text has a clock around every line."""

    @cached_property
    def text(self) -> str:
        """The text with its clocks."""
        return with_clocks(super().text)


def vars_of(lane: LaneProgram) -> dict[str, Any]:
    """The fields of a lane by name."""
    return {field.name: getattr(lane, field.name) for field in fields(lane)}


def with_clocks(text: str) -> str:
    """A lane's text with a clock around every simple line of its step; loops and conditions are entered."""
    module = ast.parse(text)
    lane = next(node for node in module.body if isinstance(node, ast.FunctionDef))
    step = next(node for node in lane.body if isinstance(node, ast.FunctionDef))
    comments = {i: row.strip("# ") for i, row in enumerate(text.splitlines(), 1) if row.lstrip().startswith("# ")}
    lines: list[Line] = []
    step.body = list(_clocked(step.body, comments, lines))
    key = len(_LINES)
    _LINES[key] = lines
    lane.body[:0] = ast.parse(
        "from time import perf_counter_ns as _now\n"
        "from benchmarks.instrument import open_book as _open\n"
        f"_book = _open({key})\n"
        "_spent, _calls, _factors, _results = _book.spent, _book.calls, _book.factors, _book.results"
    ).body
    return ast.unparse(ast.fix_missing_locations(module))


def _clocked(body: Sequence[ast.stmt], comments: dict[int, str], lines: list[Line]) -> Iterator[ast.stmt]:
    for statement in body:
        if isinstance(statement, ast.For | ast.If | ast.While | ast.With):
            statement.body = list(_clocked(statement.body, comments, lines))
            yield statement
            continue
        waits = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Yield)  # for the other lanes
        if waits or isinstance(statement, ast.Return | ast.Nonlocal | ast.Global):
            yield statement
            continue
        part = max((row for row in comments if row < statement.lineno), default=0)
        number = len(lines)
        lines.append(Line(comments.get(part, "before the first layer"), ast.unparse(statement)))
        yield from ast.parse("_began = _now()").body
        yield statement
        yield from ast.parse(f"_spent[{number}] += _now() - _began\n_calls[{number}] += 1").body
        yield from ast.parse(_remembering(statement, number)).body


def _remembering(statement: ast.stmt, number: int) -> str:
    """The line that keeps what a statement worked on, where it is a call of NumPy."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=name), args=[a, b, *_])) if name in PRODUCTS:
            return f"_factors[{number}] = ({ast.unparse(a)}, {ast.unparse(b)})"
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="copyto" | "put"), args=[target, *_])):
            return f"_results[{number}] = {ast.unparse(target)}"
        case ast.Expr(value=ast.Call(keywords=keywords)):
            out = next((keyword.value for keyword in keywords if keyword.arg == "out"), None)
            return f"_results[{number}] = {ast.unparse(out)}" if out is not None else ""
    return ""


def cost_of_a_clock() -> float:
    """Nanoseconds that a line's own clock adds to it."""
    spent, rounds = 0, 20_000
    for _ in range(rounds):
        began = time.perf_counter_ns()
        spent += time.perf_counter_ns() - began
    return spent / rounds
