"""Settings from outside the spec."""

import pytest

from nnspec.spec_lang.check.overrides import overrides_from
from nnspec.spec_lang.vocabulary.optimizers import Adam, Momentum, Sgd
from tests.support.spec_findings import error_of, errors_of, spec_of

TEXT = """\
let width = 16
let act = relu
network a
input 28x28x1
dense $width $act -> dense 10 softmax
optimizer sgd lr=0.1
train 5 epochs batch=8
metrics accuracy
variant fast { train 1 epochs }
"""


def test_a_let_is_set_to_a_value_of_any_kind() -> None:
    layer = spec_of(TEXT, {"width": 32, "act": "tanh"}).nodes[0].layer
    assert (layer.units, layer.activation) == (32, "tanh")


def test_an_option_is_set_whether_the_spec_has_it_or_not() -> None:
    assert spec_of(TEXT, {"optimizer.lr": 0.5}).optimizer == Sgd(lr=0.5)
    assert spec_of(TEXT, {"optimizer.lr": "1e-3", "optimizer.weight_decay": 0.1}).optimizer == Sgd(
        lr=0.001, weight_decay=0.1
    )
    assert spec_of(TEXT, {"train.clip_norm": 1, "train.batch": 4}).train.clip_norm == 1


def test_an_option_of_a_statement_that_the_spec_leaves_out_is_that_of_its_default() -> None:
    plain = "input 4\ndense 3"
    assert spec_of(plain, {"optimizer.lr": 0.5}).optimizer == Adam(lr=0.5)
    assert spec_of(plain, {"schedule.warmup": 2}).schedule.warmup == 2
    assert spec_of(plain, {"train.batch": 2}).train.batch == 2
    assert spec_of(plain, {"early_stop.patience": 2}).early_stop is not None


@pytest.mark.parametrize(
    ("unit", "meant"), [("epochs", "epochs"), ("iterations", "iterations"), ("steps", "iterations")]
)
def test_the_length_of_training_is_set_with_its_unit(unit: str, meant: str) -> None:
    train = spec_of(TEXT, {f"train.{unit}": 7}).train
    assert (train.length, train.unit, train.batch) == (7, meant, 8)


def test_a_value_without_a_name_is_set_by_the_name_of_its_field() -> None:
    assert spec_of(TEXT, {"train.length": 7}).train.length == 7
    assert spec_of(TEXT, {"network.name": "b"}).name == "b"
    assert spec_of(TEXT, {"input.shape": (14, 14)}).input == (14, 14)
    data = spec_of('data csv "a.csv" target=y\ndense 3', {"data.path": "b.csv", "data.target": "z"}).data
    assert (data.path, data.target) == ("b.csv", ("z",))


def test_a_statement_is_set_as_a_whole() -> None:
    assert spec_of(TEXT, {"optimizer": "momentum beta=0.8"}).optimizer == Momentum(beta=0.8)
    assert spec_of(TEXT, {"metrics": "f1, top3"}).metrics[0].word == "f1"
    assert spec_of(TEXT, {"input": "14x14x1"}).input == (14, 14, 1)


def test_data_and_seed_have_names_of_their_own() -> None:
    spec = spec_of("dense 10 softmax", data="mnist split=80/20", seed=3)
    assert spec.data is not None and spec.data.word == "mnist" and spec.data.split == (80.0, 20.0)
    assert (spec.input, spec.train.seed) == ((28, 28, 1), 3)


def test_settings_apply_in_their_order_and_stand_above_the_variant() -> None:
    assert spec_of(TEXT, {"optimizer": "adam", "optimizer.lr": 0.5}).optimizer == Adam(lr=0.5)
    assert spec_of(TEXT, variant="fast").train.length == 1
    assert spec_of(TEXT, {"train.epochs": 9}, variant="fast").train.length == 9


def test_values_of_python_are_written_as_the_language_writes_them() -> None:
    written = {o.key: o.value for o in overrides_from({"a": True, "b": False, "c": (3, 3), "d": 0.5, "e": "x"})}
    assert written == {"a": "yes", "b": "no", "c": "3x3", "d": "0.5", "e": "x"}


