"""The programs of a network: of any number of samples each is answered as if it were alone, and as it is defined."""

from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from nnspec.runtime.arena import Arena
from nnspec.runtime.compiler.assemble import Plan
from nnspec.runtime.compiler.rewrites import REWRITES
from nnspec.runtime.data import Preprocessing, Split
from nnspec.runtime.infer.evaluation import confusion_matrix, evaluate, loss_and_outputs
from nnspec.runtime.infer.network import Network
from nnspec.runtime.infer.program_cache import LARGEST, plan_for
from nnspec.runtime.layers import Mode
from nnspec.runtime.metrics import measure
from nnspec.spec_lang.check.examination import check_source
from nnspec.spec_lang.source import Source

SPECS = {
    "dense": "input 20 -> dense 30 relu -> dense 4 softmax",
    "convolutions": "input 9x8 -> conv 3x3 x4 relu -> maxpool 2 -> conv 2x2 x3 tanh -> dropout 0.5 -> dense 4 softmax",
    "plain forms": "input 6x6x2 -> conv 3x3 x4 groups=2 -> batchnorm -> gelu -> globalmaxpool -> dense 2 sigmoid",
    "numbers": "input 7 -> dense 9 elu -> layernorm -> dense 3",
    "an image": "input 6x5x2 -> conv 3x3 x2 pad=same -> (skip + relu)",
    "a plane": "input 12 -> dense 12 -> reshape 3x4",
}
SIZES = (0, 1, 2, LARGEST - 1, LARGEST, LARGEST + 1, 300)


def network(text: str, dtype: str = "float32", normalize: Any = "zscore") -> tuple[Network, np.ndarray]:
    """A network of random parameters that has learnt to normalize bytes, and 300 samples of bytes."""
    random = np.random.default_rng(0)
    spec = check_source(Source("a test", text))
    assert spec.input is not None
    x = random.integers(0, 256, (300, *spec.input)).astype(np.uint8)
    made = Network(spec, Preprocessing.fit(x, normalize, "classification"), np.dtype(dtype))
    made.initialize(1)
    for name, array in made.buffer_arena.items():
        array[...] = random.uniform(0.5, 2, array.shape) if "var" in name else random.normal(0, 0.5, array.shape)
    return made, x


