"""The front end in a real Chromium, with the answers of this Python: what a reader sees, clicks and types.

The tests need Playwright's Python package and a Chromium of the system, and axe-core in build/axe or node_modules for
one of them; they skip where these are missing.
"""

import base64
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from nnspec.spec_lang.editor.page import ANSWERS
from nnspec.web import STATIC
from tests.spec_lang.editor.test_colour import WHOLE, painted
from tests.support.browser import LOOKS, axe_violations, chromium
from tests.support.spec_texts import ROOT, SHIPPED

playwright = pytest.importorskip("playwright.sync_api")

HOST = "http://localhost:9/"  # nothing listens there: every answer is the test's own
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="style.css">
<main style="padding: 1rem"><h1>test</h1><div id="place"></div></main>
<script type="module">
import { createWorkbench } from "./workbench.js";
const ask = (question) => (...given) => window.answer(question, given);
const backend = { analyse: ask("analyse"), complete: ask("complete"), hover: ask("hover") };
window.bench = createWorkbench(document.getElementById("place"), backend, { text: await window.text() });
</script></html>"""

NETWORK = "input 28x28x1\nconv 3x3 x8 relu -> maxpool 2\n  -> dense 10 softmax\n"

Opened = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from chromium()


@pytest.fixture
def opened(browser: Any) -> Iterator[Opened]:
    """Return a function that opens a workbench with a text, on a screen."""
    contexts: list[Any] = []
    wrong: list[str] = []

    def open_page(text: str, look: str = "light") -> Any:
        context = browser.new_context(**LOOKS[look])
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.expose_function("answer", lambda question, given: ANSWERS[question](*given))
        page.expose_function("text", lambda: text)

        def serve(route: Any) -> None:
            name = route.request.url.removeprefix(HOST)
            if name == "":
                route.fulfill(body=PAGE, content_type="text/html")
            elif (STATIC / name).is_file():
                route.fulfill(path=STATIC / name)
            else:
                route.abort()

        page.route("**/*", serve)
        page.goto(HOST)
        page.locator(".nn-status", has_text="error").wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def text_of(page: Any) -> str:
    return str(page.evaluate("bench.editor.text()"))


def test_a_mistake_is_underlined_with_its_full_text_and_mended_by_its_fix(opened: Opened) -> None:
    page = opened(NETWORK.replace("relu", "relo"))
    underlined = page.locator(".cm-lintRange-error")
    assert underlined.text_content() == "relo"
    problem = page.locator(".nn-problem")
    assert "E" in problem.locator("code").text_content()
    assert "help: did you mean relu?" in problem.text_content() and "line 2" in problem.text_content()
    problem.get_by_role("button", name="Replace relo by relu").click()
    page.locator(".nn-status", has_text="No errors").wait_for()
    assert text_of(page) == NETWORK
    assert underlined.count() == 0 and problem.count() == 0


def test_the_fix_is_in_the_tooltip_and_on_the_keyboard(opened: Opened) -> None:
    page = opened("input 4\ndense 3 relo")
    page.locator(".cm-lintRange-error").hover()
    page.locator(".cm-tooltip .cm-diagnosticAction", has_text="Replace relo by relu").click()
    page.locator(".nn-status", has_text="No errors").wait_for()
    page.locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text(" -> dense 3 tahn")
    page.keyboard.press("Control+.")  # at once: the fix is of the text as it is, not as it was
    page.locator(".cm-line", has_text="dense 3 relu -> dense 3 tanh").wait_for()


def test_shapes_and_parameters_are_after_the_lines_and_aligned(opened: Opened) -> None:
    page = opened(NETWORK)
    hints = page.locator(".nn-shapes")
    assert hints.all_text_contents() == ["26x26x8 → 13x13x880 params", "1013,530 params"]
    left = hints.evaluate_all("all => all.map(one => one.firstChild.getBoundingClientRect().left)")
    assert max(left) - min(left) < 2
    assert "13,610" in page.locator(".nn-totals").text_content()


def test_the_graph_follows_the_text_and_stays_while_there_is_a_mistake(opened: Opened) -> None:
    page = opened("input 8\ndense 4 relu -> (dense 3 | skip)")
    boxes = page.locator(".nn-graph .g-part")
    assert boxes.evaluate_all("all => all.map(one => one.ariaLabel)") == [
        "dense 4 relu dense1 · 36 parameters, output 4",
        "dense 3 dense2 · 15 parameters, output 3",
        "| concatenate, output 7",
    ]
    page.locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" -> dens")
    page.locator(".nn-old").wait_for()
    assert boxes.count() == 3
    page.keyboard.press("Escape")
    page.keyboard.type("e 2")
    page.locator(".nn-graph .g-part").nth(3).wait_for()
    assert page.locator(".nn-old").count() == 0
    table = page.locator(".nn-layers")
    table.locator("summary").click()
    assert table.locator("tbody tr").count() == 4 and "dense3" in table.text_content()


def test_a_box_of_the_graph_selects_its_text_and_the_cursor_marks_its_box(opened: Opened) -> None:
    page = opened(NETWORK)
    page.get_by_role("button", name="conv 3x3 x8 relu conv1 · 80 parameters, output 26x26x8").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    selected = "bench.editor.view.state.sliceDoc(...Object.values(bench.editor.view.state.selection.main.toJSON()))"
    assert page.evaluate(selected) == "dense 10 softmax"
    assert page.locator(".g-part.marked").count() == 1
    assert page.locator(".g-part.marked").get_attribute("aria-label").startswith("dense 10 softmax")


def test_a_spec_that_leaves_its_shape_to_the_data_asks_for_it(opened: Opened) -> None:
    page = opened('dense 3 softmax\ndata csv "a.csv" target=b')
    field = page.get_by_role("textbox", name="A sample of the data has the shape")
    assert "the shape of a sample is not known" in page.locator(".nn-graph-place").text_content()
    field.fill("4")
    field.press("Enter")
    page.locator(".nn-graph").wait_for()
    assert page.locator(".nn-shapes").first.text_content() == "315 params"
    page.locator(".cm-content").click()
    page.keyboard.press("Control+Home")
    page.keyboard.insert_text("input 5\n")
    page.locator(".nn-totals", has_text="18").wait_for()
    assert not field.is_visible()


def test_completion_writes_a_word_with_the_places_to_fill_in(opened: Opened) -> None:
    page = opened("input 4\n")
    page.locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type("dens")
    page.locator(".cm-tooltip-autocomplete li", has_text="dense").first.wait_for()
    assert "Fully connected" in page.locator(".cm-completionInfo").text_content()
    page.wait_for_timeout(150)  # CodeMirror takes no key for a list that has only just come
    page.keyboard.press("Enter")
    page.keyboard.type("7")
    assert text_of(page) == "input 4\ndense 7"


def test_help_is_shown_over_a_word_and_nothing_of_it_is_read_as_html(opened: Opened) -> None:
    page = opened("input 4\ndense 3")
    page.locator(".cm-line", has_text="dense").locator(".c-layer").hover()
    help = page.locator(".cm-tooltip-hover .help")
    help.wait_for()
    assert "15 parameters" in help.text_content() and help.locator("pre .c-layer").count() == 1
    made = "import('./markdown.js').then(m => m.helpElement('**<img src=x onerror=alert(1)>** `<b>`').innerHTML)"
    assert page.evaluate(made) == (
        "<p><strong>&lt;img src=x onerror=alert(1)&gt;</strong> <code>&lt;b&gt;</code></p>"
    )  # fmt: skip


def test_the_colours_are_those_of_the_other_editors(opened: Opened) -> None:
    page = opened("input 4\ndense 3")
    texts = [*SHIPPED, WHOLE.replace("dense 3 'x'\n", "")]
    lines = list(dict.fromkeys(line for text in texts for line in text.splitlines()))
    found = page.evaluate("lines => import('./language.js').then(m => lines.map(m.colours))", lines)
    there = dict(zip(lines, found, strict=True))
    for text in texts:
        pieces = [(line[start:end], colour) for line in text.splitlines() for start, end, colour in there[line]]
        assert words(pieces) == words((piece, colour.lower()) for piece, colour in painted(text))


def words(pieces: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return pieces without blanks and commas, as the comparison of the other grammars does."""
    return [(word, colour) for piece, colour in pieces for word in piece.replace(",", " ").split()]


