"""Baselines against scikit-learn's dummy estimators, on its own data sets, split alike."""

from typing import Any

import numpy as np
import pytest

from nnspec import api
from nnspec.runtime.infer.baseline import Baseline

datasets = pytest.importorskip("sklearn.datasets")
dummy = pytest.importorskip("sklearn.dummy")


def split(name: str) -> tuple[Any, Any, Any, Any]:
    """Return x and y of a data set, two thirds of them to train on and one third to measure on."""
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    held = np.random.default_rng(0).permutation(len(x)) % 3 == 0
    return x[~held], y[~held], x[held], y[held]


def measured(spec: str, data: tuple[Any, Any, Any, Any]) -> dict[str, float]:
    """Return what the baseline of a spec reaches on the third that is held back."""
    x, y, later_x, later_y = data
    run = api.train(spec, settings={"train.epochs": 1}, data=(x, y), validation=(later_x, later_y))
    assert run.data.validation is not None
    return Baseline.fit(run.network, run.data.train).measure(run.data.validation)


@pytest.mark.parametrize(("name", "classes"), [("iris", 3), ("wine", 3), ("breast_cancer", 2), ("digits", 10)])
def test_the_majority_class_is_that_of_dummy_classifier(name: str, classes: int) -> None:
    x, y, later_x, later_y = data = split(name)
    known = dummy.DummyClassifier(strategy="prior").fit(x, y)
    found = measured(f"dense {classes} softmax", data)
    assert found["accuracy"] == known.score(later_x, later_y)
    log = np.log(known.predict_proba(later_x))[np.arange(len(later_y)), later_y]
    assert found["loss"] == pytest.approx(-log.mean(), rel=5e-3)  # ours has one more sample of each class


def test_the_mean_is_that_of_dummy_regressor() -> None:
    x, y, later_x, later_y = data = split("diabetes")
    known = dummy.DummyRegressor().fit(x, y)
    found = measured("dense 1\nmetrics rmse, r2", data)
    assert found["r2"] == pytest.approx(known.score(later_x, later_y), rel=1e-5)
    assert found["rmse"] == pytest.approx(np.sqrt(np.square(known.predict(later_x) - later_y).mean()), rel=1e-6)
