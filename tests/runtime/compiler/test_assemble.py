"""Whole plans: that a planned network is the plain one, whatever it is made of, and that its text is a program."""

import ast
import builtins
import os
import subprocess
import sys
from math import prod
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnspec import runtime
from nnspec.runtime.compiler.assemble import assemble
from nnspec.runtime.compiler.rewrites import BLOCK_STEPS, rewritten
from nnspec.runtime.compiler.schedule import ExecutionSchedule
from nnspec.runtime.compiler.signature import GIVEN, PROGRAM_NAMES
from nnspec.runtime.infer.program_cache import plan_of_spec
from nnspec.runtime.train.spec_and_data import check_with_data
from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.vocabulary.shape import Shape
from tests.runtime.compiler.both import CLOSE, Batch, Both, Outcome, all_but, assert_agree, assert_close
from tests.runtime.compiler.watched import SCALE, SHIFT, WatchedNumPy, by_itself, lane_of
from tests.support.shipped_specs import with_its_data
from tests.support.spec_texts import cases
from tests.support.strategies import networks

SPECS = sorted((Path(runtime.__file__).parent.parent / "specs").glob("*.nnspec"))

EVERY_KERNEL = (
    "input 11x10x2 -> {}: conv 3x3 x3 pad=same relu -> maxpool 2 -> (conv 3x3 x3 pad=same leaky_relu + skip) "
    "-> (conv 1x1 x1 | skip) -> maxpool 3 stride=1 pad=1 -> dropout 0.3 -> avgpool 3 stride=1 "
    "-> conv 2x2 x4 groups=2 gelu -> batchnorm -> (globalavgpool | globalmaxpool) -> dense 6 sigmoid -> layernorm "
    "-> reshape 3x2 -> tanh -> {}: dense 4 softmax"
)
BLOCKS = "input 200 -> {}: dense 60 relu -> {}: dense 3 softmax"
TEXTS = [text.format("first", "second") for text in (EVERY_KERNEL, BLOCKS)]


SEQUENCES = (
    "input 7 -> onehot vocab=27 -> rnn 8 return=sequence -> dense 27 softmax",
    "input 7 -> embed 5 vocab=27 -> gru 8 -> dense 3 softmax",
    "input 7 -> embed 5 vocab=27 -> conv 3 x4 pad=same relu -> dense 27 softmax",
    "input 7 -> onehot vocab=27 -> lstm 6 return=sequence -> layernorm -> dropout 0.3 -> (lstm 4 | rnn 3) -> dense 2",
    "input 7 -> embed 4 vocab=27 -> conv 3 x4 stride=2 pad=same -> batchnorm -> relu -> globalavgpool -> dense 3",
    "input 9 -> embed 4 vocab=27 -> conv 3 x4 stride=2 -> gru 3 bidirectional=yes -> dense 3 softmax",
    "input 9 -> onehot vocab=27 -> conv 3 x4 stride=2 pad=1 -> (lstm 3 return=sequence + conv 1 x3) -> globalmaxpool",
    "input 7 -> (onehot vocab=27 | embed 4 vocab=27) -> gru 3 reverse=yes -> dense 2",
    "input 8x3 -> rnn 5 return=sequence -> (dense 4 relu + dense 4) -> rnn 3 bidirectional=yes -> dense 2",
)


def schedules(both: Both, size: int = 4) -> list[ExecutionSchedule]:
    """For training, for answers and, where they are allowed, for blocks of single steps."""
    made = [both.rewritten(size), both.rewritten(size, training=False)]
    block = rewritten(both.schedule(1, plain_sgd=True))
    return [*made, block] if block.block > 1 else made


def batch_for(both: Both, schedule: ExecutionSchedule) -> Batch:
    return both.batch(schedule.batch * schedule.block)


