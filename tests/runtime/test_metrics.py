"""The metrics by hand."""

from typing import Any

import numpy as np
import pytest

from nnspec.runtime.metrics import confusion_counts, measure
from nnspec.runtime.targets import TargetError
from nnspec.spec_lang.vocabulary.metrics import (
    F1,
    R2,
    Accuracy,
    Auc,
    MaeMetric,
    Mape,
    Metric,
    Perplexity,
    Precision,
    Recall,
    Rmse,
    Top3,
    TopK,
)
from nnspec.spec_lang.vocabulary.registry import words

THREE = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.4, 0.5, 0.1], [0.3, 0.3, 0.4]]  # taken for 0, 1, 1, 2


def measured(word: Metric, outputs: Any, targets: Any) -> float:
    value = measure(word, np.array(outputs, np.float32), np.array(targets))
    assert type(value) is float
    return value


def test_accuracy_is_the_share_of_classes_that_were_met() -> None:
    assert measured(Accuracy(), THREE, [0, 1, 0, 2]) == 0.75


def test_of_equals_the_first_class_is_taken() -> None:
    assert measured(Accuracy(), [[0.5, 0.5]], [0]) == 1
    repeated = np.tile([0.3, 0.1, 0.3, 0.2], (1, 25))  # the first largest are the classes 0, 2 and 4
    hits = [measured(Top3(), repeated, [label]) for label in range(100)]
    assert hits == [1, 0, 1, 0, 1] + [0] * 95


def test_top3_counts_the_truth_among_the_three_most_probable() -> None:
    assert measured(Top3(), [[0.1, 0.2, 0.3, 0.4]] * 4, [0, 1, 2, 3]) == 0.75
    assert measured(Top3(), THREE, [2, 2, 2, 0]) == 1


def test_f1_is_the_mean_over_classes_of_the_harmonic_mean_of_precision_and_recall() -> None:
    # class 0: precision 1/1, recall 1/2; class 1: 1/2, 1/1; class 2: 1/1, 1/1
    assert measured(F1(), THREE, [0, 1, 0, 2]) == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)


def test_f1_leaves_out_a_class_that_never_occurs_and_gives_nothing_for_one_that_is_never_met() -> None:
    assert measured(F1(), [[0.9, 0.1, 0.0], [0.9, 0.1, 0.0]], [0, 1]) == pytest.approx((2 / 3 + 0) / 2)


@pytest.mark.parametrize("targets", [[0, 1, 1, 0], [[0], [1], [1], [0]], [False, True, True, False]])
def test_one_sigmoid_is_two_classes_with_the_border_at_a_half(targets: Any) -> None:
    outputs = [[0.2], [0.9], [0.4], [0.5]]
    assert measured(Accuracy(), outputs, targets) == 0.75
    np.testing.assert_array_equal(confusion_counts(np.array(outputs), np.array(targets), 2), [[2, 0], [1, 1]])


def test_the_steps_of_sequences_count_one_by_one() -> None:
    outputs, classes = np.array([THREE, THREE]), np.array([[0, 1, 0, 2], [0, 1, 1, 2]])
    assert measured(Accuracy(), outputs, classes) == 7 / 8
    assert confusion_counts(outputs, classes, 3).sum() == 8


