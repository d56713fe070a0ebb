"""The specs of sequences: the sine wave and the dinosaurs, compared with n-grams and least squares.

    python -m benchmarks.experiments.sequences                train what has changed, draw, write docs/experiments.md
    python -m benchmarks.experiments.sequences sine_rnn       train only these

Results are kept in benchmarks/results/sequences.json as those of benchmarks.experiments are, pictures in docs/pictures.
"""

import argparse
import math
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import nnspec
from benchmarks.experiments import mnist
from benchmarks.experiments.page import page
from benchmarks.experiments.sequence_results import (
    DRAWN,
    KEPT,
    NAMES,
    SERIES,
    Result,
    Spelling,
    as_names,
    as_symbols,
    picture,
    read_results,
    write_results,
)
from benchmarks.experiments.shipped import PAGE, ROOT, SEEDS, Experiment, described_machine, digest
from nnspec.runtime.infer.forecasting import forecast
from nnspec.runtime.infer.sampling import TextGenerator
from nnspec.runtime.train.run import Run
from nnspec.runtime.views import PICTURES, save_figure

DRAWINGS = ROOT / "docs" / "pictures"
SHOWN = 10
"""Names of each seed that the page shows."""


def train(experiment: Experiment, seed: int, drawings: Path | None) -> Result:
    """Train an experiment and measure it; the picture of a series is drawn where `drawings` is given."""
    with tempfile.TemporaryDirectory() as folder:
        run = nnspec.train(experiment.path, Path(folder) / "run", variant=experiment.variant, seed=seed)
        key, seconds, place = digest(experiment, seed), run.end["seconds"], described_machine()
        if experiment in NAMES:
            return Result(key, measure_names(run), seconds, place, samples_of(run))
        return Result(key, measure_series(run, experiment, drawings), seconds, place)


def measure_series(run: Run, experiment: Experiment, drawings: Path | None) -> dict[str, float]:
    """RMSE on the test split, and where the network reads its own answers."""
    assert run.data.test is not None
    found = forecast(run.network, run.data.test)
    assert found.rolled is not None
    if drawings is not None:
        title = f"{experiment.name} on {run.data.name}, test"
        save_figure(
            PICTURES["predictions"](found.truth, found.predicted, found.rolled, found.begins, title),
            drawings / picture(experiment),
        )
    rolled = float(np.sqrt(np.mean(np.square(found.truth[found.begins :] - found.rolled))))
    return {"rmse": run.end["test_rmse"], "rolled": rolled}


def measure_names(run: Run) -> dict[str, float]:
    """Bits per character of the test split; which share of names that are drawn is new, and which is well formed."""
    learnt = set(as_names(run.data, as_symbols(run.data.train)))
    spelling = Spelling.of(run.data)
    drawn = drawn_names(run, 1, DRAWN)
    return {
        "bits": run.end["test_loss"] / math.log(2),
        "new": statistics.fmean(name not in learnt for name in drawn),
        "well_formed": statistics.fmean(spelling.accepts(name) for name in drawn),
    }


def samples_of(run: Run) -> dict[str, list[str]]:
    """The first names of two seeds. Raises RuntimeError where a seed does not draw the same again, or both draw one."""
    found = {str(seed): drawn_names(run, seed, SHOWN) for seed in (1, 2)}
    again = {str(seed): drawn_names(run, seed, SHOWN) for seed in (1, 2)}
    if found != again or found["1"] == found["2"]:
        raise RuntimeError(f"one seed is to draw the same names again and two are to differ: {found}, {again}")
    return found


def drawn_names(run: Run, seed: int, count: int) -> list[str]:
    """Draw names from the network at temperature 1."""
    generator = TextGenerator(run.network, seed)
    return ["".join(generator.generate()) for _ in range(count)]


def main(
    arguments: Sequence[str] | None = None, kept: Path = KEPT, written: Path = PAGE, drawings: Path = DRAWINGS
) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.experiments.sequences", description="The specs of sequences."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="a spec, or a variant as sine_rnn/stateful")
    asked = parser.parse_args(arguments)
    known = {experiment.name: experiment for experiment in (*SERIES, *NAMES)}
    unknown = [name for name in asked.names if name not in known]
    if unknown:
        parser.error(f"there is no experiment {unknown[0]}; there are {', '.join(known)}")
    results = read_results(kept)
    for experiment in [known[name] for name in asked.names or known]:
        for seed in SEEDS:
            drawn = experiment in NAMES or seed != SEEDS[0] or (drawings / picture(experiment)).exists()
            if (experiment, seed) not in results or not drawn:
                print(f"{experiment.name} seed {seed} …", file=sys.stderr, flush=True)
                result = train(experiment, seed, drawings if seed == SEEDS[0] else None)
                print(f"  {dict(result.figures)} in {result.seconds:.0f} s", file=sys.stderr, flush=True)
                results[experiment, seed] = result
                write_results(results, kept)
    written.write_text(page(mnist.read_results(), results), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
