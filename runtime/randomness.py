"""Streams of random numbers, one for each purpose, so that draws from one never change another."""

import json

import numpy as np

PURPOSES = ("init", "order", "dropout")  # and augment/WORD for each augmentation


def stream(seed: int, purpose: str) -> "np.random.Generator":
    """Return the generator (PCG64) of a seed and a purpose."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *purpose.encode()])))


def generator_to_text(generator: "np.random.Generator") -> str:
    """Return the whole state of a generator as canonical JSON."""
    return json.dumps(generator.bit_generator.state, sort_keys=True, separators=(",", ":"))


def generator_from_text(text: str) -> "np.random.Generator":
    """Return a generator in the state that `generator_to_text` wrote. Raises ValueError for any other text."""
    generator = np.random.Generator(np.random.PCG64())
    try:
        generator.bit_generator.state = json.loads(text)
    except (KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"not the state of a PCG64 generator: {error}") from None
    return generator