def test_confusion_has_the_truth_in_rows_and_the_answer_in_columns() -> None:
    np.testing.assert_array_equal(
        confusion_counts(np.array(THREE), np.array([0, 1, 0, 2]), 3), [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    )
    with pytest.raises(TargetError, match="of 3 classes, and 4 were asked for"):
        confusion_counts(np.array(THREE), np.array([0, 1, 0, 2]), 4)


def test_mae_and_rmse_by_hand() -> None:
    assert measured(MaeMetric(), [[1.0], [5.0]], [0.0, 2.0]) == 2
    assert measured(Rmse(), [[1.0], [8.0]], [0.0, 1.0]) == 5


def test_r2_is_one_for_the_truth_zero_for_its_mean_and_less_for_worse() -> None:
    truth = [1.0, 2.0, 6.0]
    assert measured(R2(), [[1.0], [2.0], [6.0]], truth) == 1
    assert measured(R2(), [[3.0], [3.0], [3.0]], truth) == 0
    assert measured(R2(), [[6.0], [3.0], [1.0]], truth) == pytest.approx(1 - 51 / 14)


def test_r2_is_the_mean_over_the_outputs_and_knows_targets_that_do_not_vary() -> None:
    assert measured(R2(), [[1.0, 3.0], [2.0, 3.0]], [[1.0, 3.0], [2.0, 3.0]]) == 1
    assert measured(R2(), [[1.0, 3.0], [2.0, 4.0]], [[1.0, 3.0], [2.0, 3.0]]) == 0.5


def test_a_million_float32_numbers_do_not_lose_the_digits_of_their_mean() -> None:
    outputs = np.full((1_000_000, 1), 0.1, np.float32)
    assert measure(MaeMetric(), outputs, np.zeros(1_000_000)) == pytest.approx(float(np.float32(0.1)), rel=1e-12)


@pytest.mark.parametrize("name", sorted(words("metric")))
def test_no_samples_have_no_metric(name: str) -> None:
    word = words("metric")[name]()
    assert isinstance(word, Metric)
    with pytest.raises(TargetError, match="nothing to measure"):
        measure(word, np.zeros((0, 3)), np.zeros(0, int))


def test_targets_of_another_split_are_refused() -> None:
    with pytest.raises(TargetError):
        measured(Accuracy(), THREE, [0, 1])
    with pytest.raises(TargetError):
        measured(Rmse(), [[1.0], [2.0]], [1.0, 2.0, 3.0])


def test_perplexity_is_the_number_of_equally_probable_classes_and_padding_is_not_counted() -> None:
    outputs = np.full((2, 3, 5), 0.2)
    outputs[0, 2] = [1, 0, 0, 0, 0]
    targets = np.array([[0, 1, -1], [2, 4, -1]])
    assert measure(Perplexity(), outputs, targets) == pytest.approx(5)
    assert measure(Accuracy(), outputs, targets) == pytest.approx(0.25)


@pytest.mark.parametrize("name", sorted(words("metric")))
def test_a_metric_is_a_finite_number_that_the_order_of_samples_does_not_change(name: str) -> None:
    word, random = words("metric")[name](), np.random.default_rng(1)
    assert isinstance(word, Metric)
    outputs = random.dirichlet(np.ones(4), 20)
    targets = random.normal(size=(20, 4)) if word.task == "regression" else random.integers(0, 4, 20)
    order = random.permutation(20)
    value = measured(word, outputs, targets)
    assert np.isfinite(value)
    assert measured(word, outputs[order], targets[order]) == pytest.approx(value, rel=1e-6)


def test_accuracy_and_f1_of_several_labels_count_each_label() -> None:
    outputs = np.array([[0.9, 0.2, 0.5], [0.4, 0.6, 0.1], [0.7, 0.8, 0.3]])
    targets = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0]])
    assert measure(Accuracy(), outputs, targets) == pytest.approx(6 / 9)
    assert measure(F1(), outputs, targets) == pytest.approx((1 / 2 + 1 + 0) / 3), "each label is a yes or no of its own"
    assert measure(F1(), outputs, targets.astype(np.float32)) == measure(F1(), outputs, targets)


def test_scores_are_decided_at_their_own_threshold() -> None:
    scores = np.array([[0.3], [-0.2], [0.1]])
    assert measure(Accuracy(), scores, np.array([1, 0, 1]), threshold=0) == 1
    assert measure(Accuracy(), np.array([[0.3, -0.1]]), np.array([[1, 0]]), threshold=0) == 1
    np.testing.assert_array_equal(confusion_counts(scores, np.array([1, 0, 1]), 2, threshold=0), [[1, 0], [0, 2]])


def test_auc_without_both_kinds_of_samples_is_that_of_guessing() -> None:
    assert measure(Auc(), np.array([[0.3], [0.6]]), np.array([1, 1])) == 0.5
    outputs = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.3, 0.6, 0.1]])
    assert measure(Auc(), outputs, np.array([0, 1, 1])) == 1, "the third class, of no sample, is left out"


def test_a_class_that_is_never_predicted_has_a_precision_of_0_and_one_that_is_nowhere_none() -> None:
    outputs, truth = np.eye(4)[[0, 0, 2]], np.array([0, 1, 2])
    assert measure(Precision(), outputs, truth) == pytest.approx((1 / 2 + 0 + 1) / 3)
    assert measure(Recall(), outputs, truth) == pytest.approx((1 + 0 + 1) / 3)
    none = np.zeros((3, 2))
    for word in (Precision(), Recall(), F1(), F1(average="micro")):
        assert measure(word, none, none.astype(int)) == 1, "nothing to find, and nothing found"


def test_average_binary_is_refused_where_there_are_not_two_classes() -> None:
    with pytest.raises(TargetError, match="second of two classes, and there are 3"):
        measure(F1(average="binary"), np.eye(3), np.arange(3))
    with pytest.raises(TargetError, match="second of two classes, and there are 2"):
        measure(F1(average="binary"), np.eye(2), np.eye(2).astype(int))


def test_topk_counts_the_first_of_equals() -> None:
    outputs = np.array([[0.25, 0.25, 0.25, 0.25]] * 4)
    assert measure(TopK(k=2), outputs, np.arange(4)) == 0.5


def test_mape_is_a_share_of_the_target() -> None:
    assert measure(Mape(), np.array([[90.0], [220.0]]), np.array([100.0, 200.0])) == pytest.approx(0.1)
