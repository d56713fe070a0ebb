"""docs/pictures/studio.png: the studio after a seven was drawn. Called as `python -m tools.studio_picture`.

It needs Playwright's Python package, a Chromium of the system, and the extra `studio`.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.browser import BROWSERS

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs/pictures/studio.png"
SEVEN = ((0.3, 0.25), (0.7, 0.25), (0.45, 0.82))
"""The corners of a seven, as parts of the sheet's side."""


@contextmanager
def running_studio(*arguments: object) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Run the studio on a free port, and yield its link and its process."""
    command = [sys.executable, "-m", "nnspec", "studio", *map(str, arguments), "--port", "0", "--no-browser"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8")
    assert process.stderr is not None
    try:
        said = process.stderr.readline()
        found = re.search(r"http://\S+", said)
        if found is None:
            raise RuntimeError(said + process.stderr.read())
        yield found[0], process
    finally:
        process.terminate()
        process.wait(60)
        process.stderr.close()


def draw(page: Any, corners: tuple[tuple[float, float], ...]) -> None:
    """Draw a line through corners on the sheet, as a hand does."""
    box = page.locator("#sheet").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=12)
    page.mouse.up()


def main() -> None:
    """Train specs/quickstart.nnspec in a folder of its own, draw a seven, and write the picture."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as made:
        spec = Path(made) / "lesson" / "digits.nnspec"
        spec.parent.mkdir()
        shutil.copy(ROOT / "specs/quickstart.nnspec", spec)
        with running_studio(spec) as (link, _), sync_playwright() as playwright:
            program = next(filter(None, map(shutil.which, BROWSERS)), None)
            browser = playwright.chromium.launch(executable_path=program)
            page = browser.new_page(viewport={"width": 1120, "height": 560})
            page.goto(link)
            page.locator("#train:enabled").click()
            page.locator(".job-text", has_text="done").wait_for(timeout=180_000)
            page.click("#tab-draw")
            page.locator(".board").wait_for()
            draw(page, SEVEN)
            page.locator("#belief", has_text="7").wait_for()
            page.locator("figcaption", has_text="orange").wait_for()
            PICTURE.write_bytes(page.screenshot())
            browser.close()


if __name__ == "__main__":
    main()
