"""The playground in a real Chromium: the language runs in the page, and the page asks no other host for anything.

The tests need npm, Node.js and pip with their registries, once, and Playwright's Python package and a Chromium of the
system. They skip where these are missing.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import LOOKS, axe_violations, chromium
from tools import playground

pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.slow, pytest.mark.long]

SLOWEST = 120_000  # milliseconds until the language is ready on a busy machine
WRONG = "input 4\ndense 3 relo -> dense 2"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from chromium()


@pytest.fixture(scope="module")
def folder(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("there is no npm")
    made = tmp_path_factory.mktemp("playground")
    try:
        playground.assemble(made)
    except playground.PlaygroundError as error:
        pytest.skip(f"the playground cannot be assembled: {error}")
    return made


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with playground.served(folder) as found:
        yield found


@pytest.fixture(scope="module")
def page(browser: Any, address: str) -> Iterator[Any]:
    """One page for all tests, since it takes seconds until it is ready; asked for nothing outside its server."""
    context = browser.new_context(**LOOKS["light"], permissions=["clipboard-read", "clipboard-write"])
    page, said = context.new_page(), []
    page.on("request", lambda request: said.append(request.url) if foreign(request.url, address) else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{address}playground.html")
    page.locator("#note", has_text="Ready").wait_for(timeout=SLOWEST)
    yield page
    assert said == []
    context.close()


def foreign(url: str, address: str) -> bool:
    return not url.startswith((address, "data:", "blob:"))


def write(page: Any, text: str) -> None:
    page.evaluate("text => playground.bench.editor.setText(text)", text)


def text_of(page: Any) -> str:
    return str(page.evaluate("playground.bench.editor.text()"))


def test_a_mistake_is_underlined_and_mended_by_its_fix(page: Any) -> None:
    write(page, WRONG)
    page.locator(".cm-lintRange-error", has_text="relo").wait_for()
    page.get_by_role("button", name="Replace relo by relu").click()
    page.locator(".nn-status", has_text="No errors").wait_for()
    assert text_of(page) == WRONG.replace("relo", "relu")
    assert page.locator(".nn-shapes").first.text_content() == "3 → 223 params"


def test_every_shipped_spec_is_in_the_menu_and_has_no_errors_in_the_page(page: Any) -> None:
    names = [spec["name"] for spec in playground.shipped()]
    assert page.locator("#specs option").count() == 1 + len(names) >= 20
    for name in names:
        page.locator("#specs").select_option(name)
        analyse = "(({ text, sample }) => playground.language.analyse(text(), null, sample))(playground.bench.editor)"
        found = page.evaluate(analyse)
        assert found["valid"] and (found["graph"] is not None or found["open"]), name


def test_a_variant_is_shown_when_it_is_chosen(page: Any) -> None:
    write(page, "input 4\nlet width = 8\ndense $width -> dense 2\nvariant wide { let width = 16 }")
    page.locator("#variants").wait_for()
    page.locator("#variants select").select_option("wide")
    page.locator(".nn-totals", has_text="114").wait_for()


def test_the_link_carries_the_spec_to_another_page(page: Any, browser: Any, address: str) -> None:
    text = "input 4\ndense 3 tanh  # ä 🙂\n"
    write(page, text)
    page.get_by_role("button", name="Copy link").click()
    page.locator("#note", has_text="copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(rf"{re.escape(address)}playground\.html#spec=[\w-]+", link)
    other = browser.new_page()
    other.goto(link)
    other.locator(".cm-line", has_text="dense 3 tanh").wait_for()  # before the language is there
    assert text_of(other) == text
    other.close()
    write(page, "input 4\ndense 3")
    assert "#" not in page.url


def test_a_text_is_formatted_and_kept_for_the_next_visit(page: Any) -> None:
    write(page, "input   4\ndense 3->relu")
    page.get_by_role("button", name="Format").click()
    page.locator(".cm-line", has_text="dense 3 -> relu").wait_for()
    assert (
        text_of(page) == page.evaluate("localStorage.getItem('nnspec playground text')") == "input 4\ndense 3 -> relu\n"
    )


def test_the_button_switches_between_light_and_dark(page: Any) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(background)
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate(background) != before
    page.get_by_role("button", name="Light").click()
    assert page.evaluate(background) == before


def test_axe_finds_nothing_wrong(page: Any) -> None:
    write(page, WRONG)
    page.locator(".nn-problem").wait_for()
    assert axe_violations(page) == []


def test_the_page_forbids_every_other_host(folder: Path) -> None:
    policy = re.search(
        r'Content-Security-Policy" content="([^"]+)"', (folder / "playground.html").read_text(encoding="utf-8")
    )
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; ") and "://" not in policy[1] and "*" not in policy[1]


def test_the_page_is_small_enough_to_wait_for(folder: Path) -> None:
    files = [path for path in (folder / "playground").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 25e6
    assert not [path.name for path in files if path.suffix in (".map", ".ts")]
