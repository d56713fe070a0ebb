"""Padding, cropping and upsampling."""

from nnspec.exchange.ways.torch.layers._steps import refuse_texts
from nnspec.exchange.ways.torch.layers._windows import leave
from nnspec.exchange.ways.torch.writing import Inputs, Value, Writer, goes
from nnspec.runtime.compiler.graph import GraphNode
from nnspec.spec_lang.vocabulary.layers.framing import Crop, PadLayer
from nnspec.spec_lang.vocabulary.layers.upsampling import Upsample
from nnspec.spec_lang.vocabulary.spatial import image_or_steps


@goes(PadLayer)
def _pad(word: PadLayer, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    refuse_texts(word, node, w)
    (top, bottom), (left, right) = word.sides(node.input_shapes[0])
    axes = 1 if image_or_steps(word.word, node.input_shapes[0])[1] else 2
    sides = (top, bottom) if axes == 1 else (left, right, top, bottom)
    mode = {"zeros": "constant", "reflect": "reflect", "edge": "replicate"}[word.mode]
    return leave(f'F.pad({inputs[0].first(axes)}, {sides}, mode="{mode}")', node)


@goes(Crop)
def _crop(word: Crop, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    refuse_texts(word, node, w)
    (height, width, _), steps = image_or_steps(word.word, node.input_shapes[0])
    (top, bottom), (left, right) = word.sides(node.input_shapes[0])
    inside = f"{top}:{height - bottom}" + ("" if steps else f", {left}:{width - right}")
    return leave(f"{inputs[0].first(1 if steps else 2)}[:, :, {inside}]", node)


@goes(Upsample)
def _upsample(word: Upsample, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    refuse_texts(word, node, w)
    axes = 1 if image_or_steps(word.word, node.input_shapes[0])[1] else 2
    factors = tuple(float(factor) for factor in word.factors(node.input_shapes[0]))[:axes]
    mode = "nearest" if word.mode == "nearest" else "linear" if axes == 1 else "bilinear"
    corners = f", align_corners={word.align_corners}" if mode != "nearest" else ""
    return leave(f'F.interpolate({inputs[0].first(axes)}, scale_factor={factors}, mode="{mode}"{corners})', node)
