"""Streams of random numbers, one for each purpose, so that drawing more of one never changes another."""

import json

import numpy as np

PURPOSES = ("init", "order", "dropout")


def stream(seed: int, purpose: str) -> np.random.Generator:
    """The generator (PCG64) of one purpose of one seed."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *purpose.encode()])))


def generator_to_text(generator: np.random.Generator) -> str:
    """The generator's whole state as canonical JSON."""
    return json.dumps(generator.bit_generator.state, sort_keys=True, separators=(",", ":"))


def generator_from_text(text: str) -> np.random.Generator:
    """A generator in the state that `generator_to_text` wrote. Raises ValueError for anything else."""
    generator = np.random.Generator(np.random.PCG64())
    try:
        generator.bit_generator.state = json.loads(text)
    except (KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"no state of a PCG64 generator: {error}") from None
    return generator
