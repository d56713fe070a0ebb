"""The shapes that layers make, the arrays they learn, and what they do not fit."""

import pytest

from nnspec.spec_lang.syntax.grammar import merge_signs
from nnspec.spec_lang.vocabulary.registry import layers, words
from tests.support.spec_findings import error_of, spec_of


def made(layer: str, shape: str) -> str:
    return str(spec_of(f"input {shape}\n{layer}").output_shape)


@pytest.mark.parametrize(
    ("layer", "before", "after"),
    [
        ("dense 10", "4", "10"),
        ("dense 10", "28x28x1", "10"),
        ("dense 10", "28x28", "10"),
        ("conv 3x3 x8", "28x28x1", "26x26x8"),
        ("conv 3x3 x8", "28x28", "26x26x8"),
        ("conv 3 x8", "28x28x1", "26x26x8"),
        ("conv 5x3 x8", "28x28x1", "24x26x8"),
        ("conv 3x3 x8 pad=same", "28x27x1", "28x27x8"),
        ("conv 3x3 x8 pad=2", "28x28x1", "30x30x8"),
        ("conv 3x3 x8 stride=2", "28x28x1", "13x13x8"),
        ("conv 3x3 x8 stride=2 pad=same", "27x28x1", "14x14x8"),
        ("conv 3x3 x8 dilation=3", "28x28x1", "22x22x8"),
        ("conv 1x1 x8 groups=2", "5x5x4", "5x5x8"),
        ("conv 28x28 x8", "28x28x1", "1x1x8"),
        ("maxpool 2", "28x28x3", "14x14x3"),
        ("maxpool 2", "27x27x3", "13x13x3"),
        ("maxpool 3 stride=2 pad=1", "28x28x3", "14x14x3"),
        ("maxpool 2x3 stride=1", "5x5x1", "4x3x1"),
        ("avgpool 2 pad=same", "27x27x3", "14x14x3"),
        ("globalavgpool", "7x5x3", "3"),
        ("globalmaxpool", "7x5x3", "3"),
        ("flatten", "7x5x3", "105"),
        ("reshape 5x21", "7x5x3", "5x21"),
        ("dropout 0.5 -> batchnorm -> layernorm -> relu -> softmax", "7x5x3", "7x5x3"),
    ],
)  # fmt: skip
def test_a_layer_makes_a_shape_of_a_shape(layer: str, before: str, after: str) -> None:
    assert made(layer, before) == after


@pytest.mark.parametrize(
    ("layer", "shape", "arrays"),
    [
        ("dense 10", "4", {"weight": (4, 10), "bias": (10,)}),
        ("dense 10 bias=no", "5x5x2", {"weight": (50, 10)}),
        ("conv 3x5 x8", "9x9x2", {"weight": (3, 5, 2, 8), "bias": (8,)}),
        ("conv 3x3 x8 groups=2 bias=no", "9x9x4", {"weight": (3, 3, 2, 8)}),
        ("batchnorm", "9x9x4", {"weight": (4,), "bias": (4,)}),
        ("layernorm", "7", {"weight": (7,), "bias": (7,)}),
        ("maxpool 2", "9x9x4", {}),
        ("relu", "9x9x4", {}),
    ],
)  # fmt: skip
def test_a_layer_learns_arrays_of_these_shapes(layer: str, shape: str, arrays: dict[str, tuple[int, ...]]) -> None:
    (node,) = spec_of(f"input {shape}\n{layer}").nodes
    assert {name: parameter.shape for name, parameter in node.layer.parameters(node.input_shape).items()} == arrays


def test_fans_count_the_inputs_of_an_output_and_the_outputs_of_an_input() -> None:
    dense, conv, grouped = (
        next(iter(spec_of(f"input 9x9x4\n{layer}").parameters().values()))
        for layer in ("dense 10", "conv 3x3 x8", "conv 3x3 x8 groups=2")
    )
    assert (dense.fan_in, dense.fan_out) == (324, 10)
    assert (conv.fan_in, conv.fan_out) == (36, 72)
    assert (grouped.fan_in, grouped.fan_out) == (18, 36)


def test_lenet_5_has_the_parameters_that_it_is_known_for() -> None:
    text = "input 32x32x1\nconv 5x5 x6 tanh -> avgpool 2 -> conv 5x5 x16 tanh -> avgpool 2"
    text += " -> dense 120 tanh -> dense 84 tanh -> dense 10"
    assert spec_of(text).parameter_count == 61_706


def test_operations_are_counted_with_the_activation() -> None:
    plain, relu = (spec_of(f"input 4 -> dense 30{activation}").nodes[0].flops() for activation in ("", " relu"))
    assert (plain, relu) == (30 * (2 * 4 + 1), 30 * (2 * 4 + 1) + 30)
    assert spec_of("input 28x28 -> conv 3x3 x8 bias=no").nodes[0].flops() == 26 * 26 * 8 * 2 * 9


