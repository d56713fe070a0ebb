"""Whatever is typed, an editor gets an answer."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnspec.spec_lang.editor.actions import actions
from nnspec.spec_lang.editor.complete import complete
from nnspec.spec_lang.editor.document import Document
from nnspec.spec_lang.editor.hover import hover
from nnspec.spec_lang.editor.rename import RenameError, rename
from nnspec.spec_lang.editor.symbols import definitions
from nnspec.spec_lang.source import Source
from tests.support.spec_texts import SHIPPED, cases, mutated, specs

TEXTS = st.one_of(st.text(max_size=60), mutated(st.one_of(specs(), st.sampled_from(SHIPPED))))


@given(TEXTS, st.data())
@cases(40)
def test_every_question_is_answered_at_every_place(text: str, data: st.DataObject) -> None:
    document = Document(Source("net.nnspec", text))
    size = len(document.source.text)
    for _ in range(8):
        offset = data.draw(st.integers(0, size))
        told = hover(document, offset)
        assert told is None or (told.text and told.span.start <= offset <= told.span.end)
        found = complete(document, offset)
        assert found.span.start <= offset <= found.span.end and all(item.text for item in found.items)
        assert all(span.start <= span.end <= size for span in definitions(document, offset))
        assert all(action.fix.span.end <= size for action in actions(document, offset, offset))
        try:
            assert rename(document, offset, "another_name")
        except RenameError as error:
            assert str(error)


@pytest.mark.parametrize(
    "asked", ["circle.nnspec", "folder.nnspec", "bytes.nnspec", "missing.nnspec", "\0", "", "..", "~"]
)
def test_a_file_that_cannot_be_included_is_no_trouble(tmp_path: Path, asked: str) -> None:
    (tmp_path / "circle.nnspec").write_text('include "net.nnspec"\nlet width = $deep\n')
    (tmp_path / "folder.nnspec").mkdir()
    (tmp_path / "bytes.nnspec").write_bytes(b"\xff\xfe\0")
    text = f'include "{asked}"\ndense $width'
    document = Document(Source(str(tmp_path / "net.nnspec"), text, tmp_path))
    assert document.examined.found
    for offset in range(len(text) + 1):
        hover(document, offset)
        complete(document, offset)
        assert all(span.source in document.sources for span in definitions(document, offset))


def test_who_checks_a_spec_does_not_pay_for_the_editor() -> None:
    code = "import sys; from nnspec.spec_lang.check.examination import check_source; "
    code += "from nnspec.spec_lang.source import Source; "
    code += "check_source(Source('x', 'input 4 -> dense 2 softmax')); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (
        "nnspec.spec_lang.check.examination" in done.stdout.split()
        and "nnspec.spec_lang.editor.hover" not in done.stdout.split()
    )
