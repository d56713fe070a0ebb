"""Networks of one layer or of one text with random arrays, to compare what another program makes of them."""

import numpy as np
from numpy.typing import DTypeLike

import nnspec
from nnspec import Network
from nnspec.spec_lang.vocabulary.shape import Shape


def compiled(text: str, seed: int = 1, dtype: DTypeLike = "float32") -> Network:
    """A network of a text with random arrays of every kind: see `fill`."""
    network = nnspec.compile(text, seed=seed, dtype=dtype)
    fill(network, seed)
    return network


def fill(network: Network, seed: int = 1) -> None:
    """Give biases, scales, slopes and running statistics random values too, which begin as zeros and ones."""
    random = np.random.default_rng(seed)
    parameters = {
        name: array + random.normal(0, 0.2, array.shape).astype(array.dtype)
        for name, array in network.parameters.items()
        if array.ndim == 1
    }
    network.set_parameters(parameters)
    network.set_buffers(
        {
            name: random.uniform(0.5, 2, array.shape) if "var" in name else random.normal(0, 0.5, array.shape)
            for name, array in network.buffers.items()
        }
    )


def text_of(written: str, shape: Shape) -> str:
    """The text of a network of one layer on samples of this shape."""
    return f"input {shape.written()} -> {written}"


def samples_for(network: Network, count: int, seed: int = 0) -> np.ndarray:
    """Raw samples; of symbols also shorter sequences, padded with -1 at their ends."""
    from nnspec.runtime.compiler.graph import symbols_of
    from nnspec.runtime.infer.drawn import drawn_samples

    samples = drawn_samples(network, count, seed)
    if symbols_of(network.program.graph.nodes) is not None:
        lengths = np.random.default_rng(seed).integers(0, samples.shape[1] + 1, count)
        lengths[0] = samples.shape[1]
        samples[np.arange(samples.shape[1]) >= lengths[:, None]] = -1
    return samples
