"""The graph as the bytes of an ONNX file, checked with ONNX's own checker and shape inference."""

import warnings
from collections.abc import Mapping
from typing import Any

from nnspec.exchange.errors import ExchangeError, package
from nnspec.exchange.ways.onnx.graph import GraphFile, Operation, Port

OPSET, IR_VERSION = 21, 10
"""The versions of the operators and of the file format, those of ONNX 1.16; ONNX Runtime 1.18 reads them."""

MOST_BYTES = 2**31 - 1
"""The size of the largest file: Protocol Buffers hold no more."""


def model_bytes(graph: GraphFile, name: str, version: str, metadata: Mapping[str, str]) -> bytes:
    """Return the file of a graph: the same bytes for the same graph.

    Raises ExchangeError where the package onnx is missing, its checker refuses the file, or it would be too large.
    """
    onnx = package("onnx", "onnx", "a file for ONNX")
    size = sum(array.nbytes for array in graph.arrays.values())
    if size > MOST_BYTES:
        raise ExchangeError(f"the arrays have {size:,} bytes, and an ONNX file holds {MOST_BYTES:,} at most")
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    used = {tensor for operation in graph.operations for tensor in operation.inputs}
    made = helper.make_graph(
        [_node(onnx, operation) for operation in graph.operations],
        name,
        [_port(onnx, port) for port in graph.inputs],
        [_port(onnx, port) for port in graph.outputs],
        [numpy_helper.from_array(array, key) for key, array in graph.arrays.items() if key in used],
    )
    model = helper.make_model(
        made,
        producer_name="nnspec",
        producer_version=version,
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
    helper.set_model_props(model, dict(metadata))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
            onnx.checker.check_model(model, full_check=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            raise ExchangeError(f"the file that was made is not valid ONNX, and nothing is written: {error}") from error
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _node(onnx: Any, operation: Operation) -> Any:
    attributes = dict(operation.attributes)
    if operation.operator == "Cast":
        attributes["to"] = _type(onnx, attributes["to"])
    return onnx.helper.make_node(operation.operator, operation.inputs, operation.outputs, operation.name, **attributes)


def _port(onnx: Any, port: Port) -> Any:
    return onnx.helper.make_tensor_value_info(port.name, _type(onnx, port.dtype), port.axes)


def _type(onnx: Any, dtype: str) -> int:
    named = {"float32": "FLOAT", "float64": "DOUBLE", "int64": "INT64", "int32": "INT32", "bool": "BOOL"}
    named["string"] = "STRING"
    found: int = onnx.TensorProto.DataType.Value(named[dtype])
    return found
