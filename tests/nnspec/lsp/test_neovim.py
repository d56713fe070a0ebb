"""The documented set-up in a real Neovim: colours, errors, completion, hints, renaming and formatting."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pygls")

from nnspec.spec_lang.editor.colour import Colour, colour_spans
from nnspec.spec_lang.editor.vim import GROUPS, HOME, syntax
from nnspec.spec_lang.source import Source
from tests.support.neovim import PROGRAM, Neovim
from tests.support.spec_texts import ROOT, SHIPPED

needs_neovim = pytest.mark.skipif(PROGRAM is None, reason="Neovim is not installed: apt-get install neovim")
pytestmark = pytest.mark.slow

TEXT = """\
let width = 16
input 28x28x1
conv 3x3 x$width relu -> maxpol 2
  -> dense   10 softmax
"""

DOCUMENTED = re.findall(r"```lua\n(.*?)```", (ROOT / "docs/editor.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neovim]:
    """Neovim as docs/editor.md sets it up, with a spec open."""
    folder = tmp_path_factory.mktemp("neovim")
    (folder / "net.nnspec").write_text(TEXT)
    neovim = Neovim(folder, folder / "net.nnspec", DOCUMENTED[0])
    yield neovim
    assert neovim.quit() == ""


def fresh(editor: Neovim) -> None:
    """Begin again with the text as it was."""
    editor.send("<Esc>:edit!<CR>")
    editor.until(lambda: editor.lua("#vim.lsp.get_clients({bufnr=0})") == 1)
    editor.until(lambda: editor.lua("vim.fn.getline(1, '$')") == TEXT.splitlines())
    editor.until(lambda: editor.lua("#vim.diagnostic.get(0)") == 1)


@needs_neovim
def test_errors_are_shown_and_comments_can_be_toggled(editor: Neovim) -> None:
    fresh(editor)
    (found,) = editor.lua("vim.diagnostic.get(0)")
    assert (found["code"], found["lnum"], found["col"], found["end_col"]) == ("E101", 2, 25, 31)
    assert editor.lua("vim.bo.commentstring") == "# %s"
    editor.send("gggcc")
    assert editor.until(lambda: editor.lua("vim.fn.getline(1)") == "# let width = 16")


@needs_neovim
@pytest.mark.parametrize(
    ("typed", "word"),
    [("conv 3x3 x$wi", "x$width"), ("dense $", "$width"), ("den", "dense"), ("dense 3 -> rep", "repeat")],
)
def test_what_is_completed_is_offered_and_no_item_is_empty(editor: Neovim, typed: str, word: str) -> None:
    fresh(editor)
    editor.send(f"Go{typed}<C-x><C-o>")
    items: list[Any] = editor.until(lambda: editor.lua("vim.fn.complete_info({'items'}).items"))
    assert all(item["word"] for item in items)
    found = next(item for item in items if item["abbr"] == word)
    assert found["word"].startswith(word)
    at = items.index(found)
    editor.send("<C-n>" * at + "<C-y>" if at else "<C-y>")
    assert editor.until(lambda: word in editor.lua("vim.api.nvim_get_current_line()"))
    assert "$$" not in editor.lua("vim.api.nvim_get_current_line()")


@needs_neovim
def test_shapes_are_hinted_and_words_coloured_by_the_server(editor: Neovim) -> None:
    fresh(editor)
    hints = editor.until(lambda: editor.lua("vim.lsp.inlay_hint.get({bufnr=0})"))
    assert [hint["inlay_hint"]["label"] for hint in hints] == ["26x26x16", "160 parameters"]
    tokens = editor.until(lambda: editor.lua("vim.lsp.semantic_tokens.get_at_pos(0, 2, 0)"))
    assert tokens[0]["type"] == "function"


@needs_neovim
def test_a_name_is_changed_and_a_text_formatted(editor: Neovim) -> None:
    fresh(editor)
    editor.send("gg0w:lua vim.lsp.buf.rename('size')<CR>")
    editor.until(lambda: editor.lua("vim.fn.getline(3)") == "conv 3x3 x$size relu -> maxpol 2")
    editor.send(":lua vim.lsp.buf.format()<CR>")
    editor.until(lambda: editor.lua("vim.fn.getline(3)") == "conv 3x3 x$size relu -> maxpol 2 -> dense 10 softmax")


def test_the_syntax_file_is_up_to_date() -> None:
    assert (ROOT / HOME).read_text(encoding="utf-8") == syntax()


@needs_neovim
def test_vim_colours_every_word_as_the_other_lexers_do(tmp_path: Path) -> None:
    text = "\n".join([*SHIPPED, "block res(w, k) = (conv 3x3 x$w pad=same + skip) -> relu", "dense 3 bias=no init=he"])
    source = Source("all.nnspec", text)
    (tmp_path / "all.nnspec").write_text(text)
    editor = Neovim(tmp_path, tmp_path / "all.nnspec", f"vim.opt.rtp:append('{ROOT}/editors/vim') vim.cmd('syntax on')")
    editor.until(lambda: editor.lua("vim.b.current_syntax") == "nnspec")
    assert editor.lua("vim.bo.commentstring") == "# %s"
    places = [(source.place(span.start), span, colour) for span, colour in colour_spans(source)]
    asked = ",".join(
        f"{{{line},{len(source.line(line)[: column - 1].encode()) + 1}}}" for (line, column), _, _ in places
    )
    (tmp_path / "ask.lua").write_text(
        f"local found = {{}}\nfor _, at in ipairs({{{asked}}}) do\n"
        "  table.insert(found, vim.fn.synIDattr(vim.fn.synID(at[1], at[2], 1), 'name'))\nend\nreturn found\n"
    )
    named = editor.lua(f"dofile('{tmp_path}/ask.lua')")
    wrong = {
        (source.line(line), span.text, name, colour.name)
        for ((line, _), span, colour), name in zip(places, named, strict=True)
        if name != f"nnspec{colour.name.capitalize()}"
    }
    assert len(places) > 500 and wrong == set()
    assert editor.quit() == "" and set(GROUPS) == set(Colour)
