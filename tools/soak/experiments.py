"""The experiments by name, and what they count."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import tools.soak


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


_EXPERIMENTS: dict[str, Experiment] = {}


def every_experiment() -> dict[str, Experiment]:
    """Return the experiments of all modules of this package by their names."""
    for module in iter_modules(tools.soak.__path__):
        if module.name != "__main__":
            import_module(f"tools.soak.{module.name}")
    return _EXPERIMENTS


def experiment(claim: str, soak: int) -> Callable[[Run], Run]:
    """Register a function under its own name."""

    def register(run: Run) -> Run:
        _EXPERIMENTS[run.__name__] = Experiment(run.__name__, claim, soak, run)
        return run

    return register


def tries(count: int, seconds: float) -> Iterator[int]:
    """Yield 0 to count − 1; stop early after `seconds`, but not before a tenth of them."""
    start = time.monotonic()
    for number in range(count):
        if number * 10 >= count and time.monotonic() - start > seconds:
            return
        yield number
