"""What a run needs of its spec: the last layer, the loss, the metrics, the monitor and the targets."""

from dataclasses import replace

import pytest

from nnspec.spec_lang.check.fit import Targets, misfits
from tests.support.spec_findings import error_of, errors_of, spec_of

SOFTMAX, NUMBER = "input 4\ndense 3 softmax\n", "input 4\ndense 1\n"


def targets(
    *shape: int, whole: bool = True, most: float = 1, validation: bool = True, least: float = 0, sums: bool = False
) -> Targets:
    return Targets("data", shape, whole, least, most, validation, "y.argmax(axis=-1)", sum_to_one=sums)


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        (SOFTMAX + "loss binary_cross_entropy", (3, 1), "sigmoid"),
        (NUMBER + "loss cross_entropy", (3, 1), "loss mse"),
        (NUMBER + "metrics accuracy", (3, 1), "metrics mae, mape, rmse or r2"),
        (NUMBER + "metrics rmse, f1", (3, 1), "metrics mae, mape, rmse or r2"),
        ("input 4\ndense 1 sigmoid\nloss mse\nmetrics accuracy", (4, 1), "metrics mae"),
        (SOFTMAX + "early_stop monitor=val_accuracy", (3, 20), "validation_accuracy"),
        (SOFTMAX + "early_stop monitor=val_loss", (3, 20), "validation_loss"),
        (SOFTMAX + "early_stop monitor=acuracy", (3, 20), "accuracy"),
        (SOFTMAX + "early_stop monitor=f1", (3, 20), "metrics accuracy, f1"),
        (SOFTMAX + "early_stop monitor=val_f1", (3, 20), "metrics accuracy, f1"),
        (NUMBER + "early_stop monitor=accuracy", (3, 20), "metrics rmse, accuracy"),
        (SOFTMAX + "early_stop monitor=training_accuracy", (3, 20), "write metrics accuracy training=yes"),
        (SOFTMAX + "early_stop monitor=train_loss", (3, 20), "write metrics accuracy training=yes"),
        (SOFTMAX + "early_stop monitor=training_f1", (3, 20), "write metrics accuracy, f1 training=yes"),
        (SOFTMAX + "metrics training=yes\nearly_stop monitor=train_accuracy", (4, 20), "mean training_accuracy?"),
        (SOFTMAX + "metrics training=yes\nearly_stop monitor=f1", (4, 20), "metrics accuracy, f1 training=yes"),
        (SOFTMAX + 'data csv "a.csv" target=y\nloss mse', (4, 1), "loss cross_entropy"),
        (SOFTMAX + "loss binary_focal", (3, 1), "write loss focal"),
        ("input 4\ndense 2\nloss quantile at=0.1, 0.5, 0.9", (2, 1), "dense 3"),
        (SOFTMAX + "loss hinge", (3, 1), "without softmax, or write loss cross_entropy"),
        (NUMBER + "loss hinge", (3, 1), "write loss binary_hinge"),
        ("input 4\ndense 3\nloss hinge\nmetrics perplexity", (4, 1), "write metrics accuracy"),
        (SOFTMAX + "loss kl\nmetrics accuracy", (4, 1), "write metrics mae, mape, rmse or r2"),
        (SOFTMAX + "metrics f1 average=binary", (3, 1), "average=macro"),
        ("input 4\ndense 3 sigmoid\nmetrics f1 average=binary", (3, 1), "average=macro"),
        (SOFTMAX + "early_stop monitor=val_auc", (3, 20), "metrics accuracy, auc"),
    ],
)
def test_what_training_would_refuse_is_refused_by_the_check(text: str, place: tuple[int, int], word: str) -> None:
    error = error_of(text)
    assert error.code == "E303"
    assert error.span.source.place(error.span.start) == place
    assert error.help is not None and word in error.help


@pytest.mark.parametrize("given", [targets(whole=False), targets(1, whole=False)])
def test_outputs_are_the_quantiles_of_each_number(given: Targets) -> None:
    spec = spec_of("input 4\ndense 3\nloss quantile at=0.1, 0.5, 0.9")
    assert list(misfits(spec, spec.nodes[-1].span, given)) == []


@pytest.mark.parametrize("monitor", ["loss", "validation_loss", "accuracy", "validation_accuracy"])
def test_what_a_run_measures_can_be_watched(monitor: str) -> None:
    assert errors_of(f"{SOFTMAX}early_stop monitor={monitor}") == []


@pytest.mark.parametrize("monitor", ["loss", "training_loss", "training_accuracy", "accuracy"])
def test_what_a_run_measures_on_its_training_split_can_be_watched(monitor: str) -> None:
    assert errors_of(f"{SOFTMAX}metrics accuracy training=yes\nearly_stop monitor={monitor}") == []


@pytest.mark.parametrize(("monitor", "fits"), [("training_loss", True), ("training_r2", True), ("r2", False)])
def test_without_validation_only_the_training_split_can_be_watched(monitor: str, fits: bool) -> None:
    spec = spec_of(f"{NUMBER}metrics r2 training=yes\nearly_stop monitor={monitor}")
    found = list(misfits(spec, spec.nodes[-1].span, targets(1, validation=False)))
    assert (found == []) == fits


