"""The colours in the pages' editor."""

from pathlib import Path

from nnspec.spec_lang.editor.codemirror import HOME, javascript

ROOT = Path(__file__).resolve().parents[3]


def test_the_file_of_the_pages_is_the_generated_one() -> None:
    assert (ROOT / HOME).read_text(encoding="utf-8") == javascript()
