"""Texts, places in them, and where they come from."""

from nnspec.spec_lang.source import Source, Span
from tests.support.spec_findings import codes_of, error_of, spec_of


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
