"""Statements by what they are."""

from nnspec.spec_lang.check.collect import Statements, collect, substitute
from nnspec.spec_lang.report.diagnostics import Diagnostic, Findings
from nnspec.spec_lang.source import Source, Span
from nnspec.spec_lang.syntax.parse import parse_source
from nnspec.spec_lang.syntax.tree import Value
from nnspec.spec_lang.vocabulary.summary import known_words
from tests.support.spec_findings import errors_of, spec_of


def known(text: str) -> tuple[Statements, list[Diagnostic]]:
    statements, found = Statements(), Findings()
    collect(parse_source(Source("a", text), known_words())[0], statements, found)
    return statements, list(found)


def test_each_statement_is_kept_by_its_kind() -> None:
    text = "optimizer adam\ndense 3\nlet w = 3\nblock b() = relu\nvariant v {}\nsweep w = 1, 2\nlet u =\n"
    made, found = known(text)
    assert found == []
    assert (list(made.settings), list(made.lets), list(made.blocks)) == (["optimizer"], ["w"], ["b"])
    assert (list(made.variants), list(made.sweeps), made.broken) == (["v"], ["w"], {"let u"})
    assert made.network is not None and made.network.span.text == "dense 3"


def test_a_copy_may_be_changed_alone() -> None:
    made, _ = known("optimizer adam\nlet w = 3")
    copy = made.copy()
    copy.lets.clear()
    copy.broken.add("network")
    assert list(made.lets) == ["w"] and made.broken == set()


def test_a_later_text_replaces_what_an_earlier_one_said() -> None:
    made, found = known("optimizer adam\nlet w = 3")
    again = Findings()
    collect(parse_source(Source("b", "optimizer sgd\nlet w = 4"), known_words())[0], made, again)
    assert (len(found), len(again)) == (0, 0)
    assert made.settings["optimizer"].span.text == "optimizer sgd"
    assert made.lets["w"].value.value == 4


def test_what_a_misspelt_statement_meant_is_taken_for_said() -> None:
    made, found = known("optimiser adam\nbogus 3")
    assert [error.code for error in found] == ["E101", "E101"]
    assert made.broken == {"optimizer", "network"}


def test_values_are_put_in_the_place_of_their_names() -> None:
    span = Span(Source("a", "$w"), 0, 2)
    told: list[Diagnostic] = []
    written = Value("variable", "w", span)
    assert substitute((written,), {"w": Value("int", 3, span)}, set(), told.append) == (Value("int", 3, span),)
    assert substitute((written,), {"w": None}, set(), told.append) is None and told == []
    assert substitute((written,), {}, {"let w"}, told.append) is None and told == []
    assert substitute((written,), {}, set(), told.append) is None and len(told) == 1


def test_two_of_a_kind_are_told_with_the_line_of_the_first() -> None:
    text = "input 4\ndense 3\nlet w = 1\nlet w = 2\noptimizer sgd\noptimizer adam\n"
    text += "variant a {}\nvariant a {}\nblock b() = relu\nblock b() = relu\n"
    text += "dense 4\nsweep w = 1\nsweep w = 2\ninput 4"
    found = errors_of(text)
    assert [error.code for error in found] == ["E107"] * 7
    assert {error.message.removesuffix(" is given a second time") for error in found} == {
        "let w", "optimizer", "variant a", "block b", "the network", "sweep w", "input"
    }  # fmt: skip
    assert found[0].help == "line 3 has one already; keep one of them"


def test_a_variant_replaces_and_adds_statements() -> None:
    text = "input 4\ndense 3\noptimizer sgd\nlet w = 3\nvariant a {\n"
    text += "  optimizer adam\n  train 2 epochs\n  dense $w -> dense 2\n  let w = 5\n}"
    base, variant = spec_of(text), spec_of(text, variant="a")
    assert (base.optimizer.word, base.train.length, base.output_shape) == ("sgd", 10, (3,))
    assert (variant.optimizer.word, variant.train.length, variant.output_shape, variant.variant) == (
        "adam",
        2,
        (2,),
        "a",
    )
    assert variant.nodes[0].output_shape == (5,)


def test_words_of_other_tools_are_told_what_they_are_called_here() -> None:
    text = "Input 4x4\nConv2D 3x3 x8 -> MaxPooling2D 2 -> fc 10 -> Linear 3\noptimiser adam\nepochs 5\nscheduler cosine"
    assert [error.help for error in errors_of(text)] == [
        "did you mean input?", "did you mean conv?", "did you mean maxpool?", "did you mean dense?",
        "did you mean dense?", "did you mean optimizer?", "write train 5 epochs", "did you mean schedule?",
    ]  # fmt: skip
    text = 'input 4\ndense 3\noptimizer AdamW\nloss bce\ninit glorot\nschedule steplr\ndata csv2 "a"'
    assert [error.help for error in errors_of(text)] == [
        "did you mean adamw?", "did you mean binary_cross_entropy?", "did you mean xavier?", "did you mean step?",
        "did you mean csv?",
    ]  # fmt: skip
