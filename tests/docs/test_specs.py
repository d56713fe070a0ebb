"""The specs on the pages."""

import re
from pathlib import Path

import pytest

from nnspec.spec_lang.syntax.files import open_source
from tests.support.spec_findings import errors_of
from tests.support.spec_texts import ROOT

PAGES = sorted((ROOT / "docs").rglob("*.md"))
SPEC = re.compile(r"^```nnspec(?: (\S+))?\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    "page", [path for path in PAGES if "```nnspec" in path.read_text("utf-8")], ids=lambda p: p.stem
)
def test_every_spec_on_a_page_is_sound(page: Path, tmp_path: Path) -> None:
    for number, (name, example) in enumerate(SPEC.findall(page.read_text(encoding="utf-8"))):
        path = tmp_path / (name or f"example{number}.nnspec")
        path.write_text(example, encoding="utf-8")
        assert errors_of(open_source(path)) == [], example
