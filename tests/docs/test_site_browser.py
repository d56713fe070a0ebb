"""The site in a real Chromium, from file://: on a phone, in the dark, and without a request to any other host.

The tests need Playwright's Python package, a Chromium of the system and Sphinx; they skip where these are missing.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import LOOKS, axe_violations, chromium

pytest.importorskip("playwright.sync_api")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from chromium()


def test_no_page_is_wider_than_a_phone_or_asks_another_host(site: Path, browser: Any) -> None:
    context = browser.new_context(**LOOKS["phone"])
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    wide = []
    for path in sorted(set(site.rglob("*.html")) - set(site.rglob("playground*"))):
        page.goto(path.as_uri(), wait_until="load")
        sizes = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        wide += [(path.name, *sizes)] if sizes[0] > sizes[1] else []
    context.close()
    assert wide == []
    assert asked and [url for url in asked if not url.startswith(("file:", "data:"))] == []


def test_pictures_and_text_have_one_colour_in_the_dark(site: Path, browser: Any) -> None:
    context = browser.new_context(**LOOKS["dark"])
    page = context.new_page()
    page.goto((site / "words" / "layers.html").as_uri())
    colour = "getComputedStyle(document.querySelector('{}')).{}"
    text = page.evaluate(colour.format(".shapes svg text", "fill"))
    assert text == page.evaluate(colour.format("article p", "color"))
    background = page.evaluate(colour.format("body", "backgroundColor"))
    assert _luminance(background) < 0.2 < 0.6 < _luminance(text)
    context.close()


def _luminance(colour: str) -> float:
    red, green, blue = (int(part) for part in colour.split("(")[1].rstrip(")").split(",")[:3])
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255


@pytest.mark.parametrize("look", ["dark", "phone"])  # a phone has the light colours
@pytest.mark.parametrize("name", ["words/activations", "howto/table"])
def test_pages_are_accessible(site: Path, browser: Any, name: str, look: str) -> None:
    """What is around the text is the theme's."""
    context = browser.new_context(**LOOKS[look])
    page = context.new_page()
    page.goto((site / f"{name}.html").as_uri())
    assert axe_violations(page, "article") == []
    context.close()
