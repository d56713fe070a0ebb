"""An example of the site opens in its playground, in a real Chromium, where make playground has been called."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import chromium

pytest.importorskip("playwright.sync_api")
pytest.importorskip("sphinx")

from tools.playground import served
from tools.site.playground import PAGE, PLAYGROUND

if not (PLAYGROUND / PAGE).exists():
    pytest.skip("make playground has not been called", allow_module_level=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from chromium()


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    with served(site) as address:
        yield address


def test_an_example_opens_in_the_playground_and_no_other_host_is_asked(address: str, browser: Any) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}words/layers.html")
    page.click("#conv .playground a")
    page.get_by_text("26x18x8").first.wait_for(timeout=60_000)  # the shape after the layer
    assert "conv 3x3 x8 relu" in page.inner_text("body")
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    page.close()
