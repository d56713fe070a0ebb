"""A page as HTML: one file that needs nothing else. Templates escape every text; a policy in the page forbids the rest.

The only module that imports Jinja2, an extra.
"""

import base64
import hashlib
from dataclasses import replace
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from nnspec.reporting.blocks import Image, Page, Paragraph, Section
from nnspec.spec_lang.report.escapes import escaped_lines

MOST_BYTES = 2_900_000
"""The most bytes of a page, so that it can be mailed. Pictures for dark screens are left out first, then large ones."""

_HERE = Path(__file__).parent


def render(page: Page) -> str:
    """Return the HTML of a page of at most MOST_BYTES, if its text leaves room for that."""
    text = _rendered(page)
    if len(text.encode()) > MOST_BYTES:
        text = _rendered(_without_dark(page))
    while (excess := len(text.encode()) - MOST_BYTES) > 0 and (smaller := _without_largest(page, excess)) is not None:
        page = smaller
        text = _rendered(_without_dark(page))
    return text


def _rendered(page: Page) -> str:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    script = (_HERE / "page.js").read_text(encoding="utf-8") if page.script else ""
    return environment.get_template("page.html.jinja").render(
        page=page, style=style, script=script, policy=_policy(style, script)
    )


def _visible(value: object) -> object:
    """Return a text with its control characters as escapes; what the template itself made stays as it is."""
    return escaped_lines(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _policy(style: str, script: str) -> str:
    """Return the content security policy: nothing is loaded, and only the page's own style and script are used."""
    allowed = f"; script-src {_digest(script)}" if script else ""
    return (
        f"default-src 'none'; img-src data:; style-src {_digest(style)}{allowed}; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _without_dark(page: Page) -> Page:
    sections = [
        Section(s.id, s.title, [replace(b, dark="") if isinstance(b, Image) else b for b in s.blocks])
        for s in page.sections
    ]
    return replace(page, sections=sections)


def _without_largest(page: Page, excess: int) -> Page | None:
    """Return the page without its largest picture, which a sentence replaces; None where no large one is left."""
    images = [block for section in page.sections for block in section.blocks if isinstance(block, Image)]
    largest = max(images, key=lambda image: len(image.light), default=None)
    if largest is None or len(largest.light) < min(excess, 100_000):
        return None
    words = Paragraph(f"{largest.alt} The picture is left out: the page would be larger than 3 MB.")
    sections = [
        Section(s.id, s.title, [words if block is largest else block for block in s.blocks]) for s in page.sections
    ]
    return replace(page, sections=sections)
