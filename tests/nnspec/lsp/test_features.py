"""Every feature answers every request: at each place of texts with mistakes, in the encodings that clients count in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("pygls")

import attrs
from lsprotocol import converters, types

from nnspec.lsp.feature import Feature, features
from nnspec.lsp.features.colours import LEGEND
from nnspec.lsp.view import View
from nnspec.spec_lang.editor.document import Document
from nnspec.spec_lang.editor.rename import RenameError
from nnspec.spec_lang.source import Source
from tests.support.spec_texts import SHIPPED, cases, mutated, specs

CONVERTER = converters.get_converter()

BROKEN = [
    "= ",
    "= x\n = \n=",
    "let\nlet = \nlet a = $\nlet a =",
    "block\nblock a\nblock a(\nblock a(w) =\nblock a(w) = (dense $w\n",
    "variant\nvariant a\nvariant a {\n  optimizer adam lr=\n",
    'include\ninclude "\ninclude "no.nnspec"\ninclude "net.nnspec"\n',
    "sweep\nsweep train.batch =\nsweep = 3",
    "repeat\nrepeat 3\nrepeat $\nrepeat 2 (repeat 3 (\n",
    "a: b: conv 3x3 x8 -> -> , = ( + | * ) } {",
    "conv 3x3 x$w pad=\noptimizer adam lr =\nmetrics accuracy, \nearly_stop monitor=",
    "input 8x8x3\r\nconv 3x3 x8 -> maxpol 2 -> # a comment\r\n  dense 3 relu softmax\r\ntrain 5 epoch",
    '\ufeffinput 4\ndata csv "𝄞.csv" target=𝄞 x$𝄞\ndense 3 # 𝄞 é\n',
    "# a\n# b\n\n#c\ninput 4\n(dense 4 relu\n + skip) -> dense 2\nvariant wide {\n  dense 8\n}\n",
    "dense 10 softmax\nsweep optimizer.lr = 0.1, 0.2\nvariant a { optimizer sgd }",
    "(" * 70 + ")" * 70,
    "\0\x0c\u2028dense 3\udce9",
    "",
]


def asked(feature: Feature, view: View, at: types.Position) -> Any:
    """The parameters of a request, by the names that its class declares."""
    wanted = get_type_hints(feature.answer)["params"]
    known: dict[str, Any] = {
        "text_document": types.TextDocumentIdentifier(view.uri),
        "position": at,
        "range": types.Range(types.Position(0, 0), at),
        "new_name": "another_name",
        "options": types.FormattingOptions(4, True),
        "context": types.ReferenceContext(True) if "Reference" in wanted.__name__ else types.CodeActionContext([]),
    }
    names = [field.name for field in attrs.fields(wanted) if field.default is attrs.NOTHING]
    return wanted(**{name: known[name] for name in names})


def viewed(text: str, encoding: str, folder: Path | None = None) -> View:
    name = "net.nnspec" if folder is None else str(folder / "net.nnspec")
    return View(Document(Source(name, text, folder)), "file:///net.nnspec", encoding, (), snippets=True)


def ranges(answer: Any) -> Iterator[types.Range]:
    """Every range in an answer."""
    if isinstance(answer, types.Range):
        yield answer
    elif isinstance(answer, dict):
        for part in answer.values():
            yield from ranges(part)
    elif isinstance(answer, list | tuple):
        for part in answer:
            yield from ranges(part)
    elif attrs.has(type(answer)):
        for field in attrs.fields(type(answer)):
            yield from ranges(getattr(answer, field.name))


def ask_everything(view: View, at: types.Position) -> None:
    last = view.document.source.text.count("\n")
    for feature in features():
        try:
            answer = feature.answer(view, asked(feature, view, at))
        except RenameError as error:
            assert str(error)
            continue
        CONVERTER.unstructure(answer)
        for found in ranges(answer):
            start, end = found.start, found.end
            assert (0, 0) <= (start.line, start.character) <= (end.line, end.character) and end.line <= last
        if isinstance(answer, types.SemanticTokens):
            assert len(answer.data) % 5 == 0 and all(kind < len(LEGEND) for kind in answer.data[3::5])
            assert all(number >= 0 for number in answer.data) and all(length > 0 for length in answer.data[2::5])
        if isinstance(answer, types.CompletionList):
            assert all(item.text_edit and item.text_edit.new_text and item.insert_text_format for item in answer.items)


@pytest.mark.parametrize("text", BROKEN)
def test_every_request_at_every_place_of_a_broken_text_is_answered(text: str, tmp_path: Path) -> None:
    views = [viewed(text, encoding, tmp_path) for encoding in ("utf-8", "utf-16", "utf-32")]
    for offset in range(len(views[0].document.source.text) + 1):
        view = views[offset % 3]  # a position of every encoding is asked for by itself below
        ask_everything(view, view.position(offset))
    for view in views:
        ask_everything(view, types.Position(99, 99))


@given(st.one_of(st.text(max_size=60), mutated(st.one_of(specs(), st.sampled_from(SHIPPED)))), st.data())
@cases(15)
def test_every_request_at_some_place_of_any_text_is_answered(text: str, data: st.DataObject) -> None:
    view = viewed(text, "utf-16")
    for _ in range(3):
        ask_everything(view, view.position(data.draw(st.integers(0, len(view.document.source.text)))))


TEXT = """\
input 8x8x1
block b(w) = (
    conv 3x3 x$w pad=same
  + skip)
conv 3x3 x4 ->
  b 4 -> dense 3 softmax
"""


def answered(method: str) -> Any:
    feature = next(feature for feature in features() if feature.method == method)
    view = viewed(TEXT, "utf-16")
    return feature.answer(view, asked(feature, view, types.Position(6, 0)))


def test_the_outline_has_the_statements_and_their_parts() -> None:
    found = answered(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    assert [symbol.name for symbol in found] == ["input", "b", "network"]
    network = found[2].children
    assert [(part.name, part.detail) for part in network] == [
        ("conv", "3x3 x4 → 6x6x4"),
        ("b", "4 → 6x6x4"),
        ("dense", "3 softmax → 3"),
    ]
    assert [part.name for part in found[1].children[0].children] == ["conv", "skip"]


def test_shapes_are_after_stages_and_parameters_at_the_ends_of_lines() -> None:
    assert [(hint.position.line, hint.label) for hint in answered(types.TEXT_DOCUMENT_INLAY_HINT)] == [
        (2, "6x6x4"),
        (2, "148 parameters"),
        (3, "6x6x4"),
        (3, "6x6x4"),
        (4, "6x6x4"),
        (4, "40 parameters"),
        (5, "6x6x4"),
        (5, "3"),
        (5, "583 parameters"),
    ]


def test_groups_and_statements_of_several_lines_are_folded() -> None:
    found = answered(types.TEXT_DOCUMENT_FOLDING_RANGE)
    assert [(fold.start_line, fold.end_line) for fold in found] == [(1, 2), (1, 3), (4, 5)]


def test_a_range_is_coloured_as_the_whole_is() -> None:
    keyword, number = LEGEND.index("keyword"), LEGEND.index("number")
    whole = answered(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL).data
    assert whole[:10] == [0, 0, 5, keyword, 0, 0, 6, 5, number, 0]
    assert answered(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE).data == whole
