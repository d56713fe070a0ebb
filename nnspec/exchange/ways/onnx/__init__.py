"""Networks as ONNX files, which ONNX Runtime and many other programs run."""

from nnspec.exchange.export import Files, Leaving, registered, way
from nnspec.spec_lang.vocabulary.bases import Layer

LIMITS = {
    "avgpool": "yes; of padded symbols without ceil_mode, count_include_pad=no, or pad=same with a stride",
    "crop": "yes; of padded symbols without to=",
    "maxpool": "yes; of padded symbols not pad=same with a stride",
    "pad": "yes; of padded symbols mode=zeros alone",
    "upsample": "yes; of padded symbols mode=nearest alone",
}
"""What does not go out of a layer that does, by its word: where what it computes depends on the end of a sequence."""


def _says(layer: type[Layer]) -> str:
    from nnspec.exchange.ways.onnx.layers import LAYERS, MERGES

    return registered({**LAYERS, **MERGES}, LIMITS)(layer)


@way("onnx", (".onnx",), "an ONNX file, for ONNX Runtime and programs in other languages", ("state", "columns"), _says)
def onnx(leaving: Leaving) -> Files:
    """Return the file of a network, checked and run.

    With the option `state` the states of its recurrent layers are inputs and outputs, for sequences that come in parts;
    with `columns` each column of a table is an input.
    """
    from importlib.metadata import version

    from nnspec.exchange.errors import package
    from nnspec.exchange.ways.onnx.metadata import metadata_of
    from nnspec.exchange.ways.onnx.model import IR_VERSION, OPSET, model_bytes
    from nnspec.exchange.ways.onnx.network import graph_of
    from nnspec.exchange.ways.onnx.running import agreement, agreement_by_column

    package("onnx", "onnx", "a file for ONNX")
    network, made_by = leaving.network, version("nnspec")
    by_column = bool(leaving.options.get("columns"))
    graph = graph_of(network, bool(leaving.options.get("state")), by_column)
    content = model_bytes(graph, network.spec.name, made_by, metadata_of(network, made_by))
    takes = ", ".join(f"{port.name} {port.dtype} ({', '.join(map(str, port.axes))})" for port in graph.inputs)
    gives = ", ".join(f"{port.name} ({', '.join(map(str, port.axes))})" for port in graph.outputs)
    said = agreement_by_column(content, network) if by_column else agreement(content, graph, network, leaving.samples)
    about = f"opset {OPSET}, IR version {IR_VERSION}; it takes {takes} and returns {gives}"
    return Files({".onnx": content}, (about, said))
