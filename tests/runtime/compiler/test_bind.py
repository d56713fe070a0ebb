"""Plans over arrays: threads, types of samples, and memory that nothing old is read from."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from nnspec.runtime.arena import Arena
from nnspec.runtime.compiler import bind
from nnspec.runtime.compiler.assemble import Plan, assemble
from nnspec.runtime.compiler.bind import BoundProgram
from nnspec.runtime.compiler.plain_forms import plain_layer, plain_loss
from nnspec.runtime.compiler.schedule import ExecutionSchedule
from nnspec.runtime.compiler.signature import PROGRAM_NAMES
from nnspec.runtime.data import Preprocessing
from nnspec.runtime.execute.executor import Executor
from nnspec.runtime.execute.in_turn import IN_TURN, InTurn
from nnspec.runtime.execute.threads import Threads
from nnspec.runtime.infer.network import Network
from nnspec.runtime.layers import Mode
from nnspec.spec_lang.check.examination import check_source
from nnspec.spec_lang.source import Source
from tests.runtime.compiler.both import CLOSE, Array, Batch, Both, assert_agree, in_lanes, run
from tests.runtime.compiler.watched import WatchedNumPy

DEEP = (
    "input 11x10x2 -> conv 3x3 x3 pad=same relu -> maxpool 2 -> (conv 3x3 x3 pad=same -> batchnorm -> tanh + skip) "
    "-> dropout 0.3 -> avgpool 3 stride=1 -> dense 6 gelu -> dropout 0.5 -> dense 4 softmax"
)
FORMS = {
    "deep": DEEP,
    "pools": "input 8x7x2 -> conv 2x2 x3 -> maxpool 2 -> maxpool 3 stride=1 pad=1 -> avgpool 2 stride=1 -> dense 2",
    "forks": "input 6x6 -> (relu | tanh) -> (dense 4 + flatten -> dense 4 sigmoid) -> (skip | relu) -> softmax",
    "plain forms": "input 6x6x2 -> conv 3x3 x4 groups=2 -> batchnorm -> elu -> globalmaxpool -> layernorm -> dense 3",
    "strides": "input 9x9x2 -> relu -> conv 3x3 x2 stride=2 pad=2 -> conv 2x2 x2 dilation=2 -> conv 1x1 x2 -> dense 2",
}


class Backwards(InTurn):
    """An executor that computes the last lane first."""

    def run(self, program: BoundProgram) -> list[Any]:
        return [step() for step in reversed(program.steps)][::-1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("executor", [Threads(2), Backwards()], ids=["threads", "backwards"])
def test_whoever_computes_the_lanes_the_bits_are_the_same(executor: Executor, dtype: str) -> None:
    both = Both.of(DEEP.replace("-> batchnorm ", ""), dtype)
    batch = both.batch(7)
    schedules = [in_lanes(both.rewritten(7, training=training)) for training in (True, False)]
    assert schedules[0].lanes == (4, 3)
    with threadpool_limits(1):
        given = both.planned(batch, schedules[0], executor), both.outputs(batch, schedules[1], executor)
        in_turn = both.planned(batch, schedules[0]), both.outputs(batch, schedules[1])
    assert bits(given) == bits(in_turn)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_two_threads_that_meet_at_barriers_compute_the_bits_of_one(dtype: str) -> None:
    both = Both.of(DEEP, dtype)
    schedule = in_lanes(both.rewritten(7))
    assert both.bound(schedule, both.batch(7))[0].barriers == 2
    with threadpool_limits(1):
        assert bits(both.planned(both.batch(7), schedule, Threads(2))) == bits(both.planned(both.batch(7), schedule))


@pytest.mark.parametrize("executor", [IN_TURN, Threads(2), Threads(3)], ids=["in turn", "2 threads", "3 threads"])
def test_lanes_of_a_prediction_that_share_buffers_answer_as_each_by_itself(executor: Executor) -> None:
    both = Both.of("input 9x8x2 -> conv 3x3 x3 pad=same relu -> maxpool 2 -> dense 3 softmax", "float32")
    schedule = replace(both.rewritten(13, training=False), lanes=(3, 3, 3, 2, 2))
    x = both.batch(13).x

    def answers(schedule: ExecutionSchedule, x: Array) -> Array:
        n = both.network
        program = BoundProgram(
            assemble(schedule, "float32", False),
            n.parameter_arena.flat,
            None,
            n.buffer_arena.flat,
            x.dtype,
            None,
            None,
            None,
            executor=executor,
        )
        found = np.zeros(0)
        for _ in range(2):
            program.samples[...] = x
            found = np.array(program())
        return found

    alone = [
        answers(replace(schedule, batch=len(part), lanes=(len(part),)), part) for part in np.split(x, [3, 6, 9, 11])
    ]
    np.testing.assert_array_equal(answers(schedule, x), np.concatenate(alone))


@pytest.mark.parametrize("lanes", [False, True])
def test_two_runs_are_equal_to_the_byte(lanes: bool) -> None:
    outcomes = []
    for _ in range(2):
        both = Both.of(DEEP, "float32")
        schedule = both.rewritten(7)
        outcomes.append(both.planned(both.batch(7), in_lanes(schedule) if lanes else schedule))
    assert bits(outcomes[0]) == bits(outcomes[1])


def test_lanes_drop_the_same_numbers_as_the_whole_batch() -> None:
    both = Both.of("input 6x6x2 -> dropout 0.5 -> flatten -> dense 4 -> dropout 0.2 -> dense 3")
    batch = both.batch(5)
    schedule = both.rewritten(5)
    assert_agree(both.planned(batch, in_lanes(schedule)), both.planned(batch, schedule), 1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [2, 3, 7])
def test_lanes_normalize_by_the_whole_batch_also_where_its_halves_are_far_apart(size: int, dtype: str) -> None:
    """Halves a hundred deviations from each other: a difference of squares would cancel."""
    both = Both.of("input 5x4x2 -> batchnorm -> conv 2x2 x3 -> batchnorm -> relu -> dense 3", dtype)
    random = both.batch(size)
    batch = Batch(random.x + np.linspace(0, 100, size, dtype=dtype).reshape(-1, 1, 1, 1), random.y)
    schedule = in_lanes(both.rewritten(size))
    assert len(schedule.lanes) == 2
    assert_agree(both.planned(batch, schedule), both.plain(batch), CLOSE[dtype])


def test_each_step_drops_other_numbers() -> None:
    both = Both.of("input 6 -> dropout 0.5 -> dense 3")
    batch = both.batch(5)
    bound, _ = both.bound(both.rewritten(5), batch, np.random.default_rng(1))
    assert run(bound, batch) != run(bound, batch)


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_no_number_is_read_that_no_step_has_written(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory fresh from the system is full of NaN here; it would show in the loss, the gradients or the answers."""
    both = Both.of(text)
    for name, made in WatchedNumPy(blank=np.nan).makers.items():
        monkeypatch.setitem(PROGRAM_NAMES, name, made)
    bind._compiled.cache_clear()
    try:
        for size in (1, 4):
            both.assert_planned_is_plain(*both.schedules(size))
    finally:
        bind._compiled.cache_clear()


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_a_program_leaves_samples_targets_and_parameters_as_they_are(text: str) -> None:
    both = Both.of(text)
    batch = both.batch(3)
    parameters = both.network.parameter_arena.flat
    before = parameters.copy()
    for schedule in both.schedules(3):
        bound, _ = both.bound(schedule, batch, np.random.default_rng(0))
        run(bound, batch)
        np.testing.assert_array_equal(bound.samples, batch.x)
        np.testing.assert_array_equal(parameters, before)
        if schedule.training:
            np.testing.assert_array_equal(bound.targets, batch.y)


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_parameters_are_read_at_each_step(text: str) -> None:
    both = Both.of(text)
    batch = both.batch(3)
    random = np.random.default_rng(5)
    bound, gradients = both.bound(both.rewritten(3), batch, random)
    buffers = both.network.buffer_arena.flat.copy()
    run(bound, batch)
    both.network.parameter_arena.flat[...] *= -0.5
    both.network.buffer_arena.flat[...] = buffers
    random.bit_generator.state = np.random.default_rng(5).bit_generator.state
    loss = run(bound, batch)
    both.network.buffer_arena.flat[...] = buffers
    plain = both.plain(batch)
    np.testing.assert_allclose(loss, plain.loss, rtol=1e-10)
    np.testing.assert_allclose(gradients, plain.gradients, atol=1e-10 * np.abs(plain.gradients).max())


