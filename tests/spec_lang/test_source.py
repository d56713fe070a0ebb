"""Texts, places in them, and where they come from."""

from pathlib import Path

import pytest

from nnspec.spec_lang.limits import MAX_TEXT_BYTES
from nnspec.spec_lang.report.errors import SourceError
from nnspec.spec_lang.source import Source, Span
from nnspec.spec_lang.syntax.files import open_source
from tests.spec_lang.said import codes_of, error_of, spec_of


def test_lines_and_columns_count_from_one() -> None:
    source = Source("a", "one\ntwo\n\nfour")
    assert [source.place(offset) for offset in (0, 2, 4, 8, 9, 13)] == [(1, 1), (1, 3), (2, 1), (3, 1), (4, 1), (4, 5)]
    assert [source.line(number) for number in (1, 2, 3, 4)] == ["one", "two", "", "four"]


def test_line_ends_of_every_system_are_read_as_newlines() -> None:
    for end in ("\n", "\r\n", "\r"):
        source = Source("a", end.join(["input 4", "dense 3", ""]).encode())
        assert source.text == "input 4\ndense 3\n"


def test_a_byte_order_mark_is_dropped_from_bytes_and_from_text() -> None:
    assert Source("a", "\ufeffinput 4".encode()).text == Source("a", "\ufeffinput 4").text == "input 4"
    assert spec_of("\ufeffinput 4\r\ndense 3\r\n").output_shape == (3,)


def test_the_first_byte_that_is_no_utf_8_is_pointed_at() -> None:
    error = error_of(b"input 4\r\n# caf\xe9\r\ndense 3")
    assert (error.code, error.span.source.place(error.span.start)) == ("E001", (2, 6))


def test_half_of_a_surrogate_pair_is_no_text() -> None:
    assert codes_of("input 4 # \ud800\ndense 3") == ["E001"]


def test_text_of_other_encodings_and_binary_files_are_told_as_what_they_are() -> None:
    for content in (
        "input 4\ndense 3".encode("utf-16"),
        bytes(range(256)),
        b"input 4\x00\ndense 3",
        b"\x89HDF\r\n\x1a\n",
    ):
        assert codes_of(content) == ["E001"]


def test_a_span_knows_its_text_and_its_place() -> None:
    span = Span(Source("a.nnspec", "input 4\ndense 3"), 8, 13)
    assert (span.text, span.shown()) == ("dense", "a.nnspec:2:1")
    assert span.to(Span(span.source, 14, 15)).text == "dense 3"


def test_a_file_is_opened_and_the_text_of_a_network_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a net.nnspec"
    path.write_text("input 4\ndense 3\n")
    assert open_source(path) == open_source(str(path))
    assert open_source(path).folder == tmp_path
    for text in ("dense 3", "conv 3x3 x8->dense 3", "flatten\ndense 3", ""):
        assert open_source(text) == Source("<text>", text)


@pytest.mark.parametrize("name", ["missing.nnspec", "with space.nnspec", "missing", "x" * 5000])
def test_a_file_that_is_not_there_is_an_error_of_use(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match=r"no such file|cannot be read"):
        open_source(str(tmp_path / name))


def test_a_folder_is_no_spec(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"is a folder, not a spec: name a \.nnspec file in it"):
        open_source(str(tmp_path))


def test_a_name_no_file_can_have_is_an_error_of_use() -> None:
    with pytest.raises(SourceError, match="neither a file nor the text of a network"):
        open_source("a\0b")


def test_no_more_of_a_file_is_read_than_a_spec_may_have() -> None:
    source = open_source("/dev/zero")
    assert source.size == MAX_TEXT_BYTES + 1
    assert codes_of(source) == ["E003"]
