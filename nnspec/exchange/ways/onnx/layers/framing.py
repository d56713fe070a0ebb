"""Layers that add cells around an image or a sequence, or cut some off, in whatever layout it is."""

from nnspec.exchange.ways.onnx.graph import Value
from nnspec.exchange.ways.onnx.layers import Writing, writes
from nnspec.exchange.ways.onnx.layers.aligned import cut, steps_after
from nnspec.spec_lang.vocabulary.layers.framing import Crop, PadLayer

_MODES = {"zeros": "constant", "reflect": "reflect", "edge": "edge"}


@writes(PadLayer)
def pad(layer: Writing) -> Value:
    """A frame of zeros, or of copies of the cells."""
    word, x = layer.word, layer.image()
    tensor = x.tensor
    if steps_after(layer) is not None:
        if word.mode != "zeros":
            why = f"mode={word.mode} copies the end of each sequence, and sequences here may be padded with -1"
            raise layer.refused(why, "write mode=zeros")
        tensor = layer.filled(tensor, x.layout)
    before, after = [0] * x.rank, [0] * x.rank
    for axis, sides in enumerate(word.sides(layer.shape)[: x.rank - 2], 1):
        place = x.layout.place(axis, x.rank)
        before[place], after[place] = sides
    pads = layer.integers("pads", [*before, *after])
    return layer.value(layer.add("Pad", [tensor, pads], mode=_MODES[word.mode]), x.layout)


@writes(Crop)
def crop(layer: Writing) -> Value:
    """The part inside the frame."""
    word, x = layer.word, layer.image()
    after = steps_after(layer)
    sides, image = word.sides(layer.shape)[: x.rank - 2], x.shape
    axes = [x.layout.place(axis, x.rank) for axis in range(1, x.rank - 1)]
    starts = [side[0] for side in sides]
    ends = [length - side[1] for length, side in zip(image, sides, strict=False)]
    bounds = [layer.integers(name, numbers) for name, numbers in (("starts", starts), ("ends", ends), ("axes", axes))]
    y = layer.add("Slice", [x.tensor, *bounds])
    if after is not None and any(word.to):
        raise layer.refused("to= cuts the middle out of each sequence, and sequences here may be padded with -1")
    return layer.value(cut(layer, y, after, x.layout), x.layout)