def test_without_validation_another_spelling_of_training_is_answered_with_the_right_one() -> None:
    spec = spec_of(f"{NUMBER}metrics r2 training=yes\nearly_stop monitor=training_r2")
    assert spec.early_stop is not None
    spec = replace(spec, early_stop=spec.early_stop.model_copy(update={"monitor": "train_r2"}))
    (found,) = misfits(spec, spec.nodes[-1].span, targets(1, validation=False))
    assert found.help == "did you mean training_r2?"


@pytest.mark.parametrize(
    ("line", "place", "help"),
    [
        ("metrics accuracy average=micro", (3, 26), "metrics precision, recall, f1 or iou"),
        ("metrics k=3", (3, 11), "metrics topk"),
    ],
)
def test_an_option_that_no_metric_has_is_refused(line: str, place: tuple[int, int], help: str) -> None:
    error = error_of(SOFTMAX + line)
    assert (error.code, error.span.source.place(error.span.start)) == ("E102", place)
    assert error.help == f"leave it out, or write {help}"


def test_the_default_metric_measures_what_the_loss_compares() -> None:
    assert [m.word for m in spec_of("input 4\ndense 1 sigmoid\nloss mse\n").metrics] == ["rmse"]
    assert [m.word for m in spec_of("input 4\ndense 4 sigmoid\n").metrics] == ["accuracy"]


@pytest.mark.parametrize(
    ("text", "given", "word"),
    [
        ("input 7x3\nlstm 4 return=sequence -> dense 1", targets(), "return=last"),
        ("input 7x3\nlstm 4 -> dense 3 softmax", targets(7), "return=sequence"),
        ("input 7x3\nlstm 4 return=sequence -> dense 3 softmax", targets(7, whole=False), "loss mse"),
        ("input 7x3\nlstm 4 return=sequence -> dense 1", targets(7, 2, whole=False), "dense 2"),
        ("input 4\ndense 3", targets(1), "dense 1"),
        ("input 4\ndense 3 softmax", targets(3), "argmax"),
        ("input 4\ndense 1 sigmoid", targets(most=2), "dense 3 softmax"),
        ("input 7x3\nlstm 4 return=sequence -> dense 2 softmax", targets(7, most=2), "dense 3 softmax"),
        ("input 4\ndense 2 sigmoid", targets(most=2), "dense 3 softmax"),
        ("input 4\ndense 2 sigmoid", targets(2, whole=False, most=1.5), "loss mse"),
        ("input 4\ndense 4 sigmoid\nmetrics top3", targets(4), "metrics accuracy, precision, recall, f1, iou or auc"),
        ("input 4\ndense 1\nearly_stop patience=3", targets(1, validation=False), "monitor=loss"),
        ("input 4\ndense 3 softmax\nloss kl", targets(3, whole=False, most=5), "loss mse"),
        ("input 4\ndense 3 softmax\nloss kl", targets(3, whole=False, least=-1, sums=True), "loss mse"),
        ("input 4\ndense 3 softmax\nloss kl", targets(2, whole=False, sums=True), "dense 2"),
        ("input 4\ndense 1\nloss binary_hinge", targets(most=2), "dense 3 softmax"),
        ("input 4\ndense 6\nloss quantile at=0.1, 0.5, 0.9", targets(whole=False), "dense 3"),
        ("input 4\ndense 3\nloss quantile at=0.1, 0.5, 0.9", targets(2, whole=False), "dense 6"),
        ("input 4\ndense 2 sigmoid\nmetrics f1 average=binary", targets(2), "average=macro"),
    ],
)
def test_targets_of_another_kind_are_told_with_what_to_write(text: str, given: Targets, word: str) -> None:
    spec = spec_of(text)
    (found,) = misfits(spec, spec.nodes[-1].span, given)
    assert word in (found.help or "")


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("input 7x3\nlstm 4 return=sequence -> dense 1", targets(7, whole=False)),
        ("input 7x3\nlstm 4 return=sequence -> dense 1", targets(7, 1, whole=False)),
        ("input 7x3\nlstm 4 return=sequence -> dense 3 softmax", targets(7)),
        ("input 4\ndense 1 sigmoid", targets()),
        ("input 4\ndense 2 sigmoid", targets()),
        ("input 4\ndense 4 sigmoid\nmetrics accuracy, f1", targets(4)),
        ("input 4\ndense 1", targets(1, whole=False)),
    ],
)
def test_targets_that_fit_are_accepted(text: str, given: Targets) -> None:
    spec = spec_of(text)
    assert list(misfits(spec, spec.nodes[-1].span, given)) == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("input 4\ndense 1 softmax", "sigmoid"),
        ("input 4\ndense 3 softmax -> softmax", "one of them"),
        ("input 4\ndense 3 softmax\nloss mse", "cross_entropy"),
    ],
)
def test_a_softmax_that_cannot_do_what_it_is_for_is_a_warning(text: str, word: str) -> None:
    (warning,) = spec_of(text).warnings
    assert (warning.code, warning.severity) == ("W302", "warning")
    assert word in (warning.help or "")
