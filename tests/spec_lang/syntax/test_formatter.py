"""One canonical form."""

import re

import pytest
from hypothesis import given

from nnspec.spec_lang.check.difference import spec_differences
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.syntax.formatter import LINE_WIDTH, format_source
from nnspec.spec_lang.syntax.grammar import tokens
from nnspec.spec_lang.vocabulary.summary import known_words
from tests.support.spec_findings import spec_of
from tests.support.spec_texts import cases, layouts, specs


def formatted(text: Source | str) -> str:
    return format_source(text, known_words())


WHOLE_FILE = """\
# The CNN of the from-scratch notes: one linear 3x3 convolution, pooling, a softmax.
network mnist_cnn
input 28x28x1

conv 3x3 x8 bias=no -> maxpool 2 -> dense 10 softmax

data      mnist split=75/25 normalize=zscore
init      he
loss      cross_entropy
optimizer momentum lr=0.001 beta=0.9
schedule  cosine
train     50000 iterations batch=1 seed=7
"""


def comments(text: str) -> list[str]:
    return [token.text.rstrip() for token in tokens(Source("a", text), comments=True) if token.type == "COMMENT"]


def test_a_file_in_its_form_stays_as_it_is() -> None:
    assert formatted(WHOLE_FILE) == WHOLE_FILE


def test_the_same_file_in_disorder_comes_into_form() -> None:
    text = "\ufeff\r\n\r\n" + re.sub(r" +", "   ", WHOLE_FILE).replace("\n\n", "\n\n\n\n").replace(" ->", "->\r\n")
    assert formatted(text) == WHOLE_FILE.replace("# The   CNN", "# The CNN").replace(
        comments(WHOLE_FILE)[0], comments(text)[0]
    )


@given(specs().flatmap(layouts))
@cases(60)
def test_formatting_changes_no_meaning_loses_no_comment_and_is_stable(text: str) -> None:
    written = formatted(text)
    assert spec_differences(spec_of(written), spec_of(text)) == ()
    assert sorted(comments(written)) == sorted(comments(text))
    assert formatted(written) == written
    assert all(len(line) <= LINE_WIDTH for line in written.split("\n") if "->" in line and "#" not in line)


def test_a_long_pipeline_is_broken_before_its_arrows() -> None:
    line = " -> ".join(["conv 3x3 x16 pad=same relu"] * 4)
    assert formatted(f"{line}\n") == "\n  -> ".join(["conv 3x3 x16 pad=same relu"] * 4) + "\n"
    assert formatted("dense 3\n  ->\n\n  dense 4\n") == "dense 3 -> dense 4\n"


def test_a_long_group_is_broken_at_its_branches() -> None:
    branch = "conv 1x1 x16 pad=same relu -> conv 3x3 x16 pad=same relu"
    assert formatted(f"stem: conv 3x3 x8 -> repeat 2 ({branch} | {branch}) -> dense 10") == (
        f"stem: conv 3x3 x8\n  -> repeat 2 (\n      {branch}\n    | {branch}\n  ) -> dense 10\n"
    )


def test_comments_stay_with_the_stage_they_stand_at() -> None:
    text = """\
conv 3x3 x8 -> # first
# before the pool
maxpool 2 -> repeat 2 ( # inside
  conv 3x3 x8 # in the middle
    pad=same # behind
  + # at the sign
  skip
  # at the end
) # behind it all
"""
    assert (
        formatted(text)
        == """\
conv 3x3 x8  # first
  # before the pool
  -> maxpool 2
  -> repeat 2 (
      # inside
      # in the middle
      conv 3x3 x8 pad=same  # behind
      # at the sign
    + skip
      # at the end
  )  # behind it all
"""
    )


def test_settings_are_aligned_within_their_paragraph() -> None:
    text = "loss mse # one\n# two\n\ntrain 3 epochs\noptimizer sgd\nmetrics mae rmse,r2\n"
    assert formatted(text) == ("loss mse  # one\n# two\n\ntrain     3 epochs\noptimizer sgd\nmetrics   mae, rmse, r2\n")


def test_lets_blocks_sweeps_and_includes_have_their_spaces() -> None:
    text = (
        'include   "base.nnspec"\nlet w=16\nblock  a( w,act )=dense $w $act\nblock b()=a 3 relu\nsweep train.seed=1,2'
    )
    assert formatted(text) == (
        'include "base.nnspec"\nlet w = 16\nblock a(w, act) = dense $w $act\nblock b() = a 3 relu\n'
        "sweep train.seed = 1, 2\n"
    )


def test_a_variant_is_indented_and_its_settings_are_aligned() -> None:
    text = "variant a { optimizer sgd }  # end\nvariant b { # first\n\n train 3 epochs # t\n   optimizer sgd"
    text += "\n\n\n # last\n}\nvariant c {}"
    assert (
        formatted(text)
        == """\
variant a {
  optimizer sgd
}  # end
variant b {
  # first

  train     3 epochs  # t
  optimizer sgd

  # last
}
variant c {
}
"""
    )


def test_numbers_and_texts_stay_as_they_are_written() -> None:
    text = 'data csv "a  b.csv" target="x , y" split=70.50/29.5\noptimizer sgd lr = 1e-03\n'
    assert formatted(text) == 'data      csv "a  b.csv" target="x , y" split=70.50/29.5\noptimizer sgd lr=1e-03\n'


@pytest.mark.parametrize("text", ["", "\n\n\n", "# alone\n", "# one\n\n# two\n"])
def test_comments_and_empty_lines_alone_are_a_text_too(text: str) -> None:
    assert formatted(text) == text.lstrip("\n")


def test_a_text_that_cannot_be_read_is_not_formatted() -> None:
    with pytest.raises(SpecError) as raised:
        formatted("dense 3\nconv ( 3\n")
    assert [error.code for error in raised.value.diagnostics] == ["E002"]


def test_what_is_unknown_is_formatted_all_the_same() -> None:
    assert formatted("frobnicate   3x3  speed =  fast\n") == "frobnicate 3x3 speed=fast\n"
