"""The pages with parts that are made: a part is between `<!-- made: KIND NAMES -->` and `<!-- end -->`.

KIND is a kind of words, NAMES are some of them or modules of the vocabulary; without them the part has all words of the
kind that no other mark names. `options KIND` has what several words of a kind share, and `grammar` the grammar.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from nnspec.spec_lang.syntax.automaton import GRAMMAR
from nnspec.spec_lang.vocabulary.registry import Word, words
from tools.reference import words as sections

DOCS = Path("docs")
PICTURES = DOCS / "pictures" / "words"
_MARKED = re.compile(r"(<!-- made: (?P<what>[\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def pages(docs: Path = DOCS) -> dict[Path, str]:
    """Return every page with a mark, its marked parts made again."""
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(docs.rglob("*.md"))}
    marked = {path: text for path, text in texts.items() if _MARKED.search(text)}
    named = _named(marked.values())
    return {path: _remade(text, path.parent.relative_to(docs), named) for path, text in marked.items()}


def shown(docs: Path = DOCS) -> list[type[Word]]:
    """Return the words that have a section on some page, as often as they have one."""
    texts = [path.read_text(encoding="utf-8") for path in docs.rglob("*.md")]
    named = _named(texts)
    found = [mark["what"].split() for text in texts for mark in _MARKED.finditer(text)]
    return [cls for kind, *names in found if words(kind) for cls in sections.chosen(kind, names, named)]


def _named(texts: Iterable[str]) -> dict[str, set[str]]:
    named: dict[str, set[str]] = defaultdict(set)
    for text in texts:
        for mark in _MARKED.finditer(text):
            kind, *names = mark["what"].split()
            named[kind].update(names)
    return named


def _remade(text: str, folder: Path, named: dict[str, set[str]]) -> str:
    pictures = "/".join([*(".." for _ in folder.parts), "pictures", "words"])
    return _MARKED.sub(lambda mark: f"{mark[1]}\n{_part(text, mark, pictures, named)}\n\n{mark[3]}", text)


def _part(text: str, mark: re.Match[str], pictures: str, named: dict[str, set[str]]) -> str:
    kind, *names = mark["what"].split()
    if kind == "grammar":
        return f"```text\n{GRAMMAR.read_text(encoding='utf-8').rstrip()}\n```"
    if kind == "options":
        return sections.shared_options(names[0])
    if not words(kind):
        raise KeyError(kind)
    above = re.findall(r"^(##?) ", _outside(text[: mark.start()]), re.MULTILINE)
    return sections.sections(sections.chosen(kind, names, named), len(above[-1]) + 1, pictures)


def _outside(text: str) -> str:
    """Return a text without its made parts and fenced blocks, so that its headings are those written by hand."""
    return re.sub(r"(?ms)^```.*?^```$", "", _MARKED.sub("", text))
