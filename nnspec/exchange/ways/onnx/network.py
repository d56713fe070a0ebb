"""A network as the graph of an ONNX file: raw samples in, its answers out."""

import numpy as np

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.ways.onnx.columns import encoding_of, rows_of
from nnspec.exchange.ways.onnx.graph import BATCH, TIME, Axis, GraphFile, Layout, Operation, Port, Value
from nnspec.exchange.ways.onnx.layers import LAYERS, MERGES, Writing
from nnspec.exchange.ways.onnx.padding import Padding
from nnspec.runtime.compiler.graph import Graph, GraphNode, reads_symbols
from nnspec.runtime.compiler.padding import padding_after_strides
from nnspec.runtime.data import Preprocessing
from nnspec.runtime.errors import NetworkError
from nnspec.runtime.infer.network import Network
from nnspec.runtime.infer.single_step import steps_over_time
from nnspec.spec_lang.check.spec import INPUT
from nnspec.spec_lang.vocabulary.shape import Shape

OUTPUT = "output"
"""The name of the file's first output; its first input is called as that of a network, input."""

MOST_ROUNDED = 2e-6
"""How much the rounding of a raw number to float32 may change a normalized one before the input is float64."""


def graph_of(network: Network, stateful: bool = False, by_column: bool = False) -> GraphFile:
    """Return the graph of a network, in float32.

    With `stateful` the states of the recurrent layers are inputs and outputs too, and the number of steps is open.
    With `by_column` each column of a table is an input: see `columns`. Raises ExchangeError for a layer that cannot be
    written, and where there is no state to carry, or no column.
    """
    graph, fitted = network.program.graph, network.preprocessing
    over_time = _over_time(network) if stateful else frozenset()
    file = GraphFile()
    symbolic = reads_symbols(graph.nodes)
    samples = _samples(file, graph, fitted, symbolic, stateful, by_column)
    values, sequences, float_input = {INPUT: samples}, None, samples
    if symbolic:
        samples = _as_symbols(file, samples)
        strided = padding_after_strides(graph.nodes)
        sequences = Padding(file, samples.tensor, None if stateful else graph.input_shape[0], strided)
    arrays = {**network.parameters, **network.buffers}
    for node in graph.nodes:
        reads = node.layer.vocabulary(node.input_shapes[0]) is not None
        if INPUT in node.inputs:
            if not reads and float_input.whole:
                float_input = _as_floats(file, float_input)
            values[INPUT] = samples if reads else float_input
        inputs = [values[name] for name in node.inputs]
        writing = Writing(file, node, inputs, arrays, sequences, node.name in over_time)
        values[node.name] = _written(writing)
    last = values[graph.nodes[-1].name] if graph.nodes else values[INPUT]
    if graph.head is not None:
        node = GraphNode(_head_name(network), graph.head, (INPUT,), (graph.output_shape,), graph.output_shape)
        last = _written(Writing(file, node, [last], arrays, sequences))
    answers = _unscaled(file, network, file.tensor(last, Layout.LAST))
    _finish(file, answers, graph.output_shape, stateful)
    return file


def _written(layer: Writing) -> Value:
    """Return the value of a layer. Raises ExchangeError where nothing says how it is written."""
    registry = MERGES if len(layer.inputs) > 1 else LAYERS
    try:
        function = registry[type(layer.word)]
    except KeyError:
        raise layer.refused(f"nothing says what {layer.word.word} is there") from None
    value = function(layer)
    return Value(layer.node.output_shape, value.layout, value.tensors, value.whole)


def _over_time(network: Network) -> frozenset[str]:
    """Return the layers that read the steps of the sequence. Raises ExchangeError where no state can be carried."""
    graph = network.program.graph
    if not reads_symbols(graph.nodes) and graph.input_shape.as_steps() is None:
        why = f"the samples of {network.spec.name} are not sequences, and so there is no state to carry"
        raise ExchangeError(f"{why}\n  help: leave --state out")
    try:
        names = steps_over_time(network.spec)
    except NetworkError as error:
        raise ExchangeError(f"{error}\n  help: leave --state out to write the network for whole sequences") from None
    if not any(node.layer.carries(node.input_shape) for node in network.spec.nodes if node.name in names):
        why = f"{network.spec.name} has no recurrent layer, and so no state to carry"
        raise ExchangeError(f"{why}\n  help: leave --state out")
    return names


