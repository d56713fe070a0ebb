"""Colours in documents and notebooks."""

from pathlib import Path

import pytest

pytest.importorskip("pygments")

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.token import Error, Name, Token

from nnspec.pygments import TOKENS, NNSpecLexer
from nnspec.spec_lang.editor.colour import Colour

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.nnspec"))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_shipped_spec_has_colours_and_no_error(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = list(NNSpecLexer().get_tokens(text))
    assert "".join(piece for _, piece in found) == text
    assert Error not in {token for token, _ in found} and Name.Function in {token for token, _ in found}


def test_what_the_language_has_not_is_marked() -> None:
    assert (Error, ";") in NNSpecLexer().get_tokens("dense 10 ;\n")


def test_every_colour_has_a_token() -> None:
    assert set(TOKENS) == set(Colour) and all(token in Token for token in TOKENS.values())


def test_pygments_finds_the_language_by_its_name_and_by_a_file_s() -> None:
    assert isinstance(get_lexer_by_name("nnspec"), NNSpecLexer)
    assert isinstance(get_lexer_for_filename("net.nnspec"), NNSpecLexer)
    assert '<span class="nf">dense</span>' in highlight(
        "dense 10 softmax", get_lexer_by_name("nnspec"), HtmlFormatter()
    )
