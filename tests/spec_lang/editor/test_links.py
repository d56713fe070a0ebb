"""Includes lead to files."""

from pathlib import Path

from nnspec.spec_lang.editor.links import links
from tests.support.documents import pointed


def test_an_include_of_a_file_that_is_there_is_a_link(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/base.nnspec").write_text("let w = 3\n")
    document, _ = pointed('include "parts/base.nnspec"\ninclude "no.nnspec"\ninclude "parts"\ndense $w|', tmp_path)
    (found,) = links(document)
    assert found.span.text == "parts/base.nnspec" and found.path == (tmp_path / "parts/base.nnspec").resolve()