@pytest.mark.parametrize("text", [NETWORK, "", "# ä 🙂\ninput 4\n" * 500])
def test_a_link_carries_a_text_in_the_form_that_python_reads_and_writes(opened: Opened, text: str) -> None:
    page = opened("input 4\ndense 3")
    fragment = page.evaluate("text => import('./link.js').then(m => m.fragmentOf(text))", text)
    data = fragment.removeprefix("#spec=")
    assert zlib.decompress(base64.urlsafe_b64decode(data + "=" * (-len(data) % 4)), wbits=-15).decode() == text
    squeezed = zlib.compressobj(wbits=-15)
    packed = squeezed.compress(text.encode()) + squeezed.flush()
    ours = "#spec=" + base64.urlsafe_b64encode(packed).decode().rstrip("=")
    read = "fragment => import('./link.js').then(m => m.textOf(fragment))"
    assert page.evaluate(read, ours) == page.evaluate(read, fragment) == text
    assert page.evaluate(read, "#other=1") is None


@pytest.mark.parametrize("fragment", ["#spec=!!", "#spec=AAAA", "#spec=8w"])
def test_a_damaged_link_is_an_error_in_words(opened: Opened, fragment: str) -> None:
    page = opened("input 4\ndense 3")
    read = "fragment => import('./link.js').then(m => m.textOf(fragment)).catch(error => error.message)"
    assert "the link is damaged or cut off" in page.evaluate(read, fragment)


