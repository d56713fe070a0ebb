"""Whole texts of another kind, such as YAML, Python or Markdown: each is one error, with what it would be here."""

import re
from collections.abc import Callable, Container
from dataclasses import dataclass

from nnspec.spec_lang.report import other_spellings as foreign
from nnspec.spec_lang.report.diagnostics import Diagnostic, Fix
from nnspec.spec_lang.report.known_words import KnownWords
from nnspec.spec_lang.source import Source, Span
from nnspec.spec_lang.syntax.misfits.programs import lines_of_program
from nnspec.spec_lang.syntax.misfits.trees import lines_of_json, lines_of_toml, lines_of_yaml

LONGEST = 100_000
"""Characters of a text that is looked at as a whole."""


@dataclass(frozen=True)
class Page:
    """A kind of text: its name, how it is recognised, and how it becomes the lines of a spec; none if it does not."""

    name: str
    pattern: re.Pattern[str]
    lines: Callable[[str, KnownWords], list[str]]
    least: int = 1


def _fenced(text: str, words: KnownWords) -> list[str]:
    """Return the lines between the first two fences of Markdown."""
    _, _, inside = text.partition("```")
    _, _, inside = inside.partition("\n")
    return [line.rstrip() for line in inside.partition("```")[0].strip("\n").split("\n")]


def _without_tags(text: str, words: KnownWords) -> list[str]:
    lines = re.sub(r"</?\w[^>\n]*>", "", text).replace("&gt;", ">").replace("&nbsp;", " ").split("\n")
    return [line.strip() for line in lines if line.strip()]


def _bulleted(text: str, words: KnownWords) -> list[str]:
    """Return a list of layers as one pipeline, and the lines before it."""
    rows = [line for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    items = [_BULLET.sub("", row).strip() for row in rows if _BULLET.match(row)]
    other = [row for row in rows if not _BULLET.match(row)]
    return [*other, " -> ".join(items)]


_BULLET = re.compile(r"[ \t]*(?:[-*•+]|\d+[.)])[ \t]+(?=[A-Za-z])")

PAGES = (
    Page("Markdown", re.compile(r"^```", re.M), _fenced),
    Page("HTML", re.compile(r"^\s*<(?:!DOCTYPE|html|body|pre|code|div|p)\b", re.I), _without_tags),
    Page("JSON", re.compile(r"\A\s*[\[{]\s*[\"\[{\n]"), lines_of_json),
    Page(
        "Python",
        re.compile(
            r"^[ \t]*(?:import [\w.]+|from [\w.]+ import |class \w+.*:|def \w+\(.*:|[\w.]+ *= *[\w.]*Sequential\()",
            re.M,
        ),
        lines_of_program,
    ),
    Page("TOML", re.compile(r"^\[[\w.]+\][ \t]*$", re.M), lines_of_toml),
    Page("YAML", re.compile(r"\A---$|^[ \t]*(?:- )?[A-Za-z_]\w*:[ \t]*\n(?=[ \t]+\S|- )", re.M), lines_of_yaml),
    Page("YAML", re.compile(r"^[ \t]*[A-Za-z_]\w*:[ \t]+(?![^\n]*->)\S", re.M), lines_of_yaml, least=3),
    Page("a list", _BULLET, _bulleted, least=2),
)  # fmt: skip


def page(source: Source, words: KnownWords) -> Diagnostic | None:
    """Return the error of a text that is of another kind as a whole, None for a spec."""
    text = source.text
    if len(text) > LONGEST:
        return None
    for kind in PAGES:
        if sum(kind.least == 1 or _is_key(match, words) for match in _matches(kind, text)) >= kind.least:
            return _error(kind, source, kind.lines(text, words), words.layers)
    return None


def _is_key(match: re.Match[str], words: KnownWords) -> bool:
    """Return whether a line begins with a bullet, or with a word that a setting is called elsewhere too."""
    key = match.group().partition(":")[0].strip(" -\t").lower()
    return ":" not in match.group() or key in words.statements or key in foreign.WORDS or key in foreign.OPTIONS


def _matches(kind: Page, text: str) -> list[re.Match[str]]:
    pattern = re.compile(kind.pattern.pattern, kind.pattern.flags | re.M) if kind.least > 1 else kind.pattern
    return [
        match
        for match in pattern.finditer(text)
        if kind.least == 1 or text.rfind("\n", 0, match.start()) + 1 == match.start()
    ]


def _error(kind: Page, source: Source, lines: list[str], layers: Container[str]) -> Diagnostic:
    text = source.text
    start = next((m.start() for m in re.finditer(r"^[ \t]*(?!#)\S", text, re.M) if m.group().strip() != "#"), 0)
    start += len(text[start:]) - len(text[start:].lstrip())
    written = "\n".join(lines).strip("\n")
    sure = kind.name in ("Markdown", "HTML", "a list")
    whole = any("->" in line or (line.split()[:1] and line.split()[0] in layers) for line in lines)
    known = kind.name != "Python" or not re.search(
        r"^\s*class ", text, re.M
    )  # what a class does with its layers is not read
    fix = Fix(Span(source, 0, len(text)), f"{written}\n", sure) if whole and known else None
    if kind.name == "a list":
        first = next(match.start() for match in _matches(kind, text))
        start = first + len(text[first:]) - len(text[first:].lstrip())
    network = next((line for line in lines if "->" in line), None) or next((line for line in lines if line), None)
    marks = {
        "Markdown": "the ``` and the text around them out: a spec is the lines between them",
        "HTML": "the tags of HTML out",
    }
    if kind.name in marks:
        help = f"leave {marks[kind.name]}"
    elif kind.name == "a list" and network is not None:
        help = f"write {network}"
    elif network is not None:
        help = f"{kind.name} is another language: write {network}" + (
            ", with each setting on its own line" if len(lines) > 1 else ""
        )
    else:
        help = f"{kind.name} is another language: write the layers on a line, as in conv 3x3 x8 -> dense 10 softmax"
    line_end = text.find("\n", start) % (len(text) + 1)
    message = f"this is {kind.name}, not a spec" if kind.name != "a list" else "layers are not written as a list"
    return Diagnostic("E002", message, Span(source, start, max(line_end, start + 1)), help=help, fix=fix)
