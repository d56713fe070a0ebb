"""Defaults of a block's parameters, stages that are variables, and variants that build on others."""

import pytest

from nnspec.spec_lang.syntax.formatter import format_source
from nnspec.spec_lang.vocabulary.summary import known_words
from tests.support.spec_findings import codes_of, error_of, errors_of, spec_of

RES = "let wide = 4\nblock res(w, act=relu, k=$(w - 1), n=$wide) = dense $w $act -> dense $(k + n) -> $act\ninput 4\n"


@pytest.mark.parametrize(
    ("used", "layers"),
    [
        ("res 3", [(3, "relu"), (6, "linear"), (6, "relu")]),
        ("res 3 tanh", [(3, "tanh"), (6, "linear"), (6, "tanh")]),
        ("res 3 tanh 5", [(3, "tanh"), (9, "linear"), (9, "tanh")]),
        ("res 3 k=5", [(3, "relu"), (9, "linear"), (9, "relu")]),
        ("res n=1 w=3 act=elu", [(3, "elu"), (3, "linear"), (3, "elu")]),
        ("res n=1 3", [(3, "relu"), (3, "linear"), (3, "relu")]),
    ],
)
def test_a_parameter_that_is_left_out_has_its_default(used: str, layers: list[tuple[int, str]]) -> None:
    nodes = spec_of(RES + used).nodes
    assert [(node.output_shape[-1], node.layer.ends_in) for node in nodes] == layers


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (RES + "res", "E105", "res needs its w"),
        (RES + "res 3 relu 2 1 5", "E104", "res takes w, act, k, n, here are 5 values"),
        (RES + "res 3 depth=2", "E102", "it takes w, act, k, n"),
        ("block a(k=3, w) = dense $k\ninput 4\na 3", "E106", "w has no default"),
        ("block a(k=3, k=4) = dense $k\ninput 4\na 3", "E106", "two parameters called k"),
        ("block a(k=$v) = dense $k\ninput 4\na", "E103", 'nothing gives "$v" a value'),
        ("block a(k=$(8 / 3)) = dense $k\ninput 4\na", "E201", "which is 2.66666"),
        ("let k = 3\ninput 4\ndense 3 -> $k", "E201", "a stage is a layer, and $k is 3"),
        ("let k = rleu\ninput 4\ndense 3 -> $k", "E101", "did you mean relu?"),
        ("input 4\ndense 3 -> $k", "E103", 'nothing gives "$k" a value'),
    ],
)
def test_what_does_not_fit_is_one_error(text: str, code: str, said: str) -> None:
    error = error_of(text)
    assert error.code == code and said in f"{error.message} {error.help}", (error.code, error.message, error.help)


CHAIN = """\
input 4
dense 3 softmax
train 9 epochs batch=2
variant small {
  train 3 epochs batch=4
  optimizer sgd
}
variant tiny from small {  # less
  optimizer momentum
}
variant least from tiny {
  train 1 epochs
}
"""


def test_a_variant_builds_on_another() -> None:
    found = {name: spec_of(CHAIN, variant=name) for name in ("small", "tiny", "least")}
    assert {name: (spec.train.length, spec.optimizer.word) for name, spec in found.items()} == {
        "small": (3, "sgd"), "tiny": (3, "momentum"), "least": (1, "momentum")
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CHAIN.replace("variant small", "variant small from least"), "builds on itself"),
        (CHAIN.replace("from small", "from tiny"), "tiny from tiny"),
        (CHAIN.replace("from small", "from smal"), "did you mean small?"),
        ("input 4\ndense 3\nvariant a from base {\n}\n", "the variants are a"),
    ],
)
def test_a_variant_of_nothing_and_a_circle_are_errors_at_their_name(text: str, said: str) -> None:
    found = errors_of(text)
    assert {error.code for error in found} == {"E108"}
    assert said in f"{found[0].message} {found[0].help}"


def test_an_error_in_the_variant_below_is_found_in_what_builds_on_it() -> None:
    text = CHAIN.replace("  train 1 epochs\n", "  dense 3 softmax -> conv 3x3 x8\n")
    assert codes_of(text) == ["E301"]


@pytest.mark.parametrize(
    ("written", "made"),
    [
        (
            "block  res( w,act = relu , k=$(w*2) )=dense $w $act->$act # c",
            "block res(w, act=relu, k=$(w * 2)) = dense $w $act -> $act  # c\n",
        ),
        (
            "variant  tiny  from small{\ntrain 3 epochs # c\n} # e",
            "variant tiny from small {\n  train 3 epochs  # c\n}  # e\n",
        ),
        (
            "expect accuracy>=95% # c\nsweep a.b=1..2 # d\nlet a=$w/2# e\n",
            "expect accuracy >= 95 %  # c\nsweep a.b = 1..2  # d\nlet a = $w / 2  # e\n",
        ),
        ("dense softmax # c", "dense softmax  # c\n"),
    ],
)  # fmt: skip
def test_every_form_is_formatted_with_a_comment_at_its_end(written: str, made: str) -> None:
    assert format_source(written, known_words()) == made
    assert format_source(made, known_words()) == made
