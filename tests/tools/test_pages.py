"""Pages that are executed: what agrees with what is shown, and what is written in its place."""

from pathlib import Path

import pytest

from tools import pages

PAGE = """\
Before.

<!-- file: a.nnspec -->
```nnspec
input 2
dense 2
```

```console
$ pip install nnspec
$ nnspec check a.nnspec
never said
$ nnspec check 'input 2 -> dens 2'
error[E101] no layer is called "dens"
…
```

```python
print(2 + 2)
```
"""


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("loss 0.5, 3.2 s of training", "loss 0.501, 900 s of training"),
        ("1,128 steps", "1,128 steps"),
        ("a\n…\nd", "a\nb\nc\nd"),
        ("a\n…", "a"),
        ("…\nb\n…\nd", "a\nb\nc\nd"),
        ("a    1", "a 1"),
    ],
)
def test_what_agrees(shown: str, printed: str) -> None:
    assert pages.agrees(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("loss 0.5", "loss 0.6"),
        ("loss 0.5", "lost 0.5"),
        ("a\nb", "a"),
        ("a\n…\nd", "a\nb\nc"),
        ("…\nb\n…\ne", "a\nb\nc\nd"),
        ("1 2", "1 2 3"),
        ("0", "1"),
    ],
)
def test_what_does_not(shown: str, printed: str) -> None:
    assert not pages.agrees(shown, printed)


def test_a_page_is_executed_compared_and_rewritten(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    (found,) = pages.disagreements(page, tmp_path)
    assert found.startswith("page.md:10: $ nnspec check a.nnspec\nshown:\nnever said")
    text = pages.rewritten(page, tmp_path)
    assert "never said" not in text and 'error[E101] no layer is called "dens"\n…\n```' in text
    page.write_text(text, encoding="utf-8")
    assert pages.disagreements(page, tmp_path) == []


def test_a_command_that_fails_unseen_is_a_mistake_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ nnspec check 'input 2 -> dens 2'\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError, match=r"page.md:2: \$ nnspec check"):
        pages.disagreements(page, tmp_path)
