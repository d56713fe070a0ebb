"""The digits of `mnist_sample` in noise and uneven light, with the strokes as targets: images of two classes."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.data.datasets import Dataset, register
from nnspec.runtime.data.load import reads
from nnspec.runtime.data.samples import Samples
from nnspec.runtime.data.sources.mnist_sample import PATH, load_mnist_sample
from nnspec.spec_lang.vocabulary import data as words

LEAST_CONTRAST = 0.5
"""By how much of white the faintest strokes are lighter than the light around them."""


@reads(words.NoisyDigits)
def load_noisy_digits(word: words.NoisyDigits, folder: Path) -> Samples:
    """Make the images from the digits that the package includes."""
    digits = load_mnist_sample(words.MnistSample(), folder)
    assert digits.test is not None
    test = _in_noise(word, digits.test, 1)
    return replace(_in_noise(word, digits, 0), test=test, name=word.word, classes=2)


def _in_noise(word: words.NoisyDigits, digits: Samples, number: int) -> Samples:
    """Return a split with its digits in noise; `number` distinguishes the random numbers of the splits."""
    random = np.random.Generator(np.random.PCG64([word.seed, number]))
    ink: Array = digits.inputs / 255.0  # (samples, 28, 28), 0 to 1
    count, height, width = ink.shape
    contrast = random.uniform(LEAST_CONTRAST, 1, (count, 1, 1))
    angle = random.uniform(0, 2 * np.pi, (count, 1, 1))
    rise = random.uniform(0, word.shade, (count, 1, 1))
    rows, columns = np.linspace(-0.5, 0.5, height)[:, None], np.linspace(-0.5, 0.5, width)
    along = np.cos(angle) * rows + np.sin(angle) * columns  # from about -0.7 to 0.7
    light = rise * (0.5 + along / np.sqrt(2))
    lit = ink * contrast + light + random.normal(0, word.noise, ink.shape)
    images = np.clip(np.rint(255 * lit), 0, 255).astype(np.uint8)
    return replace(digits, inputs=images, targets=(ink > 0.5).astype(np.int64), test=None)


register(
    Dataset(
        "noisy_digits",
        words.NoisyDigits.help(),
        5_000,
        1_000,
        (28, 28, 1),
        lambda: PATH,
        lambda progress: PATH,
    ),
)
