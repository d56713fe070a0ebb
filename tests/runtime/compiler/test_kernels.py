"""The contract of every layer's kernel, found through the registries: planned, it computes what it is defined to be."""

from dataclasses import replace

import numpy as np
import pytest

from nnspec.runtime.compiler.assemble import assemble
from nnspec.runtime.compiler.kernels import KERNELS, _products
from nnspec.spec_lang.vocabulary.registry import layers, words
from nnspec.spec_lang.vocabulary.shape import Shape
from tests.runtime.compiler.both import Both
from tests.support.strategies import Case, examples, fits

RANK_4 = Shape((2, 1, 3, 2))
"""Neither a row nor an image: many layers take it as it is."""

CASES = [case for name in sorted(layers()) for case in examples(name)]
CASES += [Case(c.text, c.word, RANK_4) for c in {case.text: case for case in CASES}.values() if fits(c.word, RANK_4)]
SIZES = (1, 5)  # one lane, and two of different lengths

PLACES = {
    "alone": ("{layer}", "float64"),
    "alone, in float32": ("{layer}", "float32"),
    "between others": ("(layernorm + skip) -> {layer} -> tanh", "float64"),
    "in a branch": (
        "(layernorm + skip) -> "
        "({layer} -> flatten -> dense 3 + flatten -> relu -> dense 3 + tanh -> flatten -> dense 3)",
        "float64",
    ),
}
"""Where a layer stands: it may neither overwrite what another reads nor think its gradient its own."""


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_planned_layer_is_the_plain_one(case: Case, place: str) -> None:
    text, dtype = PLACES[place]
    sizes = SIZES if place in ("alone", "between others") else SIZES[1:]
    if not case.shape and "layernorm" in text:
        text = "{layer} -> tanh"  # nothing normalizes a single number
    both = Both.of(text.format(layer=case.text), dtype, case.shape)
    for size in sizes:
        both.assert_planned_is_plain(*both.schedules(size))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_layer_gives_the_gradient_of_the_samples_where_somebody_asks_for_it(case: Case) -> None:
    both = Both.of(case.text, shape=case.shape)
    both.assert_planned_is_plain(replace(both.rewritten(3), first_gradient=True))


@pytest.mark.parametrize(
    "pool", ["5 pad=same stride=1", "9 pad=same stride=1", "20 pad=same stride=3", "11 pad=same", "7 pad=3 stride=2"]
)
@pytest.mark.parametrize("word", ["maxpool", "avgpool"])
def test_a_pool_whose_window_is_wider_than_the_image_leaves_out_cells_that_are_padding_everywhere(
    word: str, pool: str
) -> None:
    both = Both.of(f"input 6x5x2 -> {word} {pool} -> dense 3")
    for size in SIZES:
        both.assert_planned_is_plain(*both.schedules(size))


MERGES = (
    "input 6 -> (dense 4 {0} dense 4 relu)",
    "input 6 -> (dense 4 {0} dense 4 relu {0} tanh -> dense 4)",
    "input 6 -> (skip {0} skip {0} skip) -> dense 3",
    "input 6 -> dense 4 -> (skip {0} relu {0} skip) -> dense 3 softmax",
    "input 6x5x2 -> (conv 3x3 x2 pad=same {0} skip) -> relu -> dense 3",
    "input 6x5x2 -> conv 3x3 x2 -> (relu {0} skip) -> (leaky_relu {0} maxpool 3 stride=1 pad=1) -> dense 3",
    "input 6x5 -> (relu {0} skip {0} tanh) -> dense 3",
    "input 5x3 -> (rnn 3 return=sequence {0} skip) -> dense 2",
    "input 5x3 -> (skip {0} rnn 3 return=sequence) -> relu",
    "input 5x3 -> rnn 3 return=sequence -> (relu {0} dense 3 {0} skip) -> dense 2",
    "input 2x1x3x2 -> (relu {0} tanh) -> dense 3",
    "input 8 -> ((dense 6 + (dense 2 relu | dense 4 relu)) {0} dense 6) -> dense 3 softmax",
)


@pytest.mark.parametrize("sign", words("merge"))
@pytest.mark.parametrize("text", MERGES)
def test_branches_meet_as_they_are_defined_to(text: str, sign: str) -> None:
    both = Both.of(text.format(sign))
    for size in SIZES:
        both.assert_planned_is_plain(*both.schedules(size))


