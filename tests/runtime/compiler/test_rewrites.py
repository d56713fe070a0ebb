"""Each rewrite by itself: what it does to the schedule, when it keeps away, and that the numbers stay the same."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import nnspec
from nnspec.runtime.compiler import rewrites
from nnspec.runtime.compiler.assemble import assemble
from nnspec.runtime.compiler.rewrites import BLOCK_STEPS, EXAMPLES, REWRITES, WIDE, rewritten
from nnspec.runtime.compiler.schedule import ExecutionSchedule, ScheduledNode
from nnspec.runtime.infer import program_cache
from nnspec.runtime.infer.program_cache import with_lanes
from tests.runtime.compiler.both import NONE, Batch, Both, all_but, assert_close

CONV = "input 8x8x2 -> conv 3x3 x3 relu -> maxpool 2 -> dense 4 relu -> dense 3 softmax"
DENSE = "input 784 -> dense 512 relu -> dense 10 softmax\noptimizer adam\ntrain"
WIDE_DENSE = f"input {WIDE // 50} -> dense 50 relu -> dense 3 softmax"

TEXTS = {
    "chain of convolutions": CONV,
    "leaky activations": "input 9x8x1 -> conv 2x2 x3 leaky_relu -> maxpool 2 -> leaky_relu slope=1.5 -> dense 3",
    "average": "input 8x8x2 -> conv 3x3 x3 -> avgpool 3 -> dense 3 sigmoid",
    "overlap": "input 8x8x2 -> conv 3x3 x3 pad=same relu -> maxpool 3 stride=2 pad=1 -> conv 1x1 x2 -> dense 3",
    "forks": "input 6x6x2 -> conv 3x3 x2 relu -> (maxpool 2 -> dense 4 | dense 2 relu | flatten) -> dense 3 softmax",
    "dense": "input 7 -> dense 6 relu -> dropout 0.3 -> dense 5 tanh -> dense 2",
    "plain forms": "input 6x6x2 -> conv 3x3 x4 groups=2 gelu -> batchnorm -> globalmaxpool -> dense 3 softmax",
}


def find(schedule: ExecutionSchedule, name: str) -> ScheduledNode:
    return next(node for node in schedule.nodes if node.name == name)


def assert_computed_by(form: str, both: Both) -> None:
    """The first convolution is computed in this form, for batches of any size, and the numbers are the same."""
    for size in (1, 2, 7):
        schedule = both.rewritten(size)
        assert getattr(find(schedule, "conv1"), form)
        inference = both.rewritten(size, training=False)
        both.assert_planned_is_plain(schedule, inference, replace(schedule, first_gradient=True))


@pytest.mark.parametrize("name", REWRITES)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_rewrite_alone_and_all_but_it_leave_the_numbers_as_they_were(name: str, text: str, long_steps: None) -> None:
    both = Both.of(text)
    for size in (1, 5):
        for without in (all_but(name), frozenset({name})):
            schedules = [both.rewritten(size, without, training) for training in (True, False)]
            both.assert_planned_is_plain(*schedules)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_without_any_rewrite_the_numbers_are_the_same(text: str) -> None:
    both = Both.of(text)
    both.assert_planned_is_plain(both.schedule(5), both.schedule(5, training=False))


@pytest.mark.parametrize("name", REWRITES)
def test_a_rewrite_leaves_the_numbers_of_its_own_example_as_they_were(name: str, long_steps: None) -> None:
    both = Both.from_spec(nnspec.check(EXAMPLES[name]))
    for size in (1, 2, 5):
        for without in (NONE, all_but(name), frozenset({name})):
            schedules = [both.rewritten(size, without, training) for training in (True, False)]
            both.assert_planned_is_plain(*schedules)


@pytest.mark.parametrize("name", REWRITES)
def test_every_rewrite_says_why_it_is_allowed(name: str) -> None:
    words = len((REWRITES[name].__doc__ or "").split())
    assert words > 15, f"the docstring of {name} has {words} words: write why the numbers stay the same, in 16 or more"


def test_what_was_applied_is_told_in_order_and_what_was_left_out_is_not_applied(long_steps: None) -> None:
    both = Both.of(CONV)
    everything = both.rewritten(5).applied
    assert everything == tuple(name for name in REWRITES if name in everything)
    assert set(everything) >= {"pool_first", "pool_phases", "fold_bias", "no_first_gradient", "lanes", "columns_again"}
    assert not {"flat_samples", "blocks"} & set(everything)
    for name in everything:
        assert name not in both.rewritten(5, frozenset({name})).applied
    assert both.rewritten(5, all_but("pool_first", "lanes")).applied == ("pool_first", "lanes")
    assert both.rewritten(5, all_but()).applied == ()


def test_a_rewrite_that_finds_nothing_to_do_is_not_told() -> None:
    assert "pool_first" not in Both.of(TEXTS["dense"]).rewritten(5).applied


def test_samples_come_in_as_rows_where_every_reader_flattens_them() -> None:
    flat = "input 4x5x2 -> (flatten -> dense 3 | dense 2 relu) -> dense 2 softmax"
    for text, rows in ((flat, True), (flat.replace("flatten", "maxpool 2"), False), ("input 7 -> dense 3", False)):
        both = Both.of(text)
        assert both.rewritten(5).flat_samples is rows
        both.assert_planned_is_plain(*both.schedules(5))


def test_leaving_out_a_rewrite_that_there_is_none_of_is_an_error() -> None:
    with pytest.raises(KeyError, match="pool_last"):
        rewritten(Both.of(CONV).schedule(2), frozenset({"pool_last"}))


def test_a_draft_is_a_value_that_rewriting_leaves_alone() -> None:
    both = Both.of(CONV)
    schedule, same = both.schedule(5), both.schedule(5)
    assert rewritten(schedule) == rewritten(same)
    assert schedule == same
    assert schedule.applied == ()


class TestPoolFirst:
    @pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
    def test_the_activation_changes_places_with_the_pool_behind_it(self, activation: str) -> None:
        schedule = Both.of(f"input 8x8x1 -> conv 3x3 x2 {activation} -> maxpool 2 -> dense 3").rewritten(
            2, all_but("pool_first")
        )
        moved = f"conv1/{activation}"
        assert [node.name for node in schedule.nodes] == ["conv1", "maxpool1", moved, "dense1"]
        assert find(schedule, "maxpool1").inputs == ("conv1",)
        assert find(schedule, moved).inputs == ("maxpool1",)
        assert find(schedule, "dense1").inputs == (moved,)
        assert find(schedule, moved).input_shapes == (find(schedule, moved).output_shape,) == ((3, 3, 2),)
        assert find(schedule, moved).notes

    def test_several_activations_change_places_one_after_another(self) -> None:
        both = Both.of("input 8x8x1 -> conv 3x3 x2 relu -> leaky_relu -> maxpool 2 -> dense 3")
        schedule = both.rewritten(2, all_but("pool_first"))
        assert [node.layer.word for node in schedule.nodes] == ["conv", "maxpool", "relu", "leaky_relu", "dense"]
        both.assert_planned_is_plain(schedule)

    def test_one_activation_passes_several_pools(self) -> None:
        both = Both.of("input 9x9x1 -> conv 2x2 x2 relu -> maxpool 2 -> maxpool 2 -> dense 3")
        schedule = both.rewritten(2, all_but("pool_first"))
        assert [node.layer.word for node in schedule.nodes] == ["conv", "maxpool", "maxpool", "relu", "dense"]
        both.assert_planned_is_plain(schedule)

    @pytest.mark.parametrize(
        "between",
        [
            "tanh -> maxpool 2",
            "relu -> avgpool 2",
            "relu -> globalmaxpool",
            "relu -> (maxpool 2 -> dense 2 + dense 2)",
            "maxpool 2 -> relu",
        ],
    )
    def test_nothing_else_changes_places(self, between: str) -> None:
        schedule = Both.of(f"input 8x8x1 -> conv 3x3 x2 -> {between} -> dense 3").schedule(2)
        assert rewritten(schedule, all_but("pool_first")) is schedule

    def test_padding_never_wins_also_where_the_pool_comes_first(self) -> None:
        both = Both.of("input 4x4x1 -> conv 1x1 x2 -> leaky_relu slope=0.5 -> maxpool 3 stride=2 pad=1 -> dense 3")
        both.network.parameter_arena["conv1/bias"][...] = -50  # every number that padding competes with is negative
        both.assert_planned_is_plain(both.rewritten(3), both.rewritten(3, training=False))

    def test_ties_at_zero_send_no_gradient_either_way(self) -> None:
        both = Both.of("input 4x4x1 -> conv 1x1 x1 relu -> maxpool 2 -> dense 3 softmax")
        both.network.parameter_arena["conv1/weight"][...] = 0
        for bias in (-1, 0, 1):
            both.network.parameter_arena["conv1/bias"][...] = bias
            both.assert_planned_is_plain(both.rewritten(3))


class TestPoolPhases:
    @pytest.mark.parametrize("pool", ["maxpool 2", "avgpool 3", "maxpool 2x2 stride=2 pad=0"])
    def test_convolution_and_pool_agree_on_the_order_of_places(self, pool: str) -> None:
        both = Both.of(f"input 9x8x1 -> conv 3x3 x2 -> {pool} -> dense 3")
        schedule = both.rewritten(2, all_but("pool_phases"))
        conv, pooling = schedule.nodes[:2]
        assert conv.phases == pooling.phases == pooling.layer.strides()[0]
        assert conv.notes
        assert pooling.notes
        both.assert_planned_is_plain(schedule)

    @pytest.mark.parametrize(
        "text",
        [
            "conv 3x3 x2 -> maxpool 3 stride=2",
            "conv 3x3 x2 -> maxpool 3 stride=2 pad=1",
            "conv 3x3 x2 -> maxpool 2x3 stride=2",
            "conv 3x3 x2 -> maxpool 2x3",
            "conv 3x3 x2 -> maxpool 2 stride=2x1",
            "conv 3x3 x2 -> maxpool 2 dilation=1x2",
            "conv 3x3 x2 -> maxpool 2 stride=3",
            "conv 3x3 x2 -> maxpool 2 pad=same",
            "conv 3x3 x2 -> maxpool 1",
            "conv 3x3 x2 groups=2 -> maxpool 2",
            "conv 3x3 x2 -> relu -> avgpool 2",
            "conv 3x3 x2 -> (maxpool 2 -> dense 2 + dense 2)",
            "relu -> maxpool 2",
        ],
    )
    def test_nothing_else_is_computed_in_phases(self, text: str) -> None:
        both = Both.of(f"input 9x9x2 -> {text} -> dense 3")
        schedule = both.rewritten(2, all_but("pool_phases"))
        assert {node.phases for node in schedule.nodes} == {1}
        both.assert_planned_is_plain(schedule)

    @pytest.mark.parametrize("options", ["stride=2", "dilation=2", "pad=same", "pad=3 stride=2 dilation=2", "bias=no"])
    def test_phases_hold_for_any_window_of_the_convolution(self, options: str) -> None:
        both = Both.of(f"input 11x13x2 -> relu -> conv 3x2 x3 {options} -> maxpool 2 -> dense 3")
        schedule = both.rewritten(3)
        assert find(schedule, "conv1").phases == 2
        both.assert_planned_is_plain(schedule, replace(schedule, first_gradient=True))


class TestFoldBias:
    def test_the_bias_is_added_by_itself_where_it_is_not_folded(self) -> None:
        both = Both.of(CONV)
        folded, apart = both.rewritten(5), both.rewritten(5, frozenset({"fold_bias"}))
        assert folded.fold_bias
        assert not apart.fold_bias

    def test_without_a_bias_nothing_is_folded(self) -> None:
        both = Both.of("input 6x6x2 -> conv 3x3 x2 bias=no -> dense 4 bias=no relu -> dense 3 softmax bias=no")
        both.assert_planned_is_plain(*both.schedules(5))


class TestNoFirstGradient:
    def test_the_first_layers_compute_no_gradient_of_the_samples(self) -> None:
        both = Both.of(CONV)
        assert not both.rewritten(5).first_gradient
        assert both.rewritten(5, frozenset({"no_first_gradient"})).first_gradient

    def test_at_inference_there_is_nothing_to_leave_out(self) -> None:
        assert "no_first_gradient" not in Both.of(CONV).rewritten(5, training=False).applied


class TestLanes:
    @pytest.mark.parametrize(("size", "sizes"), [(1, (1,)), (2, (1, 1)), (5, (3, 2)), (8, (4, 4))])
    def test_a_long_step_of_convolutions_is_cut_in_two(
        self, size: int, sizes: tuple[int, ...], long_steps: None
    ) -> None:
        schedule = Both.of(CONV).rewritten(size)
        assert schedule.lanes == sizes

    @pytest.mark.parametrize(
        ("text", "size", "lanes"),
        [
            ("conv 3x3 x8 -> maxpool 2", 256, 8),  # 32 · 26 · 26 · 8 numbers in each
            ("conv 3x3 x32 relu", 256, 16),  # never fewer than 16 samples
            ("conv 3x3 x8 -> maxpool 2", 64, 1),  # a short step
            ("dense 512 relu", 1024, 2),
        ],
    )
    def test_a_prediction_has_lanes_whose_outputs_stay_in_a_cache(self, text: str, size: int, lanes: int) -> None:
        schedule = Both.of(f"input 28x28x1 -> {text} -> dense 10 softmax").rewritten(size, training=False)
        assert len(schedule.lanes) == lanes

    def test_a_short_step_stays_whole(self) -> None:
        assert Both.of(CONV).rewritten(5).lanes == (5,)

    @pytest.mark.parametrize(
        ("asked", "sizes"), [(1, (9,)), (2, (5, 4)), (4, (3, 2, 2, 2)), (8, (2, *(1,) * 7)), (16, (1,) * 9)]
    )
    def test_a_batch_has_the_lanes_that_the_spec_says_as_far_as_there_are_samples(
        self, asked: int, sizes: tuple[int, ...]
    ) -> None:
        both = Both.of(CONV)
        schedule = rewritten(replace(both.schedule(9), lanes_asked=asked))
        assert schedule.lanes == sizes
        both.assert_planned_is_plain(schedule)

    @pytest.mark.parametrize(
        ("text", "cores", "lanes"),
        [
            (f"{DENSE} batch=128", 1, 1),
            (f"{DENSE} batch=128", 2, 2),
            (f"{DENSE} batch=128", 6, 4),
            (f"{DENSE} batch=128", 64, 4),  # of a hundred operations for each weight
            (f"{DENSE} batch=1024", 64, 16),
            (f"{DENSE} batch=32", 64, 2),
            ("input 28x28x1 -> conv 3x3 x32 -> conv 3x3 x64 -> maxpool 4 -> dense 3\ntrain batch=64", 64, 8),
            (f"{DENSE} batch=2", 64, 2),
            (f"{DENSE} batch=1", 64, 1),
            ("input 40 -> dense 40 relu -> dense 3 softmax\ntrain batch=32", 64, 1),  # a short step
            (f"{WIDE_DENSE}\noptimizer sgd lr=0.1\ntrain batch=1", 64, 1),  # of fewer than 64 units in a lane
            ("input 784 -> dense 512 relu -> dense 3 softmax\noptimizer sgd lr=0.1\ntrain batch=1", 64, 8),
            ("input 8x8x1 -> reshape 8x8 -> batchnorm -> dense 999 -> dense 3\ntrain batch=99", 64, 1),
        ],
    )
    def test_the_lanes_of_a_run_follow_from_the_work_and_the_cores(
        self, text: str, cores: int, lanes: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(program_cache, "processor_count", lambda: cores)
        assert with_lanes(nnspec.check(text)).train.lanes == lanes
        assert with_lanes(nnspec.check(text, {"train.lanes": 4})).train.lanes == 4
        assert with_lanes(nnspec.check(text), of_old=True).train.lanes in (1, 2)  # as before specs said a number

    @pytest.mark.parametrize(
        ("front", "training"),
        [("conv 3x3 x2 -> batchnorm", (3, 2)), ("reshape 8x8 -> batchnorm -> conv 3x3 x2", (5,))],
    )
    def test_lanes_add_up_what_a_batch_is_normalized_by_and_a_plain_form_keeps_it_whole(
        self, front: str, training: tuple[int, ...], long_steps: None
    ) -> None:
        both = Both.of(f"input 8x8x1 -> {front} -> dense 3")
        assert both.rewritten(5).lanes == training
        assert both.rewritten(5, training=False).lanes == (3, 2)
        both.assert_planned_is_plain(both.rewritten(5))

    def test_answers_have_two_lanes_or_as_many_as_training_where_each_is_long(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        schedule = Both.of(TEXTS["dense"]).schedule(8, training=False)
        flops = schedule.step_flops()
        for asked, worth, lanes in ((None, flops, 2), (1, flops, 2), (8, flops, 2), (8, flops // 4, 8), (None, 0, 2)):
            monkeypatch.setattr(rewrites, "STEP_WORTH_A_THREAD", worth)
            assert len(rewritten(replace(schedule, lanes_asked=asked)).lanes) == lanes

    @pytest.mark.parametrize(("loss", "lanes"), [("softmax", (3, 2)), ("linear", (5,))])
    def test_lanes_of_sequences_count_their_steps_together_where_the_loss_does(
        self, loss: str, lanes: tuple[int, ...], long_steps: None
    ) -> None:
        both = Both.of(f"input 6 -> onehot vocab=5 -> gru 4 return=sequence -> dense 5 {loss}")
        assert both.rewritten(5).lanes == lanes
        plan = assemble(both.rewritten(5), both.dtype, False)
        assert not any(lane.barriers for lane in plan.lanes.values())  # the targets of all lanes are there already
        both.assert_planned_is_plain(*both.schedules(5))

    def test_the_lanes_follow_from_the_work_and_not_from_the_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        text = "input 28x28x1 -> conv 3x3 x16 relu -> conv 3x3 x16 relu -> maxpool 2 -> dense 10 softmax"
        long = Both.of(text).rewritten(32)
        assert long.lanes == (16, 16)
        monkeypatch.setattr("os.cpu_count", lambda: 1)
        assert Both.of(text).rewritten(32) == long


class TestSplitInputs:
    WIDE_INPUTS = "input 800 -> dense 64 relu -> dense 3 softmax"

    @pytest.mark.parametrize("lanes", [2, 4, 8])
    @pytest.mark.parametrize(
        "text",
        [
            WIDE_INPUTS,
            "input 800 -> dense 64 tanh bias=no -> dense 3",
            "input 20x20x2 -> dense 64 relu -> dropout 0.5 -> dense 3 softmax",
            "input 800 -> dense 64 sigmoid",
            "input 800 -> dense 64 relu l2=0.1 -> batchnorm -> dense 3 softmax",
        ],
    )
    @pytest.mark.parametrize("size", [8, 16])
    def test_each_lane_has_some_inputs_and_the_numbers_are_the_same(self, text: str, lanes: int, size: int) -> None:
        both = Both.of(text)
        schedule = rewritten(replace(both.schedule(size), lanes_asked=lanes))
        assert schedule.lanes == (size // lanes,) * lanes
        assert schedule.split
        both.assert_planned_is_plain(schedule)

    @pytest.mark.parametrize("lanes", [2, 4])
    @pytest.mark.parametrize(
        ("text", "split"),
        [
            ("input 6x6x2 -> conv 3x3 x4 relu -> dense 64 relu -> dense 32 tanh bias=no -> dense 4 softmax", [1, 1, 0]),
            ("input 6x6x2 -> conv 3x3 x4 relu -> flatten -> dense 64 relu -> dense 3 softmax", [1, 0]),
            ("input 52 -> relu -> dense 64 -> batchnorm -> relu -> (dense 64 | dense 32) -> dense 3", [1, 1, 1, 0]),
            ("input 64 -> dense 64 relu -> dropout 0.5 -> dense 64 sigmoid", [1, 1]),
        ],
    )
    def test_lanes_exchange_the_inputs_of_later_layers(
        self, text: str, split: list[int], lanes: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rewrites, "WORTH_SPLITTING", 0)
        monkeypatch.setattr(rewrites, "WORTH_EXCHANGING", 0)
        both = Both.of(text)
        schedule = rewritten(replace(both.schedule(8), lanes_asked=lanes))
        assert [node.split for node in schedule.nodes if node.layer.word == "dense"] == split
        both.assert_planned_is_plain(schedule)

    def test_the_samples_are_normalized_feature_by_feature(self) -> None:
        random = np.random.default_rng(0)
        x, y = random.normal(5, 3, (64, 800)), random.integers(0, 3, 64)
        text = "data arrays normalize=zscore\ndense 64 relu -> dense 3 softmax\ntrain 4 iterations batch=16 lanes=4"
        runs = [nnspec.train(text, data=(x, y), settings=settings) for settings in ({}, {"train.lanes": 1})]
        assert runs[0].network.programs.plan(16, "train").schedule.split == [slice(0, 51200)]
        one, four = (run.network.parameter_arena.flat for run in runs)
        assert_close(one, four, 1e-5)

    @pytest.mark.parametrize(
        ("text", "size", "lanes"),
        [
            (WIDE_INPUTS, 16, 1),
            (WIDE_INPUTS, 9, 2),  # samples
            ("input 801 -> dense 64 relu -> dense 3 softmax", 16, 2),  # inputs
            ("input 30 -> dense 2000 relu -> dense 3 softmax", 16, 2),  # fewer of these than of sums
            ("input 800 -> dense 6 relu -> dense 3 softmax", 16, 2),  # few weights
            ("input 800 -> dense 64 relu -> dense 3 softmax\nfreeze dense1", 16, 2),
            ("input 800 -> (dense 64 + dense 64) -> dense 3 softmax", 16, 2),
            ("input 800 -> relu -> dense 64 -> dense 3 softmax", 16, 2),
            ("input 20x20x2 -> flatten -> dense 64 relu -> dense 3 softmax", 16, 2),
            ("input 40x20 sequence -> dense 64 relu", 16, 2),
            ("input 800 -> dense 64 -> dense 800 as=dense1", 16, 2),
        ],
    )
    def test_nothing_else_is_split(self, text: str, size: int, lanes: int) -> None:
        schedule = rewritten(replace(Both.of(text).schedule(size), lanes_asked=lanes))
        assert not schedule.split
        assert rewritten(replace(Both.of(text).schedule(size, training=False), lanes_asked=lanes)).split == []

    def test_each_lane_writes_its_rows_of_the_gradient_and_the_others_are_added_up(self) -> None:
        both = Both.of(self.WIDE_INPUTS)
        batch, schedule = both.batch(16), rewritten(replace(both.schedule(16), lanes_asked=4))
        bound, gradients = both.bound(schedule, batch)
        bound.samples[...], bound.targets[...] = batch
        bound(summed=False)
        rest = slice(800 * 64, None)
        alone = gradients.copy()
        for part in (slice(0, 800), slice(800, None)):
            bound.sum_up(part)
        assert (gradients[: rest.start] == alone[: rest.start]).all()
        assert_close(gradients, both.plain(batch).gradients, 1e-10)
        assert np.abs(gradients[rest] - alone[rest]).max() > 0


class TestBlocks:
    def test_single_steps_of_plain_sgd_on_a_wide_dense_layer_are_made_in_blocks(self) -> None:
        both = Both.of(WIDE_DENSE)
        schedule = rewritten(both.schedule(1, plain_sgd=True))
        assert schedule.block == BLOCK_STEPS
        assert schedule.nodes[0].notes

    @pytest.mark.parametrize(
        ("text", "size", "plain_sgd"),
        [
            (WIDE_DENSE, 1, False),
            (WIDE_DENSE, 2, True),
            ("input 7 -> dense 6 relu -> dense 3 softmax", 1, True),
            (f"input {WIDE} -> dense 3 softmax", 1, True),
            (f"input {WIDE} -> relu -> dense 3 -> dense 3 softmax", 1, True),
            (f"input {WIDE} -> (dense 3 + dense 3) -> dense 3 softmax", 1, True),
            (f"input {WIDE} -> dense 3 -> dropout 0.5 -> dense 3 softmax", 1, True),
            (f"input {WIDE} -> dense 3 -> batchnorm -> dense 3 softmax", 1, True),
        ],
    )
    def test_nothing_else_is_made_in_blocks(self, text: str, size: int, plain_sgd: bool) -> None:
        assert rewritten(Both.of(text).schedule(size, plain_sgd=plain_sgd)).block == 1

    def test_inference_is_not_made_in_blocks(self) -> None:
        assert rewritten(Both.of(WIDE_DENSE).schedule(1, training=False, plain_sgd=True)).block == 1

    @pytest.mark.parametrize(("dtype", "share"), [("float64", 1e-10), ("float32", 1e-5)])
    @pytest.mark.parametrize(
        "text",
        [
            WIDE_DENSE,
            WIDE_DENSE.replace("dense 50 relu", "dense 50 relu bias=no"),
            "input 12x12x2 -> dense 40 tanh -> layernorm -> dense 3 softmax",
            "input 12x12x2 -> dense 40 -> (skip + dense 40 relu) -> dense 3\nloss huber",
            "input 300 -> dense 36 -> reshape 3x3x4 -> conv 2x2 x2 relu -> maxpool 2 -> dense 2 sigmoid",
            f"input {WIDE // 20} -> dense 20 softmax\nloss mse",
        ],
    )
    def test_a_block_of_steps_is_those_steps_one_by_one(self, text: str, dtype: str, share: float) -> None:
        rates = [0.05 / (1 + step) for step in range(2 * BLOCK_STEPS + 5)]  # the last block is a short one
        blocks, single = Both.of(text, dtype), Both.of(text, dtype)
        data = blocks.batch(len(rates))
        small = Batch(data.x / 4, data.y)  # so that so many steps do not magnify what is rounded
        losses = [single_step(single, Batch(small.x[i : i + 1], small.y[i : i + 1]), r) for i, r in enumerate(rates)]
        assert_close(np.array(in_blocks(blocks, small, rates)), np.array(losses), 4 * share)
        assert_close(blocks.network.parameter_arena.flat, single.network.parameter_arena.flat, 4 * share)

    def test_what_stands_behind_a_short_block_plays_no_part(self) -> None:
        first, second = Both.of(WIDE_DENSE), Both.of(WIDE_DENSE)
        data, rates = first.batch(BLOCK_STEPS + 3), [0.05] * (BLOCK_STEPS + 3)
        in_blocks(first, data, rates)
        in_blocks(second, data, rates, forget=True)
        np.testing.assert_array_equal(first.network.parameter_arena.flat, second.network.parameter_arena.flat)


class TestWinograd:
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("after", ["relu", "maxpool 2", "avgpool 2", "batchnorm"])
    @pytest.mark.parametrize("conv", ["3x3 x3", "3x3 x2 pad=same", "3x3 x4 pad=1x0x2x1 bias=no", "3x3 x32 pad=2"])
    @pytest.mark.parametrize("image", ["9x8x6", "3x12x1", "6x6x24"])
    def test_a_convolution_in_tiles_is_the_same_convolution(
        self, image: str, conv: str, after: str, dtype: str, in_tiles: None
    ) -> None:
        pooled = after if not (image.startswith("3x") and "pool" in after and "pad" not in conv) else "tanh"
        both = Both.of(f"input {image} -> relu -> conv {conv} -> {pooled} -> dense 3", dtype)
        assert_computed_by("tiles", both)

    def test_products_are_cut_into_blocks_that_add_up_to_the_whole(self, in_tiles: None) -> None:
        for image, filters in (("26x26x16", 32), ("17x15x48", 16), ("12x12x32", 80)):
            both = Both.of(f"input {image} -> relu -> conv 3x3 x{filters} -> dense 3", "float32")
            schedule = both.rewritten(16, frozenset({"lanes"}))
            assert find(schedule, "conv1").tiles
            both.assert_planned_is_plain(schedule, replace(schedule, first_gradient=True))

    def test_two_convolutions_in_tiles_use_the_same_memory_one_after_the_other(self, in_tiles: None) -> None:
        conv = "conv 3x3 x4 pad=same"
        both = Both.of(f"input 9x7x4 -> {conv} relu -> ({conv} + skip) -> {conv} -> maxpool 2 -> dense 3", "float32")
        both.assert_planned_is_plain(*both.schedules(5))

    @pytest.mark.parametrize(
        ("conv", "size", "tiles"),
        [
            ("3x3 x64 pad=same -> maxpool 2", 8, True),
            ("3x3 x64 pad=same -> maxpool 2", 7, False),  # samples
            ("3x3 x8 pad=same -> maxpool 2", 8, False),  # filters
            ("3x3 x32 pad=same -> maxpool 2", 8, True),
            ("3x3 x64 pad=same", 8, True),
            ("3x3 x32 pad=same", 8, False),  # outputs would be copied out of their tiles
            ("3x3 x64 pad=same -> maxpool 3", 8, False),
            ("5x3 x64 pad=same -> maxpool 2", 8, False),
            ("3x5 x64 pad=same -> maxpool 2", 8, False),
            ("3x3 x64 stride=2 pad=1 -> maxpool 2", 8, False),
        ],
    )
    def test_tiles_are_for_many_channels_filters_and_samples(self, conv: str, size: int, tiles: bool) -> None:
        both = Both.of(f"input 12x12x32 -> conv {conv} -> globalavgpool -> dense 3", "float32")
        assert find(both.rewritten(size, frozenset({"lanes"})), "conv1").tiles == tiles


class TestSlabs:
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("after", ["relu", "maxpool 2", "avgpool 3"])
    @pytest.mark.parametrize("conv", ["3x3 x3", "5x4 x2 pad=same", "2x3 x4 pad=1x0x2x1", "3x1 x2 bias=no", "4x3 x32"])
    def test_a_convolution_row_by_row_is_the_same_convolution(
        self, conv: str, after: str, dtype: str, long_steps: None
    ) -> None:
        both = Both.of(f"input 9x8x6 -> relu -> conv {conv} -> {after} -> dense 3", dtype)
        assert_computed_by("slabs", both)

    @pytest.mark.parametrize("window", ["3x3 x24", "2x3 x64", "3x2 x80"])
    @pytest.mark.parametrize("image", ["16x18x16", "5x9x32", "4x66x1"])
    def test_products_are_cut_into_blocks_that_add_up_to_the_whole(
        self, image: str, window: str, long_steps: None
    ) -> None:
        both = Both.of(f"input {image} -> relu -> conv {window} -> dense 3", "float32")
        schedule = both.rewritten(32, frozenset({"lanes"}))
        assert find(schedule, "conv1").slabs
        both.assert_planned_is_plain(schedule)

    @pytest.mark.parametrize(
        "conv",
        ["1x3 x4", "3x3 x4 stride=2", "3x3 x4 stride=1x2", "3x3 x4 dilation=2", "3x3 x4 groups=2", "2x2 x4 pad=2"],
    )
    def test_windows_that_skip_cells_or_see_nothing_but_padding_are_gathered_whole(
        self, conv: str, long_steps: None
    ) -> None:
        both = Both.of(f"input 8x8x2 -> conv {conv} -> dense 3")
        assert not find(both.rewritten(4), "conv1").slabs

    @pytest.mark.parametrize(("size", "slabs"), [(8, False), (64, True)])
    def test_a_product_that_is_quick_as_a_whole_stays_whole(self, size: int, slabs: bool) -> None:
        both = Both.of("input 12x12x4 -> conv 3x3 x4 pad=same -> globalavgpool -> dense 3", "float32")
        assert find(both.rewritten(size, frozenset({"lanes"})), "conv1").slabs == slabs

    def test_convolutions_of_one_shape_share_the_memory_of_their_slabs_where_they_gather_them_again(
        self, long_steps: None
    ) -> None:
        both = Both.of("input 8x8x4 -> repeat 4 (conv 3x3 x4 pad=same) -> globalavgpool -> dense 3", "float32")
        again, kept = both.rewritten(4), both.rewritten(4, frozenset({"columns_again"}))
        both.assert_planned_is_plain(again)
        assert assemble(kept, "float32", False).bytes - assemble(again, "float32", False).bytes > 4 * 10 * 12 * 8 * 4


class TestColumnsAgain:
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("bias", ["", " bias=no"])
    def test_columns_in_one_memory_give_the_bits_of_columns_that_are_kept(
        self, bias: str, dtype: str, long_steps: None
    ) -> None:
        both = Both.of(
            f"input 9x8x2 -> conv 3x3 x3 relu{bias} -> scratch: conv 2x2 x4 stride=2{bias} "
            f"-> conv 2x2 x2 pad=same{bias} "
            "-> (conv 3x3 x2 pad=same -> batchnorm + skip) -> maxpool 2 -> dense 3 softmax",
            dtype,
        )
        batch = both.batch(5)
        again, kept = both.rewritten(5), both.rewritten(5, frozenset({"columns_again"}))
        assert [node.name for node in again.nodes if node.again] == ["conv1", "scratch", "conv2", "conv3"]
        assert not any(node.again for node in kept.nodes)
        for ours, theirs in zip(both.planned(batch, again), both.planned(batch, kept), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        assert assemble(again, dtype, False).bytes < assemble(kept, dtype, False).bytes

    @pytest.mark.parametrize(
        ("conv", "size", "again"),
        [
            ("conv 3x3 x4 pad=same", 128, True),  # 128 · 144 · 36 numbers, twice
            ("conv 3x3 x4 pad=same", 64, False),  # few
            ("conv 3x3 x4 pad=same", 256, False),  # very many
            ("conv 1x1 x4", 256, False),
            ("conv 3x3 x4 pad=same groups=2", 128, False),
        ],
    )
    def test_it_is_done_where_columns_are_neither_few_nor_very_many(self, conv: str, size: int, again: bool) -> None:
        both = Both.of(f"input 12x12x4 -> {conv} -> {conv} -> globalavgpool -> dense 3", "float32")
        assert find(both.rewritten(size, frozenset({"lanes", "slabs"})), "conv1").again == again

    @pytest.mark.parametrize(("size", "again"), [(128, False), (384, True), (768, False)])
    def test_slabs_are_a_third_as_many(self, size: int, again: bool) -> None:
        conv = "conv 3x3 x4 pad=same"
        both = Both.of(f"input 12x12x4 -> {conv} -> {conv} -> globalavgpool -> dense 3", "float32")
        node = find(both.rewritten(size, frozenset({"lanes"})), "conv1")
        assert (node.slabs, node.again) == (True, again)

    def test_nothing_is_gathered_twice_where_nothing_comes_back(self, long_steps: None) -> None:
        assert "columns_again" not in Both.of(CONV).rewritten(5, training=False).applied


def single_step(both: Both, batch: Batch, rate: float) -> float:
    """A step of plain SGD as it is defined: the loss before it."""
    loss, gradients, _ = both.plain(batch)
    both.network.parameter_arena.flat[...] -= both.network.dtype.type(rate) * gradients
    return loss


def in_blocks(both: Both, data: Batch, rates: list[float], forget: bool = False) -> list[float]:
    """Steps of plain SGD in blocks; `forget` clears the samples between two of them."""
    schedule = rewritten(both.schedule(1, plain_sgd=True), NONE)
    assert schedule.block == BLOCK_STEPS
    bound, _ = both.bound(schedule, data)
    losses: list[float] = []
    for start in range(0, len(rates), BLOCK_STEPS):
        part = slice(start, start + BLOCK_STEPS)
        if forget:
            bound.samples.fill(0)
        bound.samples[: len(data.x[part])], bound.targets[: len(data.x[part])] = data.x[part], data.y[part]
        losses += bound.block(rates[part])
    return losses


@pytest.fixture
def in_tiles(monkeypatch: pytest.MonkeyPatch, long_steps: None) -> None:
    """Every convolution that can be is computed in tiles, in two lanes."""
    monkeypatch.setattr(rewrites, "SAVED", -100)
    monkeypatch.setattr(rewrites, "FEWEST_IN_A_RUN", 1)


@pytest.fixture
def long_steps(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Every step counts as long enough for two lanes, and any columns as many."""
    monkeypatch.setattr(rewrites, "STEP_WORTH_A_PARTNER", 0)
    monkeypatch.setattr(rewrites, "STEP_WORTH_A_THREAD", 0)
    monkeypatch.setattr(rewrites, "FEWEST_COLUMNS", 0)
    monkeypatch.setattr(rewrites, "FEWEST_PRODUCTS", 0)
    monkeypatch.setattr(rewrites, "SHORTEST_ROW", 1)
    return lambda: None
