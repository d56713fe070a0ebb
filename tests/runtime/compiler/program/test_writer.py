"""What a program is written with: names that clash with nothing, and arrays laid out and brought back."""

import builtins
import keyword

import numpy as np
import pytest

from nnspec.runtime.compiler.program.instructions import printed
from nnspec.runtime.compiler.program.layout import as_laid, as_samples, is_steps, laid_out
from nnspec.runtime.compiler.program.operands import Ref
from nnspec.runtime.compiler.program.writer import ProgramWriter
from nnspec.runtime.compiler.signature import GIVEN, PROGRAM_NAMES
from nnspec.spec_lang.vocabulary.shape import Shape

SHAPES = [
    Shape(()),
    Shape((7,)),
    Shape((5, 4)),
    Shape((5, 4), sequence=True),
    Shape((5, 4, 3)),
    Shape((5, 4, 3, 2)),
]


def writer() -> ProgramWriter:
    return ProgramWriter(3, (3,), "float32", training=True)


def shown(shape: Shape) -> str:
    return f"{shape}{' steps' if shape.sequence else ''}"


@pytest.mark.parametrize("shape", SHAPES, ids=shown)
def test_laying_samples_out_and_bringing_them_back_are_views_that_undo_each_other(shape: Shape) -> None:
    samples = np.random.default_rng(0).normal(size=(3, *shape))
    laid = eval(str(as_laid(Ref("samples", samples.shape), shape)), {"samples": samples})
    assert laid.shape == laid_out(shape, 3) == as_laid(Ref("samples", samples.shape), shape).shape
    back = eval(str(as_samples(Ref("laid", laid.shape), shape)), {"laid": laid})
    assert np.shares_memory(back, samples)
    np.testing.assert_array_equal(back, samples)


@pytest.mark.parametrize("shape", SHAPES, ids=shown)
def test_samples_stand_innermost_and_those_of_sequences_before_the_features(shape: Shape) -> None:
    axis = 1 if is_steps(shape) else -1
    assert laid_out(shape, 3)[axis] == 3
    laid = np.zeros(laid_out(shape, 3))
    eval(str(as_samples(Ref("laid", laid.shape), shape)), {"laid": laid})[1] = 1
    assert laid.take(1, axis).all()
    assert laid.sum() == shape.size


def test_channels_stand_in_front_of_an_image_and_an_image_without_them_has_one() -> None:
    assert laid_out(Shape((5, 4, 3)), 2) == (3, 5, 4, 2)
    assert laid_out(Shape((5, 4)), 2) == (1, 5, 4, 2)
    assert laid_out(Shape((5, 4), sequence=True), 2) == (5, 2, 4)


@pytest.mark.parametrize(
    "wish", ["res2/conv1", "class", "lambda", "None", "größe", "x²", "np", "float", "__debug__", *GIVEN, *PROGRAM_NAMES]
)
def test_every_wish_becomes_a_name_that_python_and_the_program_leave_free(wish: str) -> None:
    name = writer().name(wish)
    assert name.isidentifier()
    assert name.isascii()
    assert not keyword.iskeyword(name)
    assert not hasattr(builtins, name)
    assert name not in {*GIVEN, *PROGRAM_NAMES}


def test_no_two_wishes_become_one_name() -> None:
    w = writer()
    wishes = ["a/b", "a_b", "a.b", "a_b_2", "a_b", "a/b_2"]
    assert len({w.name(wish) for wish in wishes}) == len(wishes)


def test_an_array_is_made_of_its_shape_its_type_and_its_filling() -> None:
    w = writer()
    buffers = [w.buffer("a", (2, 3)), w.buffer("b", (4,), 0, "bool"), w.buffer("c", (5,), 1, "intp")]
    space = made(w)
    arrays = [space[buffer.name] for buffer in buffers]
    assert [array.shape for array in arrays] == [buffer.shape for buffer in buffers]
    assert [array.dtype for array in arrays] == [np.float32, bool, np.intp]
    assert not arrays[1].any()
    assert arrays[2].all()
    assert all(array.ctypes.data % 64 == 0 for array in arrays)
    assert w.bytes == sum(array.nbytes for array in arrays)


def test_behind_rows_stands_a_row_of_ones_for_the_bias() -> None:
    w = writer()
    rows = w.rows("x", 4)
    space = made(w)
    assert rows.with_one is not None
    space[rows.name][...] = 0
    assert space[rows.name].shape == rows.shape == (4, 3)
    np.testing.assert_array_equal(space[rows.with_one.name], [[0] * 3] * 4 + [[1] * 3])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_windows_are_strided_in_numbers_from_a_start(dtype: str) -> None:
    w = ProgramWriter(1, (1,), dtype, training=False)
    row = w.buffer("row", (10,), 0)
    windows = w.windows("windows", row, (3, 2), (3, 1), start=2)
    space = made(w)
    space[row.name][...] = np.arange(10)
    np.testing.assert_array_equal(space[windows.name], [[2, 3], [5, 6], [8, 9]])


def test_a_shape_that_is_there_already_is_no_new_view() -> None:
    w = writer()
    ref = w.buffer("a", (2, 3)).kept()
    assert w.reshaped("b", ref, (2, 3)) is ref
    assert w.reshaped("c", ref, (6,)) == Ref("c", (6,), overwritable=False)


def test_zeros_to_compare_with_are_an_array_while_they_are_small_and_a_scalar_beyond() -> None:
    w = writer()
    small, large = Ref("a", (10, 3)), Ref("b", (1000, 1000))
    names = w.zero_like(small), w.zero_like(large)
    space = made(w)
    assert [space[zeros.name].shape for zeros in names] == [(10, 3), ()]
    assert not any(space[zeros.name].any() for zeros in names)


def test_a_block_of_instructions_is_conditional_and_an_empty_one_is_left_out() -> None:
    w = writer()
    flag, x = w.local("flag"), w.buffer("x", (2,))
    with w.when(flag, comment="sometimes"):
        w.fill(x, 0)
    with w.when(flag):
        pass
    assert list(printed(w.step)) == ["if flag:  # sometimes", "    x.fill(0)"]


def test_a_barrier_is_written_only_where_there_are_other_lanes() -> None:
    alone, two = writer(), ProgramWriter(3, (3, 2), "float32", training=True)
    for w in (alone, two):
        w.barrier()
    assert (alone.barriers, alone.step) == (0, [])
    assert two.barriers == 1
    assert list(printed(two.step)) == ["yield  # until all lanes have come here"]


def made(w: ProgramWriter) -> dict[str, np.ndarray]:
    """Everything that the setup makes, by name."""
    space = dict(PROGRAM_NAMES)
    exec("\n".join(printed(w.setup)), space)
    return space
