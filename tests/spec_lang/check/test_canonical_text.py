"""A checked spec as text again."""

import pytest
from hypothesis import given

from nnspec.spec_lang.check.canonical_text import canonical_text, in_short
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
