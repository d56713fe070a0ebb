"""Testing specs: train each that has an `expect` statement, and record what it reached."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from nnspec.runtime.errors import Interrupted
from nnspec.runtime.train.events import Listener, silent
from nnspec.spec_lang.report.errors import NNSpecError, SourceError, SpecError

if TYPE_CHECKING:
    from nnspec.runtime.execute.processors import Workers
    from nnspec.runtime.train.expectations import Outcome
    from nnspec.spec_lang.check.spec import Spec
    from nnspec.spec_lang.source import Span

PASSED, MISSED, ERROR, SKIPPED = "passed", "missed", "error", "skipped"
"""What became of a spec: it met its expectations; missed one; could not be trained or measured; has none."""


@dataclass(frozen=True)
class Changes:
    """What changes every spec from outside: settings, a variant, a data statement, a seed; and the processes."""

    settings: Mapping[str, str]
    variant: str | None = None
    data: str | None = None
    seed: int | None = None
    workers: "Workers" = "auto"


@dataclass(frozen=True)
class Case:
    """One expectation: its text, whether it was met, a sentence on both, and what was measured.

    `advice` is the comment directly above the statement, which a missed expectation shows.
    """

    expected: str
    met: bool
    sentence: str
    measured: str
    advice: str = ""


@dataclass(frozen=True)
class Result:
    """What became of one spec.

    `title` is the name of its network and variant, `reason` why it was skipped or could not be trained, `error` the
    error itself. `seconds` are those of reading the data, training and measuring. `path` is the run's folder where it
    is kept.
    """

    file: str
    title: str
    state: str
    cases: tuple[Case, ...] = ()
    reason: str = ""
    seconds: float = 0.0
    path: Path | None = None
    error: NNSpecError | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON has them."""
        return {
            "file": self.file,
            "network": self.title,
            "state": self.state,
            "expectations": [vars(case) for case in self.cases],
            "reason": self.reason,
            "seconds": round(self.seconds, 3),
            "out": str(self.path) if self.path is not None else None,
        }


def run_tests(
    files: Sequence[str], changes: Changes, out: str | None = None, listen: Listener = silent
) -> Iterator[Result]:
    """Yield what becomes of each spec, one after the other.

    Arguments:
        files: the specs, as paths or texts.
        changes: settings, variant, data and seed for all of them.
        out: the folder in which the runs are kept, each under the name of its network; None for temporary folders.
        listen: called with each event of each run.

    An error of one spec is its result, and the others go on. Raises Interrupted after a signal.
    """
    for file in files:
        began = time.monotonic()
        try:
            result = _tested(file, changes, out, listen)
        except Interrupted:
            raise
        except NNSpecError as error:
            seconds = time.monotonic() - began
            yield Result(file, _stem(file), ERROR, (), _in_words(error), seconds, error=error)
        else:
            yield result


def exit_code(results: Sequence[Result]) -> int:
    """Return 0 where all is met, 2 where a file is not there, else 1."""
    if any(isinstance(result.error, SourceError) for result in results):
        return 2
    return int(any(result.state in (MISSED, ERROR) for result in results))


def counted(results: Sequence[Result]) -> dict[str, int]:
    """Return how many specs passed, missed, ended in an error or were skipped."""
    return {state: sum(r.state == state for r in results) for state in (PASSED, MISSED, ERROR, SKIPPED)}


def _tested(file: str, changes: Changes, out: str | None, listen: Listener) -> Result:
    from nnspec import api

    spec = api.check(file, changes.settings, changes.variant, changes.data)
    if not spec.expectations:
        return Result(file, spec.title, SKIPPED, (), "it has no expect statement")
    began = time.monotonic()
    with _folder(spec, out) as folder:
        outcomes, path = _trained(file, changes, folder, listen)
    cases = tuple(_case(found) for found in outcomes)
    state = PASSED if all(case.met for case in cases) else MISSED
    seconds, kept = time.monotonic() - began, path if out is not None else None
    unmeasured = {str(expectation) for expectation in spec.expectations} - {case.expected for case in cases}
    if unmeasured:
        reason = f"nothing was measured that {', '.join(sorted(unmeasured))} could be compared with"
        return Result(file, spec.title, ERROR, cases, reason, seconds, kept)
    return Result(file, spec.title, state, cases, "", seconds, kept)


def _trained(file: str, changes: Changes, folder: Path, listen: Listener) -> "tuple[tuple[Outcome, ...], Path | None]":
    """Train a spec, each of its folds where it asks for folds, and return what it reached and the run's folder."""
    from nnspec import api

    by = (changes.settings, changes.variant, changes.data)
    if (folds := api.folds_asked_for(file, *by)) is not None:
        over = api.cross_validate(file, folds, folder, *by, changes.seed, listen=listen, workers=changes.workers)
        return over.expectations, over.path
    run = api.train(file, folder, *by, None, changes.seed, listen=listen, workers=changes.workers)
    return run.expectations, run.path


def _case(found: "Outcome") -> Case:
    sentence = found.sentence()
    return Case(
        str(found.expectation), found.met, sentence, sentence.partition(": ")[2], _advice(found.expectation.span)
    )


def _advice(span: "Span") -> str:
    """Return the comment in the lines directly above a statement, as one line."""
    above = span.source.text[: span.start].split("\n")[:-1]
    comments = list(takewhile(lambda line: line.lstrip().startswith("#"), reversed(above)))
    return " ".join(line.lstrip().lstrip("#").strip() for line in reversed(comments))


@contextmanager
def _folder(spec: "Spec", out: str | None) -> Iterator[Path]:
    """Provide the folder of a run: a new one in `out`, named after the network, or one that is removed afterwards."""
    if out is not None:
        names = (spec.title if number == 1 else f"{spec.title}-{number}" for number in count(1))
        yield next(path for path in (Path(out) / name for name in names) if not path.exists())
        return
    with TemporaryDirectory(prefix="nnspec-") as made:
        yield Path(made) / "run"


def _stem(file: str) -> str:
    """Return a name for a spec that could not be read."""
    return Path(file).stem if not re.search(r"->|\n", file) else "network"


def _in_words(error: NNSpecError) -> str:
    """Return the first line of an error; of a spec's errors that of the first, and how many there are."""
    if isinstance(error, SpecError):
        first, more = error.diagnostics[0], len(error.diagnostics) - 1
        others = f", and {more} more" if more else ""
        return f"{first.span.shown()}: {first.message} [{first.code}]{others}"
    return str(error).partition("\n")[0]
