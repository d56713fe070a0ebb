"""A real Chromium for tests. It needs Playwright's Python package and a Chromium of the system, and skips without."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

AXE = ("build/axe/node_modules/axe-core/axe.min.js", "node_modules/axe-core/axe.min.js")

BROWSERS = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1100, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1100, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 800}},
}
"""Screens by name; a phone has the light colours."""


def chromium() -> Iterator[Any]:
    """Yield a browser: the body of a fixture."""
    playwright = pytest.importorskip("playwright.sync_api")
    found = next((path for name in BROWSERS if (path := shutil.which(name)) is not None), None)
    if found is None:
        pytest.skip("there is no Chromium")
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=found)
        yield started
        started.close()


def axe_violations(page: Any, part: str | None = None) -> list[tuple[str, str, str]]:
    """Return what axe-core finds wrong in a page, or in a part of it: the rule, an element and a summary of each."""
    axe = next((ROOT / path for path in AXE if (ROOT / path).exists()), None)
    if axe is None:
        pytest.skip("there is no axe-core: npm install --prefix build/axe axe-core")
    page.evaluate(axe.read_text(encoding="utf-8") + "; null")  # as the console would: no policy of the page forbids it
    context = f"document.querySelector('{part}')" if part else "document"
    found = page.evaluate(f"axe.run({context}, {{resultTypes: ['violations']}})")
    return [(v["id"], v["nodes"][0]["html"][:200], v["nodes"][0]["failureSummary"]) for v in found["violations"]]
