"""What is told of the word under the pointer."""

from pathlib import Path

import pytest

from nnspec.spec_lang.editor.hover import MAX_LISTED, hover
from tests.support.documents import pointed

BLOCK = "let width = 4\nblock res(w) = (conv 3x3 x$w pad=same + skip) -> relu\ninput 8x8x4\n"


def told(text: str) -> str:
    found = hover(*pointed(text))
    return found.text if found is not None else ""


def test_a_layer_tells_the_shape_and_the_parameters_after_it() -> None:
    text = told("input 28x28x1\nco|nv 3x3 x8 relu -> dense 10 softmax")
    assert "`conv1` 28x28x1 → **26x26x8**, 80 parameters (weight 3x3x1x8, bias 8), 108,160 FLOPs" in text
    assert text.index("26x26x8") < text.index("Convolution with F filters") < text.index("`stride=1`")


@pytest.mark.parametrize("text", ["input 784\nhid|den: dense 3 -> relu", "input 784\nhidden: de|nse 3 -> relu"])
def test_a_layer_with_a_name_tells_it(text: str) -> None:
    assert "`hidden` 784 → **3**" in told(text)


def test_layers_before_an_error_still_tell_their_shapes() -> None:
    broken = "input 28x28x1\n{}conv 3x3 x8 -> {}maxpool 40 -> {}dense 10 softmax\noptimizer adm"
    assert "**26x26x8**" in told(broken.format("|", "", ""))
    assert "not known, because of an error" in told(broken.format("", "|", ""))
    assert "not known, because of an error" in told(broken.format("", "", "|"))


def test_where_no_shape_comes_in_it_is_told_what_to_write() -> None:
    assert "write a line such as input 28x28x1" in told("de|nse 10 softmax")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dense 10 bi|as=no", "`bias=yes` whether a learned bias"),
        ("dense 10 bias=n|o", "`bias=yes` whether a learned bias"),
        ("conv 3x3 x|8", "`x8` filters: the number of filters"),
        ("dense 10 re|lu", "max(x, 0)"),
        ("dense 10 init=x|avier", "Glorot"),
        ("dense 3\noptimizer ad|am lr=0.1", "`lr=0.001` the learning rate"),
        ("dense 3\noptimizer adam l|r=0.1", "`lr=0.001` the learning rate"),
        ("dense 3\nopti|mizer", "sgd, momentum"),
        ("dense 3\ntr|ain 5 epochs", "`batch=32`"),
        ("dense 3\ntrain |5 epochs", "the length of training, in epochs"),
        ("le|t w = 3", "`let name = value`"),
        ("input 4\n(dense 4 |+ skip)", "The sum of branches"),
        ("input 4\n(dense 4 + sk|ip)", "The input itself"),
        ("input 4\nrep|eat 2 (dense 4)", "**4**, 2 layers, 40 parameters"),
        (f"{BLOCK}re|s $width", "block res(w) = (conv"),
        (f"{BLOCK}res $wi|dth", "let width = 4"),
        (BLOCK.replace("x$w", "x$|w"), "is a parameter of block res"),
        (BLOCK.replace("x$w", "|x$w"), "is a parameter of block res and a count here"),
        ("let w = 4\nconv 3x3 |x$w", "As a count: `x4`"),
        ("let w = 4\ndense |$w", "let w = 4"),
    ],
)
def test_a_word_tells_what_it_means(text: str, expected: str) -> None:
    assert expected in told(text)


def test_a_block_tells_what_each_use_makes() -> None:
    text = told(f"{BLOCK}repeat 9 (re|s $width) -> dense 2")
    assert text.count("8x8x4 → **8x8x4**, 3 layers, 148 parameters") == MAX_LISTED
    assert f"{9 - MAX_LISTED} more" in text


@pytest.mark.parametrize("text", ["|", "# a com|ment", "dense 3 -|> relu", "foo| 3", "con|v2d(8, 3)", 'include "x|"'])
def test_nothing_is_told_of_what_means_nothing(text: str) -> None:
    assert told(text) == ""


def test_only_the_part_under_the_pointer_is_marked() -> None:
    found = hover(*pointed("dense 3 bias=y|es"))
    assert found is not None and found.span.text == "yes"


def test_a_variant_tells_what_it_replaces_and_adds() -> None:
    text = "input 4\ndense 10 softmax\noptimizer adam\nvariant sm|all {\n  dense 3 softmax\n  train 5 epochs\n}"
    assert told(text) == (
        "**variant small**, 15 parameters\n\n- `dense 3 softmax`, instead of `dense 10 softmax`"
        "\n- `train 5 epochs`, in addition"
    )


def test_an_include_tells_its_first_comment_and_what_it_defines(tmp_path: Path) -> None:
    (tmp_path / "base.nnspec").write_text("# What all have.\nlet width = 8\noptimizer sgd\n")
    found = hover(*pointed('include "ba|se.nnspec"\ndense $width', tmp_path))
    assert found is not None and found.text.endswith("What all have.\n\n- `let width = 8`\n- `optimizer sgd`")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("let w = 16\nlet half = $w |/ 2\n", "`$w / 2` is **8**"),
        ("let w = 16\ninput 4\ndense $(2 *| w)\n", "`$(2 * w)` is **32**"),
        ("let w = 16\nlet half = $w / 2\ninput 4\ndense $ha|lf\n", "**8**"),
        ("let w = 16\ninput 8x8x1\nconv 3x3 x$(w |// 3)\n", "`x$(w // 3)` is **x5**"),
        ("block res(n) = dense $(n *| 2)\ninput 4\nres 3\n", "`$(n * 2)`"),
        ("input 4\ndense 3 softmax\nexpect accu|racy > 0.5\n", "**accuracy**"),
        ("input 4\ndense 3\noptimizer adam\nswe|ep optimizer.lr = 0.1..0.2\n", "a range in which a search chooses"),
    ],
)
def test_what_is_computed_is_shown(text: str, said: str) -> None:
    document, offset = pointed(text)
    found = hover(document, offset)
    assert found is not None and said in found.text, found
