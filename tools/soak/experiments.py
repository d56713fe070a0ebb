"""The experiments by name, and what they count."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Tally:
    """The number of tries that held, and what was seen in each that failed. `notes` are further figures to report."""

    held: int = 0
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def tried(self) -> int:
        """The number of tries."""
        return self.held + len(self.failures)

    def count(self, held: bool, seen: object = "") -> None:
        """Count a try; `seen` says what happened if it failed."""
        if held:
            self.held += 1
        else:
            self.failures.append(str(seen))


Run = Callable[[int, int, Path, float], Tally]


@dataclass(frozen=True)
class Experiment:
    """A claim and how to try it: `run(count, seed, folder, seconds)`. `soak` is the count for `make soak`."""

    name: str
    claim: str
    soak: int
    run: Run


EXPERIMENTS: dict[str, Experiment] = {}


def experiment(claim: str, soak: int) -> Callable[[Run], Run]:
    """Register a function under its own name."""

    def register(run: Run) -> Run:
        EXPERIMENTS[run.__name__] = Experiment(run.__name__, claim, soak, run)
        return run

    return register


def tries(count: int, seconds: float) -> Iterator[int]:
    """Yield 0 to count − 1; stop early after `seconds`, but not before a tenth of them."""
    start = time.monotonic()
    for number in range(count):
        if number * 10 >= count and time.monotonic() - start > seconds:
            return
        yield number
