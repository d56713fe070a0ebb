"""What a plan tells people, and the program that it prints."""

import subprocess
import sys
import tracemalloc
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import pytest

import nnspec
from nnspec.runtime import optimizers
from nnspec.runtime.compiler.assemble import assemble
from nnspec.runtime.compiler.listing import listing, nodes_of, training_bytes
from nnspec.runtime.compiler.standalone import Standalone
from nnspec.runtime.data import data_from_arrays
from nnspec.runtime.infer.network import Network
from nnspec.runtime.infer.program_cache import plan_for, plan_of_spec
from nnspec.runtime.optimizers import BLOCK, SWEEP, rule
from nnspec.runtime.train.state import initial_state
from nnspec.runtime.train.step import Stepper
from nnspec.spec_lang.vocabulary.optimizers import Sgd
from nnspec.spec_lang.vocabulary.registry import layers, words
from nnspec.spec_lang.vocabulary.shape import Shape
from tests.runtime.compiler import watched
from tests.runtime.compiler.both import Both
from tests.support.strategies import examples
from tests.support.throwaway import throwaway_words

CONV = """input 12x12x1 -> conv 3x3 x4 relu -> maxpool 2 -> dense 3 softmax
optimizer momentum lr=0.05
train 1 epochs batch=6"""
IN_BLOCKS = "input 200 -> dense 64 relu -> dense 3 softmax\noptimizer sgd lr=0.01\ntrain 9 iterations batch=1"
PLAIN = "input 6x6x2 -> conv 3x3 x4 -> batchnorm -> gelu -> dropout 0.2 -> dense 3 sigmoid\ntrain 1 epochs batch=4"

BARRIER = """input 12x12x4 -> conv 3x3 x64 bias=no -> batchnorm -> relu -> globalavgpool -> dense 3 softmax
optimizer adam lr=0.01
train 1 epochs batch=33"""

STEPS = """input 7 -> onehot vocab=27 -> lstm 6 return=sequence -> dense 27 softmax
optimizer adam lr=0.01
train 1 epochs batch=8"""


RAW = """input 2
dense 3 relu -> dense 2 softmax
optimizer sgd lr=0.1
train 100 iterations batch=4"""


def plan_of(text: Any) -> Any:
    network = nnspec.compile(text)
    spec = network.spec
    plain_sgd = spec.optimizer.word == "sgd"
    arenas = network.parameter_arena, network.buffer_arena
    return plan_for(network.programs.graph, spec.loss, *arenas, spec.train.batch, "train", True, plain_sgd), spec


@pytest.mark.parametrize("text", [CONV, IN_BLOCKS, PLAIN, BARRIER, STEPS, RAW])
def test_the_listing_runs_by_itself_and_its_loss_falls(text: Any, tmp_path: Path) -> None:
    code = tmp_path / "step.py"
    code.write_text(listing(*plan_of(text)))
    done = subprocess.run([sys.executable, code], capture_output=True, text=True, check=True)
    losses = [float(line.split()[1]) for line in done.stdout.splitlines()]
    assert len(losses) == 10 and losses[-1] < losses[0]


def test_the_listing_needs_nothing_but_numpy_where_every_layer_has_a_kernel() -> None:
    imported = [line for line in listing(*plan_of(CONV)).splitlines() if line.startswith(("import", "from"))]
    assert {line.split()[1].split(".")[0] for line in imported} == {"__future__", "math", "types", "numpy"}


@pytest.mark.parametrize(("text", "lanes"), [(CONV, 1), (BARRIER, 2)])
def test_the_lanes_of_the_listing_are_what_a_run_executes(text: Any, lanes: int) -> None:
    plan, spec = plan_of(text)
    assert len(plan.schedule.lanes) == lanes
    text = listing(plan, spec)
    for lane in plan.lanes.values():
        assert lane.text.split("\n", 1)[1] in text


