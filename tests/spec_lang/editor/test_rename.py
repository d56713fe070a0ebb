"""Other names."""

from pathlib import Path

import pytest

from nnspec.spec_lang.editor.document import Document
from nnspec.spec_lang.editor.edits import edited
from nnspec.spec_lang.editor.rename import RenameError, renamable, rename
from nnspec.spec_lang.editor.symbols import references
from nnspec.spec_lang.source import Source
from tests.support.documents import pointed
from tests.support.spec_findings import codes_of

TEXT = """\
let width = 4  # the width
block res(w) = (stem: conv 3x3 x$w pad=same -> relu)
input 8x8x4
res $width -> repeat 2 (res w=$width) -> dense 10 softmax
variant wide {
  let width = 8
}
sweep width = 4, 8
"""


def renamed(mark: str, name: str, text: str = TEXT) -> str:
    document, offset = pointed(text.replace(mark.replace("|", "", 1), mark, 1))
    return edited(document.source.text, rename(document, offset, name))


@pytest.mark.parametrize(
    ("mark", "name", "expected"),
    [
        ("let wi|dth = 4", "size", TEXT.replace("width =", "size =").replace("$width", "$size")),
        ("res $wi|dth", "size", TEXT.replace("width =", "size =").replace("$width", "$size")),
        ("block r|es", "unit", TEXT.replace("res", "unit")),
        ("res(|w)", "k", TEXT.replace("(w)", "(k)").replace("$w ", "$k ").replace("w=$", "k=$")),
        ("res |w=", "k", TEXT.replace("(w)", "(k)").replace("$w ", "$k ").replace("w=$", "k=$")),
        ("st|em:", "first", TEXT.replace("stem", "first")),
        ("variant w|ide", "large", TEXT.replace("wide", "large")),
    ],
)
def test_a_name_changes_wherever_it_stands_and_nowhere_else(mark: str, name: str, expected: str) -> None:
    assert renamed(mark, name) == expected
    assert codes_of(expected) == []


@pytest.mark.parametrize(
    ("mark", "name", "why"),
    [
        ("let wi|dth = 4", "w", "already in line 2 of net.nnspec"),
        ("block r|es", "conv", "is a layer of the language"),
        ("block r|es", "skip", "is a layer of the language"),
        ("let wi|dth = 4", "3x3", "is not a name"),
        ("let wi|dth = 4", "let", "is not a name"),
        ("co|nv", "fold", "no name of the spec's own"),
        ("# the wi|dth", "size", "no name of the spec's own"),
    ],
)
def test_a_name_that_would_be_wrong_is_refused(mark: str, name: str, why: str) -> None:
    with pytest.raises(RenameError, match=why):
        renamed(mark, name)


def test_a_name_that_stands_nowhere_else_cannot_be_taken_by_another_layer() -> None:
    with pytest.raises(RenameError, match='another layer is called "b" already'):
        renamed("|a:", "b", "input 4\na: dense 3 -> b: dense 2")


@pytest.mark.parametrize("mark", ["|a:", "as=|a", 'as="|a"'])
def test_a_layer_whose_weights_another_one_takes_changes_there_too(mark: str) -> None:
    text = 'input 4\na: dense 4 -> dense 4 as=a -> dense 4 as="a"'
    expected = text.replace("a:", "first:").replace("=a", "=first").replace('"a"', '"first"')
    assert renamed(mark, "first", text) == expected


def test_a_name_in_a_text_with_errors_can_be_changed() -> None:
    assert renamed("$|w", "k", "let w = 3\ndense $w ->") == "let k = 3\ndense $k ->"


def test_an_included_text_is_changed_with_the_one_that_includes_it(tmp_path: Path) -> None:
    (tmp_path / "base.nnspec").write_text("let width = 8\n")
    document, offset = pointed('include "base.nnspec"\ninput 4\ndense $|width', tmp_path)
    edits = rename(document, offset, "size")
    assert sorted((Path(fix.span.source.name).name, fix.span.start) for fix in edits) == [
        ("base.nnspec", 4),
        ("net.nnspec", 37),
    ]