@pytest.mark.parametrize(
    ("layer", "turned"),
    [
        ("conv 3x3 x3", True),
        ("conv 3x3 x2 pad=same", True),
        ("conv 2x4 x1 pad=same dilation=2", True),
        ("conv 4x3 x3 pad=2 bias=no", True),
        ("conv 3x1 x3 pad=same", True),
        ("conv 2x2 x2 pad=1 -> maxpool 3 stride=1", True),
        ("conv 3x3 x4", False),  # its columns would be more than those of the way forward
        ("conv 3x3 x3 stride=2", False),
        ("conv 2x2 x3 pad=2", False),  # some windows see nothing but padding
        ("conv 3x3 x3 -> maxpool 2", False),  # its places are in the order of the pool
        ("conv 1x1 x3", False),  # there are no columns
    ],
)
def test_the_gradient_through_a_convolution_is_one_of_turned_windows_where_that_is_less_work(
    layer: str, turned: bool
) -> None:
    both = Both.of(f"input 7x6x2 -> conv 1x1 x3 tanh -> c: {layer} -> tanh -> dense 3")
    schedules = both.schedules(3)
    texts = [
        lane.text
        for schedule in schedules
        if schedule.training
        for lane in assemble(schedule, "float64", False).lanes.values()
    ]
    assert all(("c_turned" in text) == turned for text in texts) and len(texts) == 3
    both.assert_planned_is_plain(*schedules)


def test_no_kernel_is_written_for_what_the_language_does_not_know() -> None:
    assert set(KERNELS) <= {*layers().values(), *words("merge").values()}


OVER_TIME = (
    "input 11x3 sequence -> conv 3 x4 pad=2x0 tanh -> conv 4 x5 stride=2 dilation=2 pad=same -> flatten -> dense 3",
    "input 11x3 -> conv 3 x4 tanh -> conv 1 x5 -> maxpool 2 -> dense 3",
    "input 11x3 -> (conv 3 x4 pad=same relu + conv 1 x4) -> (conv 3 x4 bias=no pad=1 | skip) -> lstm 3",
    "input 11x3 -> tanh -> conv 3 x4 pad=same -> maxpool 3 stride=1 pad=2x0 -> globalmaxpool -> dense 3 softmax",
    "input 44 -> dense 44 -> reshape 11x4 sequence -> avgpool 3 stride=2 pad=1 ceil_mode=yes count_include_pad=no "
    "-> conv 3 x4 stride=3 -> dense 3",
    "input 11x4 -> conv 3 x4 pad=0x3 groups=2 -> maxpool 2 stride=3 dilation=2 -> conv 2 x3 -> dense 3",
    "input 9 -> embed 4 vocab=5 -> conv 3 x4 relu -> maxpool 2 -> avgpool 2 stride=1 pad=1x0 -> dense 5 softmax",
)


@pytest.mark.parametrize("text", OVER_TIME)
def test_windows_over_time_are_planned_as_they_are_defined(text: str) -> None:
    both = Both.of(text)
    for size in SIZES:
        both.assert_planned_is_plain(*both.schedules(size))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("input 12x3 sequence -> conv 3 x4 pad=2x0 -> maxpool 2 -> avgpool 2 -> dense 2", set()),
        ("input 12x3 -> conv 3 x4 groups=1 -> conv 1 x4 groups=2 -> dense 2", {"conv2"}),
        ("input 12 -> embed 3 vocab=4 -> conv 3 x4 -> maxpool 2 -> dense 2", {"conv1", "maxpool1"}),
    ],
)
def test_windows_over_time_are_plain_where_steps_may_be_padding_or_channels_are_in_groups(
    text: str, plain: set[str]
) -> None:
    schedule = Both.of(text).rewritten(4)
    program = assemble(schedule, "float64", False).lanes[4].text
    assert {node.name for node in schedule.nodes if f"{node.name}_layer" in program} == plain


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bias", ["", " bias=no"])
def test_an_outer_product_of_one_sample_has_the_bits_of_a_sum_with_zeros(
    bias: str, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = Both.of(f"input 150 -> dense 70 relu{bias} -> dense 3{bias}", dtype)
    both.assert_planned_is_plain(*both.schedules(1))
    batch, in_pairs = both.batch(1), both.planned(both.batch(1))
    monkeypatch.setattr(_products, "WORTH_A_PAIR", 10**9)
    for alone, pair in zip(both.planned(batch), in_pairs, strict=True):
        np.testing.assert_array_equal(alone, pair)