@pytest.mark.parametrize(
    ("layer", "shape", "note", "help"),
    [
        ("conv 9x9 x8", "6x6x8", "A window of 9x9 does not fit into a 6x6x8 image.",
         "write pad=same, or a window of 6x6 or less"),
        ("conv 3x9 x8", "6x6x8", "A window of 3x9 does not fit into a 6x6x8 image.",
         "write pad=same, or a window of 3x6 or less"),
        ("conv 3x3 x8 dilation=4", "6x6x8", "A window of 3x3, 9x9 with its dilation, does not fit into a 6x6x8 image.",
         "write pad=same, or a smaller dilation"),
        ("maxpool 7", "6x6x8", "A window of 7x7 does not fit into a 6x6x8 image.",
         "write pad=same, or a window of 6x6 or less"),
        ("conv 3x3x3 x8", "6x6x8", "a window has a height and a width, 3x3x3 has 3 sizes", None),
        ("conv 3x3 x8 groups=3", "6x6x8", "3 groups do not divide 8 channels", None),
        ("conv 3x3 x7 groups=2", "6x6x8", "2 groups do not divide 7 filters", None),
        ("conv 3x3 x8 stride=2x1x1", "6x6x8", "stride=2x1x1 has 3 numbers: around an image stride is one number or "
         "ROWSxCOLUMNS", "write stride=2x1"),
        ("conv 3 x8 dilation=2x1", "6x8 sequence", "dilation=2x1 has 2 numbers: over time dilation is one number",
         "write dilation=2"),
        ("maxpool 2 stride=2x1", "6x8 sequence", "stride=2x1 has 2 numbers: over time stride is one number",
         "write stride=2"),
        ("conv 3x3 x8 dilation=1x3", "6x6x8", "A window of 3x3, 3x7 with its dilation, does not fit into a 6x6x8 "
         "image.", "write pad=same, or a smaller dilation"),
        ("maxpool 2 pad=2", "6x6x8", "with pad=2 a window of 2 would be on padding alone", "write pad=1 or less"),
        ("avgpool 3 pad=0x3x0x0", "6x6x8", "with pad=0x3x0x0 a window of 3 would be on padding alone",
         "write pad=2 or less at each end"),
        ("maxpool 2 stride=1 dilation=3 pad=same", "1x1x8", "with pad=same a window of 2 would be on padding alone",
         "write pad=valid"),
        ("conv 3x3 x8 pad=1x2x3", "6x6x8", "pad=1x2x3 has 3 numbers: around an image pad is one number, ROWSxCOLUMNS "
         "or TOPxBOTTOMxLEFTxRIGHT", "write pad=same"),
        ("conv 3 x8 pad=1x2x3x4", "6x8", "pad=1x2x3x4 has 4 numbers: over time pad is one number or BEFORExAFTER",
         "write pad=same"),
        ("maxpool 2", "10x1", "A window of 2x2 does not fit into a 10x1x1 image.",
         "write the shape as 10x1 sequence for windows over 10 steps, or pad=same"),
        ("maxpool 7", "6x8 sequence", "A window of 7 steps does not fit into 6 steps.",
         "write pad=same, or a window of 6 or less"),
        ("maxpool 2x2", "6x8 sequence", "maxpool 2x2 takes an image, and 6x8 is a sequence",
         "write a window of one size, which applies to the steps: maxpool 2"),
        ("maxpool 2", "6", "maxpool 2 takes an image or a sequence, and 6 is a row of numbers",
         "write reshape HxWxC before it"),
        ("reshape 2x3x6 sequence", "36", "a sequence has two axes, time x features, and 2x3x6 has 3",
         "write reshape 2x18 sequence"),
        ("upsample 2x2", "6x8 sequence", "upsample 2x2 takes an image, and 6x8 is a sequence",
         "write one number, for its steps: upsample 2"),
        ("upsample 2 align_corners=yes", "6x6x8", "align_corners is of mode=bilinear",
         "write mode=bilinear, or leave align_corners out"),
        ("transposed 3x3 x8 stride=2 output_pad=2", "6x6x8", "output_pad=2 is not less than the stride, 2",
         "write output_pad=1 or less"),
        ("transposed 3x3 x8 pad=same output_pad=1 stride=2", "6x6x8", "pad=same gives the output its size, and "
         "output_pad adds to it", "leave output_pad out"),
        ("transposed 3x3 x8 pad=4", "6x6x8", "pad cuts off 8 cells of an output of 8", "write a smaller pad"),
        ("transposed 3x3 x8 groups=3", "6x6x8", "3 groups do not divide 8 channels", None),
        ("depthwise 7x7", "6x6x8", "A window of 7x7 does not fit into a 6x6x8 image.",
         "write pad=same, or a window of 6x6 or less"),
        ("separable 3x3 x8", "6x8 sequence", "separable 3x3 takes an image, and 6x8 is a sequence",
         "write a window of one size, which applies to the steps: separable 3"),
        ("pad 1x2x3", "6x6x8", "pad 1x2x3 has 3 numbers: around an image pad is one number, ROWSxCOLUMNS or "
         "TOPxBOTTOMxLEFTxRIGHT", "write pad 1"),
        ("pad 6 mode=reflect", "6x6x8", "6 cells are mirrored into 5 at most, and here they are 6",
         "write pad 5 or less, or mode=edge"),
        ("pad 2", "7", "pad takes an image or a sequence, and 7 is a row of numbers", "write reshape HxWxC before it"),
        ("crop 3", "6x6x8", "crop 3 leaves nothing of 6 cells", "write crop to=3 for the size that is left, or fewer "
         "cells"),
        ("crop to=7x6", "6x6x8", "to=7x6 is larger than the input, 6x6x8", "write pad to enlarge it"),
        ("crop", "6x6x8", "crop takes the cells at each side, or the size that is left",
         "write crop 2, or crop to=24x24"),
        ("permute 2 1", "6x6x8", "permute 2 1 is not an order of the 3 axes of 6x6x8",
         "write each axis from 1 to 3 once, such as permute 2 3 1"),
        ("groupnorm 3", "6x6x8", "3 groups do not divide 8 channels", "write groupnorm 2"),
        ("groupnorm 8", "8", "each of the 8 groups is a single number, which has no variance", "leave it out"),
        ("instancenorm", "8", "instancenorm takes an image or a sequence, and 8 is a row of numbers",
         "write layernorm"),
        ("globalavgpool", "7", "globalavgpool takes an image or a sequence, and 7 is a row of numbers",
         "leave it out"),
        ("reshape 5x5", "6x6", "5x5 has 25 values, 6x6 has 36.", None),
    ],
)  # fmt: skip
def test_what_a_layer_does_not_fit_is_told(layer: str, shape: str, note: str, help: str | None) -> None:
    error = error_of(f"input {shape}\n{layer}")
    assert (error.code, error.notes[0], error.notes[1], error.help) == ("E301", note, shape.split()[0], help)