def executed(text: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The names of a printed program, executed with nothing else."""
    module = ModuleType("printed_program")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(text, "<listing>", "exec"), module.__dict__)
    return module


def assert_printed_optimizer_is_the_rule(word: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three sweeps of slots apart, over more than one block of numbers."""
    spec = nnspec.check(f"{CONV.splitlines()[0]}\noptimizer {word}\ntrain 1 epochs batch=6")
    printed = executed(listing(plan_of_spec(spec), spec), monkeypatch)
    random = np.random.default_rng(0)
    p, g = random.standard_normal((2, BLOCK + 50)).astype(np.float32)
    ours, theirs = p.copy(), p.copy()
    slots = [{name: np.zeros_like(p) for name in spec.optimizer.slots} for _ in "ab"]
    update = rule(spec.optimizer)
    for step in (1, 2, SWEEP):
        update(ours, g.copy(), slots[0], step, 0.1)
        printed.update(theirs, g.copy(), slots[1], step, 0.1)
    np.testing.assert_array_equal(ours, theirs)
    assert (ours != p).any()


@pytest.mark.parametrize("word", [text for name in words("optimizer") for text in (name, f"{name} weight_decay=0.1")])
def test_every_optimizer_of_a_listing_is_the_projects_own_rule(word: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_printed_optimizer_is_the_rule(word, monkeypatch)


FACTOR = 0.5
SCHEDULE = {"first": (1.0, FACTOR)}


def _halved(g: Any, word: Any) -> Any:
    return g * FACTOR * SCHEDULE["first"][0] * word.own_factor


def test_an_optimizer_with_a_helper_and_constants_of_its_own_prints_all_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nearby = _halved
    with throwaway_words():

        class Halving(Sgd):
            word = "halving"
            own_factor: ClassVar[float] = 0.25

        @optimizers.implements_rule(Halving)
        def halving(word: Any) -> Any:
            def update(p: Any, g: Any, slots: Any, free: Any, step: Any, rate: Any) -> None:
                np.subtract(p, rate * nearby(g, word), out=p)

            return update

        spec = nnspec.check(CONV.replace("momentum lr=0.05", "halving lr=0.1"))
        text = listing(plan_of_spec(spec), spec)
    printed = executed(text, monkeypatch)
    p = np.ones(4, np.float32)
    printed.update(p, np.ones(4, np.float32), {}, 1, 0.1)
    np.testing.assert_allclose(p, 1 - 0.1 * 0.5 * 0.25, rtol=1e-6)
    assert text.count("FACTOR = 0.5") == 1


def test_two_things_of_one_name_are_refused() -> None:
    program = Standalone()
    program.add("BLOCK", 3)
    program.add("BLOCK", 3)
    with pytest.raises(ValueError, match="two things called BLOCK"):
        program.add("BLOCK", 4)


CASES = {case.text: case for name in sorted(layers()) for case in examples(name)}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_layer_of_a_listing_is_what_a_run_computes(case: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_lanes_are_bound(f"{case.text} -> flatten -> dense 2", case.shape, monkeypatch)


@pytest.mark.parametrize("sign", words("merge"))
def test_every_merge_of_a_listing_is_what_a_run_computes(sign: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_lanes_are_bound(f"(dense 4 {sign} dense 4 tanh {sign} dense 4) -> dense 2", Shape((5,)), monkeypatch)


@pytest.mark.parametrize("loss", words("loss"))
def test_every_loss_of_a_listing_is_what_a_run_computes(loss: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    head = words("loss")[loss].head or ""
    assert_lanes_are_bound(f"dense 3 {head}\nloss {loss}", Shape((5,)), monkeypatch)


def assert_lanes_are_bound(text: Any, shape: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loss and gradients of a printed lane are those of the program that a run binds, bit by bit."""
    both = Both.of(text, "float32", shape)
    schedule = both.rewritten(3)
    spec = both.network.spec
    printed = executed(listing(assemble(schedule, "float32", False), spec), monkeypatch)
    batch = both.batch(3)
    lane = getattr(printed, f"lane_of_{schedule.lanes[0]}")
    ours, theirs = np.zeros((2, both.network.parameter_arena.flat.size), np.float32)
    step = watched.lane_of(both, schedule, 3, batch, np, gradients=ours)
    arguments = watched.arguments_of(both, schedule, 3, batch, gradients=theirs)
    assert step() == arguments.bind(lane)()
    np.testing.assert_array_equal(ours, theirs)


def test_each_operation_is_listed_with_what_the_rewrites_made_of_it() -> None:
    plan, _ = plan_of(CONV)
    listed = {node.name: node for node in nodes_of(plan)}
    assert listed["conv1/relu"].notes == ("after the pool",)
    assert listed["maxpool1"].notes == ("of contiguous phases",)
    assert listed["conv1"].flops == 6 * 10 * 10 * 4 * (2 * 9 + 1)
    assert {node.form for node in nodes_of(plan_of(PLAIN)[0])} == {"planned", "plain"}


def test_the_bytes_of_training_grow_by_a_slot_for_each_parameter() -> None:
    plans = [plan_of(CONV.replace("momentum lr=0.05", word)) for word in ("momentum", "adam")]
    momentum, adam = (training_bytes(plan, spec, 1) for plan, spec in plans)
    assert adam - momentum == 4 * plan_of(CONV)[1].parameter_count


HEAVY = (
    "input 28x28 -> conv 5x5 x16 relu -> maxpool 2 -> conv 3x3 x32 pad=same -> batchnorm -> relu -> dropout 0.3 "
    "-> dense 10 softmax\noptimizer adam\ntrain 1 epochs batch=64",
    "input 784 -> dense 512 relu -> dense 10 softmax\noptimizer sgd\ntrain 1 epochs batch=1",
    "input 40x16 -> lstm 128 return=sequence -> gru 64 bidirectional=yes -> dense 10 softmax\n"
    "optimizer momentum\ntrain 1 epochs batch=32",
    "input 28x28 -> (conv 3x3 x8 pad=same + conv 1x1 x8) -> repeat 2 ((conv 3x3 x8 pad=same relu | skip)) "
    "-> globalavgpool -> dense 10 softmax\noptimizer rmsprop\ntrain 1 epochs batch=33",
)


@pytest.mark.parametrize("text", HEAVY)
def test_what_a_training_step_will_take_is_foretold_within_a_tenth(text: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnspec.runtime.execute.processors.worker_pays", lambda: False)  # all of it in this process
    monkeypatch.setattr("mmap.mmap", lambda _, size, *flags: bytearray(size))  # and seen
    spec = nnspec.check(text)
    foretold = training_bytes(plan_of_spec(spec), spec, 4)
    samples = np.random.default_rng(0).random((200, *(spec.input or ())), np.float32)
    data = data_from_arrays(samples, np.arange(200) % 10, classification=True)
    tracemalloc.start()
    try:
        network = Network(spec, data.preprocessing)
        stepper = Stepper(initial_state(network, 200, 0), data, 1e9)
        with stepper.ready():
            stepper.advance(1)
        _, taken = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert foretold == pytest.approx(taken, rel=0.1)
