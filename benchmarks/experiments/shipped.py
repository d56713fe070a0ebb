"""The specs of specs/ as experiments: what each is, under which digest its results are kept, how they are tabled."""

import hashlib
import json
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from benchmarks.machine import machine
from nnspec.checkpoints import replace_file
from nnspec.spec_lang.check.canonical_text import short_text
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.syntax.files import open_source
from nnspec.spec_lang.syntax.parse import parse_source
from nnspec.spec_lang.syntax.tree import Variant
from nnspec.spec_lang.vocabulary.summary import known_words

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "specs"
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "experiments.md"
SEEDS = (1, 2, 3)


Key = TypeVar("Key")  # names an experiment
Kept = TypeVar("Kept")  # a dataclass of results, with a `digest`


class Experiment(NamedTuple):
    """A spec of specs/, or one of its variants."""

    spec: str
    variant: str | None = None

    @property
    def name(self) -> str:
        """as it is named on the command line: mnist_cnn, notes/cnn."""
        return f"{self.spec}/{self.variant}" if self.variant else self.spec

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        """The file of the spec."""
        return SPECS / f"{self.spec}.nnspec"

    @property
    def link(self) -> str:
        """Its name in a page of docs/, which leads to the file."""
        return f"[{self.name}](../specs/{self.spec}.nnspec)"

    def check(self, seed: int | None = None) -> Spec:
        """The checked spec."""
        return Request(self.path, variant=self.variant, seed=seed).check()


def comments(path: Path) -> dict[str, str]:
    """Every variant of a spec and the comment right above it, as one line of text."""
    source = open_source(path)
    variants = [statement for statement in parse_source(source, known_words())[0] if isinstance(statement, Variant)]
    lines = source.text.splitlines()
    found = {}
    for variant in variants:
        last = first = source.place(variant.span.start)[0] - 1  # lines, counted from 0
        while first > 0 and lines[first - 1].startswith("#"):
            first -= 1
        found[variant.name] = " ".join(line.lstrip("#").strip() for line in lines[first:last])
    return found


def digest(experiment: Experiment, seed: int) -> str:
    """SHA-256 of what a run depends on: its spec, expanded, without options that have their defaults; and the seed."""
    return hashlib.sha256(short_text(experiment.check(seed)).encode()).hexdigest()


def described_machine() -> str:
    """What a run's seconds were measured on, in a few words."""
    found = machine()
    return f"{found['processor']}, {found['cores']} cores, Python {found['python']}"


def read_entries(path: Path) -> list[dict[str, Any]]:
    """The kept results as they were written; none where there is no file."""
    if not path.exists():
        return []
    entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["results"]
    return entries


def write_entries(entries: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write results atomically, sorted by experiment and seed."""
    ordered = sorted(entries, key=lambda entry: (entry["experiment"], entry["seed"]))
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"format_version": 1, "results": ordered}, indent=1, ensure_ascii=False)
    replace_file(path, f"{text}\n".encode())


def read_kept(
    path: Path, result: type[Kept], known: Iterable[Key], digest_of: Callable[[Any, int], str] = digest
) -> dict[tuple[Key, int], Kept]:
    """The kept results of the experiments that are known, where their digest is still what it was."""
    named = {str(experiment): experiment for experiment in known}
    found: dict[tuple[Key, int], Kept] = {}
    for entry in read_entries(path):
        experiment, seed = named.get(entry.pop("experiment")), entry.pop("seed")
        if experiment is not None and entry["digest"] == digest_of(experiment, seed):
            found[experiment, seed] = result(**entry)
    return found


def write_kept(results: Mapping[tuple[Any, int], Any], path: Path) -> None:
    """Keep the results, sorted, whole or not at all."""
    write_entries(({"experiment": str(e), "seed": s} | vars(r) for (e, s), r in results.items()), path)


def spread(values: Sequence[float], digits: int) -> str:
    """The median, and the lowest and the highest: 97.20 (97.10 to 97.30)."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def missing_runs(made: int) -> str:
    """Return how many runs are missing, in words; an empty text if there is one for each seed."""
    if made == len(SEEDS):
        return ""
    return f"{made} of {len(SEEDS)} runs made" if made else "not run"


def length(spec: Spec) -> str:
    """How long a spec trains: 20 epochs, batch 32."""
    return f"{spec.train.length:,} {spec.train.unit}, batch {spec.train.batch}"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table as Markdown."""
    lines = [list(head), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