@pytest.mark.parametrize("name", ["conv", "skip", "optimizer"])
def test_a_block_of_an_included_text_cannot_get_a_word_of_the_language(tmp_path: Path, name: str) -> None:
    (tmp_path / "base.nnspec").write_text("block res(w) = dense $w relu\n")
    document, offset = pointed('include "base.nnspec"\ninput 4\nre|s 3', tmp_path)
    with pytest.raises(RenameError, match=f'"{name}" is a (layer|statement) of the language'):
        rename(document, offset, name)


def test_what_has_no_name_of_its_own_is_not_offered() -> None:
    assert renamable(*pointed("de|nse 3")) is None and renamable(*pointed("dense $|w")) is None
    found = renamable(*pointed("let w = 3\ndense $|w"))
    assert found is not None and found.span.text == "w"


def test_a_document_that_includes_this_one_is_changed_too_and_keeps_what_is_not_saved(tmp_path: Path) -> None:
    (tmp_path / "base.nnspec").write_text("let width = 8\n")
    text = 'include "base.nnspec"\ninput 4\ndense $width'
    unsaved = {tmp_path / "base.nnspec": "# new\nlet width = 8\n"}
    base = Document(Source(str(tmp_path / "base.nnspec"), unsaved[tmp_path / "base.nnspec"], tmp_path))
    includer = Document(Source(str(tmp_path / "net.nnspec"), text, tmp_path), unsaved)
    edits = rename(base, 11, "size", [includer])
    assert sorted((Path(fix.span.source.name).name, fix.span.start) for fix in edits) == [
        ("base.nnspec", 10),
        ("net.nnspec", 37),
    ]
    assert [m.defines for m in references(base, 11, [includer])] == [True, False]
    (tmp_path / "base.nnspec").write_text("let width = 8\nblock wide(a) = dense $a\n")
    text = 'include "base.nnspec"\nlet other = 4\ninput 4\nwide $width'
    includer = Document(Source(str(tmp_path / "net.nnspec"), text, tmp_path))
    base = Document(Source(str(tmp_path / "base.nnspec"), (tmp_path / "base.nnspec").read_text(), tmp_path))
    with pytest.raises(RenameError, match=r"already in line 2 of .*net\.nnspec"):
        rename(base, 5, "other", [includer])


def test_a_let_changes_in_ranges_and_expectations() -> None:
    text = (
        "let goal = 90\nlet w = 8\ninput 4\ndense $w -> dense 3 softmax\nsweep w = $w..64\nexpect accuracy >= $goal %\n"
    )
    assert renamed("let |w", "n", text) == text.replace("let w", "let n").replace("$w", "$n").replace("p w", "p n")
    assert renamed("let |goal", "least", text) == text.replace("goal", "least")
    assert codes_of(text) == []


def test_a_name_changes_in_formulas() -> None:
    text = "let w = 8\nlet half = $w / 2\nblock res(n) = dense $(n * w) -> dense $(half)\ninput 4\n"
    text += "res $(w + 1) -> dense 2 bias=no l2=$(1 / w)\ntrain $(w) epochs\n"
    assert renamed("let |w", "width", text) == (
        text.replace("let w", "let width").replace("$w", "$width").replace("* w", "* width")
        .replace("(w", "(width").replace("/ w", "/ width")
    )  # fmt: skip
    assert renamed("res(|n", "units", text) == text.replace("(n)", "(units)").replace("(n *", "(units *")
    assert codes_of(text) == []


def test_a_parameter_with_a_default_and_a_variant_that_is_built_on_change() -> None:
    text = "block res(w, act=relu) = dense $w $act -> $act\ninput 4\nres 3 act=tanh\n"
    assert renamed("w, a|ct=", "fn", text) == text.replace("act", "fn")
    assert renamed("res(|w", "n", text) == text.replace("(w", "(n").replace("$w", "$n")
    text = "input 4\ndense 3\nvariant small {\n}\nvariant tiny from small {\n}\n"
    assert renamed("from sm|all", "less", text) == text.replace("small", "less")
