"""The names of layers, which prefix the names of their weights in a checkpoint."""

from dataclasses import dataclass, field

from nnspec.spec_lang.source import Span


@dataclass
class Names:
    """The names taken in one scope, and the number of layers of each kind; `prefix` is that of all names in it."""

    prefix: str = ""
    _counts: dict[str, int] = field(default_factory=dict)
    _taken: dict[str, Span] = field(default_factory=dict)

    def counted(self, kind: str, span: Span, begin: int = 1) -> str:
        """Return `conv1` for the first layer of a kind, `conv2` for the next, without names given by hand."""
        while True:
            number = self._counts.get(kind, begin - 1) + 1
            self._counts[kind] = number
            name = f"{kind}{number}"
            if name not in self._taken:
                self._taken[name] = span
                return self.prefix + name

    def given(self, label: str, span: Span) -> str | None:
        """Return a name given by hand, `name2` for a repeated line, or None if another line has taken the name."""
        if label not in self._taken:
            self._taken[label] = span
            return self.prefix + label
        return self.counted(label, span, begin=2) if self._taken[label] == span else None