def defined(net: Network, x: np.ndarray) -> np.ndarray:
    return net.program.outputs(net.preprocessing.apply(x, net.dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("text", SPECS.values(), ids=SPECS)
def test_any_number_of_samples_is_answered_one_by_one_alike(text: str, dtype: str) -> None:
    net, x = network(text, dtype)
    alone = np.concatenate([net.predict(x[i : i + 1]) for i in range(len(x))])
    assert alone.dtype == dtype
    np.testing.assert_allclose(alone, defined(net, x), rtol=0, atol=1e-6 if dtype == "float32" else 1e-12)
    for size in SIZES:
        together = net.predict(x[:size])
        assert together.shape == (size, *alone.shape[1:])
        np.testing.assert_allclose(together, alone[:size], rtol=0, atol=1e-6 if dtype == "float32" else 1e-12)


def test_answers_are_the_callers_own() -> None:
    net, x = network(SPECS["dense"])
    first = net.predict(x[:5])
    before = first.copy()
    net.predict(x[5:10])
    np.testing.assert_array_equal(first, before)
    first.fill(np.nan)
    np.testing.assert_array_equal(net.predict(x[:5]), before)


def test_samples_are_left_as_they_are() -> None:
    net, x = network(SPECS["convolutions"], normalize="none")
    x = x.astype(np.float32)
    before = x.copy()
    net.predict(x)
    np.testing.assert_array_equal(x, before)


def test_samples_are_taken_as_lists_views_and_arrays_of_any_type() -> None:
    net, x = network(SPECS["convolutions"].replace("9x8", "9x8x1"))
    some = x[:6:2]
    expected = net.predict(some)
    for samples in (some.tolist(), some.astype(np.float64), some[..., 0], np.asfortranarray(some)):
        np.testing.assert_allclose(net.predict(samples), expected, rtol=1e-5)


@pytest.mark.parametrize("text", SPECS.values(), ids=SPECS)
def test_a_program_reads_samples_where_they_are(text: str) -> None:
    net, x = network(text)
    given = np.asfortranarray(x[: LARGEST // 2])
    given.flags.writeable = False
    program, _ = net.programs.carrying("outputs", len(given), x.dtype)
    found = program.answers(given).copy()
    assert not program.samples.any()
    program.samples[...] = given
    np.testing.assert_array_equal(program(), found)


def test_new_parameters_are_seen_at_once() -> None:
    net, x = network(SPECS["dense"])
    former = net.predict(x[:3])
    net.set_parameters({name: -2 * array for name, array in net.parameters.items()})
    np.testing.assert_allclose(net.predict(x[:3]), defined(net, x[:3]), atol=1e-6)
    assert not np.allclose(net.predict(x[:3]), former)


def test_running_averages_are_seen_at_once_and_answers_leave_them_alone() -> None:
    net, x = network(SPECS["plain forms"])
    net.predict(x[:3])
    net.buffer_arena.flat[...] += 0.5
    before = net.buffer_arena.flat.copy()
    np.testing.assert_allclose(net.predict(x[:3]), defined(net, x[:3]), atol=1e-6)
    np.testing.assert_array_equal(net.buffer_arena.flat, before)


@pytest.mark.parametrize("text", SPECS.values(), ids=SPECS)
def test_long_answers_in_two_threads_are_the_same(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net, x = network(text)
    short = net.predict(x)
    monkeypatch.setattr("nnspec.runtime.compiler.rewrites.STEP_WORTH_A_THREAD", 0)
    long, _ = network(text)
    np.testing.assert_allclose(long.predict(x), short, rtol=0, atol=1e-6)


@pytest.mark.parametrize("count", [1, 4, 16, 300])
@pytest.mark.parametrize("text", [SPECS["convolutions"], "input 784 -> dense 512 relu -> dense 10 softmax"])
def test_the_bits_of_an_answer_do_not_follow_the_threads_that_blas_may_use(text: str, count: int) -> None:
    net, x = network(text)
    bits = set()
    for threads in (1, 2, 4):
        with threadpool_limits(threads, user_api="blas"):
            bits.add(net.predict(x[:count]).tobytes())
    assert len(bits) == 1


@pytest.mark.parametrize("text", [SPECS["dense"], SPECS["convolutions"], SPECS["numbers"]])
@pytest.mark.parametrize("size", [1, 255, 300])
def test_evaluation_is_what_the_definition_says(text: str, size: int) -> None:
    net, x = network(text)
    random = np.random.default_rng(2)
    spec = net.spec
    y = random.integers(0, 4, 300) if spec.classification else random.normal(size=(300, 3)).astype(np.float32)
    split = Split(x[:size], y[:size])
    batch = net.preprocessing.apply(split.inputs, net.dtype)
    loss, _ = net.program.loss(net.program.forward(batch, Mode())[0], split.targets)
    outputs = net.program.outputs(batch)
    measured = evaluate(net, split, "test_")
    assert set(measured) == {"test_loss", *(f"test_{metric.word}" for metric in spec.metrics)}
    assert measured["test_loss"] == pytest.approx(loss, rel=1e-6)
    for metric in spec.metrics:
        if np.isfinite(measure(metric, outputs, split.targets)):
            assert measured[f"test_{metric.word}"] == pytest.approx(measure(metric, outputs, split.targets), rel=1e-5)
    np.testing.assert_allclose(loss_and_outputs(net, split)[1], outputs, atol=1e-6)


def test_the_confusion_of_classes_counts_every_sample_once() -> None:
    net, x = network(SPECS["dense"])
    y = np.random.default_rng(2).integers(0, 4, 300)
    table = confusion_matrix(net, Split(x, y))
    assert table.sum() == 300
    np.testing.assert_array_equal(table.sum(axis=1), np.bincount(y, minlength=4))
    assert np.trace(table) == (defined(net, x).argmax(axis=1) == y).sum()


def test_few_programs_serve_all_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    net, x = network(SPECS["dense"])
    made: list[int] = []
    plan = net.programs.plan

    def planned(batch: int, *rest: Any) -> Plan:
        made.append(batch)
        return plan(batch, *rest)

    monkeypatch.setattr(net.programs, "plan", planned)
    for size in range(1, 300, 7):
        net.predict(x[:size])
    assert len(set(made)) <= 9
    assert max(made) == LARGEST


def test_training_and_answers_work_on_the_same_parameters() -> None:
    net, x = network(SPECS["dense"])
    gradients = Arena(net.spec.parameters(), net.dtype)
    y = np.random.default_rng(2).integers(0, 4, 300)
    program = net.programs.training(8, gradients, x, y, np.random.default_rng(0))
    program.samples[...], program.targets[...] = x[:8], y[:8]
    losses = []
    for _ in range(5):
        losses.append(program())
        net.parameter_arena.flat[...] -= 0.05 * gradients.flat
    assert losses == sorted(losses, reverse=True)
    np.testing.assert_allclose(net.predict(x[:8]), defined(net, x[:8]), atol=1e-6)


@pytest.mark.parametrize("name", REWRITES)
def test_a_plan_is_made_without_the_rewrites_that_are_left_out(name: str) -> None:
    net, _ = network(SPECS["convolutions"])
    arenas = net.parameter_arena, net.buffer_arena
    plan = plan_for(net.programs.graph, net.spec.loss, *arenas, 4, "train", True, without=frozenset({name}))
    assert name not in plan.schedule.applied


def test_a_plan_for_logits_has_no_head_and_one_for_outputs_has() -> None:
    net, _ = network(SPECS["dense"])
    assert net.programs.plan(4, "logits").schedule.head is None
    assert net.programs.plan(4, "outputs").schedule.head is not None
    assert net.programs.plan(4, "train").schedule.training


def test_gradients_do_not_depend_on_the_threads_that_blas_may_use() -> None:
    net, x = network("input 784 -> dense 1000 relu -> dense 300 relu -> dense 10 softmax", normalize="none")
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            loss, gradients = net.loss_and_gradients(x[:32], np.arange(32) % 10)
        found.append((loss, [array.tobytes() for array in gradients.values()]))
    assert found[0] == found[1]
