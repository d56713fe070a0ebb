"""Layers that make an image or a sequence larger by repeating or interpolating."""

from nnspec.exchange.ways.onnx.graph import Layout, Value
from nnspec.exchange.ways.onnx.layers import Writing, writes
from nnspec.exchange.ways.onnx.layers.aligned import cut, steps_after
from nnspec.spec_lang.vocabulary.layers.upsampling import Upsample
from nnspec.spec_lang.vocabulary.spatial import image_or_steps


@writes(Upsample)
def upsample(layer: Writing) -> Value:
    """Resize; a sequence is an image one pixel wide."""
    word = layer.word
    after = steps_after(layer)
    if after is not None and word.mode != "nearest":
        why = "it interpolates up to the end of each sequence, and sequences here may be padded with -1"
        raise layer.refused(why, "write mode=nearest")
    x = layer.graph.tensor(layer.image(), Layout.FIRST)
    _, steps = image_or_steps(word.word, layer.shape)
    down, right = word.factors(layer.shape)
    axis = layer.integers("width_axis", [3]) if steps else ""
    if steps:
        x = layer.add("Unsqueeze", [x, axis], "image")
    scales = layer.constant("scales", [1, 1, down, right])
    if word.mode == "nearest":
        options = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    else:
        places = "align_corners" if word.align_corners else "half_pixel"
        options = {"mode": "linear", "coordinate_transformation_mode": places}
    y = layer.add("Resize", [x, "", scales], "resized" if steps else "", **options)
    if steps:
        y = layer.add("Squeeze", [y, axis])
    return layer.value(cut(layer, y, after), Layout.FIRST)
