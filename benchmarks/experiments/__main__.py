"""The experiments of the from-scratch notes as they were meant, and the tuned specs against their goals.

    python -m benchmarks.experiments                      train what has changed, write docs/experiments.md
    python -m benchmarks.experiments notes/cnn            train no other than these
    python -m benchmarks.experiments --table              train nothing, write the page

Results are kept in benchmarks/results/experiments.json under the digest of what the spec says, so a run is made
again only where its spec says something else than before.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import nnspec
from benchmarks.experiments.mnist import KEPT, Result, experiments, read_results, train, write_results
from benchmarks.experiments.page import page
from benchmarks.experiments.shipped import PAGE, SEEDS, Experiment


def run_missing(chosen: Iterable[Experiment], results: dict[tuple[Experiment, int], Result], path: Path) -> None:
    """Train what has no result yet; each is added to the results and kept before the next one begins.

    What another call of the command has kept since is read again, so that two at once keep what each has found.
    """
    for experiment in chosen:
        for seed in SEEDS:
            if (experiment, seed) not in results:
                print(f"{experiment.name} seed {seed} …", file=sys.stderr, flush=True)
                results[experiment, seed] = train(experiment, seed)
                print(f"  {_summary(results[experiment, seed])}", file=sys.stderr, flush=True)
                results |= {key: result for key, result in read_results(path).items() if key not in results}
                write_results(results, path)


def _summary(result: Result) -> str:
    if result.accuracy is None:
        return f"diverged at step {result.diverged_at}"
    return f"{100 * result.accuracy:.2f} % in {result.seconds:.0f} s"


def main(arguments: Sequence[str] | None = None, kept: Path = KEPT, written: Path = PAGE) -> int:
    """The command; returns its exit code. What is known is written whatever ends it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.experiments", description="The notes' experiments.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a spec, or a variant as notes/cnn")
    parser.add_argument("--table", action="store_true", help="train nothing, write the page from what is known")
    asked = parser.parse_args(arguments)
    known = {experiment.name: experiment for experiment in experiments()}
    unknown = [name for name in asked.names if name not in known]
    if unknown:
        parser.error(f"there is no experiment {unknown[0]}; there are {', '.join(known)}")
    results = read_results(kept)
    try:
        if not asked.table:
            run_missing([known[name] for name in asked.names or known], results, kept)
    except nnspec.NNSpecError as error:
        print(error, file=sys.stderr)
        return int(getattr(error, "exit_code", 1))
    finally:
        written.write_text(page(results), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
