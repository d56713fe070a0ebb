"""Incremental occlusion against the definition: every image covered, every answer computed in full."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nnspec.runtime.arrays import Array
from nnspec.runtime.data import Preprocessing
from nnspec.runtime.errors import DataError
from nnspec.runtime.explain import incremental as occlusion
from nnspec.runtime.explain import patch_convolution
from nnspec.runtime.explain.incremental import incremental_occlusion, occlude
from nnspec.runtime.explain.occlusion import OcclusionError, OcclusionRequest
from nnspec.runtime.explain.patch_stack import PatchStack, build_stack
from nnspec.runtime.infer.evaluation import class_probabilities
from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.check.examination import check_source
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.vocabulary.shape import Shape

ALWAYS = np.inf
"""A share of the image that no patch outgrows."""


def network(text: str, shape: tuple[int, ...], dtype: Any = np.float64, seed: int = 0) -> Network:
    """A network for samples of this shape, all its numbers random, variances positive, that normalizes its samples."""
    random = np.random.default_rng(seed)
    channels = shape[-1] if len(shape) == 3 else 1
    shift, scale = random.normal(size=channels), random.uniform(0.5, 2, channels)
    spec = check_source(Source("a test", text), input_shape=Shape(shape))
    made = Network(spec, Preprocessing("zscore", shape, shift, scale, None, None, "classification"), dtype)
    for arena in (made.parameter_arena, made.buffer_arena):
        for name in arena:
            drawn = (
                random.uniform(0.5, 2, arena[name].shape) if "var" in name else random.normal(0, 0.4, arena[name].shape)
            )
            arena[name][...] = drawn
    return made


def defined(made: Network, asked: OcclusionRequest) -> Array:
    """The maps by the plain program, one place of the occluder after another, in the network's precision."""
    (rows, columns), (height, width) = asked.map_shape, asked.window
    maps = np.empty((len(asked.images), rows, columns), made.dtype)
    for row, column in np.ndindex(rows, columns):
        top, left = row * asked.stride[0], column * asked.stride[1]
        covered = asked.images.copy()
        covered[:, top : top + height, left : left + width] = asked.fill[top : top + height, left : left + width]
        samples = made.preprocessing.apply(covered.reshape(-1, *made.preprocessing.input_shape), made.dtype)
        answers = class_probabilities(made.program.outputs(samples))
        maps[:, row, column] = answers[np.arange(len(samples)), asked.labels]
    return maps


def question(made: Network, count: int = 2, seed: int = 1, **change: Any) -> OcclusionRequest:
    """Random images, labels and a baseline for a network."""
    random = np.random.default_rng(seed)
    shape = made.preprocessing.input_shape
    assert made.spec.output_shape is not None
    arguments: dict[str, Any] = {
        "images": random.normal(size=(count, *shape)),
        "labels": random.integers(0, max(made.spec.output_shape[0], 2), count),
        "window": 3,
        "stride": 1,
        "baseline": random.normal(size=shape),
    }
    return OcclusionRequest.of(**(arguments | change))


def assert_equal(made: Network, asked: OcclusionRequest, share: float = ALWAYS) -> None:
    """The incremental maps exist and are the defined ones."""
    maps = incremental_occlusion(made, asked, share)
    assert maps is not None
    assert maps.dtype == made.dtype
    np.testing.assert_allclose(maps, defined(made, asked), rtol=0, atol=1e-9 if made.dtype == np.float64 else 1e-5)


def stack(made: Network, asked: OcclusionRequest, share: float = ALWAYS) -> PatchStack | None:
    """What is followed."""
    _, height, width, channels = asked.images.shape
    return build_stack(made, (height, width, channels), asked.window, asked.stride, share)


windows = st.tuples(st.integers(1, 4), st.integers(1, 4))
pads = st.sampled_from(["valid", "same", "0", "1", "2", "1x2", "0x1x2x0"])
functions = st.sampled_from(
    ["", "relu", "leaky_relu slope=0.2", "tanh", "gelu", "elu", "batchnorm", "dropout 0.3", "linear", "softplus"]
)
ends = st.sampled_from(
    [
        "dense 3 softmax",
        "flatten -> dense 4 relu -> dense 3 softmax",
        "dropout 0.5 -> dense 5 tanh -> layernorm -> dense 2 softmax",
        "globalavgpool -> dense 3 softmax",
        "globalmaxpool -> dense 3 softmax",
        "layernorm -> flatten -> dense 3 softmax",
        "reshape 1x{size} -> dense 3 softmax",
        "flatten -> softmax -> dense 3 softmax",
    ]
)


