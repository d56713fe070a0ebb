"""A network as a header and a source of C99 for microcontrollers: no allocation, constants in flash, planned memory."""

from dataclasses import replace

import numpy as np

from nnspec import __version__
from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.export import Files, Leaving, registered, way
from nnspec.exchange.ways.c.calibration import measured
from nnspec.exchange.ways.c.layers import C_LAYERS
from nnspec.exchange.ways.c.layers8 import INT8_LAYERS
from nnspec.exchange.ways.c.lower import UNPADDED, lowered
from nnspec.exchange.ways.c.lower8 import lowered_int8
from nnspec.exchange.ways.c.program import Program, identifier
from nnspec.exchange.ways.c.text import Described, buffer_bytes, header, source, weight_bytes
from nnspec.exchange.ways.c.toolchain import COMPILERS, code_size, compiler, run
from nnspec.runtime.arrays import Array
from nnspec.runtime.infer.evaluation import measure_outputs
from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.report.diagnostics import one_of
from nnspec.spec_lang.vocabulary.bases import Layer

EXAMPLES = 3
"""Samples of the self-test."""

AGREEMENT = 1e-6
"""The largest difference of an answer in C from the network's in float64, by the largest answer of the samples.

Where the network's own answers in float32 differ more, twice their difference is allowed: it is rounding.
"""

TOLERANCE, TOLERANCE_INT8 = 1e-5, 1e-2
"""The largest difference in the self-test, by the largest answer: a library of mathematics may round otherwise, and an
int8 is then another one."""


def says(layer: type[Layer]) -> str:
    """Return what goes out of a layer."""
    phrase = "yes, int8 too" if any(ancestor in INT8_LAYERS for ancestor in layer.__mro__) else "yes"
    if layer.word in UNPADDED:
        phrase += "; not over symbols, which may be padded"
    return registered(C_LAYERS, {layer.word: phrase})(layer)


@way("c", (".c", ".h"), "C99 for microcontrollers: one header and one source, no allocation", ("int8",), says)
def c(leaving: Leaving) -> Files:
    """Return NAME.c and NAME.h, compiled and tried where there is a compiler.

    Raises ExchangeError for what is not computed in C, and where the answers differ.
    """
    if leaving.options.get("int8") and compiler() is None:
        raise ExchangeError(f"int8 measures by running the C what it costs, and {_missing()}", 2)
    program, left = _program(leaving)
    described = _described(leaving, program)
    texts, symbol = _texts(described, program), described.symbol
    if not leaving.options.get("int8"):
        notes = [_sizes(symbol, texts, program), _agreement(leaving, symbol, texts)]
        return _files(texts, notes + _rounded(leaving))
    texts = _texts(replace(described, examples=_its_own(described, texts)), program)
    notes = [_sizes(symbol, texts, program), _cost(leaving, symbol, texts)]
    return _files(texts, [*notes, f"in float32: {', '.join(left)}"] if left else notes)


def written_texts(leaving: Leaving) -> tuple[dict[str, str], Program]:
    """Return the header and the source by suffix, not tried, and the program that they are. Raises ExchangeError."""
    program, _ = _program(leaving)
    return _texts(_described(leaving, program), program), program


def _program(leaving: Leaving) -> tuple[Program, list[str]]:
    """Return the program, and the layers that int8 leaves in float32."""
    if not leaving.options.get("int8"):
        return lowered(leaving.network), []
    if leaving.training is None:
        raise ExchangeError(
            "int8 measures the ranges of values on training samples, and the data of this network are not here\n"
            "  help: name data of the same kind: --data",
            2,
        )
    return lowered_int8(leaving.network, measured(leaving.network, leaving.training))


def _its_own(described: Described, texts: dict[str, str]) -> tuple[Array, Array, float]:
    """Return the examples of the self-test with the answers of the C itself, which int8 makes others."""
    samples, _, _ = described.examples
    answers = run(described.symbol, texts, samples)
    assert answers is not None
    return samples, answers, TOLERANCE_INT8 * (float(np.abs(answers).max(initial=0)) or 1.0)


def _texts(described: Described, program: Program) -> dict[str, str]:
    return {".c": source(described, program), ".h": header(described, program)}


def _files(texts: dict[str, str], notes: list[str]) -> Files:
    return Files({suffix: text.encode() for suffix, text in texts.items()}, tuple(notes))


