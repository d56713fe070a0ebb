"""Text that a network makes up: symbol after symbol, each drawn from what the network says of the next."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.data.characters import BREAK, encode_text
from nnspec.runtime.errors import DataError, NetworkError
from nnspec.runtime.infer.network import Network
from nnspec.runtime.infer.single_step import Stepwise
from nnspec.spec_lang.vocabulary.sequence_sources import Dinos, Text

LENGTH = 200  # characters of a text that has no end of its own


@dataclass(frozen=True)
class SamplingOptions:
    """How symbols are drawn.

    Probabilities are raised to the power of 1 / temperature: below 1 the probable ones gain, and at 0 the most probable
    one is taken. With `top_k` all but so many of the most probable are left out.
    """

    temperature: float = 1.0
    top_k: int | None = None

    def draw(self, probabilities: Array, random: np.random.Generator) -> int:
        """One symbol of (vocabulary,) probabilities."""
        if self.temperature == 0:
            return int(probabilities.argmax())
        with np.errstate(divide="ignore", over="ignore"):
            logits = np.log(probabilities.astype(np.float64))
            logits = (logits - logits.max()) / self.temperature
        if self.top_k is not None and self.top_k < len(logits):
            logits[np.argsort(-logits, kind="stable")[self.top_k :]] = -np.inf
        powers = np.exp(logits)
        edges = np.cumsum(powers)
        return int(min(np.searchsorted(edges, random.random() * edges[-1], side="right"), len(edges) - 1))


def writes_text(network: Network) -> bool:
    """Whether texts can be drawn from a network."""
    try:
        Writer(network, 0)
    except (DataError, NetworkError):
        return False
    return True


class Writer:
    """Draws texts from a network that was trained on one; `lines` says that each is a line with an end of its own."""

    def __init__(self, network: Network, seed: int, taste: SamplingOptions | None = None, length: int | None = None):
        vocabulary, data = network.preprocessing.vocabulary, network.spec.data
        if vocabulary is None:
            raise DataError(
                f"{network.spec.name} was not trained on text, so there are no letters to draw; "
                "nnspec plot predictions rolls a network of numbers forward",
                exit_code=2,
            )
        self.vocabulary = vocabulary
        self.lines = isinstance(data, Dinos) or (isinstance(data, Text) and data.by == "line")
        self.length = length or (2 * network.preprocessing.input_shape[0] if self.lines else LENGTH)
        self.taste = taste or SamplingOptions()
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._step = Stepwise(network)

    def write(self, prompt: str = "") -> Iterator[str]:
        """One text, character by character, the prompt first; a line ends where the network ends it.

        Raises DataError for a character of the prompt that the vocabulary lacks.
        """
        given = encode_text(prompt, self.vocabulary, lambda index: f"the prompt, character {index + 1},").tolist()
        yield from prompt
        self._step.restart()
        if self.lines or not given:
            given.insert(0, self.vocabulary.index(BREAK) if BREAK in self.vocabulary else self._any())
        for symbol in given:
            probabilities = self._step(symbol)
        for _ in range(self.length - len(prompt)):
            symbol = self.taste.draw(probabilities, self._random)
            if self.lines and self.vocabulary[symbol] == BREAK:
                return
            yield self.vocabulary[symbol]
            probabilities = self._step(symbol)

    def _any(self) -> int:
        return int(self._random.integers(len(self.vocabulary)))
