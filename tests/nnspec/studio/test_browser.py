"""The studio in a real Chromium: a lesson from a mistake to a seven that is read, two tabs, reloads, every look.

They need Playwright's Python package and a Chromium of the system, and skip where these are missing.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import nnspec
from nnspec.runtime.explain.trace import trace
from nnspec.runtime.train.spec_and_data import network_data
from tests.nnspec.studio.conftest import SPEC
from tests.support.browser import LOOKS, axe_violations, chromium
from tools.studio_picture import SEVEN, draw, running_studio

pytest.importorskip("playwright.sync_api")

VIEWS = ("write", "runs", "draw", "features", "passes")
MISTAKEN = (
    "conv 3x3 x8 relu -> maxpol 2 -> dense 10 softmax\ndata mnist_sample\noptimizer adam lr=0.003\ntrain 2 epochs"
)
ENDLESS = SPEC.replace("2 epochs", "1000000 iterations evaluate_every=200 checkpoint_every=200")


browser = pytest.fixture(scope="module")(chromium)


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory, digits: Path) -> Path:
    """A folder with a run that is done."""
    folder = tmp_path_factory.mktemp("lessons") / "lesson"
    shutil.copytree(digits, folder / "runs" / "known")
    (folder / "digits.nnspec").write_text(SPEC)
    return folder


@pytest.fixture(scope="module")
def link(lesson: Path) -> Iterator[str]:
    with running_studio(lesson) as (found, _):
        yield found


class Tab:
    """A page that keeps what went wrong in it, and every host that it asked."""

    def __init__(self, context: Any, link: str):
        self.page = context.new_page()
        self.page.set_default_timeout(60_000)
        self.wrong: list[str] = []
        self.hosts: set[str] = set()
        self.page.on("console", lambda said: said.type in ("error", "warning") and self.wrong.append(said.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", lambda request: self.hosts.add(request.url.split("/")[2]))
        self.page.goto(link)
        self.page.locator("#saved", has_text="saved").wait_for(state="attached")

    def text(self) -> str:
        """The text of the editor."""
        lines = self.page.locator(".cm-line").evaluate_all("lines => lines.map(line => line.cloneNode(true))" + _PLAIN)
        return "\n".join(lines)

    def write(self, text: str) -> None:
        """Replace the text, as one types: a completion that pops up is not taken."""
        self.page.locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Delete")
        for number, line in enumerate(text.split("\n")):
            if number:
                self.page.keyboard.press("Escape")
                self.page.keyboard.press("Enter")
            self.page.keyboard.type(line)
        self.page.keyboard.press("Escape")

    def see(self, place: str, text: str | re.Pattern[str]) -> None:
        """Wait until a place shows a text."""
        self.page.locator(place, has_text=text).first.wait_for()

    def until(self, true: Callable[[], bool]) -> None:
        """Wait until something is true of the page."""
        for _ in range(600):
            if true():
                return
            self.page.wait_for_timeout(50)
        raise AssertionError("it has not become true within half a minute")

    def go(self, view: str) -> None:
        self.page.click(f"#tab-{view}")


_PLAIN = (
    """.map(line => { line.querySelectorAll(".nn-shapes").forEach(each => each.remove()); return line.textContent; })"""
)


@contextmanager
def opened(browser: Any, link: str, look: str = "light", **more: Any) -> Iterator[Tab]:
    context = browser.new_context(**LOOKS[look], **more)
    try:
        yield Tab(context, link)
    finally:
        context.close()


def test_a_mistake_is_mended_by_its_fix_and_a_trained_network_reads_a_seven(browser: Any, tmp_path: Path) -> None:
    spec = tmp_path / "first.nnspec"
    spec.write_text("")
    with running_studio(spec) as (link, _), opened(browser, link) as tab:
        page = tab.page
        tab.write(MISTAKEN)
        tab.see(".nn-problem", 'no layer is called "maxpol"')
        tab.until(lambda: page.locator(".cm-lintRange-error").all_inner_texts() == ["maxpol"])  # of the whole text
        assert page.locator("#train").is_disabled()
        page.click(".nn-fix")
        tab.see(".nn-status", "No errors")
        tab.see(".nn-totals", "13,610")
        tab.see(".nn-shapes", "26x26x8 → 13x13x8 → 10")
        page.click("#train")
        tab.see(".job-text", "done")
        assert "maxpool 2" in spec.read_text()
        lines = page.locator(".chart polyline.line:not(.faint)")
        tab.until(lambda: lines.count() == 3 and page.locator(".tiles canvas").count() == 8)  # two losses, accuracy
        tab.see("td", "done")
        tab.go("draw")
        page.locator(".board").wait_for()
        draw(page, SEVEN)
        tab.see("#belief strong", "7")
        tab.see("figcaption", "orange: covered there")
        assert page.locator(".bars tr").count() == 10
        tab.go("passes")
        tab.see(".sample", "drawn")
        assert tab.wrong == [] and tab.hosts == {link.split("/")[2]}
    assert nnspec.load(tmp_path / "runs" / "first").spec.parameter_count == 13_610


def test_two_tabs_agree_on_a_run_that_is_stopped_and_resumed(browser: Any, tmp_path: Path) -> None:
    spec = tmp_path / "net.nnspec"
    spec.write_text(ENDLESS)
    with running_studio(spec) as (link, _), opened(browser, link) as one:
        other = Tab(one.page.context, link.partition("?")[0])
        one.page.locator("#train:enabled").click()
        other.see(".job-text", re.compile(r"runs/net: training"))
        other.page.locator("#train:disabled").wait_for(state="attached")
        other.go("runs")
        other.page.locator(".chart circle").first.wait_for(state="attached")
        other.page.click("#stop")  # the tab that did not begin it
        for tab in (one, other):
            tab.see(".job-text", re.compile(r"stopped, step [\d,]+"))
        assert one.page.inner_text(".job-text") == other.page.inner_text(".job-text")
        steps = int(re.sub(r"\D", "", one.page.inner_text(".job-text")))
        one.page.locator("#resume-runs\\/net").click()
        other.see(".job-text", "training")
        one.page.reload()  # a tab that comes back sees what the other one sees
        one.see(".job-text", "training")
        one.page.click("#stop")
        for tab in (one, other):
            tab.see(".job-text", re.compile(r"stopped, step [\d,]+"))
        assert one.page.inner_text(".job-text") == other.page.inner_text(".job-text")
        assert int(re.sub(r"\D", "", other.page.inner_text(".job-text"))) > steps > 0
        assert one.wrong == other.wrong == []


def test_a_saved_text_is_in_every_tab_and_of_two_texts_none_is_lost(browser: Any, lesson: Path, link: str) -> None:
    with opened(browser, link) as one:
        other = Tab(one.page.context, link.partition("?")[0])
        one.write("dense 3 softmax")
        one.page.keyboard.press("Control+s")
        one.see("#saved", re.compile("^saved"))
        other.see(".cm-line", "dense 3 softmax")
        other.write("dense 4 softmax")
        one.write("dense 5 softmax")
        one.page.keyboard.press("Control+s")
        other.see(".notice", "was changed elsewhere while you were writing")
        assert other.text() == "dense 4 softmax" and (lesson / "digits.nnspec").read_text() == "dense 5 softmax"
        other.page.get_by_role("button", name="Save mine as a new file").click()
        other.see("#saved", re.compile("^saved"))
        assert (lesson / "digits-2.nnspec").read_text() == "dense 4 softmax"
        (lesson / "digits.nnspec").write_text(SPEC)  # another editor
        one.see(".cm-line", "adam lr=0.03")
        assert one.wrong == [] and [said for said in other.wrong if "409" not in said] == []


def test_a_reload_or_a_crash_loses_nothing_that_was_typed(browser: Any, lesson: Path, link: str) -> None:
    (lesson / "draft.nnspec").write_text(SPEC)
    with opened(browser, link) as tab:
        page = tab.page
        page.locator("#files option", has_text="draft.nnspec").wait_for(state="attached")
        page.select_option("#files", "draft.nnspec")
        tab.see(".cm-line", "adam lr=0.03")
        tab.write("dense 6 softmax")
        tab.see("#saved", "not saved")
        page.reload()
        tab.see(".cm-line", "dense 6 softmax")
        tab.see("#saved", "not saved")
        page.close()  # as a crash does, it has no chance to save
        again = Tab(page.context, link.partition("?")[0])
        again.see(".notice", "draft.nnspec: text of")
        again.page.get_by_role("button", name="Take it").click()
        again.see(".cm-line", "dense 6 softmax")
        again.see("#saved", "not saved")
        assert (lesson / "draft.nnspec").read_text() == SPEC
        again.page.keyboard.press("Control+s")
        again.see("#saved", re.compile("^saved"))
    assert (lesson / "draft.nnspec").read_text() == "dense 6 softmax"


def test_the_passes_show_the_numbers_of_the_network(browser: Any, lesson: Path, link: str) -> None:
    network = nnspec.load(lesson / "runs" / "known")
    test = network_data(network).test
    assert test is not None
    found = trace(network, test.inputs[:1][0], test.targets[0])
    with opened(browser, link) as tab:
        page = tab.page
        tab.go("passes")
        tab.see("#step-where", "step 1 of")
        page.click("#step-next")
        tab.see(".step h2", f"Forward: {found.stages[1].name}")
        page.locator(".steps button", has_text="= loss").click()
        tab.see(".step h2", f"Loss {found.loss:.3g}")
        page.click("#step-next")
        tab.see(".step h2", "Backward: dense1")
        dense = next(stage for stage in found.stages if stage.name == "dense1")
        bias = dense.parameters["bias"][1]
        assert bias is not None
        cells = page.locator(".block", has_text="its bias").locator("td").all_inner_texts()
        assert [float(cell) for cell in cells] == pytest.approx(bias.tolist(), rel=0.06, abs=1e-30)
        tab.go("features")
        tab.see(".layer", "maxpool1")
        page.locator(".maps canvas").nth(1).hover()
        tab.see(".reading", re.compile(r"maxpool1, row \d+, column \d+: "))
        assert tab.wrong == []


@pytest.mark.parametrize("look", [pytest.param("light", marks=pytest.mark.long), "dark", "phone"])
def test_every_view_fits_the_screen_and_what_is_pressed_has_a_name(browser: Any, link: str, look: str) -> None:
    with opened(browser, link, look) as tab:
        for view in VIEWS:
            tab.go(view)
            page = tab.page
            page.locator(f"#{view}").wait_for()
            if view in ("features", "passes"):
                page.locator(f"#{view} .sample.chosen").wait_for()
            width = LOOKS[look]["viewport"]["width"]
            assert page.evaluate("document.documentElement.scrollWidth") <= width, view
            nameless = page.evaluate(
                "[...document.querySelectorAll('button, select, input, canvas')].filter(e => e.offsetParent !== null &&"
                " !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length)).map(e => e.outerHTML)"
            )
            assert nameless == [], view
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement !== document.body")
        assert tab.wrong == []


@pytest.mark.parametrize("look", [pytest.param("light", marks=pytest.mark.long), "dark"])
def test_axe_finds_nothing_wrong(browser: Any, link: str, look: str) -> None:
    with opened(browser, link, look) as tab:
        for view in VIEWS:
            tab.go(view)
            tab.page.locator(f"#{view}").wait_for()
            if view in ("features", "passes"):
                tab.page.locator(f"#{view} .sample.chosen").wait_for()
            assert axe_violations(tab.page) == [], view


@pytest.mark.long
def test_a_studio_that_was_started_again_says_so_and_keeps_the_text(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "net.nnspec").write_text(SPEC)
    with running_studio(tmp_path) as (link, process), opened(browser, link) as tab:
        tab.write("dense 8 softmax")
        tab.see("#saved", "not saved")
        process.terminate()
        process.wait(30)
        tab.see(".notice", "does not answer")
        kept = tab.page.evaluate("Object.values(localStorage).join()")
    assert "dense 8 softmax" in kept