@pytest.mark.slow
@cases(150)
@given(text=networks(), size=st.integers(1, 5))
def test_a_planned_network_is_the_plain_one(text: str, size: int) -> None:
    both = Both.of(text)
    both.assert_planned_is_plain(*both.schedules(size))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("text", SEQUENCES)
def test_a_planned_network_over_time_is_the_plain_one_with_its_padding(text: str, dtype: str) -> None:
    both = Both.of(text, dtype)
    for size in (1, 2, 5):
        both.assert_planned_is_plain(*both.schedules(size), *both.schedules(size, all_but()))


@settings(max_examples=60, deadline=None)
@given(text=networks(), size=st.integers(1, 5), without=st.sets(st.sampled_from(sorted(all_but()))))
def test_it_is_so_without_some_of_the_rewrites_too(text: str, size: int, without: set[str]) -> None:
    both = Both.of(text)
    both.assert_planned_is_plain(*both.schedules(size, frozenset(without)))


@settings(max_examples=30, deadline=None)
@given(text=networks(), size=st.integers(1, 5), seed=st.integers(0, 99))
def test_a_plan_foretells_the_bytes_of_its_buffers(text: str, size: int, seed: int) -> None:
    both = Both.of(text, "float32" if seed % 2 else "float64")
    for schedule in both.schedules(size):
        plan = assemble(schedule, both.dtype, False)
        common = {name: shape for lane in plan.lanes.values() for name, shape in lane.common.items()}
        shared = np.dtype(both.dtype).itemsize * sum(prod(shape) for shape in common.values())  # what each lane makes
        every = sum(taken(both, schedule, lane) for lane in schedule.lanes)
        assert plan.bytes == every - (len(schedule.lanes) - 1) * shared


def taken(both: Both, schedule: ExecutionSchedule, size: int) -> int:
    """What one lane of this size asks NumPy for."""
    watched = WatchedNumPy()
    lane_of(both, schedule, size, both.batch(size), watched)
    return watched.bytes


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_bytes_are_foretold_in_blocks_and_where_samples_are_normalized_too(text: str, dtype: str) -> None:
    both = Both.of(text, dtype)
    for schedule in schedules(both):
        x, y = batch_for(both, schedule)
        for samples in (x, (x * 50).astype(np.uint8)):
            watched = WatchedNumPy()
            by_itself(both, schedule, Batch(samples, y), watched)
            assert assemble(schedule, dtype, samples is not x).bytes == watched.bytes


@pytest.mark.parametrize("samples", [np.float32, np.uint8])
@pytest.mark.parametrize("text", TEXTS)
def test_a_float32_program_makes_no_other_numbers(text: str, samples: type) -> None:
    """One float64 among them, and all that follows from it takes twice the time."""
    both = Both.of(text, "float32")
    for schedule in schedules(both):
        watched = WatchedNumPy()
        x, y = batch_for(both, schedule)
        by_itself(both, schedule, Batch((x * 50).astype(samples), y), watched)
        assert watched.types <= {np.dtype(kind) for kind in (np.float32, np.bool_, np.intp, samples)}
        assert np.dtype(np.float32) in watched.types


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("text", TEXTS)
def test_the_text_of_a_lane_is_a_program_by_itself(text: str, dtype: str) -> None:
    both = Both.of(text, dtype)
    batch = both.batch(4)
    assert_agree(Outcome(*by_itself(both, both.rewritten(4), batch)), both.plain(batch), CLOSE[dtype])
    answers = by_itself(both, both.rewritten(4, training=False), batch).answer
    assert_close(answers, both.network.program.outputs(batch.x), CLOSE[dtype])
    bytes_ = Batch(np.random.default_rng(0).integers(0, 256, batch.x.shape).astype(np.uint8), batch.y)
    seen = Batch(((bytes_.x - SHIFT) / SCALE).astype(dtype), batch.y)
    assert_agree(Outcome(*by_itself(both, both.rewritten(4), bytes_)), both.plain(seen), CLOSE[dtype])


