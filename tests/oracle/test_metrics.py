"""Every metric against scikit-learn."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnspec.runtime.metrics import measure
from nnspec.spec_lang.vocabulary.metrics import (
    F1,
    R2,
    Accuracy,
    Auc,
    BalancedAccuracy,
    MaeMetric,
    Mape,
    Metric,
    Precision,
    Recall,
    Rmse,
    Top3,
    Top5,
    TopK,
)
from tests.support.strategies import seeds

sklearn = pytest.importorskip("sklearn.metrics")

many = settings(max_examples=40, deadline=None)
AVERAGES: list[Any] = ["macro", "weighted", "micro"]
RATES: list[tuple[Any, Callable[..., Any]]] = [
    (Precision, sklearn.precision_score),
    (Recall, sklearn.recall_score),
    (F1, sklearn.f1_score),
]


@pytest.fixture(autouse=True)
def quiet() -> Any:
    """scikit-learn warns of classes that are never predicted, or that are missing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def check(word: Metric, outputs: Any, targets: Any, theirs: float) -> None:
    assert measure(word, outputs, targets) == pytest.approx(theirs, rel=1e-12, abs=1e-12), word


@many
@given(classes=st.integers(2, 6), samples=st.integers(2, 40), seed=seeds)
def test_metrics_of_classes_are_scikit_learns(classes: int, samples: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    outputs, truth = random.dirichlet(np.ones(classes), samples), random.integers(0, classes, samples)
    said = outputs.argmax(axis=-1)
    check(Accuracy(), outputs, truth, sklearn.accuracy_score(truth, said))
    check(BalancedAccuracy(), outputs, truth, sklearn.balanced_accuracy_score(truth, said))
    for average in AVERAGES:
        for word, theirs in RATES:
            check(word(average=average), outputs, truth, theirs(truth, said, average=average))
    labels = list(range(classes))
    if classes > 2:
        for best in (TopK(k=1), TopK(k=classes - 1), Top3(), Top5()):
            expected = sklearn.top_k_accuracy_score(truth, outputs, k=min(best.best, classes), labels=labels)
            check(best, outputs, truth, expected)


@many
@given(samples=st.integers(2, 40), ties=st.booleans(), seed=seeds)
def test_metrics_of_two_classes_are_scikit_learns_with_one_output_and_with_two(
    samples: int, ties: bool, seed: int
) -> None:
    random = np.random.default_rng(seed)
    outputs, truth = random.random(samples), random.integers(0, 2, samples)
    outputs = np.round(outputs, 1) if ties else outputs
    truth[:2] = 0, 1
    said = outputs > 0.5
    for given_outputs in (outputs[:, None], np.stack([1 - outputs, outputs], axis=1)):
        check(Auc(), given_outputs, truth, sklearn.roc_auc_score(truth, outputs))
        for word, theirs in RATES:
            check(word(average="binary"), given_outputs, truth, theirs(truth, said))


@many
@given(classes=st.integers(3, 5), seed=seeds)
def test_auc_of_several_classes_is_the_mean_of_one_against_the_rest(classes: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    outputs, truth = random.dirichlet(np.ones(classes), 30), random.integers(0, classes, 30)
    truth[:classes] = range(classes)
    check(Auc(), outputs, truth, sklearn.roc_auc_score(truth, outputs, multi_class="ovr"))


@many
@given(labels=st.integers(2, 4), seed=seeds)
def test_metrics_of_several_labels_are_scikit_learns(labels: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    outputs, truth = random.random((30, labels)), random.integers(0, 2, (30, labels))
    truth[:2] = [[0] * labels, [1] * labels]
    said = (outputs >= 0.5).astype(int)
    check(Auc(), outputs, truth, sklearn.roc_auc_score(truth, outputs))
    check(Accuracy(), outputs, truth, 1 - sklearn.hamming_loss(truth, said))
    for average in AVERAGES:
        for word, theirs in RATES:
            check(word(average=average), outputs, truth, theirs(truth, said, average=average))


@many
@given(outputs=st.integers(1, 3), seed=seeds)
def test_metrics_of_numbers_are_scikit_learns(outputs: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    said, truth = random.normal(size=(2, 20, outputs))
    check(MaeMetric(), said, truth, sklearn.mean_absolute_error(truth, said))
    check(Mape(), said, truth, sklearn.mean_absolute_percentage_error(truth, said))
    check(R2(), said, truth, sklearn.r2_score(truth, said))
    check(Rmse(), said, truth, np.sqrt(sklearn.mean_squared_error(truth, said)))
    truth[0] = 0
    check(Mape(), said, truth, sklearn.mean_absolute_percentage_error(truth, said))
