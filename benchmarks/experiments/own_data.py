"""The specs of tables, series and pictures: nnspec beside scikit-learn's MLP and a linear model, on the same splits.

    python -m benchmarks.experiments.own_data                 measure what has changed, write docs/experiments.md
    python -m benchmarks.experiments.own_data iris            measure only these
    python -m benchmarks.experiments.own_data iris --tune     print results of other seeds than those of the page

Every seed divides a table into five folds of its own; each fold is the test of a run that is trained on the others, so
that every sample is predicted once. A series is divided in time instead, and has one run for each seed. The peers are
given the training samples as the network sees them, standardized, and are measured on the same test samples.
"""

import argparse
import statistics
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import nnspec
from benchmarks.experiments import mnist
from benchmarks.experiments.own_data_page import (
    FOLDS,
    KEPT,
    NAMES,
    Result,
    known_digest,
    measure_of,
    read_results,
    write_results,
)
from benchmarks.experiments.page import page
from benchmarks.experiments.shipped import PAGE, SEEDS, SPECS, described_machine
from nnspec.runtime.data import Split
from nnspec.runtime.data.examples import write_example
from nnspec.runtime.train.cross_validation import cross_validate
from nnspec.runtime.train.run import Run, train
from nnspec.spec_lang.check.spec_request import Request

TUNING_SEEDS = (11, 12, 13)
EXAMPLES = {"images": "digits"}
"""The example data of a spec with another name."""


def runs_of(name: str, seed: int, folder: Path) -> list[Run]:
    """Train a spec with a seed: one run for each fold, or of a series the one run."""
    path = folder / f"{name}.nnspec"
    path.write_text((SPECS / f"{name}.nnspec").read_text(encoding="utf-8"), encoding="utf-8")
    word = nnspec.check(path).data
    if word is None or word.windowed:
        return [train(Request(path, seed=seed), files=False)]
    return list(
        cross_validate(Request(path, {"data.seed": seed, "data.split": "80/20"}, seed=seed), FOLDS, files=False).runs
    )


def measured(name: str, runs: Sequence[Run]) -> dict[str, float]:
    """The figure of the network and of both peers over all samples that were held out, each once."""
    truth, ours = [], []
    peers: dict[str, list[Any]] = {"mlp": [], "linear": []}
    for run in runs:
        held = run.data.test if len(runs) == 1 else run.data.validation
        assert held is not None
        truth.append(np.asarray(held.targets))
        ours.append(run.network.predict(held.inputs))
        for kind, answers in peer_answers(run, held).items():
            peers[kind].append(answers)
    together = np.concatenate(truth)
    return {
        "nnspec": measure_of(name, np.concatenate(ours), together),
        **{kind: measure_of(name, np.concatenate(answers), together) for kind, answers in peers.items()},
    }


def peer_answers(run: Run, held: Split) -> dict[str, Any]:
    """What scikit-learn's MLP and a linear model answer to the held samples, trained as the network was."""
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    train, preprocessing, seed = run.data.train, run.network.preprocessing, run.network.spec.train.seed
    x, later = (preprocessing.apply(np.asarray(s.inputs)).reshape(len(s), -1) for s in (train, held))
    y = np.asarray(train.targets)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that 200 iterations have not converged is scikit-learn's own default
        if run.network.spec.classification:
            mlp, linear = MLPClassifier(random_state=seed).fit(x, y), LogisticRegression(max_iter=5000).fit(x, y)
            return {"mlp": mlp.predict_proba(later), "linear": linear.predict_proba(later)}
        if run.network.spec.loss.labels:
            mlp = MLPClassifier(random_state=seed).fit(x, y)
            each = OneVsRestClassifier(LogisticRegression(max_iter=5000)).fit(x, y)
            return {"mlp": mlp.predict_proba(later), "linear": each.predict_proba(later)}
        mean, deviation = y.mean(axis=0), y.std(axis=0)
        scaled = (y - mean) / deviation
        mlp = MLPRegressor(random_state=seed).fit(x, scaled if y.shape[1] > 1 else scaled[:, 0])
        answers = mlp.predict(later).reshape(len(later), -1) * deviation + mean
        return {"mlp": answers, "linear": LinearRegression().fit(x, y).predict(later)}


def result_of(name: str, seed: int) -> Result:
    """Measure a spec with a seed."""
    with tempfile.TemporaryDirectory() as folder:
        write_example(EXAMPLES.get(name, name), Path(folder))
        runs = runs_of(name, seed, Path(folder))
        seconds = sum(float(run.end["seconds"]) for run in runs)
        return Result(known_digest(name, seed), measured(name, runs), seconds, described_machine())


def tune(names: Sequence[str]) -> None:
    """Print the figures of the seeds for tuning, and their means."""
    for name in names:
        found = [result_of(name, seed).figures for seed in TUNING_SEEDS]
        means = {kind: statistics.fmean(one[kind] for one in found) for kind in found[0]}
        print(name, {kind: round(value, 4) for kind, value in means.items()}, flush=True)


def main(arguments: Sequence[str] | None = None, kept: Path = KEPT, written: Path = PAGE) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.experiments.own_data", description="Specs on one's own data."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="a spec, as iris")
    parser.add_argument("--tune", action="store_true", help="print the results of other seeds, and keep nothing")
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.names if name not in NAMES]
    if unknown:
        parser.error(f"there is no spec {unknown[0]}; there are {', '.join(NAMES)}")
    names = asked.names or list(NAMES)
    if asked.tune:
        tune(names)
        return 0
    results = read_results(kept)
    for name in names:
        for seed in SEEDS:
            if (name, seed) not in results:
                print(f"{name} seed {seed} …", file=sys.stderr, flush=True)
                results[name, seed] = result_of(name, seed)
                print(f"  {dict(results[name, seed].figures)}", file=sys.stderr, flush=True)
                write_results(results, kept)
    written.write_text(page(mnist.read_results()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