@st.composite
def layers(draw: st.DrawFn) -> str:
    """A convolution or pool of any options, and perhaps something elementwise behind it."""
    (height, width), stride, pad = draw(windows), draw(st.sampled_from(["1", "1", "2", "3", "2x1", "1x2"])), draw(pads)
    word = draw(st.sampled_from(["conv", "conv", "maxpool", "avgpool"]))
    text = f"{word} {height}x{width}"
    if word == "conv":
        groups = draw(st.sampled_from([1, 1, 2]))
        bias, dilation = draw(st.sampled_from(["yes", "no"])), draw(st.integers(1, 2))
        text += f" x{2 * draw(st.integers(1, 2))} dilation={dilation} groups={groups} bias={bias}"
    else:
        text += f" dilation={draw(st.sampled_from([1, 1, 2]))} ceil_mode={draw(st.sampled_from(['no', 'no', 'yes']))}"
    if word == "avgpool":
        text += f" count_include_pad={draw(st.sampled_from(['yes', 'yes', 'no']))}"
    function = draw(functions)
    return f"{text} stride={stride} pad={pad}" + (f" -> {function}" if function else "")


@st.composite
def cases(draw: st.DrawFn) -> tuple[Network, OcclusionRequest, float]:
    """A random stack of layers, and what is asked of it."""
    shape = draw(st.integers(6, 14)), draw(st.integers(6, 14)), draw(st.integers(1, 3))
    front = draw(st.sampled_from(["", "", "relu", "batchnorm"]))
    parts = [*([front] if front else []), *draw(st.lists(layers(), min_size=1, max_size=3))]
    try:
        before = check_source(Source("a test", " -> ".join([*parts, "dense 3 softmax"])), input_shape=Shape(shape))
        size = before.nodes[-1].input_shape.size
        text = " -> ".join([*parts, draw(ends).format(size=size)])
        dtype, seed = draw(st.sampled_from([np.float64, np.float32])), draw(st.integers(0, 1000))
        made = network(text, shape, dtype, seed)
    except SpecError:
        assume(False)
        raise
    window = draw(st.integers(1, min(shape[0], 5))), draw(st.integers(1, min(shape[1], 5)))
    stride = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    asked = question(made, draw(st.integers(1, 3)), seed, window=window, stride=stride)
    return made, asked, draw(st.sampled_from([ALWAYS, ALWAYS, 0.5]))


@pytest.mark.slow
@settings(max_examples=250, deadline=None)
@given(cases())
def test_incremental_occlusion_is_the_definition_for_any_stack_window_stride_and_images(
    case: tuple[Network, OcclusionRequest, float],
) -> None:
    made, asked, share = case
    if stack(made, asked, share) is None:
        assert incremental_occlusion(made, asked, share) is None
    else:
        assert_equal(made, asked, share)


