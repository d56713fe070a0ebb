"""Only the lines that differ are edited."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from nnspec.spec_lang.editor import edits
from nnspec.spec_lang.editor.edits import edited, line_edits
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.syntax.formatter import format_source
from nnspec.spec_lang.vocabulary.summary import known_words
from tests.support.spec_texts import cases, specs

TEXTS = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n"]), max_size=12).map("".join)


@given(TEXTS, TEXTS)
@cases(100)
def test_the_edits_make_the_other_text(old: str, new: str) -> None:
    found = line_edits(Source("x", old), new)
    assert edited(old, found) == new and (found == []) == (old == new)
    assert all(a.span.end <= b.span.start for a, b in itertools.pairwise(found))


@given(specs())
@cases(20)
def test_a_formatted_spec_is_changed_to_its_form(text: str) -> None:
    source = Source("x", text)
    form = format_source(source, known_words())
    assert edited(source.text, line_edits(source, form)) == form


def test_one_line_that_differs_is_one_edit() -> None:
    source = Source("x", "input 4\n\ndense   3\n\ntrain 5 epochs")
    found = line_edits(source, format_source(source, known_words()))
    assert [(fix.span.text, fix.text) for fix in found] == [
        ("dense   3\n", "dense 3\n"),
        ("train 5 epochs", "train 5 epochs\n"),
    ]


def test_a_long_text_is_compared_from_both_ends_alone() -> None:
    old = "a\n" + "".join(f"{n}\n" for n in range(edits.MOST_COMPARED + 1)) + "z\n"
    new = "a\n" + "".join(f"{n}!\n" for n in range(edits.MOST_COMPARED + 1)) + "z\n"
    (found,) = line_edits(Source("x", old), new)
    assert (found.span.start, found.span.end) == (2, len(old) - 2)
