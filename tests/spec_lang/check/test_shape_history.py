"""The way of a shape, told in one line."""

from nnspec.spec_lang.check.shape_history import LONGEST_STEP, MOST_STEPS, ShapeStep
from nnspec.spec_lang.source import Source, Span
from nnspec.spec_lang.syntax.tree import Value


def step(text: str, shape: str, before: ShapeStep, **variables: Value) -> ShapeStep:
    return ShapeStep(shape, Span(Source("a", text), 0, len(text)), before, variables)


def test_each_layer_stands_between_the_shapes_before_and_behind_it() -> None:
    assert step("maxpool 2", "4x4", step("conv 3x3 x8", "8x8", ShapeStep("10x10"))).as_text() == (
        "10x10 · conv 3x3 x8 · 8x8 · maxpool 2 · 4x4"
    )


def test_variables_are_told_by_their_values_and_comments_not_at_all() -> None:
    width = Value("int", 16, Span(Source("a", "$other"), 0, 6))
    told = step("conv  3x3 # why\n  x$w $v", "8x8", ShapeStep("10x10"), w=width).as_text()
    assert told == "10x10 · conv 3x3 x16 $v · 8x8"


def test_a_long_layer_is_cut_and_of_a_long_way_the_end_is_told() -> None:
    assert len(step("dense " * 40, "3", ShapeStep("4")).as_text()) == len("4 ·  · 3") + LONGEST_STEP
    way = ShapeStep("start")
    for number in range(MOST_STEPS + 5):
        way = step(f"layer{number}", "4", way)
    told = way.as_text().split(" · ")
    assert told[:2] == ["start", "… 5 more layers …"]
    assert told[2:4] == ["layer5", "4"] and told[-2:] == ["layer16", "4"]