@pytest.mark.parametrize(
    ("text", "shape", "change"),
    [
        ("conv 3x3 x8 bias=no -> maxpool 2 -> dense 10 softmax", (12, 12, 1), {}),
        ("conv 3x3 x4 relu -> conv 3x3 x6 relu -> maxpool 2 -> dense 8 relu -> dense 3 softmax", (14, 11, 2), {}),
        ("conv 3x3 x4 pad=same -> maxpool 3 stride=2 pad=1 -> tanh -> dense 3 softmax", (9, 13, 1), {"stride": 2}),
        ("conv 3x3 x4 -> conv 2x2 x4 stride=2 -> globalavgpool -> dense 3 softmax", (15, 15, 3), {"window": (1, 4)}),
        ("dense 5 relu -> dense 3 softmax", (6, 7, 2), {"window": (2, 3), "stride": (3, 2)}),
        ("maxpool 3 stride=4 -> avgpool 2 -> dense 3 softmax", (19, 18, 1), {"window": 1}),
        ("maxpool 2 -> dense 3 softmax", (4, 4, 1), {"window": 4}),
        ("conv 3x3 x4 pad=0x2x1x0 -> maxpool 2 ceil_mode=yes -> dense 3 softmax", (12, 11, 1), {}),
        ("conv 3x3 x4 -> maxpool 3 stride=1 dilation=2 pad=1 -> dense 3 softmax", (13, 12, 1), {"window": 2}),
        ("conv 3x3 x4 stride=2x1 -> maxpool 1x2 dilation=1x2 -> dense 3 softmax", (13, 12, 1), {"window": 2}),
        ("conv 3x3 x4 dilation=1x2 pad=1x2 -> avgpool 2x1 -> dense 3 softmax", (13, 12, 1), {"window": 2}),
        ("conv 3x3 x4 -> avgpool 2 stride=1 dilation=2 -> dense 3 softmax", (13, 12, 1), {"window": 2}),
        (
            "conv 3x3 x4 dilation=3 -> avgpool 2x3 stride=2 pad=1 -> dense 1 sigmoid\nloss binary_cross_entropy",
            (11, 12, 1),
            {},
        ),
        ("conv 3x3 x4 relu -> (conv 3x3 x4 pad=same + skip) -> globalmaxpool -> dense 3 softmax", (9, 9, 1), {}),
        ("reshape 9x8x1 -> conv 3x3 x4 -> dense 3 softmax", (9, 8), {}),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_these_stacks_are_followed_and_give_the_defined_maps(
    text: str, shape: tuple[int, ...], change: dict[str, Any], dtype: Any
) -> None:
    made = network(text, shape, dtype)
    assert_equal(made, question(made, **change))


def test_patches_are_followed_to_the_first_dense_layer_or_until_they_fill_half_of_the_image() -> None:
    deep = network("conv 3x3 x4 relu -> maxpool 2 -> conv 3x3 x4 -> maxpool 2 -> dense 3 softmax", (28, 28, 1))
    followed = stack(deep, question(deep), 0.5)
    assert followed is not None and followed.end is not None and followed.end.name == "dense1"
    cut = stack(deep, question(deep, window=9), 0.5)
    assert cut is not None and cut.end is None
    assert [level.node.layer.word for level in cut.levels][:2] == ["conv", "maxpool"]
    assert stack(deep, question(deep, window=21), 0.5) is None
    uneven = network("conv 3x3 x4 -> avgpool 2 pad=1 count_include_pad=no -> dense 3 softmax", (28, 28, 1))
    ended = stack(uneven, question(uneven), 0.5)
    assert ended is not None and [level.node.layer.word for level in ended.levels] == ["conv"]
    assert_equal(uneven, question(uneven))


@pytest.mark.parametrize("text", ["layernorm -> dense 3 softmax", "(conv 3x3 x2 | conv 3x3 x2) -> dense 3 softmax"])
def test_what_patches_cannot_be_followed_through_at_all_is_computed_plainly(text: str) -> None:
    made = network(text, (7, 6, 1))
    asked = question(made)
    assert incremental_occlusion(made, asked) is None
    maps = occlude(made, asked.images, asked.labels, asked.window, asked.stride, asked.fill)
    np.testing.assert_allclose(maps, defined(made, asked), atol=1e-6)


@pytest.mark.parametrize("end", ["dense 3 softmax", "layernorm -> dense 3 softmax"])
def test_small_parts_and_blocks_of_images_change_nothing(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = network(f"conv 3x3 x4 -> maxpool 2 -> {end}", (13, 12, 1))
    asked = question(made, 5)
    for name, value in {"PATCH_NUMBERS": 600, "PASTED_NUMBERS": 700, "MAX_IMAGES": 2}.items():
        monkeypatch.setattr(occlusion, name, value)
    monkeypatch.setattr(patch_convolution, "DENSE_ROWS", 1)
    assert_equal(made, asked)


def test_two_lanes_give_the_bits_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    made = network("conv 3x3 x8 -> maxpool 2 -> dense 4 softmax", (20, 20, 1), np.float32)
    asked = question(made, 6)
    two = incremental_occlusion(made, asked)
    monkeypatch.setattr(occlusion, "run_together", lambda lanes, _: lanes[0]())
    one = incremental_occlusion(made, asked)
    assert two is not None and one is not None
    np.testing.assert_array_equal(two, one)


def test_images_are_raw_and_so_is_the_baseline() -> None:
    made = network("conv 3x3 x4 -> dense 3 softmax", (8, 7, 3), np.float32)
    random = np.random.default_rng(0)
    images = random.integers(0, 255, (2, 8, 7, 3)).astype(np.uint8)
    mean = images.mean(axis=(0, 1, 2))
    maps = occlude(made, images, [0, 1], 3, 1, mean)
    assert maps.dtype == np.float32 and maps.shape == (2, 6, 5)
    np.testing.assert_allclose(
        maps, defined(made, question(made, images=images, labels=[0, 1], baseline=mean)), atol=1e-5
    )


def test_images_without_a_channel_axis_are_those_of_a_network_without_one() -> None:
    made = network("reshape 8x7x1 -> conv 3x3 x4 -> dense 3 softmax", (8, 7))
    images = np.random.default_rng(0).normal(size=(2, 8, 7))
    np.testing.assert_array_equal(occlude(made, images, [0, 1]), occlude(made, images[..., None], [0, 1]))


def test_what_was_given_and_the_network_stay_as_they_were() -> None:
    made = network("relu -> conv 3x3 x4 pad=same -> batchnorm -> maxpool 2 -> dense 3 softmax", (8, 8, 1))
    asked = question(made)
    before = asked.images.copy(), made.parameter_arena.flat.copy(), made.buffer_arena.flat.copy()
    occlude(made, asked.images, asked.labels)
    for now, then in zip((asked.images, made.parameter_arena.flat, made.buffer_arena.flat), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_questions_that_cannot_be_asked_are_refused_as_the_definition_refuses_them() -> None:
    made = network("conv 3x3 x4 -> dense 3 softmax", (8, 8, 1))
    with pytest.raises(OcclusionError, match="label 3 is out of range: the network has 3 classes, 0 to 2"):
        occlude(made, np.zeros((1, 8, 8, 1)), [3])
    with pytest.raises(OcclusionError, match="a window of 9x9 does not fit into an image of 8x8"):
        occlude(made, np.zeros((1, 8, 8, 1)), [0], 9)
    with pytest.raises(DataError, match="the network takes 8x8x1"):
        occlude(made, np.zeros((1, 7, 8, 1)), [0])
    assert occlude(made, np.zeros((0, 8, 8, 1)), []).shape == (0, 6, 6)
