"""The fully connected layer."""

from nnspec.exchange.ways.onnx.graph import Layout, Value
from nnspec.exchange.ways.onnx.layers import Writing, writes
from nnspec.spec_lang.vocabulary.layers.dense import Dense


@writes(Dense)
def dense(layer: Writing) -> Value:
    """Gemm of a row, or at every step of a sequence a matrix product."""
    if layer.shape.sequence:
        layout = layer.x.layout if layer.x.layout is Layout.STEPS else Layout.LAST
        weight = layer.array("weight")
        if not layer.word.bias:
            return layer.value(layer.add("MatMul", [layer.tensor(layout), weight]), layout)
        product = layer.add("MatMul", [layer.tensor(layout), weight], "product")
        return layer.value(layer.add("Add", [product, layer.array("bias")]), layout)
    rows = layer.tensor(Layout.LAST)
    if len(layer.shape) != 1:
        rows = layer.add("Flatten", [rows], "rows", axis=1)
    tie = layer.node.ties.get("weight")
    if tie is not None and tie.transposed:
        weight = layer.graph.constant(tie.array.replace("/", "."), layer.arrays[tie.array])
        inputs, turned = [rows, weight], 1
    else:
        inputs, turned = [rows, layer.array("weight")], None
    if layer.word.bias:
        inputs.append(layer.array("bias"))
    return layer.value(layer.add("Gemm", inputs, transB=turned), Layout.LAST)
