"""nnspec/cli/markdown.py: any text in a cell stays a text."""

from nnspec.cli.markdown import markdown_table, markdown_text


def test_signs_of_markdown_and_html_show_as_they_are() -> None:
    assert markdown_text("a|b") == r"a\|b"
    assert markdown_text("<script>alert(1)</script>") == "&lt;script&gt;alert(1)&lt;/script&gt;"
    assert markdown_text("**[x](y)** `z` _w_") == r"\*\*\[x\](y)\*\* \`z\` \_w\_"
    assert markdown_text("line\nbreak\x1b") == r"line\\x0abreak\\x1b"


def test_no_one_is_mentioned_and_nothing_is_linked() -> None:
    assert markdown_text("@team #12") == "@<!-- -->team #<!-- -->12"
    assert markdown_text("https://example.org www.example.org") == "https:<!-- -->//example.org www<!-- -->.example.org"


def test_a_table_has_a_rule_and_numbers_on_the_right() -> None:
    assert markdown_table(("a", "n"), [("x|y", "1")], right=(1,)) == "| a | n |\n| --- | ---: |\n| x\\|y | 1 |"
