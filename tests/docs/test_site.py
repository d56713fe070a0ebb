"""The site: pages that Sphinx builds without a warning, and what they have beyond their text."""

import re
import zlib
from base64 import urlsafe_b64decode
from pathlib import Path

import pytest

from tests.support.spec_texts import ROOT

pytest.importorskip("sphinx")

from tools.site.links import INCLUDED
from tools.site.playground import link_of


def test_every_page_is_built_and_in_the_tree(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    assert {path for path in pages if not (site / path).exists()} == set()


def test_no_link_leads_to_a_file_that_is_not_there(site: Path) -> None:
    """Sphinx has looked at links between pages; these are the links to files of the repository."""
    dead = []
    for page in site.rglob("*.html"):
        for target in re.findall(r'href="([^"#:?]+)[^":]*"', page.read_text(encoding="utf-8")):
            if not (page.parent / target).exists() and not target.startswith("playground.html"):
                dead.append((page.name, target))
    assert dead == []


def test_links_to_files_that_pages_include_lead_to_these_pages(site: Path) -> None:
    for file, name in INCLUDED.items():
        assert (ROOT / file).exists() and (site / f"{name}.html").exists()
    assert 'href="format.html"' in (site / "security.html").read_text(encoding="utf-8")


def test_the_pictures_of_shapes_are_part_of_the_page_and_have_its_colours(site: Path) -> None:
    page = (site / "words" / "layers.html").read_text(encoding="utf-8")
    found = re.findall(r'<span class="shapes"><svg .*?</svg>', page, re.DOTALL)
    assert len(found) > 40
    assert all("<style>" not in picture and 'role="img" aria-label="' in picture for picture in found)


@pytest.mark.parametrize("text", ["dense 10 softmax\n", "# ü → $width\n" * 200])
def test_a_link_to_the_playground_carries_the_text(text: str) -> None:
    packed = link_of(text).removeprefix("#spec=")
    assert re.fullmatch(r"[\w-]+", packed)
    assert zlib.decompress(urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), wbits=-15).decode() == text
