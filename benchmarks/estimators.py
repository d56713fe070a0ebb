"""NNSpecClassifier beside scikit-learn's MLPClassifier on three small tables, in one run.

    python -m benchmarks.estimators

Both have 100 hidden relu units, Adam and standardized samples; the second pair of rows has the same batch and the same
number of epochs too. Seconds are the processor's, of `fit` alone, medians over five folds that take turns, with one
BLAS thread; accuracies are those of the samples left out, each once.
"""

import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

FOLDS = 5
EPOCHS, BATCH = 50, 32
SPEC = "dense 100 relu -> dense softmax"


def estimators() -> dict[str, Callable[[], Any]]:
    """What is measured, by its name in the table."""
    from sklearn.neural_network import MLPClassifier

    from nnspec.sklearn import NNSpecClassifier

    alike = {"train.epochs": EPOCHS, "train.batch": BATCH, "train.evaluate_every": EPOCHS}
    forever = {"max_iter": EPOCHS, "batch_size": BATCH, "tol": 0.0, "n_iter_no_change": EPOCHS}
    return {
        "NNSpecClassifier": lambda: NNSpecClassifier(SPEC),
        "MLPClassifier": lambda: MLPClassifier(random_state=0),
        f"NNSpecClassifier, {EPOCHS} epochs of {BATCH}": lambda: NNSpecClassifier(SPEC, settings=alike),
        f"MLPClassifier, {EPOCHS} epochs of {BATCH}": lambda: MLPClassifier(random_state=0, **forever),
        "NNSpecClassifier, 1 epoch": lambda: NNSpecClassifier(SPEC, settings={"train.epochs": 1}),
        "MLPClassifier, 1 epoch": lambda: MLPClassifier(random_state=0, max_iter=1),
    }


def measured(x: Any, y: Any) -> dict[str, tuple[float, float]]:
    """Seconds of a fit and the accuracy on what it has not seen, by estimator."""
    from sklearn.model_selection import StratifiedKFold

    made = estimators()
    seconds: dict[str, list[float]] = {name: [] for name in made}
    right = dict.fromkeys(made, 0)
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(x, y):
        mean, deviation = x[train].mean(axis=0), x[train].std(axis=0)
        scaled = (x - mean) / np.where(deviation > 0, deviation, 1)
        for name, make in made.items():
            estimator = make()
            began = time.process_time()
            estimator.fit(scaled[train], y[train])
            seconds[name].append(time.process_time() - began)
            right[name] += int((estimator.predict(scaled[test]) == y[test]).sum())
    return {name: (statistics.median(seconds[name]), right[name] / len(y)) for name in made}


def main() -> None:
    """Print the table."""
    from sklearn.datasets import load_breast_cancer, load_digits, load_iris

    print("| data | estimator | seconds of fit | accuracy |\n|---|---|---|---|")
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")  # that MLPClassifier has not converged
        for load in (load_iris, load_breast_cancer, load_digits):
            x, y = load(return_X_y=True)
            measured(x[::3], y[::3])  # once before it counts
            for name, (seconds, accuracy) in measured(x, y).items():
                print(
                    f"| {load.__name__.removeprefix('load_')} | {name} | {seconds:.3f} | {accuracy:.3f} |", flush=True
                )


if __name__ == "__main__":
    main()
