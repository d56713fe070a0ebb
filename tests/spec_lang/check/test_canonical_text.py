"""A checked spec as text again."""

import pytest
from hypothesis import given

from nnspec.spec_lang.check.canonical_text import canonical_text, in_short, short_text
from nnspec.spec_lang.check.difference import spec_differences
from tests.support.spec_findings import spec_of
from tests.support.spec_texts import cases, layouts, specs


@given(specs().flatmap(layouts))
@cases(60)
def test_checking_the_resolved_text_gives_the_same_spec(text: str) -> None:
    spec = spec_of(text)
    again = spec_of(canonical_text(spec))
    assert spec_differences(spec, again) == ()
    assert canonical_text(again) == canonical_text(spec)
    assert [(node.name, node.layer, node.inputs, node.output_shape) for node in again.nodes] == [
        (node.name, node.layer, node.inputs, node.output_shape) for node in spec.nodes
    ]


@given(specs().flatmap(layouts))
@cases(30)
def test_checking_the_short_text_gives_the_same_spec(text: str) -> None:
    spec = spec_of(text)
    again = spec_of(short_text(spec))
    assert spec_differences(spec, again) == ()
    assert short_text(again) == short_text(spec)


@pytest.mark.parametrize(
    "layer",
    [
        "conv 3x3 x8 relu stride=2 pad=same bias=no",
        "dense 10",
        "maxpool 2",
        "lstm 5 return=sequence",
        "leaky_relu slope=0.2",
    ],
)
def test_a_word_in_short_leaves_out_what_its_defaults_say(layer: str) -> None:
    (node,) = spec_of(f"input {'6x4' if 'lstm' in layer else '8x8x1'}\n{layer}").nodes
    assert in_short(node.layer) == layer


def test_metrics_of_the_training_split_are_written_where_they_are_asked_for() -> None:
    asked = spec_of("input 4\ndense 3 softmax\nmetrics f1, accuracy training=yes")
    for text, options in ((canonical_text(asked), "average=macro training=yes"), (short_text(asked), "training=yes")):
        assert f"f1, accuracy {options}" in text and spec_of(text).training_metrics


def test_options_of_metrics_are_written_once_for_all_that_have_them() -> None:
    spec = spec_of("input 4\ndense 3 softmax\nmetrics f1, topk, recall average=micro k=2")
    assert "metrics   f1, topk, recall average=micro k=2\n" in short_text(spec)
    for text in (canonical_text(spec), short_text(spec)):
        assert spec_of(text).metrics == spec.metrics


def test_metrics_of_the_training_split_are_not_measured_unless_asked_for() -> None:
    default = spec_of("input 4\ndense 3 softmax\nmetrics f1, accuracy")
    assert "training" not in canonical_text(default)


def test_a_sequence_and_the_padding_of_each_side_are_written_out() -> None:
    text = "input 12x12 sequence\nconv 3 x4 pad=2x0 -> maxpool 2 -> reshape 6x4x1 -> conv 3x3 x2 pad=0x1x2x3 -> "
    text += "avgpool 2 pad=1x0 count_include_pad=no ceil_mode=yes dilation=2 -> reshape 2x9 sequence -> dense 2"
    spec = spec_of(text)
    again = spec_of(canonical_text(spec))
    assert [node.layer for node in again.nodes] == [node.layer for node in spec.nodes]
    assert again.input is not None and again.input.sequence and again.output_shape == (2, 2)
    assert "input 12x12 sequence" in canonical_text(spec) and "pad=0x1x2x3" in canonical_text(spec)
    assert spec_differences(spec, again) == ()
    assert str(spec_differences(spec_of("input 6x4\nrnn 3"), spec_of("input 6x4 sequence\nrnn 3"))[0]) == (
        "input: 6x4 → 6x4 sequence"
    )
