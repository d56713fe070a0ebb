"""Reports in a real Chromium, from file://: nothing is requested, nothing runs that should not, all is accessible.

The tests need Playwright's Python package and a Chromium of the system, and axe-core in build/axe or node_modules for
one of them; they skip where these are missing.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import nnspec
from tests.nnspec.reporting.conftest import MAKERS, rarely, write_sweep
from tests.support.browser import LOOKS, axe_violations, chromium

pytest.importorskip("playwright.sync_api")

EVERY = ["digits", "flowers", "prices", *MAKERS, "sweep"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from chromium()


@pytest.fixture(scope="module")
def file(
    reports: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory, flowers: Path, digits: Path
) -> Callable[[str], Path]:
    """Return the report of a run, or of the sweep, by name."""
    made: list[Path] = []

    def report(name: str) -> Path:
        if name != "sweep":
            return reports(name)
        if not made:
            folder = tmp_path_factory.mktemp("sweeps") / "<img src=x onerror=alert(1)>"
            names = ("first", "<script>alert(1)<|script>", *(f"trial {i}" for i in range(9)))
            made.append(nnspec.report(write_sweep(folder, dict.fromkeys(names, digits) | {"first": flowers})))
        return made[0]

    return report


class Watched:
    """A page that keeps what it asked for, what it printed, and what opened."""

    def __init__(self, browser: Any, path: Path, look: str, **more: Any):
        self.context = browser.new_context(**LOOKS[look], **more)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.page.on("request", lambda request: self.said.append(f"request {request.url[:99]}"))
        self.page.on("console", lambda message: self.said.append(f"console {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"error {error}"))
        self.page.on("dialog", lambda dialog: self.said.append(f"dialog {dialog.message}"))
        self.page.goto(path.as_uri())
        self.said = [
            said for said in self.said if not said.startswith(("request data:", f"request {path.as_uri()[:99]}"))
        ]

    def __enter__(self) -> "Watched":
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


@pytest.mark.parametrize("look", ["dark", "phone"])  # a phone has the light colours
@pytest.mark.parametrize("name", rarely(EVERY))
def test_nothing_is_requested_and_the_page_fits_the_screen(
    browser: Any, file: Callable[[str], Path], name: str, look: str
) -> None:
    with Watched(browser, file(name), look) as watched:
        page = watched.page
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert watched.said == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0 && i.alt)")


def test_the_dark_picture_is_shown_on_a_dark_screen_and_the_light_one_in_print(
    browser: Any, file: Callable[[str], Path]
) -> None:
    shown = "document.querySelector('picture img').currentSrc"
    with Watched(browser, file("flowers"), "light") as light, Watched(browser, file("flowers"), "dark") as dark:
        on_light, on_dark = light.page.evaluate(shown), dark.page.evaluate(shown)
        dark.page.emulate_media(media="print")
        background = "getComputedStyle(document.body).backgroundColor"
        assert dark.page.evaluate(background) == light.page.evaluate(background) == "rgb(255, 255, 255)"
        dark.page.wait_for_function(f"light => {shown} === light", arg=on_light)
    assert on_light != on_dark


@pytest.mark.parametrize("look", ["dark", "phone"])  # a phone has the light colours
@pytest.mark.parametrize("name", rarely(EVERY))
def test_axe_finds_nothing_wrong(browser: Any, file: Callable[[str], Path], name: str, look: str) -> None:
    with Watched(browser, file(name), look, bypass_csp=True) as watched:
        watched.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert axe_violations(watched.page) == []


def test_a_table_sorts_by_its_numbers_up_and_down(browser: Any, file: Callable[[str], Path]) -> None:
    with Watched(browser, file("sweep"), "light") as watched:
        page = watched.page
        head = page.locator("#trials th", has_text="seed")
        cells = "[...document.querySelectorAll('#trials tbody tr')].map(row => row.cells[3].textContent)"
        head.get_by_role("button").click()
        assert page.evaluate(cells) == [str(number) for number in range(11)]
        assert head.get_attribute("aria-sort") == "ascending"
        head.get_by_role("button").press("Enter")
        assert page.evaluate(cells) == [str(number) for number in reversed(range(11))]
        assert head.get_attribute("aria-sort") == "descending"
        assert page.locator("#trials th[aria-sort]").count() == 1 and watched.said == []


def test_curves_are_those_that_are_picked(browser: Any, file: Callable[[str], Path]) -> None:
    with Watched(browser, file("sweep"), "phone") as watched:
        page, lines = watched.page, watched.page.locator(".chart polyline")
        assert lines.count() == 5 and page.locator(".chart input").count() == 11
        picked, others = page.locator(".chart input:checked"), page.locator(".chart input:not(:checked)")
        assert picked.count() == 5
        picked.first.uncheck()
        assert lines.count() == 4
        others.last.check()
        assert lines.count() == 5 and page.get_by_role("checkbox", name="<script>alert(1)<|script>").count() == 1
        page.get_by_role("combobox").select_option("validation_accuracy")
        assert "validation_accuracy over training steps" in str(page.locator(".chart svg").get_attribute("aria-label"))
        for box in page.locator(".chart input").all():
            box.uncheck()
        assert lines.count() == 0 and "Pick a trial" in page.locator(".chart svg").text_content()
        assert watched.said == []


def test_a_page_without_scripts_still_has_the_numbers_and_the_curves(browser: Any, file: Callable[[str], Path]) -> None:
    with Watched(browser, file("sweep"), "light", java_script_enabled=False) as watched:
        assert watched.page.locator("#trials tbody tr").count() == 11
        assert watched.page.locator("noscript").count() == 1 and watched.page.locator("figure img").count() >= 1


@pytest.mark.long
def test_a_report_prints(browser: Any, file: Callable[[str], Path]) -> None:
    with Watched(browser, file("digits"), "dark") as watched:
        watched.page.emulate_media(media="print")
        assert not watched.page.locator("nav").is_visible()
        pdf = watched.page.pdf(format="A4")
    assert pdf.startswith(b"%PDF") and 2 <= pdf.count(b"/Type /Page\n") + pdf.count(b"/Type/Page\n") <= 40
