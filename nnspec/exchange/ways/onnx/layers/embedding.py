"""Layers that read symbols, and categories that are one-hot."""

import numpy as np

from nnspec.exchange.ways.onnx.graph import Layout, Value
from nnspec.exchange.ways.onnx.layers import Writing, writes
from nnspec.spec_lang.vocabulary.layers.embedding import Embed, EmbedColumns, OneHot


def _rows(layer: Writing, suffix: str) -> str:
    """Return a one-hot row for each symbol; anything else, such as padding, becomes zeros."""
    x = layer.tensor(Layout.LAST)
    if not layer.x.whole:
        x = layer.add("Cast", [layer.add("Round", [x], "nearest")], "symbols", to="int64")
    column = layer.add("Unsqueeze", [x, layer.integers("symbol_axis", [2])], "column")
    known = layer.integers("vocabulary", np.arange(layer.word.vocabulary(layer.shape)))
    return layer.add("Cast", [layer.add("Equal", [column, known], "equal")], suffix, to="float32")


@writes(OneHot)
def onehot(layer: Writing) -> Value:
    """1 where a symbol is that of the column."""
    return layer.value(_rows(layer, ""), Layout.LAST)


@writes(Embed)
def embed(layer: Writing) -> Value:
    """The row of each symbol; the file has a row of zeros after the last one, which is that of −1, the padding."""
    if not layer.x.whole:
        return layer.value(layer.add("MatMul", [_rows(layer, "rows"), layer.array("weight")]), Layout.LAST)
    weight = layer.array("weight")
    zeros = layer.constant("padding", np.zeros((1, layer.word.units)))
    table = layer.add("Concat", [weight, zeros], "table", axis=0)
    return layer.value(layer.add("Gather", [table, layer.tensor(Layout.LAST)], axis=0), Layout.LAST)


@writes(EmbedColumns)
def embed_columns(layer: Writing) -> Value:
    """The other numbers, and the product of each one-hot column with its array."""
    x, columns = layer.tensor(Layout.LAST), layer.word.columns_in(layer.shape)
    chosen = {place for start, size in columns for place in range(start, start + size)}
    rest = [place for place in range(layer.shape[0]) if place not in chosen]
    parts = [layer.add("Gather", [x, layer.integers("others", rest)], "numbers", axis=1)] if rest else []
    axis = layer.integers("axis", [1])
    for number, (start, size) in enumerate(columns, 1):
        bounds = [layer.integers(f"start{number}", [start]), layer.integers(f"end{number}", [start + size])]
        column = layer.add("Slice", [x, *bounds, axis], f"column{number}")
        parts.append(layer.add("MatMul", [column, layer.array(f"weight{number}")], f"vector{number}"))
    return layer.value(layer.add("Concat", parts, axis=1), Layout.LAST)
