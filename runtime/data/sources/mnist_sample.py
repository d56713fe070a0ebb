"""5,000 + 1,000 digits of MNIST that the package includes, so that a first run needs no download.

`mnist_sample.npz` holds x (5000, 28, 28) and y (5000,) from the training files of MNIST, and x_test (1000, 28, 28) and
y_test (1000,) from its test files, all uint8, with 500 and 100 digits of each class. They were chosen by

    generator = numpy.random.Generator(numpy.random.PCG64(1998))
    for labels, each in ((train_labels, 500), (test_labels, 100)):
        drawn = [generator.choice(numpy.flatnonzero(labels == digit), each, replace=False) for digit in range(10)]
        chosen = numpy.sort(numpy.concatenate(drawn))

so each split keeps the order of its digits in MNIST.
"""

from dataclasses import replace
from pathlib import Path

from nnspec.runtime.data.datasets import Dataset, register
from nnspec.runtime.data.load import reads
from nnspec.runtime.data.samples import Samples
from nnspec.runtime.data.sources.npz import load_npz
from nnspec.spec_lang.vocabulary import data as words

PATH = Path(__file__).with_name("mnist_sample.npz")


@reads(words.MnistSample)
def load_mnist_sample(word: words.MnistSample, folder: Path) -> Samples:
    """Read the digits that the package includes."""
    samples = load_npz(words.Npz(path=str(PATH)), Path())
    return replace(samples, name=word.word, classes=word.classes)


register(
    Dataset("mnist_sample", words.MnistSample.help(), 5_000, 1_000, (28, 28, 1), lambda: PATH, lambda progress: PATH),
)
