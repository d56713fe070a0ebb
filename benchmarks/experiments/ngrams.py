"""Names by counting: what a character model is to be better than."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

Symbols = Sequence[int]
"""A name as symbols, its end among them; END is also before its beginning."""

END = 0
"""The line break, the first of the vocabulary."""


@dataclass(frozen=True)
class NGram:
    """p(symbol | the n − 1 before it), interpolated Kneser–Ney (Chen & Goodman 1999) with one discount for all orders.

    `counts[k]` holds, for each context of k symbols, how often what followed: at the highest order in the text, below
    it in how many different contexts one symbol longer. Below the lowest order all `symbols` are equally probable.
    """

    counts: tuple[dict[tuple[int, ...], Counter[int]], ...]
    discount: float
    symbols: int

    @classmethod
    def of(cls, names: Sequence[Symbols], n: int, discount: float, symbols: int) -> "NGram":
        """The model of some names."""
        counts: list[dict[tuple[int, ...], Counter[int]]] = [defaultdict(Counter) for _ in range(n)]
        for name in names:
            for context, symbol in _within(name, n):
                counts[-1][context][symbol] += 1
        for order in range(n - 1, 0, -1):
            for context, following in counts[order].items():
                counts[order - 1][context[1:]].update(following.keys())
        return cls(tuple(map(dict, counts)), discount, symbols)

    def probability(self, context: tuple[int, ...], symbol: int) -> float:
        """p(symbol | context), the n − 1 symbols before it."""
        p = 1 / self.symbols
        for order, counts in enumerate(self.counts):
            following = counts.get(context[len(context) - order :])
            if following is not None:
                kept = max(following[symbol] - self.discount, 0) + self.discount * len(following) * p
                p = kept / following.total()
        return p

    def bits(self, names: Sequence[Symbols]) -> float:
        """The mean of −log₂ p over all characters, the ends of names among them."""
        found = [-math.log2(self.probability(*place)) for name in names for place in _within(name, len(self.counts))]
        return math.fsum(found) / len(found)


def fitted(train: Sequence[Symbols], validation: Sequence[Symbols], n: int, symbols: int) -> NGram:
    """The model with the discount, of nine, that predicts the validation names best."""
    models = (NGram.of(train, n, tenths / 10, symbols) for tenths in range(1, 10))
    return min(models, key=lambda model: model.bits(validation))


def _within(name: Symbols, n: int) -> list[tuple[tuple[int, ...], int]]:
    """Each symbol of a name, after the n − 1 before it."""
    padded = (*[END] * (n - 1), *name)
    return [(padded[i : i + n - 1], padded[i + n - 1]) for i in range(len(name))]
