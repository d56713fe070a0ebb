"""Offsets and an editor's positions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnspec.spec_lang.editor.positions import UNITS, Positions
from nnspec.spec_lang.source import Source
from tests.support.spec_texts import cases

TEXTS = st.text(st.sampled_from("ab é𝄞\u2028\f\r\n\ufeff\ud800"), max_size=30)


def test_a_character_beyond_the_basic_plane_takes_two_columns() -> None:
    positions = Positions(Source("a", "# 𝄞 é\ndense 3"))
    assert [positions.position(offset) for offset in (2, 3, 5, 6)] == [(0, 2), (0, 4), (0, 6), (1, 0)]
    assert [positions.offset(0, column) for column in (2, 4, 6)] == [2, 3, 5]


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 9), ("utf-16", 6), ("utf-32", 5)])
def test_columns_are_counted_as_the_editor_counts(encoding: str, column: int) -> None:
    positions = Positions(Source("a", "# 𝄞 é"), encoding)
    assert positions.position(5) == (0, column)
    assert positions.offset(0, column) == 5


def test_lines_end_as_the_protocol_ends_them_and_no_other_way() -> None:
    positions = Positions(Source("a", "a\u2028b\f\r\nc\rd\ne"))
    assert positions.offset(1, 0) == positions.source.text.index("c")
    assert positions.offset(3, 0) == positions.source.text.index("e")


def test_a_byte_order_mark_counts_for_the_editor_alone() -> None:
    positions = Positions(Source("a", "\ufeffdense 3\nrelu"))
    assert positions.position(0) == (0, 1) and positions.offset(0, 1) == 0
    assert positions.position(8) == (1, 0)


def test_a_position_that_is_nowhere_is_the_nearest_one() -> None:
    positions = Positions(Source("a", "dense 3\nrelu"))
    assert positions.offset(0, 99) == 7 and positions.offset(99, 99) == 12
    assert positions.position(99) == (1, 4)


@given(TEXTS, st.sampled_from(list(UNITS)), st.data())
@cases(100)
def test_there_and_back_is_the_same_place(text: str, encoding: str, data: st.DataObject) -> None:
    positions = Positions(Source("a", text), encoding)
    offset = data.draw(st.integers(0, len(positions.source.text)))
    assert positions.offset(*positions.position(offset)) == offset


@given(TEXTS.map(lambda text: text.replace("\r", "")), st.sampled_from(sorted(UNITS)))
@cases(100)
def test_a_place_in_the_editors_text_and_an_offset_are_each_others_inverse(text: str, encoding: str) -> None:
    source = Source("a", text)
    positions, marked = Positions(source, encoding), len(text) - len(source.text)
    for offset in range(len(source.text) + 1):
        index = positions.index(offset)
        assert index == UNITS[encoding](text[: offset + marked])
        assert positions.at_index(index) == offset
    assert positions.at_index(10_000) == len(source.text) and positions.at_index(0) == 0