def test_every_word_is_found_by_its_registry_and_says_what_it_is() -> None:
    assert {"conv", "dense", "relu", "softmax", "rnn"} <= set(layers())
    signs = set(merge_signs().values())
    assert signs == set(words("merge")), "the signs in `group` of grammar.lark are not the words of the merges"
    for name, cls in layers().items():
        assert cls.word == name
        assert cls.help().endswith((".", ".)"))
        assert cls.model_config["frozen"]


@pytest.mark.parametrize("layer", ["maxpool 2", "avgpool 3 stride=1", "globalavgpool", "globalmaxpool"])
def test_two_axes_that_are_read_as_an_image_where_they_may_be_a_sequence_are_a_warning(layer: str) -> None:
    word = layer.split()[0]
    (warning,) = spec_of(f"input 32x3\n{layer}").warnings
    assert (warning.code, warning.severity) == ("W301", "warning")
    assert warning.message == f"{word} reads 32x3 as an image with one channel"
    assert warning.help == "write the shape as 32x3x1 for an image, or as 32x3 sequence for time x features"
    for said in ("32x3x1", "32x3 sequence"):
        assert spec_of(f"input {said}\n{layer}").warnings == ()
    assert spec_of(f"input 32x3\nrnn 4 return=sequence -> {layer}").warnings == ()


def test_a_square_over_one_axis_and_windows_of_two_sizes_are_no_warning() -> None:
    for text in ("input 32x1\nglobalavgpool", "input 32x3\nmaxpool 2x2", "input 32x3\nconv 3 x4 -> maxpool 2"):
        assert spec_of(text).warnings == ()


def test_a_stored_spec_of_a_pool_over_two_axes_means_what_it_meant() -> None:
    stored = "input 28x28\nmaxpool1: maxpool 2 pad=valid -> avgpool1: avgpool 2 stride=1 pad=same -> dense1: dense 3"
    spec = spec_of(stored)
    assert [tuple(node.output_shape) for node in spec.nodes] == [(14, 14, 1), (14, 14, 1), (3,)]
    assert spec.parameter_count == 14 * 14 * 3 + 3
    assert spec_of("input 28x28\ndense 3").parameter_count == 28 * 28 * 3 + 3
    assert spec_of("input 28x28 sequence\ndense 3").output_shape == (28, 3)


def test_a_sequence_has_two_axes() -> None:
    error = error_of("input 20 sequence\ndense 3")
    assert (error.code, error.span.text) == ("E202", "sequence")
    assert error.message == "axes can be sequence after two axes alone, time x features, as in input 50x3 sequence"
