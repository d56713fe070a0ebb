"""Instructions and their operands are values: they can be compared, asked for what they read and write, and printed."""

import numpy as np
import pytest

from nnspec.runtime.compiler.assemble import assemble
from nnspec.runtime.compiler.program.instructions import Alias, ArrayCall, For, If, Views, nested, printed
from nnspec.runtime.compiler.program.operands import Local, Operand, Ref, formula
from nnspec.runtime.compiler.program.writer import ProgramWriter
from nnspec.runtime.compiler.signature import GIVEN, PROGRAM_NAMES
from tests.runtime.compiler.both import Both
from tests.runtime.compiler.test_assemble import SEQUENCES, TEXTS, schedules

X = Ref("x", (4, 3, 2))

VIEWS = [
    X[0],
    X[1:3],
    X[:, None],
    X[..., 0],
    X[..., 1:],
    X[::-1, ::2],
    X[-1],
    X[:, 1, None, :1],
    X.T,
    X.reshape(12, 2),
    X.reshape(-1),
    X.reshape(-1, 6),
    X.transpose(2, 0, 1),
    X[1:].T.reshape(6, 3)[2],
    Ref("y", ())[()],
    Ref("y", ()).reshape(1),
    Ref("z", (1,)).reshape(),
]


@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_a_view_knows_its_shape_and_prints_what_numpy_reads(view: Operand) -> None:
    arrays = {"x": np.zeros((4, 3, 2)), "y": np.zeros(()), "z": np.zeros(1)}
    assert eval(str(view), arrays).shape == view.shape


def test_an_instruction_says_what_it_reads_and_writes_through_any_view() -> None:
    w = ProgramWriter(1, (1,), "float32", training=False)
    x, y = w.buffer("x", (4, 3)), w.buffer("y", (3,))
    w.add(w.view("rows", x.reshape(6, 2)).T[0], w.scalar("one", 1.0), out=w.view("y_row", y[None]))
    (add,) = w.step
    assert add == ArrayCall("np.add", (Ref("rows", (6, 2)).T[0], Ref("one", ())), Ref("y_row", (1, 3)))
    assert (add.reads, add.writes) == ({"x", "one"}, {"y"})
    assert list(printed([add])) == ["np.add(rows.T[0], one, out=y_row)"]


def test_keyword_arguments_are_printed_in_one_order_and_targets_where_numpy_wants_them() -> None:
    w = ProgramWriter(1, (1,), "float32", training=False)
    x, row = Ref("x", (4, 3)), Ref("row", (1, 3))
    w.max(x, axis=0, keepdims=True, out=row, comment="by column")
    w.copy(x[0], out=row[0], casting="unsafe")
    w.put(Ref("values", (2,)), Ref("places", (2,)), out=row)
    assert list(printed(w.step)) == [
        "np.maximum.reduce(x, axis=0, keepdims=True, out=row)  # by column",
        "np.copyto(row[0], x[0], casting='unsafe')",
        "np.put(row, places, values, mode='clip')",
    ]
    assert [instruction.writes for instruction in w.step] == [{"row"}] * 3


def test_an_instruction_inside_a_loop_and_a_condition_is_found() -> None:
    add = ArrayCall("np.add", (X, X), X)
    loop = For((Local("t"),), Local("steps"), (If(formula("t < {}", 3), (add,)),))
    assert add in nested([loop])
    assert list(printed([loop])) == ["for t in steps:", "    if t < 3:", "        np.add(x, x, out=x)"]


def test_an_operand_is_not_iterated_over_by_accident() -> None:
    with pytest.raises(TypeError):
        list(X)  # type: ignore[call-overload]


@pytest.mark.parametrize("text", [*SEQUENCES, *TEXTS])
def test_every_array_that_a_program_reads_is_given_or_has_been_written(text: str) -> None:
    for schedule in schedules(Both.of(text)):
        for lane in assemble(schedule, "float32", True).lanes.values():
            written = {*GIVEN, *PROGRAM_NAMES, "t", "rates"}
            for instruction in lane.instructions():
                if isinstance(instruction, For):
                    written |= {str(variable) for variable in instruction.variables}
                if not isinstance(instruction, Alias | Views):
                    unknown = {name for name in instruction.reads - written if not name.startswith(("draws[", "mode."))}
                    assert not unknown, (unknown, next(printed([instruction])))
                written |= instruction.writes
