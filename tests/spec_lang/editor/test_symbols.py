"""Names of a spec's own, and where they stand."""

from pathlib import Path

import pytest

from nnspec.spec_lang.editor.symbols import definitions, mentions
from tests.support.documents import pointed

WHOLE = """\
let width = 16
block res(w) = (conv 3x3 x$w -> stem: conv 3x3 x$width + skip)
input 28x28x16
stem: conv 3x3 x$width -> repeat $width (res $width -> res w=$width) -> dense 10 init=$width
variant wide {
  let width = 32
}
sweep width = 8, $width
"""


def defined(text: str, folder: Path | None = None) -> list[str]:
    return [span.shown().rpartition("net.nnspec")[2] for span in definitions(*pointed(text, folder))]


@pytest.mark.parametrize(
    ("mark", "places"),
    [
        ("x$wi|dth + ", [":1:5", ":6:7"]),
        ("x$|w ->", [":2:11"]),
        ("re|s $width", [":2:7"]),
        ("res w|=$width", [":2:11"]),
        ("w=$wid|th", [":1:5", ":6:7"]),
        ("sweep wi|dth", [":1:5", ":6:7"]),
        ("8, $|width", [":1:5", ":6:7"]),
        ("init=$|width", [":1:5", ":6:7"]),
        ("variant wi|de", [":5:9"]),
        ("st|em: conv 3x3 x$width ->", [":4:1"]),
        ("co|nv 3x3 x$w ->", []),
    ],
)
def test_a_name_leads_to_where_it_is_given(mark: str, places: list[str]) -> None:
    assert defined(WHOLE.replace(mark.replace("|", "", 1), mark, 1)) == places


def test_statements_that_cannot_be_read_hide_no_name() -> None:
    assert defined("let w = 3, ,\nblock b(k) = conv 3x3 ) x$|w\n") == [":1:5"]
    assert defined("let w = 3\ndense $|w -> ->") == [":1:5"]


def test_a_parameter_hides_a_let_inside_its_block_alone() -> None:
    document, _ = pointed("let w = 3\nblock b(w) = dense $w\ndense $w|")
    found = [(m.symbol.kind, m.span.shown()) for m in mentions(document) if m.symbol.name == "w"]
    assert found == [
        ("let", "net.nnspec:1:5"),
        ("parameter", "net.nnspec:2:9"),
        ("parameter", "net.nnspec:2:21"),
        ("let", "net.nnspec:3:8"),
    ]


def test_what_an_included_file_defines_is_found_there(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "base.nnspec").write_text("# widths\nlet width = 8\n")
    text = 'include "parts/base.nnspec"\ndense $|width'
    (place,) = definitions(*pointed(text, tmp_path))
    assert place.text == "width" and place.source.name.endswith("base.nnspec")
    (file,) = definitions(*pointed('include "parts/ba|se.nnspec"', tmp_path))
    assert (file.start, file.end) == (0, 0) and file.source.text.startswith("# widths")
    assert definitions(*pointed('include "ba|rn.nnspec"', tmp_path)) == []
