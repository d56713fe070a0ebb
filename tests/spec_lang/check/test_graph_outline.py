"""What a picture of a network shows, before it is drawn."""

import pytest

from nnspec import api
from nnspec.spec_lang.check.graph_outline import Branches, Element, Frame, LayerBox, count, outline


def told(part: Element) -> object:
    """A part in a form that is short to write."""
    match part:
        case LayerBox():
            return part.text
        case Frame():
            return (part.title, *map(told, part.parts))
        case Branches():
            return {part.joint: [list(map(told, branch)) for branch in part.branches]}


def drawn(text: str) -> list[object]:
    return [told(part) for part in outline(api.check(f"input 8\n{text}"))]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("dense 4 relu -> dense 4 relu", ["dense 4 relu", "dense 4 relu"]),
        ("repeat 3 (dense 8 relu)", [("dense1 … dense3  ×3", "dense 8 relu")]),
        ("repeat 2 (dense 8 -> relu)", [("×2", "dense 8", "relu")]),
        ("repeat 3 (relu)", [("×3", "relu")]),
        ("dense 4 -> (dense 4 + skip)", ["dense 4", {"+ add": [["dense 4"], []]}]),
        ("repeat 2 (skip | dense 8) -> dense 3", [
            {"| concatenate": [[], ["dense 8"]]}, {"| concatenate": [[], ["dense 8"]]}, "dense 3",
        ]),
        ("repeat 2 (skip + dense 8)", [("×2", {"+ add": [[], ["dense 8"]]})]),
        ("part: (dense 4 -> relu)", [("part", "dense 4", "relu")]),
    ],
)  # fmt: skip
def test_repeats_are_one_frame_and_branches_stand_side_by_side(text: str, parts: list[object]) -> None:
    assert drawn(text) == parts


def test_uses_of_a_block_are_one_frame_where_their_words_and_shapes_are_equal() -> None:
    block = "block res(w) = (dense $w relu -> dense $w + skip)\n"
    inside = {"+ add": [["dense 8 relu", "dense 8"], []]}
    assert drawn(f"{block}repeat 3 (res 8) -> dense 3") == [("res1 … res3  ×3", inside), "dense 3"]
    assert drawn("block d(w) = dense $w\nd 8 -> d 7 -> d 7") == [
        ("d1", "dense 8"), ("d2", "dense 7"), ("d3", "dense 7")
    ]  # fmt: skip


def test_repeats_inside_repeats_are_frames_inside_frames() -> None:
    assert drawn("repeat 2 (repeat 3 (dense 8) -> relu)") == [("×2", ("dense1 … dense3  ×3", "dense 8"), "relu")]


def test_the_first_of_a_repeat_stands_alone_where_another_shape_comes_in() -> None:
    assert drawn("repeat 4 (dense 3)") == ["dense 3", ("dense2 … dense4  ×3", "dense 3")]


def test_layers_have_their_weights_and_their_output_shape() -> None:
    (group,) = outline(api.check("input 28x28x1 -> stem: (first: conv 3x3 x4 -> maxpool 2)"))
    assert isinstance(group, Frame)
    layers = [part for part in group.parts if isinstance(part, LayerBox)]
    assert [(layer.text, layer.weights, layer.shape, layer.node.name) for layer in layers] == [
        ("conv 3x3 x4", "first · 40 parameters", (26, 26, 4), "stem/first"),
        ("maxpool 2", "", (13, 13, 4), "stem/maxpool1"),
    ]
    (single,) = outline(api.check("input 1 -> dense 1 bias=no"))
    assert isinstance(single, LayerBox) and single.weights == "dense1 · 1 parameter"


def test_what_is_drawn_is_counted_with_repeats_once() -> None:
    assert count(outline(api.check("input 8 -> repeat 500 (dense 8 -> relu) -> (dense 8 + skip)"))) == 2 + 2