SAMPLES = {
    "image": (6, 5, 3),
    "image of one channel": (6, 5, 1),
    "image without a channel axis": (6, 5),
    "row": (7,),
    "four axes": (2, 1, 3, 2),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int64, np.float32, np.float64, np.bool_])
@pytest.mark.parametrize("normalize", ["zscore", "minmax", "unit", "none"])
@pytest.mark.parametrize("shape", SAMPLES.values(), ids=SAMPLES)
def test_samples_of_any_type_are_normalized_as_preprocessing_says(
    shape: tuple[int, ...], normalize: Any, kind: Any, dtype: str
) -> None:
    spec = check_source(Source("a test", f"input {'x'.join(map(str, shape))} -> linear"))
    x = (np.random.default_rng(0).uniform(0, 255, (9, *shape)).round() % (2 if kind is np.bool_ else 256)).astype(kind)
    measured = np.concatenate([x, x]).astype(np.float64) * 3 if kind is np.bool_ else x
    preprocessing = Preprocessing.fit(measured, normalize, "regression")
    network = Network(spec, preprocessing, np.dtype(dtype))
    answers = network.predict(x)
    assert answers.dtype == dtype
    np.testing.assert_array_equal(answers, preprocessing.apply(x, dtype))


@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.float64])
def test_a_training_step_normalizes_its_samples(kind: Any) -> None:
    both = Both.of("input 6x5 -> conv 3x3 x2 relu -> dense 3", "float64")
    x = np.random.default_rng(0).integers(0, 256, (4, 6, 5)).astype(kind)
    preprocessing = Preprocessing.fit(x, "zscore", "regression")
    y = both.batch(4).y
    plan = assemble(both.rewritten(4), "float64", True)
    gradients = np.empty_like(both.network.parameter_arena.flat)
    bound = BoundProgram(
        plan,
        both.network.parameter_arena.flat,
        gradients,
        both.network.buffer_arena.flat,
        x.dtype,
        (y.shape[1:], y.dtype),
        preprocessing.constants(x.dtype, np.dtype("float64")),
        None,
        executor=IN_TURN,
    )
    loss = run(bound, Batch(x, y))
    plain = both.plain(Batch(preprocessing.apply(x, np.float64), y))
    np.testing.assert_allclose(loss, plain.loss, rtol=1e-12)
    np.testing.assert_allclose(gradients, plain.gradients, rtol=0, atol=1e-12 * np.abs(plain.gradients).max())