@pytest.mark.parametrize("look", ["dark", "phone"])  # a phone has the light colours
def test_axe_finds_nothing_wrong_and_the_page_fits_the_screen(opened: Opened, look: str) -> None:
    resnet = (ROOT / "specs" / "mnist_resnet.nnspec").read_text(encoding="utf-8")
    page = opened(resnet.replace("cosine", "cosin"), look)
    page.locator(".nn-problem").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert axe_violations(page) == []
    page.get_by_role("button", name="Replace cosin by cosine").click()
    page.locator(".nn-graph").wait_for()
    page.locator(".nn-layers summary").click()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert axe_violations(page) == []


@pytest.mark.long
def test_every_shipped_spec_is_drawn_without_boxes_that_overlap(opened: Opened) -> None:
    page = opened("input 4\ndense 3")
    overlaps = """graph => import('./graph.js').then(({ drawGraph }) => {
        const place = document.createElement('div');
        document.body.append(place);
        const { svg } = drawGraph(place, graph);
        const boxes = [...svg.querySelectorAll('.g-part rect')].map(rect => rect.getBBox());
        const within = svg.viewBox.baseVal;
        const sides = ({ x, y, width, height }) => [x, y, x + width, y + height];
        const apart = ([l, t, r, b], [left, top, right, bottom]) => r < left || right < l || b < top || bottom < t;
        const inside = ([l, t, r, b]) => l >= 0 && t >= 0 && r <= within.width && b <= within.height;
        const all = boxes.map(sides);
        return all.filter((one, i) => !inside(one) || all.some((other, j) => j > i && !apart(one, other))).length;
    })"""
    graphs = [graph for text in SHIPPED if (graph := ANSWERS["analyse"](text)["graph"]) is not None]  # type: ignore[index]
    assert len(graphs) >= 10
    for graph in graphs:
        assert page.evaluate(overlaps, json.loads(json.dumps(graph))) == 0