def test_dates_and_paths_are_texts() -> None:
    data = spec_of('data csv "a.csv" target=y\ndense 3', {"data.target": "2024-01-01", "data.test": "x/y z.csv"}).data
    assert (data.target, data.test) == (("2024-01-01",), "x/y z.csv")


@pytest.mark.parametrize(
    ("key", "value", "code", "at", "help"),
    [
        ("widht", 3, "E108", "widht", "did you mean width?"),
        ("optimizer.rate", 3, "E102", "optimizer.rate", "did you mean optimizer.lr?"),
        ("optimizer.foo", 3, "E102", "optimizer.foo", "it has lr or weight_decay"),
        ("lr", 3, "E108", "lr", "did you mean optimizer.lr?"),
        ("batch", 3, "E108", "batch", "did you mean train.batch?"),
        ("zzz", 3, "E108", "zzz", "a key is a let, or STATEMENT.OPTION such as optimizer.lr; the lets are"),
        ("loss.delta", 3, "E108", "loss.delta", None),
        ("optimizer.lr", "fast", "E201", "fast", "write a number"),
        ("optimizer.lr", -1, "E202", "-1", None),
        ("optimizer", "adamm", "E103", "adamm", "did you mean adam?"),
        ("optimizer", "adam ->", "E002", None, None),
        ("optimizer", "adam\nloss mse", "E002", "optimizer", None),
        ("width", "3x3", "E201", None, None),
        ("", 3, "E108", "", None),
        (".", 3, "E108", ".", None),
        ("optimizer.", 3, "E108", "optimizer.", None),
    ],
)  # fmt: skip
def test_what_fits_nothing_is_told_at_its_place(
    key: str, value: object, code: str, at: str | None, help: str | None
) -> None:
    error = errors_of(TEXT, settings={key: value})[0]
    assert error.code == code
    assert at is None or error.span.text == at
    assert help is None or (error.help or "").startswith(help)


def test_an_error_in_a_setting_points_into_the_setting() -> None:
    error = error_of(TEXT, settings={"optimizer.lr": "fast"})
    assert error.span.shown() == "--set:1:14"
    assert error_of(TEXT, data="mnits").span.shown() == "--data:1:1"
    assert error_of(TEXT, seed=-1).span.shown() == "--seed:1:1"
    assert error_of(TEXT, variant="fsat").span.shown() == "--variant:1:1"


def test_a_variant_that_is_not_there_is_told_with_those_that_are() -> None:
    assert error_of(TEXT, variant="fsat").help == "did you mean fast?"
    assert error_of(TEXT, variant="x").help == "it has fast"
    assert error_of("input 4\ndense 3", variant="x").help == "it has none"


def test_a_setting_for_something_that_could_not_be_read_is_no_second_error() -> None:
    assert [error.code for error in errors_of("let w =\ninput 4\ndense $w", settings={"w": 3})] == ["E002"]


@pytest.mark.parametrize(
    ("settings", "message", "column", "word"),
    [
        ({"width": "big"}, "dense takes a whole number as its units, not big", 7, "dense 10"),
        ({"width": 0}, "units must be 1 or more", 7, "1 or more"),
        ({"window": 50}, "the window does not fit", 8, "pad=same"),
        ({"filters": 2.5}, "x$filters is a count, and $filters is no whole number", 9, "whole number"),
        ({"loss": "msee"}, 'no loss is called "msee"', 6, "mse"),
        ({"optimizer.lrr": 1}, 'adam has no option "lrr"', 1, "optimizer.lr"),
        ({"early_stop.monitor": "val_loss"}, "early_stop watches val_loss, which this run does not measure", 20,
         "validation_loss"),
    ],
)  # fmt: skip
def test_a_setting_of_the_command_line_is_told_at_its_option(
    settings: dict[str, object], message: str, column: int, word: str
) -> None:
    text = "input 28x28x1\nlet width = 16\nlet window = 3\nlet filters = 8\n"
    text += "conv $window x$filters -> dense $width relu -> dense 10 softmax\n"
    error = error_of(text, settings=settings)
    ((key, value),) = settings.items()
    assert (error.span.source.name, error.span.source.text) == ("--set", f"{key}={value}")
    assert (error.message, error.span.start + 1) == (message, column)
    assert word in (error.help or "")
