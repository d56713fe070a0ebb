"""What an error looks like."""

import pytest

from nnspec.spec_lang.report.diagnostics import Diagnostic
from nnspec.spec_lang.report.render import render, render_all
from nnspec.spec_lang.source import Source, Span
from tests.support.spec_findings import error_of, errors_of

WINDOW = """\
error[E301] the window does not fit
  bad.nnspec:2:29
  |
2 | conv 3x3 x8 -> maxpool 4 -> conv 9x9 x16 -> dense 10 softmax
  |                             ^^^^^^^^^^^^
  | A window of 9x9 does not fit into a 6x6x8 image.
  | 28x28x1 · conv 3x3 x8 · 26x26x8 · maxpool 4 · 6x6x8
  help: write pad=same, or a window of 6x6 or less"""

MISSPELT = """\
error[E101] no layer is called "maxpol"
  bad.nnspec:1:16
  |
1 | conv 3x3 x8 -> maxpol 2 -> dense 10 softmax
  |                ^^^^^^
  help: did you mean maxpool?"""


def bad(text: str) -> Source:
    return Source("bad.nnspec", text)


def test_a_window_that_does_not_fit_is_told_with_the_shapes_so_far() -> None:
    text = "input 28x28x1\nconv 3x3 x8 -> maxpool 4 -> conv 9x9 x16 -> dense 10 softmax\n"
    assert render(error_of(bad(text))) == WINDOW


def test_a_misspelt_layer_is_told_with_its_near_name() -> None:
    assert render(error_of(bad("conv 3x3 x8 -> maxpol 2 -> dense 10 softmax"))) == MISSPELT


def test_several_errors_are_parted_by_an_empty_line() -> None:
    found = errors_of("input 4\ndense 3 rellu\ntrain 5 epochz\n")
    assert render_all(found) == "\n\n".join(map(render, found))
    assert len(found) == 2


def test_the_gutter_is_as_wide_as_the_number_of_the_line() -> None:
    rows = render(error_of("\n" * 122 + "input 4\ndense 3 rellu\n")).split("\n")
    assert rows[1:5] == ["    net.nnspec:124:9", "    |", "124 | dense 3 rellu", "    |         ^^^^^"]
    assert rows[5] == "    help: did you mean relu?"


def test_colour_changes_nothing_but_colour() -> None:
    import re

    error = error_of(bad("conv 3x3 x8 -> maxpol 2 -> dense 10 softmax"))
    painted = render(error, colour=True)
    assert "\x1b[31m" in painted
    assert re.sub(r"\x1b\[\d+m", "", painted) == MISSPELT


def test_a_warning_is_told_as_one() -> None:
    finding = Diagnostic("E001", "odd", Span(bad("dense 3"), 0, 5), severity="warning")
    assert render(finding).startswith("warning[E001] odd\n")


def test_the_span_is_underlined_in_cells_of_a_terminal() -> None:
    rows = render(error_of('input 4\ndense 3 # \ndata csv "数据.csv" target=y sep="," # ö\n')).split("\n")
    assert rows[3] == '3 | data csv "数据.csv" target=y sep="," # ö'
    assert rows[4] == "  |                              ^^^", "two wide characters take two more cells"


def test_tabs_and_control_characters_are_shown_as_spaces() -> None:
    rows = render(error_of("input 4\n\tdense 3 rellu")).split("\n")
    assert rows[3:5] == ["2 |  dense 3 rellu", "  |          ^^^^^"]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("column", [0, 30, 300])
def test_a_long_line_is_cut_around_the_span_to_fit_the_width(width: int, column: int) -> None:
    text = "input 4\n" + "dense 3 -> " * (column // 11) + "dense 3 rellu" + " -> dense 3" * 40
    rows = render(error_of(text), width=width).split("\n")
    assert all(len(row) <= width for row in rows[1:])
    marked = rows[4].index("^"), rows[4].rindex("^") + 1
    assert rows[3][slice(*marked)] == "rellu"
    assert rows[3].endswith("…")


def test_sentences_are_wrapped_to_the_width_and_hang_behind_their_beginning() -> None:
    text = "input 28x28x1\nconv 3x3 x8 -> maxpool 4 -> conv 9x9 x16 -> dense 10 softmax\n"
    rows = render(error_of(text), width=48).split("\n")
    assert all(len(row) <= 48 for row in rows)
    assert rows[7:9] == ["  | 28x28x1 · conv 3x3 x8 · 26x26x8 · maxpool 4", "  | · 6x6x8"]
    assert rows[9:] == ["  help: write pad=same, or a window of 6x6 or", "        less"]


def test_blocks_are_told_from_the_inside_out() -> None:
    text = "block a(w) = dense $w relu\nblock b(w) = a $w -> a 3\ninput 4\nb 0\n"
    assert render(error_of(text)).split("\n")[1:] == [
        "  net.nnspec:1:20",
        "  |",
        "1 | block a(w) = dense $w relu",
        "  |                    ^^",
        "  | in block a, written at net.nnspec:2:14",
        "  | in block b, written at net.nnspec:4:1",
        "  help: write a value of 1 or more, such as 10",
    ]


def test_of_a_long_chain_of_blocks_the_two_ends_are_told() -> None:
    def told(depth: int) -> list[str]:
        chain = "".join(f"block b{i}(w) = b{i - 1} $w\n" for i in range(1, depth))
        rows = render(error_of(f"input 4\nblock b0(w) = dense $w\n{chain}b{depth - 1} 0\n")).split("\n")
        return [row.removeprefix("  | ").partition(",")[0] for row in rows[5:-1]]

    assert told(9) == [f"in block b{i}" for i in range(9)]  # one line that is left out would be one line as well
    assert told(20) == [
        *(f"in block b{i}" for i in range(4)), "… 12 more around it …", *(f"in block b{i}" for i in range(16, 20))
    ]  # fmt: skip
