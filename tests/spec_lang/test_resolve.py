"""A checked spec as text again."""

from hypothesis import given

from spec_lang.difference import differences
from spec_lang.resolve import resolved
from tests.spec_lang.said import spec_of
from tests.spec_lang.texts import cases, layouts, specs


@given(specs().flatmap(layouts))
@cases(60)
def test_checking_the_resolved_text_gives_the_same_spec(text: str) -> None:
    spec = spec_of(text)
    again = spec_of(resolved(spec))
    assert differences(spec, again) == ()
    assert resolved(again) == resolved(spec)
    assert [(node.name, node.layer, node.inputs, node.output_shape) for node in again.nodes] == [
        (node.name, node.layer, node.inputs, node.output_shape) for node in spec.nodes
    ]
