"""check/arithmetic.py and syntax/formula.py: values that are computed."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnspec.spec_lang.check.canonical_text import canonical_text
from nnspec.spec_lang.check.collect import Statements, collect, let_values
from nnspec.spec_lang.check.examination import check_source
from nnspec.spec_lang.check.overrides import overrides_from
from nnspec.spec_lang.report.diagnostics import Findings
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.syntax.formatter import format_source
from nnspec.spec_lang.syntax.parse import parse_source
from nnspec.spec_lang.vocabulary.summary import known_words
from tests.support.spec_findings import codes_of, error_of, spec_of
from tests.support.spec_texts import cases

BASE = "let w = 16\nlet k = 3\nlet p = 0.5\nlet act = relu\n"


def value_of(text: str) -> object:
    """The value of `let v = TEXT`."""
    statements, wrong = parse_source(Source("a", f"{BASE}let v = {text}\n"), known_words())
    known, found = Statements(), Findings(wrong)
    collect(statements, known, found)
    value = let_values(known, found)["v"]
    assert value is not None and not list(found), [(d.message, d.help) for d in found]
    return value.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$w / 2", 8), ("$w/3", 16 / 3), ("$w // 3", 5), ("$w % 5", 1), ("2*$w+1", 33), ("2 * ($w + 1)", 34),
        ("10 - 4 - 3", 3), ("100 / 10 / 5", 2), ("2 + 3 * 4", 14), ("-$w + 20", 4), ("- ($w - 20)", 4), ("$w - -1", 17),
        ("min($w, 3)", 3), ("max(1, $k, $w // 3)", 5), ("min(2)", 2), ("0.1 * 3", 0.3), ("0.1 * 30", 3), ("$p * 4", 2),
        ("1e-4 * 10", 1e-3), ("7 // 2", 3), ("-7 // 2", -4), ("-7 % 3", 2), ("$(w) * 2", 32), ("(w + $k)", 19),
        ("75/25", (75.0, 25.0)), ("8 / 2", 4), ("3x3", (3, 3)), ("5", 5), ("relu", "relu"), ("$(w)x$(2 * k)", (16, 6)),
        ("x$(w / 2)", 8), ("$(50 + 25)/25", (75.0, 25.0)), ("3x$(k)", (3, 3)),
    ],
)  # fmt: skip
def test_a_formula_has_its_value(text: str, value: object) -> None:
    assert value_of(text) == value and type(value_of(text)) is type(value)


_LEAVES = st.integers(0, 99).map(str)


@given(
    st.recursive(
        _LEAVES,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%"]), inner).map(" ".join).map("({})".format),
            st.tuples(inner, inner).map(lambda pair: f"min({pair[0]}, {pair[1]})"),
            inner.map("(-{})".format),
        ),
        max_leaves=12,
    )
)
@cases(60)
def test_formulas_agree_with_python_and_are_formatted_to_the_same_value(text: str) -> None:

    try:
        expected = eval(re.sub(r"(\d+)", r"Fraction(\1)", text), {"Fraction": Fraction, "min": min})
    except ZeroDivisionError:
        assert codes_of(f"let v = 0 + {text}\ninput 4\ndense 3") == ["E202"]
        return
    assert value_of(f"0 + {text}") == (int(expected) if expected.denominator == 1 else float(expected))
    made = format_source(f"let v = 0 + {text}\n", known_words())
    assert value_of(made.partition("=")[2].strip()) == value_of(f"0 + {text}")
    assert format_source(made, known_words()) == made


def test_every_kind_of_value_may_be_computed() -> None:
    text = (
        BASE + "block res(n) = dense $(n * 2) relu\n"
        "input $(7 * 4)x28x1\n"
        "conv $(k)x$(k) x$(2 * w) pad=$(k // 2) $act -> conv 3x$(k) x$(w) stride=$(1 + 1)\n"
        "  -> repeat $(k - 1) (res $(w // 2)) -> dropout $(p / 2) -> dense $(k * 3 + 1) softmax\n"
        "data mnist_sample split=$(50 + 25)/25\noptimizer adam lr=$(0.1 * 30 / 1000)\n"
        "train $(2 * 5) epochs batch=$(4 * w)\nexpect accuracy >= $(90 + 5) %\n"
        "sweep w = $(4 * k), 16\nsweep train.seed = $(k)..$(2 * w) step $(k)\n"
    )
    spec = spec_of(text)
    shown = canonical_text(spec)
    parts = [
        "conv 3x3 x32",
        "pad=1",
        "conv 3x3 x16",
        "dense 16 relu",
        "dropout 0.25",
        "dense 10 softmax",
        "split=75/25",
    ]
    for part in (*parts, "train     10 epochs batch=64", "expect accuracy >= 95 %"):
        assert part in shown, part
    assert spec.sweeps[0] == ("w", ("12", "16"))
    assert (spec.ranges[0].low, spec.ranges[0].high, spec.ranges[0].step) == (3, 32, 3)
    assert sum(name.startswith("res") for name, _ in spec.outline) == 2


def test_what_is_computed_follows_a_setting_from_outside() -> None:
    text = "let w = 16\nlet half = $w / 2\ninput 4\ndense $half -> dense $(w + 1)"
    spec = check_source(Source("a", text), overrides_from({"w": 6}))
    assert [node.output_shape[-1] for node in spec.nodes] == [3, 7]
    with pytest.raises(SpecError) as caught:
        check_source(Source("a", text), overrides_from({"w": 7}))
    (error,) = caught.value.diagnostics
    assert error.code == "E201" and error.span.source.option


@pytest.mark.parametrize(
    ("line", "code", "place", "said"),
    [
        ("dense $(w / 3)", "E201", "$(w / 3)", "5.33333333333"),
        ("conv 3x3 x$(w / 3)", "E201", "x$(w / 3)", "write // to divide and round down"),
        ("conv $(w / 5)x3 x8", "E201", "$(w / 5)x3", "3.2"),
        ("dense $(w - 16)", "E202", "$(w - 16)", "$(w - 16) is 0"),
        ("dropout $(p * 2)", "E202", "$(p * 2)", "$(p * 2) is 1"),
        ("repeat $(w / 5) (relu)", "E201", "$(w / 5)", "3.2"),
        ("dense $(w / 0)", "E202", "/", "divide by another number than 0"),
        ("dense $(w * act)", "E201", "act", "it is relu"),
        ("dense $(w * depth)", "E103", "depth", "write let depth = … above"),
        ("dense $(w * kk)", "E103", "kk", "did you mean k?"),
        ("dense $(w ** 2)", "E002", "*", "write a power as a product"),
        ("dense $(w ^ 2)", "E002", "^", "write a power as a product"),
        ("dense $(w +)", "E002", "w +", "a value is missing"),
        ("dense $()", "E002", ")", "a value is missing"),
        ("dense $(2 w)", "E002", "w", "write a sign between two values"),
        ("dense $(sqrt(w))", "E002", "sqrt", "there are min and max"),
        ("dense $(min())", "E002", ")", "does not fit here"),
        ("dense $(1e300 * 1e300)", "E202", "*", "smaller"),
        ("dense $(1e999)", "E202", "1e999", "smaller"),
        ("conv .x$(k) x8", "E002", ".", "is no number"),
        ("conv $(k)x1.2.3 x8", "E002", "1.2.3", "is no number"),
        ("conv ..x$() x8", "E002", "..", "is no number"),
    ],
)  # fmt: skip
def test_a_formula_without_a_value_is_one_error_at_its_place(line: str, code: str, place: str, said: str) -> None:
    error = error_of(f"{BASE}input 28x28x1\n{line} -> dense 10")
    assert (error.code, error.span.text) == (code, place), (error.code, error.span.text, error.message, error.help)
    assert said in f"{error.message} {error.help}"


def test_an_error_in_a_let_is_told_once_however_often_it_is_used() -> None:
    assert codes_of("let w = 1 / 0\ninput 4\ndense $w -> dense $w") == ["E202"]
    assert codes_of("let w = 4\nlet v = $w + $x\ninput 4\ndense $v") == ["E103"]


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ("let  a=$w/2 # why", "let a = $w / 2  # why\n"),
        ("let a = (2+w)*( 3 )", "let a = (2 + $w) * 3\n"),
        ("let a = -( $w+1 )", "let a = -($w + 1)\n"),
        ("let a = 1-(2-3)", "let a = 1 - (2 - 3)\n"),
        ("conv $( k)x$(k ) x$(2*$w)  pad=$(k//2)", "conv $(k)x$(k) x$(2 * w) pad=$(k // 2)\n"),
        ("variant a {\nlet b = 1+1  # c\n}", "variant a {\n  let b = 1 + 1  # c\n}\n"),
        ("dense $(2 w)", "dense $(2 w)\n"),
    ],
)
def test_a_formula_is_formatted(written: str, made: str) -> None:
    assert format_source(written, known_words()) == made
    assert format_source(made, known_words()) == made


@pytest.mark.parametrize("part", ["1 + ", "-", "(", "min(1, ", "2 * (", "$("])
def test_a_formula_that_is_too_long_is_an_error_like_any_other(part: str) -> None:
    for text in (f"let v = {part * 3000}1", f"let v = $w + {part * 3000}1", f"dense $({part * 3000}1)"):
        assert {"E002", "E003"} & set(codes_of(f"{BASE}{text}\ninput 4\ndense 3"))
