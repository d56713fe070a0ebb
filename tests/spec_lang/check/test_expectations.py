"""check/expectations.py: what a spec expects of its runs."""

import math

import pytest

from nnspec.spec_lang.check.canonical_text import canonical_text
from nnspec.spec_lang.check.difference import spec_differences
from nnspec.spec_lang.check.expectations import Expectation, measured_as
from nnspec.spec_lang.syntax.formatter import format_source
from nnspec.spec_lang.vocabulary.metrics import Metric
from nnspec.spec_lang.vocabulary.registry import words
from nnspec.spec_lang.vocabulary.summary import known_words
from tests.support.spec_findings import codes_of, error_of, spec_of

BASE = "input 4\ndense 3 softmax\n"


def expected(text: str) -> list[str]:
    return [str(expectation) for expectation in spec_of(BASE + text).expectations]


def test_each_condition_has_a_metric_a_sign_and_a_number() -> None:
    assert expected("expect accuracy >= 95 %, f1>.9 # both\nexpect validation_loss < 0.5") == [
        "accuracy >= 95 %", "f1 > 0.9", "validation_loss < 0.5"
    ]  # fmt: skip
    assert expected("let goal = 90\nexpect accuracy >= $goal%") == ["accuracy >= 90 %"]


def test_per_cent_is_exact() -> None:
    bounds = [Expectation("accuracy", ">=", number, True).bound for number in (97.8, 95.0, 0.1)]
    assert bounds == [0.978, 0.95, 0.001]
    assert Expectation("accuracy", ">=", 97.8, True).met(0.978)


@pytest.mark.parametrize(
    ("sign", "met"),
    [
        (">=", [False, True, True]),
        (">", [False, False, True]),
        ("<=", [True, True, False]),
        ("<", [True, False, False]),
    ],
)
def test_a_sign_compares_as_it_reads(sign: str, met: list[bool]) -> None:
    expectation = Expectation("loss", sign, 2.0)
    assert [expectation.met(value) for value in (1.0, 2.0, 3.0)] == met
    assert not expectation.met(math.nan)


def test_what_is_expected_is_measured() -> None:
    metrics = [metric.word for metric in spec_of(BASE + "expect f1 > 0.5, accuracy > 0.5").metrics]
    assert metrics == ["accuracy", "f1"]
    metrics = [metric.word for metric in spec_of(BASE + "metrics top3\nexpect f1 > 0.5").metrics]
    assert metrics == ["top3", "f1"]


def test_test_comes_before_validation_and_a_split_can_be_named() -> None:
    both = {"test_loss": 1.0, "validation_loss": 2.0, "loss": 3.0, "training_loss": 4.0}
    assert measured_as(Expectation("loss", "<", 1), both) == "test_loss"
    assert measured_as(Expectation("loss", "<", 1), {"validation_loss": 2.0}) == "validation_loss"
    assert measured_as(Expectation("training_loss", "<", 1), both) == "training_loss"
    assert measured_as(Expectation("loss", "<", 1), {"loss": 1.0}) is None


@pytest.mark.parametrize(
    ("condition", "code", "said"),
    [
        ("acc >= 90 %", "E103", "did you mean accuracy?"),
        ("val_acc >= 90 %", "E103", "did you mean validation_accuracy?"),
        ("train_loss < 1", "E103", "did you mean training_loss?"),
        ("speed > 3", "E103", "write loss, "),
        ("accuracy >= 95", "E306", "write accuracy >= 95 %"),
        ("accuracy >= 120 %", "E306", "smaller"),
        ("accuracy > 100 %", "E306", "smaller"),
        ("accuracy >= 0", "E306", "larger"),
        ("loss < 0", "E306", "larger"),
        ("perplexity < 1", "E306", "larger"),
        ("loss >= 3", "E306", "write loss <= 3"),
        ("accuracy <= 95 %", "E306", "write accuracy >= 95 %"),
        ("loss <= 5 %", "E201", "loss <= 5"),
        ("accuracy >= $act", "E201", "write accuracy >= 0.5"),
        ("accuracy >= 1e999", "E202", "smaller"),
        ("training_loss < 1", "E303", "training=yes"),
    ],
)
def test_what_says_nothing_is_refused(condition: str, code: str, said: str) -> None:
    error = error_of(f"let act = relu\n{BASE}expect {condition}")
    assert error.code == code and said in str(error.help)


def test_a_metric_of_another_task_is_refused_where_it_is_expected() -> None:
    error = error_of("input 4\ndense 1\nexpect accuracy >= 90 %")
    assert (error.code, error.span.text) == ("E303", "accuracy >= 90 %") and "expect mae, mape, rmse or r2" in str(
        error.help
    )


def test_a_limit_on_the_other_side_goes_with_one_on_this() -> None:
    assert codes_of(BASE + "expect accuracy >= 90 %, accuracy <= 99 %") == []
    assert codes_of("input 4\ndense 1\nexpect r2 >= -1") == []


def test_a_condition_is_given_once_and_a_variant_replaces_it() -> None:
    assert codes_of(BASE + "expect accuracy >= 90 %\nexpect accuracy > 0.8") == ["E107"]
    text = BASE + "expect accuracy >= 90 %, loss < 1\nvariant quick {\n  expect accuracy >= 50 %\n}\n"
    spec = spec_of(text, variant="quick")
    assert list(map(str, spec.expectations)) == ["accuracy >= 50 %", "loss < 1"]
    assert codes_of(BASE + "variant a {\n  expect accuracy >= 500 %\n}") == ["E306"]


def test_the_canonical_text_has_them() -> None:
    spec = spec_of(BASE + "expect f1 > .9,   accuracy >= 95.50 %")
    again = spec_of(canonical_text(spec))
    assert again.expectations == spec.expectations and again.metrics == spec.metrics
    (difference,) = [d for d in spec_differences(spec, spec_of(BASE)) if d.name == "expect"]
    assert str(difference) == "expect: only in the first, f1 > 0.9, accuracy >= 95.5 %"


def test_they_are_formatted() -> None:
    made = format_source("expect   accuracy>=95%,loss <1   # why\n", known_words())
    assert made == "expect accuracy >= 95 %, loss < 1  # why\n"
    assert format_source(made, known_words()) == made


def test_every_metric_says_which_values_it_can_have() -> None:
    for cls in words("metric").values():
        assert issubclass(cls, Metric) and cls.least < cls.most
        assert not cls.share or (cls.least == 0 and cls.most in (1, math.inf)), cls.word