def _samples(
    file: GraphFile, graph: Graph, fitted: Preprocessing, symbolic: bool, stateful: bool, by_column: bool
) -> Value:
    """Add the input, or an input for each column, and return the normalized samples."""
    shape = fitted.input_shape
    normalized = fitted.normalize != "none"
    whole = symbolic and not normalized
    wide = normalized and not _fits_float32(fitted)
    axes: list[Axis] = [BATCH, *shape]
    if stateful:
        axes[1] = TIME
    if by_column:
        x, wide = rows_of(file, encoding_of(fitted)), True
    else:
        x = file.free(INPUT)
        file.inputs.append(Port(x, "int64" if whole else "float64" if wide else "float32", tuple(axes)))
    if normalized:
        kind = np.float64 if wide else np.float32
        if fitted.shift.any():
            x = file.add("Sub", [x, file.constant("normalize.shift", fitted.shift, kind)], "normalize.shifted")
        x = file.add("Div", [x, file.constant("normalize.scale", fitted.scale, kind)], "normalize")
    if wide:
        x = file.add("Cast", [x], "normalize.float32", to="float32")
    if shape != tuple(graph.input_shape):
        lengths = [0, *(0 if stateful and axis == 0 else length for axis, length in enumerate(graph.input_shape))]
        x = file.add("Reshape", [x, file.integers("sample.shape", lengths)], "sample")
    return Value(graph.input_shape, Layout.LAST, {Layout.LAST: x}, whole)


def _fits_float32(fitted: Preprocessing) -> bool:
    """Return whether raw numbers in float32 lose nothing that matters: their size is not much above their spread."""
    size = np.abs(fitted.shift)
    if fitted.seen is not None:
        size = np.maximum(size, np.maximum(np.abs(fitted.seen.low), np.abs(fitted.seen.high)))
    return bool((size / fitted.scale * np.finfo(np.float32).eps / 2 <= MOST_ROUNDED).all())


def _as_symbols(file: GraphFile, samples: Value) -> Value:
    """Return samples as the nearest whole numbers."""
    if samples.whole:
        return samples
    x = file.add("Cast", [file.add("Round", [samples.tensor], "symbols.nearest")], "symbols", to="int64")
    return Value(samples.shape, Layout.LAST, {Layout.LAST: x}, True)


def _as_floats(file: GraphFile, samples: Value) -> Value:
    """Return symbols as float32, for a layer that reads numbers."""
    x = file.add("Cast", [samples.tensor], "numbers", to="float32")
    return Value(samples.shape, Layout.LAST, {Layout.LAST: x})


def _head_name(network: Network) -> str:
    """Return the name of the last activation: of its own, or after the layer in whose line it is."""
    node = network.spec.nodes[-1]
    after = node.layer.activations()
    return f"{node.name}/{after[-1].word}" if after else node.name


def _unscaled(file: GraphFile, network: Network, outputs: str) -> str:
    """Return the outputs in the units of the targets."""
    scaling = network.preprocessing.target_scaling
    if scaling is None:
        return outputs
    answers = network.spec.loss.answers if len(scaling.scale) > 1 else 1
    scale, shift = (np.repeat(array, answers) for array in (scaling.scale, scaling.shift))
    outputs = file.add("Mul", [outputs, file.constant("targets.scale", scale)], "targets.scaled")
    return file.add("Add", [outputs, file.constant("targets.shift", shift)], "targets")


def _finish(file: GraphFile, answers: str, shape: Shape, stateful: bool) -> None:
    """Make a tensor the file's first output."""
    computed = any(answers in operation.outputs for operation in file.operations)
    own = any(answers == port.name for port in file.outputs)
    name = file.free(OUTPUT)
    if computed and not own:
        file.call(answers, name)
    else:
        file.operations.append(_identity(answers, name))
    axes: list[Axis] = [BATCH, *shape]
    if stateful and shape.sequence:
        axes[1] = TIME
    file.outputs.insert(0, Port(name, "float32", tuple(axes)))


def _identity(tensor: str, name: str) -> Operation:
    return Operation(name, "Identity", (tensor,), (name,), {})