@pytest.mark.parametrize("text", TEXTS)
def test_the_text_says_no_names_but_its_own_and_those_it_is_given(text: str) -> None:
    for schedule in schedules(Both.of(text)):
        (lane,) = assemble(schedule, "float32", True).lanes.values()
        nodes = list(ast.walk(ast.parse(lane.text)))
        names = [node for node in nodes if isinstance(node, ast.Name)]
        made = {name.id for name in names if isinstance(name.ctx, ast.Store)}
        made |= {node.arg for node in nodes if isinstance(node, ast.arg)}
        assert {name.id for name in names} <= made | {*GIVEN, *PROGRAM_NAMES, *dir(builtins), "step"}
        assert not made & {*PROGRAM_NAMES, *dir(builtins)}


@pytest.mark.parametrize("text", [EVERY_KERNEL, BLOCKS], ids=["every kernel", "blocks"])
def test_no_name_of_a_layer_means_anything_else_to_the_program(text: str) -> None:
    """Each identifier of the program's own text is tried as the name of a layer, and a few words of Python."""
    both = Both.of(text.format("first", "second"))
    texts = [
        assemble(schedule, "float64", True).lanes[size].text for schedule in schedules(both) for size in schedule.lanes
    ]
    said = {node.id for made in texts for node in ast.walk(ast.parse(made)) if isinstance(node, ast.Name)}
    layers = {part for node in both.network.spec.nodes for part in node.name.split("/")}
    own = {name for name in said if not any(layer in name for layer in layers)}
    names = sorted({*own, *GIVEN, *PROGRAM_NAMES, "lane", "step", "class", "lambda", "None", "print"})
    answers = [by_itself(both, schedule, batch_for(both, schedule)) for schedule in schedules(both)]
    for first, second in zip(names, [*names[1:], names[0]], strict=True):
        named = Both.of(text.format(first, second))
        for schedule, answer in zip(schedules(named), answers, strict=True):
            found = by_itself(named, schedule, batch_for(named, schedule))
            for ours, theirs in zip(found, answer, strict=True):
                np.testing.assert_array_equal(ours, theirs, err_msg=f"layers called {first} and {second}")


def test_names_that_python_would_confuse_stay_apart() -> None:
    names = (
        "a: (b: dense 5 relu -> b_2: dense 4)",
        "a_b: dense 5 tanh",
        "größe: dense 3",
        "gr__e: dense 4",
        "x²: dense 3",
    )
    both = Both.of(f"input 6 -> {' -> '.join(names)}")
    both.assert_planned_is_plain(*both.schedules(3))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_shipped_spec_is_planned_as_it_is_defined(path: Path, tmp_path: Path) -> None:
    request = Request(with_its_data(path, tmp_path))
    named = request.check().data
    mnist = named is not None and named.word.startswith("mnist")  # which may have to be fetched
    spec = request.check(Shape((28, 28, 1)), 10) if mnist else check_with_data(request)[0]
    both = Both.from_spec(spec)
    both.assert_planned_is_plain(*both.schedules(min(spec.train.batch, 6)))
    for lane in plan_of_spec(spec).lanes.values():
        compile(lane.text, "<a test>", "exec")


@pytest.mark.slow
def test_equal_specs_have_equal_texts_in_every_process() -> None:
    script = (
        "from tests.runtime.compiler import test_assemble as tests\n"
        "from tests.runtime.compiler.both import Both, in_lanes\n"
        "for schedule in map(in_lanes, tests.schedules(Both.of(tests.TEXTS[0]))):\n"
        "    print(*(tests.assemble(schedule, 'float32', True).lanes[size].text for size in schedule.lanes))"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1]
    assert b"def lane" in told[0]


def test_a_block_is_as_long_as_the_rewrite_says() -> None:
    (lane,) = assemble(schedules(Both.of(TEXTS[1]))[-1], "float32", False).lanes.values()
    assert f"{BLOCK_STEPS} steps" in lane.text