def test_a_plan_allocates_nothing_and_its_programs_share_no_memory() -> None:
    both = Both.of(DEEP)
    plan = assemble(both.rewritten(3), "float64", False)
    assert isinstance(plan, Plan)
    batch = both.batch(3)
    first, second = (both.bound(both.rewritten(3), batch, np.random.default_rng(5))[0] for _ in range(2))
    loss = run(first, batch)
    run(second, both.batch(3, seed=1))
    first._random.bit_generator.state = np.random.default_rng(5).bit_generator.state
    assert run(first, batch) == loss


def test_a_line_that_names_no_layer_is_no_program() -> None:
    with pytest.raises(KeyError):
        plain_layer("convolve 3x3", (5, 5, 1), {})
    with pytest.raises(ValueError, match="is no layer"):
        plain_layer("dense many", (5,), {})


def test_a_plain_layer_and_a_plain_loss_are_found_by_their_words() -> None:
    x = np.array([[-1.0, 2.0]])
    y, _ = plain_layer("leaky_relu slope=0.5", (2,), {})(x, Mode())
    np.testing.assert_array_equal(y, [[-0.5, 2.0]])
    loss, _ = plain_loss("huber delta=1")(x, np.zeros((1, 2)))
    assert loss == 1.0


def bits(values: Any) -> list[bytes]:
    """Every number in a tuple of tuples and arrays, byte for byte."""
    if isinstance(values, tuple):
        return [entry for value in values for entry in bits(value)]
    return [np.asarray(values).tobytes()]


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "mse"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_weighted_step_is_the_plain_one_with_these_weights_in_one_lane_and_in_two(loss: str, dtype: str) -> None:
    head = {"cross_entropy": "dense 4 softmax", "binary_cross_entropy": "dense 4 sigmoid", "mse": "dense 4"}[loss]
    both = Both.of(f"input 6x6x2 -> conv 3x3 x3 relu -> {head}\nloss {loss}", dtype)
    batch, weights = both.batch(7), np.array([1, 0, 2, 0.5, 3, 1, 0.25], dtype)
    network = both.network
    expected = Arena(network.spec.parameters(), network.dtype)
    loss_expected = network.program.loss_and_gradients(*batch, Mode(True), expected, weights)
    for schedule in (both.rewritten(7), in_lanes(both.rewritten(7))):
        bound, gradients = both.bound(replace(schedule, weighted=True), batch)
        assert bound.weights is not None
        bound.weights[...] = weights
        np.testing.assert_allclose(run(bound, batch), loss_expected, rtol=CLOSE[dtype])
        np.testing.assert_allclose(gradients, expected.flat, rtol=100 * CLOSE[dtype], atol=CLOSE[dtype])
