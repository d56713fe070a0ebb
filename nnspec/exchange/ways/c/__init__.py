"""A network as a header and a source of C99 for microcontrollers: no allocation, constants in flash, planned memory."""

import numpy as np

from nnspec import __version__
from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.export import Files, Leaving, registered, way
from nnspec.exchange.ways.c.layers import C_LAYERS
from nnspec.exchange.ways.c.lower import UNPADDED, lowered
from nnspec.exchange.ways.c.program import Program, identifier
from nnspec.exchange.ways.c.text import Described, buffer_bytes, header, source, weight_bytes
from nnspec.exchange.ways.c.toolchain import code_size, run
from nnspec.runtime.arrays import Array
from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.vocabulary.bases import Layer

EXAMPLES = 3
"""Samples of the self-test."""

AGREEMENT = 1e-6
"""The largest difference of an answer in C from the network's in float64, by the largest answer of the samples.

Where the network's own answers in float32 differ more, twice their difference is allowed: it is rounding.
"""

TOLERANCE = 1e-5
"""That of the self-test: the mathematical library of another processor may round otherwise."""


def says(layer: type[Layer]) -> str:
    """Return what goes out of a layer."""
    return registered(C_LAYERS, dict.fromkeys(UNPADDED, "yes, but over symbols, which may be padded"))(layer)


@way("c", (".c", ".h"), "C99 for microcontrollers: one header and one source, no allocation", says=says)
def c(leaving: Leaving) -> Files:
    """Return NAME.c and NAME.h, compiled and tried where there is a compiler.

    Raises ExchangeError for what is not computed in C, and where the answers differ.
    """
    program = lowered(leaving.network)
    texts, symbol = texts_of(leaving, program)
    notes = [_sizes(symbol, texts, program)]
    notes.append(_agreement(leaving, symbol, texts))
    return Files({suffix: text.encode() for suffix, text in texts.items()}, tuple(notes))


def texts_of(leaving: Leaving, program: Program) -> tuple[dict[str, str], str]:
    """Return the header and the source by suffix, and the identifier of the network in them."""
    described = _described(leaving, program)
    return {".c": source(described, program), ".h": header(described, program)}, described.symbol


def _described(leaving: Leaving, program: Program) -> Described:
    network, symbol = leaving.network, identifier(leaving.name)
    spec, graph = network.spec, network.program.graph
    answers = network.predict(leaving.samples[:EXAMPLES].astype(np.float32)).reshape(
        min(EXAMPLES, len(leaving.samples)), -1
    )
    tolerance = TOLERANCE * max(float(np.abs(answers).max(initial=0)), 1e-30)
    upper = symbol.upper()
    about = [
        f"{spec.title}: {graph.input_shape} -> {graph.output_shape}, {spec.parameter_count:,} parameters. "
        f"Written by nnspec {__version__}.",
        "",
        "A sample is raw, as the data have it: what normalizes it, and the units of the targets, are inside.",
    ]
    if network.preprocessing.features is not None:
        about.append(f"Its numbers: {', '.join(network.preprocessing.features)}.")
    about += ["", f"Test: cc -std=c99 -D{upper}_SELFTEST {symbol}.c -lm && ./a.out"]
    examples = (leaving.samples[:EXAMPLES].reshape(len(answers), -1), answers, tolerance)
    return Described(symbol, spec.title, graph.input_shape, graph.output_shape, about, network.classes, examples)


def _sizes(symbol: str, texts: dict[str, str], program: Program) -> str:
    weights = weight_bytes(program)
    said = f"{weights:,} bytes of constants in flash, {buffer_bytes(program):,} bytes of buffers in RAM"
    code = code_size(symbol, texts)
    return said if code is None else f"{said}, about {code.bytes:,} bytes of code for {code.processor}"


def _agreement(leaving: Leaving, symbol: str, texts: dict[str, str]) -> str:
    """Return what was found when the files were run. Raises ExchangeError where they compute something else."""
    samples = leaving.samples.astype(np.float32)
    found = run(symbol, texts, samples)
    if found is None:
        return "not compiled: no cc, gcc or clang is on PATH; run the self-test on a machine that has one"
    exact = in_float64(leaving.network, samples)
    error, rounding = difference(found, exact), difference(leaving.network.predict(samples), exact)
    if not error <= max(AGREEMENT, 2 * rounding):
        raise ExchangeError(f"the C differs from the network by {error:.1e} of its largest answer; nothing was written")
    return (
        f"compiled and run on {len(samples)} samples: answers differ by {error:.0e} of the largest from the network "
        f"in float64, its own in float32 by {rounding:.0e}"
    )


def in_float64(network: Network, samples: Array) -> Array:
    """Return what a network answers that computes in float64."""
    exact = Network(network.spec, network.preprocessing, np.float64)
    exact.set_parameters(network.parameters)
    exact.set_buffers(network.buffers)
    return exact.predict(samples.astype(np.float64))


def difference(found: Array, answers: Array) -> float:
    """Return the largest difference, by the largest answer; NaN where one is."""
    largest = float(np.abs(answers).max(initial=0))
    apart = found.reshape(len(answers), -1) - answers.reshape(len(answers), -1)
    return float(np.abs(apart).max(initial=0)) / (largest or 1.0)
