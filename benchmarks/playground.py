"""How soon the playground is ready in Chromium, and how long an answer takes after a keystroke.

    python -m benchmarks.playground                three visits, 100 keystrokes in each text
    python -m benchmarks.playground --keystrokes 20 --visits 1

It assembles the page, opens it with an empty cache, and types into it. A keystroke is over when its mistakes, shapes
and graph are shown. It needs npm, and Playwright's Python package with a Chromium of the system.
"""

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

from tools import playground

TYPED = "\n# and a comment that grows letter by letter"

TYPE = """async ([text, typed, question]) => {
  const { bench, language } = playground;
  const { editor } = bench;
  editor.setText(text);
  await editor.analyse();
  const times = [];
  for (const character of typed) {
    const end = editor.view.state.doc.length;
    const start = performance.now();
    editor.view.dispatch({ changes: { from: end, insert: character }, selection: { anchor: end + 1 } });
    if (question === "analyse") await editor.analyse();
    else await language[question](editor.text(), end);
    times.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return times;
}"""


def texts() -> dict[str, str]:
    """Return a short text, one with a residual network, and one of 200 layers."""
    shipped = {spec["name"]: spec["text"] for spec in playground.shipped()}
    long = "input 32\n" + "\n".join(f"{'-> ' if number else ''}dense 32 relu" for number in range(200))
    return {"quickstart": shipped["quickstart"], "mnist_resnet": shipped["mnist_resnet"], "200 layers": long}


def ready(browser: Any, address: str) -> tuple[Any, float]:
    """Open the page with an empty cache and return it with the seconds until it was ready."""
    page = browser.new_context(viewport={"width": 1300, "height": 850}).new_page()
    page.goto(f"{address}playground.html")
    note = page.locator("#note", has_text="Ready")
    note.wait_for(timeout=300_000)
    return page, float(note.text_content().split()[2])


def main() -> None:
    """Measure and print."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--visits", type=int, default=3)
    parser.add_argument("--keystrokes", type=int, default=100)
    options = parser.parse_args()
    typed = (TYPED * (1 + options.keystrokes // len(TYPED)))[: options.keystrokes]
    with tempfile.TemporaryDirectory() as name, sync_playwright() as running:
        folder = Path(name)
        playground.assemble(folder)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        browser = running.chromium.launch(executable_path=shutil.which("chromium"))
        with playground.served(folder) as address:
            visits = [ready(browser, address) for _ in range(options.visits)]
            page = visits[-1][0]
            print(f"size {size / 1e6:.1f} MB; ready after {statistics.median(took for _, took in visits):.1f} s\n")
            print("| after a keystroke in | shown | median ms | 95 % ms | longest ms |")
            print("|---|---|---|---|---|")
            for title, text in texts().items():
                for question, shown in (("analyse", "mistakes, shapes, graph"), ("complete", "completions")):
                    took = sorted(page.evaluate(TYPE, [text, typed, question]))
                    most = took[min(len(took) - 1, int(0.95 * len(took)))]
                    print(f"| {title} | {shown} | {statistics.median(took):.1f} | {most:.1f} | {took[-1]:.1f} |")
        browser.close()


if __name__ == "__main__":
    main()
