"""What two specs mean differently."""

import json

import pytest
from hypothesis import given

from nnspec.spec_lang.check.difference import Difference, differences_text, spec_differences
from tests.support.spec_findings import spec_of
from tests.support.spec_texts import cases, specs

BASE = "input 28x28x1\nconv 3x3 x8 -> maxpool 2 -> dense 10 softmax\noptimizer sgd lr=0.1\n"


def found(second: str, first: str = BASE) -> list[tuple[str, str, str | None, str | None]]:
    return [(d.what, d.name, d.before, d.after) for d in spec_differences(spec_of(first), spec_of(second))]


@given(specs())
@cases(30)
def test_a_spec_differs_in_nothing_from_itself(spec: str) -> None:
    assert spec_differences(spec_of(spec), spec_of(spec)) == ()


@pytest.mark.parametrize(
    "same",
    [
        "input 28x28x1  # why\noptimizer sgd lr=1e-1\nconv x8 3x3 stride=1\n -> maxpool 2 -> dense 10 softmax bias=yes",
        "let w = 8\ninput 28x28x1\noptimizer sgd lr=0.1\nconv 3x3 x$w -> (maxpool 2) -> dense softmax 10\n",
    ],
)  # fmt: skip
def test_another_text_of_the_same_meaning_is_no_difference(same: str) -> None:
    assert found(same) == []


def test_an_option_is_told_by_its_name_and_another_word_as_a_whole() -> None:
    assert found(BASE.replace("lr=0.1", "lr=0.2")) == [("setting", "optimizer.lr", "0.1", "0.2")]
    assert found(BASE.replace("sgd lr=0.1", "momentum")) == [
        (
            "setting",
            "optimizer",
            "sgd lr=0.1 weight_decay=0",
            "momentum beta=0.9 dampening=0 nesterov=no lr=0.01 weight_decay=0",
        )
    ]
    assert found(BASE + "train 3 iterations\nmetrics f1\nnetwork b") == [
        ("setting", "network", "network", "b"),
        ("setting", "train.length", "10", "3"),
        ("setting", "train.unit", "epochs", "iterations"),
        ("setting", "metrics", "accuracy", "f1"),
    ]


def test_metrics_of_the_training_split_are_a_difference() -> None:
    assert found(BASE + "metrics accuracy training=yes") == [
        ("setting", "metrics", "accuracy", "accuracy training=yes")
    ]


def test_a_setting_that_one_of_them_has_alone_is_told_so() -> None:
    early = "early_stop monitor=validation_loss patience=5 min_delta=0"
    assert found(BASE + "early_stop") == [("setting", "early_stop", None, early)]
    assert found(BASE, BASE + "early_stop") == [("setting", "early_stop", early, None)]
    assert found(BASE + "train clip_norm=1") == [("setting", "train.clip_norm", "none", "1")]


def test_a_changed_layer_is_told_with_what_follows_from_it() -> None:
    assert found(BASE.replace("x8", "x16")) == [
        ("layer", "conv1.filters", "x8", "x16"),
        ("shape", "conv1", "26x26x8", "26x26x16"),
        ("shape", "maxpool1", "13x13x8", "13x13x16"),
        ("parameters", "all", "13,610", "27,210"),
    ]


def test_layers_put_in_between_are_told_and_those_after_them_still_matched() -> None:
    assert found(BASE.replace("-> maxpool", "-> batchnorm -> maxpool")) == [
        ("layer", "batchnorm1", None, "batchnorm momentum=0.1 eps=1e-5"),
        ("connection", "maxpool1", "from conv1", "from batchnorm1"),
        ("parameters", "all", "13,610", "13,626"),
    ]
    removed = found(BASE, BASE.replace("-> maxpool", "-> batchnorm -> maxpool"))
    assert removed[0] == ("layer", "batchnorm1", "batchnorm momentum=0.1 eps=1e-5", None)


def test_a_layer_of_another_kind_takes_no_other_one_s_place() -> None:
    assert [difference[:2] for difference in found(BASE.replace("maxpool 2", "dropout 0.5"))][:2] == [
        ("layer", "maxpool1"), ("layer", "dropout1")
    ]  # fmt: skip


def test_a_layer_of_another_name_is_told_since_its_weights_carry_the_name() -> None:
    assert found(BASE.replace("conv 3x3", "stem: conv 3x3")) == [("layer", "conv1", "conv1", "stem")]


def test_layers_that_are_joined_otherwise_are_told() -> None:
    first = "input 4\n(dense 4 -> relu + skip) -> dense 3"
    second = "input 4\n(dense 4 + relu) -> dense 3"
    assert ("connection", "relu1", "from dense1", "from input") in found(second, first)


def test_specs_that_leave_the_shape_to_their_data_are_compared_by_their_layers() -> None:
    assert found("dense 4 -> dense 3", "dense 5 -> dense 3") == [("layer", "dense1.units", "5", "4")]
    assert found("dense 4 -> relu -> dense 3", "dense 4 -> dense 3") == [("layer", "relu1", None, "relu")]


def test_differences_are_told_by_what_they_are() -> None:
    both = spec_differences(spec_of(BASE), spec_of(BASE.replace("x8", "x16").replace("lr=0.1", "lr=1") + "early_stop"))
    assert differences_text(both).split("\n") == [
        "settings:",
        "  optimizer.lr: 0.1 → 1",
        "  early_stop: only in the second, early_stop monitor=validation_loss patience=5 min_delta=0",
        "layers:",
        "  conv1.filters: x8 → x16",
        "shapes:",
        "  conv1: 26x26x8 → 26x26x16",
        "  maxpool1: 13x13x8 → 13x13x16",
        "parameters:",
        "  all: 13,610 → 27,210",
    ]
    assert json.loads(json.dumps([difference.as_json() for difference in both]))[0] == {
        "what": "setting", "name": "optimizer.lr", "before": "0.1", "after": "1"
    }  # fmt: skip
    assert str(Difference("layer", "a", "relu", None)) == "a: only in the first, relu"
