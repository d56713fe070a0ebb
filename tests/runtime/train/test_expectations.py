"""runtime/train/expectations.py: what a run reached of what its spec expects."""

import numpy as np
import pytest

from nnspec import api
from nnspec.runtime.train.expectations import Outcome, missed, outcomes
from nnspec.spec_lang.check.expectations import Expectation
from nnspec.spec_lang.report.errors import SpecError

SPEC = "input 2 -> dense 2 softmax\ntrain 3 epochs batch=8\ndata arrays split=75/25\n"
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(40, 2)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int64)


def test_a_run_has_the_comparison_with_what_is_expected() -> None:
    run = api.train(SPEC + "expect accuracy > 99.9 %, loss < 100, f1 > 0.01", data=(X, Y))
    accuracy, loss, f1 = run.expectations
    assert (accuracy.measured, loss.measured, f1.measured) == (
        "validation_accuracy", "validation_loss", "validation_f1"
    )  # fmt: skip
    assert accuracy.value == run.history["validation_accuracy"].values[-1]
    assert missed(run.expectations) == (() if accuracy.met else (accuracy,))
    assert run.end["expectations"] == [outcome.as_json() for outcome in run.expectations]
    assert loss.met and loss.missed_by == 0


def test_a_run_without_expectations_has_none() -> None:
    run = api.train(SPEC, data=(X, Y))
    assert run.expectations == () and "expectations" not in run.end


@pytest.mark.parametrize(
    ("expectation", "value", "sentence"),
    [
        (Expectation("accuracy", ">=", 95, True), 0.931,
         "expected accuracy >= 95 %: test accuracy is 93.10 %, 1.90 points too low"),
        (Expectation("accuracy", ">=", 95, True), 0.949999,
         "expected accuracy >= 95 %: test accuracy is 94.9999 %, 0.0001 points too low"),
        (Expectation("accuracy", ">", 0.5), 0.5, "expected accuracy > 0.5: test accuracy is 50.00 %"),
        (Expectation("loss", "<", 0.5), 0.75, "expected loss < 0.5: test loss is 0.75, 0.25 too high"),
        (Expectation("loss", "<", 0.5), 0.5000001, "expected loss < 0.5: test loss is 0.5000001, 0.0000001 too high"),
        (Expectation("loss", "<", 0.5), 0.25, "loss < 0.5, as expected: test loss is 0.25"),
    ],
)  # fmt: skip
def test_the_sentence_says_by_how_much_it_is_missed(expectation: Expectation, value: float, sentence: str) -> None:
    assert Outcome(expectation, f"test_{expectation.metric}", value).sentence() == sentence


def test_what_was_not_measured_has_no_outcome() -> None:
    assert outcomes([Expectation("accuracy", ">=", 0.5)], {"accuracy": 1.0, "training_accuracy": 1.0}) == ()


def test_data_without_the_split_are_refused_before_training() -> None:
    with pytest.raises(SpecError) as caught:
        api.train("input 2 -> dense 2 softmax\nexpect accuracy > 0.5", data=(X, Y))
    assert caught.value.diagnostics[0].code == "E303" and "no validation split" in str(caught.value)
    with pytest.raises(SpecError, match="no test split"):
        api.train(SPEC + "expect test_accuracy > 0.5", data=(X, Y))


def test_the_mean_over_folds_is_compared() -> None:
    spec = "input 2 -> dense 2 softmax\ntrain 1 epochs\nexpect accuracy > 1 %, validation_loss < 0.00001"
    result = api.cross_validate(spec, 2, data=(X, Y))
    accuracy, loss = result.expectations
    assert accuracy.value == result.metrics["validation_accuracy"].mean and accuracy.met
    assert not loss.met and result.event()["expectations"][1]["met"] is False
