"""The names of layers: what their weights are called in a checkpoint."""

from dataclasses import dataclass, field

from nnspec.spec_lang.source import Span


@dataclass
class Names:
    """The names taken in one scope, and how many layers of each kind it has so far; `prefix` stands before them."""

    prefix: str = ""
    _counts: dict[str, int] = field(default_factory=dict)
    _taken: dict[str, Span] = field(default_factory=dict)

    def counted(self, kind: str, span: Span, begin: int = 1) -> str:
        """`conv1` for the first of a kind, `conv2` for the next; names given by hand are passed over."""
        while True:
            number = self._counts.get(kind, begin - 1) + 1
            self._counts[kind] = number
            name = f"{kind}{number}"
            if name not in self._taken:
                self._taken[name] = span
                return self.prefix + name

    def given(self, label: str, span: Span) -> str | None:
        """A name given by hand, `name2` where the same line is repeated; None where another line has taken it."""
        if label not in self._taken:
            self._taken[label] = span
            return self.prefix + label
        return self.counted(label, span, begin=2) if self._taken[label] == span else None
