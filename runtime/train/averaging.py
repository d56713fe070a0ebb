"""The exponential moving average of a network's weights over the steps of its training.

The average is a network of its own, which nothing but `update` changes; step.py calls it, and state.py keeps it.
"""

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.infer.network import Network
from nnspec.runtime.optimizers import BLOCK
from nnspec.spec_lang.vocabulary.statements import Ema


def decay(word: Ema, update: int) -> float:
    """Return what the average keeps of itself at an update; updates count from 1.

    With the warm-up it is min(decay, (1 + t) / (10 + t)), as in TensorFlow's ExponentialMovingAverage.
    """
    return min(word.decay, (1 + update) / (10 + update)) if word.warmup else word.decay


def steps_until_update(word: Ema, step: int) -> int:
    """Return the number of steps from this one to the next update."""
    return word.every - step % word.every


def update(word: Ema, averaged: Network, network: Network, step: int) -> None:
    """Move the average towards the network's parameters and buffers if this step is an update; steps count from 1."""
    if step % word.every:
        return
    share = 1 - decay(word, step // word.every)
    _move(averaged.parameter_arena.flat, network.parameter_arena.flat, share)
    _move(averaged.buffer_arena.flat, network.buffer_arena.flat, share)


def _move(average: Array, numbers: Array, share: float) -> None:
    """average ← average + share · (numbers − average), block by block, so that a block stays in the cache."""
    for start in range(0, average.size, BLOCK):
        part = slice(start, start + BLOCK)
        difference = np.subtract(numbers[part], average[part])
        difference *= average.dtype.type(share)
        average[part] += difference