def _described(leaving: Leaving, program: Program) -> Described:
    network, symbol = leaving.network, identifier(leaving.name)
    spec, graph = network.spec, network.program.graph
    samples = leaving.samples[:EXAMPLES].astype(np.float32)
    answers = network.predict(samples).reshape(len(samples), -1)
    tolerance = TOLERANCE * (float(np.abs(answers).max(initial=0)) or 1.0)
    about = [
        f"{spec.title}: {graph.input_shape} -> {graph.output_shape}, {spec.parameter_count:,} parameters. "
        f"Written by nnspec {__version__}.",
        "",
        "A sample is raw, as the data have it: what normalizes it, and the units of the targets, are inside.",
    ]
    if network.preprocessing.features is not None:
        about.append(f"Its numbers: {', '.join(network.preprocessing.features)}.")
    about += ["", f"Test: cc -std=c99 -D{symbol.upper()}_SELFTEST {symbol}.c -lm && ./a.out"]
    examples = (samples.reshape(len(samples), -1), answers, tolerance)
    return Described(symbol, spec.title, graph.input_shape, graph.output_shape, about, network.classes, examples)


def _sizes(symbol: str, texts: dict[str, str], program: Program) -> str:
    said = f"{weight_bytes(program):,} bytes of constants in flash, {buffer_bytes(program):,} bytes of buffers in RAM"
    code = code_size(symbol, texts)
    return said if code is None else f"{said}, about {code.bytes:,} bytes of code for {code.processor}"


def _missing() -> str:
    return f"{one_of(COMPILERS)} is not on the PATH"


def _agreement(leaving: Leaving, symbol: str, texts: dict[str, str]) -> str:
    """Return what was found when the files were run. Raises ExchangeError where they compute something else."""
    samples = leaving.samples.astype(np.float32)
    found = run(symbol, texts, samples)
    if found is None:
        return f"not compiled: {_missing()}; run the self-test where there is a compiler"
    exact = in_float64(leaving.network, samples)
    error, rounding = difference(found, exact), difference(leaving.network.predict(samples), exact)
    if not error <= max(AGREEMENT, 2 * rounding):
        raise ExchangeError(f"the C differs from the network by {error:.1e} of its largest answer; nothing was written")
    return (
        f"compiled and run on {len(samples)} samples: answers differ by {error:.0e} of the largest from the network "
        f"in float64, its own in float32 by {rounding:.0e}"
    )


def _cost(leaving: Leaving, symbol: str, texts: dict[str, str]) -> str:
    """Return the metrics on the judged split, of the network and of the files, else how far the answers are apart."""
    network = leaving.network
    samples = leaving.samples if leaving.judged is None else np.asarray(leaving.judged.split.inputs)
    found = run(symbol, texts, samples.astype(np.float32))
    assert found is not None
    answers = network.predict(samples)
    apart = f"answers differ by up to {difference(found, answers):.1%} of the largest"
    if leaving.judged is None:
        return f"int8 on {len(samples)} samples: {apart}"
    name, split = leaving.judged
    before = measure_outputs(network, answers, split)
    after = measure_outputs(network, found.reshape(answers.shape), split)
    costs = [f"{metric} {before[metric]:.4g} -> {after[metric]:.4g}" for metric in before]
    return f"float32 -> int8 on {len(samples):,} samples of the {name} split: {', '.join([*costs, apart])}"


def _rounded(leaving: Leaving) -> list[str]:
    """Return what is to be said where the samples themselves lose digits as float, such as times in seconds."""
    moved = difference(leaving.network.predict(leaving.samples.astype(np.float32)), leaving.answers)
    if moved <= TOLERANCE:
        return []
    return [
        f"samples lose digits as float: that moves answers by {moved:.0e} of the largest; subtract a constant before"
    ]


def in_float64(network: Network, samples: Array) -> Array:
    """Return what a network answers that computes in float64."""
    return network.in_type(np.float64).predict(samples.astype(np.float64))


def difference(found: Array, answers: Array) -> float:
    """Return the largest difference, by the largest answer; NaN where one is."""
    largest = float(np.abs(answers).max(initial=0))
    apart = found.reshape(len(answers), -1) - answers.reshape(len(answers), -1)
    return float(np.abs(apart).max(initial=0)) / (largest or 1.0)
