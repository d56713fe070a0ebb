"""An ONNX file run on samples, by ONNX Runtime or by ONNX's own slow reference, and compared with the network."""

import importlib.util
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nnspec.exchange.errors import ExchangeError, package
from nnspec.exchange.ways.onnx.columns import as_cells, drawn_columns, encoding_of
from nnspec.exchange.ways.onnx.graph import GraphFile, Port
from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler.graph import reads_symbols
from nnspec.runtime.infer.network import Network
from nnspec.runtime.targets import PADDING

TOLERANCE = 1e-5
"""The largest difference between the file's answers and the network's, as a part of the scale of the answers."""

MANY = 64
"""Rows of drawn cells that a file with an input for each column is run on."""

RUNTIME = "ONNX Runtime"

FEW = 4
"""Samples that the reference is run on: it takes a thousand times as long."""

Run = Callable[[Mapping[str, Array]], list[Array]]
"""Inputs by name → the outputs of a file in their order."""


def runtime_is_installed() -> bool:
    """Return whether ONNX Runtime can be imported."""
    return importlib.util.find_spec("onnxruntime") is not None


def session(content: bytes) -> tuple[Run, str]:
    """Return what runs a file, and its name. Raises ExchangeError where it refuses the file."""
    if not runtime_is_installed():
        evaluator = package("onnx.reference", "onnx", "a file for ONNX").ReferenceEvaluator(content)
        return lambda inputs: evaluator.run(None, dict(inputs)), "ONNX's reference evaluator"
    runtime = package("onnxruntime", "onnx", "a file for ONNX")
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    try:
        found = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no class in common
        raise ExchangeError(f"ONNX Runtime refuses the file, and nothing is written: {error}") from error
    return lambda inputs: found.run(None, dict(inputs)), RUNTIME


def agreement(content: bytes, graph: GraphFile, network: Network, samples: Array) -> str:
    """Return a sentence on how well the file agrees with the network on samples, and, of symbols, on shortened ones.

    Where the file has states, each sequence is given in two parts, the second with the states that the first leaves.
    Raises ExchangeError where a difference is above `TOLERANCE`.
    """
    run, runner = session(content)
    symbolic = reads_symbols(network.program.graph.nodes)
    if runner != RUNTIME:
        whole = (samples > PADDING).reshape(len(samples), -1).all(axis=1) if symbolic else slice(None)
        samples = samples[whole][:FEW]  # the reference knows no lengths
    elif symbolic:
        samples = np.concatenate([samples, shortened(samples[:FEW])])
    if not len(samples):
        return f"not compared with the network, because {runner} knows no padding; pip install onnxruntime"
    answers = network.predict(samples)
    x = samples.astype(graph.inputs[0].dtype)
    try:
        found = _whole(run, graph, x) if len(graph.inputs) == 1 else _in_two_parts(run, graph, x, answers.shape)
    except Exception as error:  # of the runner, for which there is no class in common
        return _not_run(runner, error)
    return _judged(runner, found, answers, network)


def agreement_by_column(content: bytes, network: Network) -> str:
    """Return a sentence on how well a file with an input for each column agrees with the network, on drawn cells.

    Raises ExchangeError where a difference is above `TOLERANCE`.
    """
    encoding = encoding_of(network.preprocessing)
    run, runner = session(content)
    given = drawn_columns(encoding, network.preprocessing, MANY)
    answers = network.predict(encoding.encode(as_cells(encoding, given)))
    try:
        found = run(given)[0]
    except Exception as error:  # of the runner, for which there is no class in common
        return _not_run(runner, error)
    return _judged(runner, found, answers, network)


def _not_run(runner: str, error: Exception) -> str:
    """Return the sentence on a file that the reference cannot run. Raises ExchangeError where ONNX Runtime cannot."""
    if runner == RUNTIME:
        raise ExchangeError(f"{runner} cannot run the file, and nothing is written: {error}") from error
    return f"not compared with the network, because {runner} cannot run it; pip install onnxruntime"


def _judged(runner: str, found: Array, answers: Array, network: Network) -> str:
    """Return the sentence on a difference. Raises ExchangeError where it is above `TOLERANCE`."""
    worst = difference(found, answers, network)
    if not worst <= TOLERANCE:
        raise ExchangeError(
            f"{runner} has other answers than the network, by {worst:.1e} of their scale where {TOLERANCE:g} is "
            "allowed; nothing is written"
        )
    count = f"{len(answers)} sample{'s' if len(answers) > 1 else ''}"
    return f"{runner} agrees with the network on {count}: differences of {worst:.1e} of the answers' scale at most"


def shortened(samples: Array) -> Array:
    """Return sequences of symbols (batch, time) of other lengths: what is after them becomes padding."""
    time = samples.shape[1]
    lengths = np.linspace(time - 1, 0, len(samples)).astype(int)
    steps = np.arange(time).reshape(time, *[1] * (samples.ndim - 2))
    return np.where(steps < lengths.reshape(-1, *[1] * (samples.ndim - 1)), samples.astype(np.int64), PADDING)


def difference(found: Array, answers: Array, network: Network) -> float:
    """Return the largest difference as a part of the answers' scale; infinity for another shape, NaN for NaN.

    The scale is 1 for probabilities and the largest answer for numbers. Where targets are scaled, it is that of each
    column: its largest answer, or its deviation in training where that is larger.
    """
    if found.shape != answers.shape:
        return float("inf")
    if not answers.size:
        return 0.0
    apart = np.abs(found.astype(np.float64) - answers)
    if network.spec.nodes[-1].layer.ends_in in ("softmax", "sigmoid"):
        return float(apart.max())
    scaling = network.preprocessing.target_scaling
    if scaling is None:
        largest = float(np.abs(answers).max())
        return float(apart.max()) / (largest or 1.0)
    scale = np.abs(answers).reshape(-1, answers.shape[-1]).max(axis=0)
    repeated = np.repeat(scaling.scale, network.spec.loss.answers) if len(scaling.scale) > 1 else scaling.scale
    return float((apart / np.maximum(scale, repeated)).max())


def _whole(run: Run, graph: GraphFile, x: Array) -> Array:
    return run({graph.inputs[0].name: x})[0]


def _in_two_parts(run: Run, graph: GraphFile, x: Array, shape: tuple[int, ...]) -> Array:
    """Return the answers for sequences in two parts; the states are zeros at first."""
    given = {port.name: np.zeros((len(x), _units(port)), np.float32) for port in graph.inputs[1:]}
    found, middle = [], (x.shape[1] + 1) // 2
    for part in filter(lambda steps: steps.shape[1], (x[:, :middle], x[:, middle:])):
        made, *states = run({graph.inputs[0].name: part, **given})
        given = dict(zip(given, states, strict=True))
        found.append(made)
    return np.concatenate(found, axis=1) if found[0].ndim == len(shape) == 3 else found[-1]


def _units(port: Port) -> int:
    units: Any = port.axes[1]
    return int(units)
