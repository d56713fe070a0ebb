"""scikit-learn's own checks of estimators, none of them expected to fail."""

import warnings
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("pandas")  # some checks give data frames, and pass by without pandas

from sklearn.utils.estimator_checks import parametrize_with_checks

from nnspec.sklearn import NNSpecClassifier, NNSpecRegressor

ESTIMATORS = [
    NNSpecClassifier(),
    NNSpecRegressor(),
    NNSpecClassifier("dense 8 relu -> dense sigmoid", settings={"data.normalize": "zscore"}),
    NNSpecClassifier("dense 8 relu -> dense linear\nloss hinge", class_weight="balanced"),
    NNSpecRegressor("dense 8 relu -> dense\nearly_stop patience=3", seed=3),
]


@pytest.fixture(autouse=True)
def checks_that_warn_pass() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # the checks look at warnings themselves
        yield


@parametrize_with_checks(ESTIMATORS)
def test_a_check_of_scikit_learn_passes(estimator: Any, check: Any) -> None:
    check(estimator)
