"""The parts of the documentation that are generated from the vocabulary.

`python -m nnspec.spec_lang.editor.reference [FOLDER]` rewrites the marked parts of FOLDER/language.md, and all of
FOLDER/errors.md.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import fill

from nnspec.spec_lang.check.canonical_text import field_text
from nnspec.spec_lang.check.code_examples import example_error
from nnspec.spec_lang.report.codes import TABLE
from nnspec.spec_lang.report.render import render
from nnspec.spec_lang.syntax.grammar import GRAMMAR
from nnspec.spec_lang.vocabulary.fields import WordField, fields_of
from nnspec.spec_lang.vocabulary.registry import SECTIONS, Word, statements, words

_MARKED = re.compile(r"(<!-- made: (?P<name>[\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def language(page: str) -> str:
    """Return the page of the language with its marked parts regenerated. Raises KeyError for an unknown mark."""
    return _MARKED.sub(lambda match: f"{match[1]}\n{_part(match['name'])}\n\n{match[3]}", page)


def errors() -> str:
    """Return the page of all errors."""
    parts = [
        "# Errors",
        "Every error has a code, which never changes its meaning; those of warnings begin with W.\n"
        "`nnspec explain E301` prints one of these entries.",
    ]
    for code, entry in TABLE.items():
        shown = re.sub(r"this machine has [\d.]+ \wB", "this machine has 16.0 GB", render(example_error(code)))
        parts += [
            f"## {code}: {entry.title}",
            fill(entry.explanation, 120),
            f"```text\n{entry.bad.rstrip()}\n```",
            f"```text\n{shown}\n```",
            f"Fixed:\n\n```nnspec\n{entry.fixed.rstrip()}\n```",
        ]
    return "\n\n".join(parts) + "\n"


def _part(name: str) -> str:
    """Return the generated part of a name: the grammar, the settings, or the words of a kind."""
    if name == "grammar":
        return f"```text\n{GRAMMAR.read_text(encoding='utf-8').rstrip()}\n```"
    if name == "statements":
        alone = [cls for word, named in statements().items() for cls in named.values() if word not in SECTIONS]
        return _table(alone)
    return _table(words(name).values())


SHARED = 3
"""An option that this many words of a table have, with the same default and meaning, is described once below it."""


def _table(listed: Iterable[type[Word]]) -> str:
    """Return a table with a row for each word, and below it one of the options that several words share."""
    listed = list(listed)
    count = Counter(entry for cls in listed for entry in options(cls).values())
    rows = [(f"`{cls.word}`", "<br>".join(values(cls)), _own_options(cls, count), _meaning(cls)) for cls in listed]
    shared = {
        entry: [f"`{cls.word}`" for cls in listed if entry in options(cls).values()]
        for entry, times in count.items()
        if times >= SHARED
    }
    tables = [_as_markdown(("word", "values", "options", ""), rows)]
    if shared:
        of_each = [(entry, "all" if len(names) == len(listed) else ", ".join(names)) for entry, names in shared.items()]
        tables.append(_as_markdown(("option of several", "of"), of_each))
    return "\n\n".join(tables)


def _own_options(cls: type[Word], count: Counter[str]) -> str:
    """Return the options that are described in a word's row, and the names of those below the table."""
    found = options(cls)
    own = [entry for entry in found.values() if count[entry] < SHARED]
    also = [f"`{name}`" for name, entry in found.items() if count[entry] >= SHARED]
    return "<br>".join([*own, *([f"and {', '.join(also)}"] if also else [])])


def _as_markdown(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table without the columns that are empty in every row."""
    used = [column for column in range(len(heading)) if any(row[column] for row in rows)]
    lines = [[row[column] for column in used] for row in (heading, ("---",) * len(heading), *rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


NO_DEFAULT = "…"
"""What stands for the default of a field that has none."""


def values(cls: type[Word]) -> list[str]:
    """Return the values without a name in Markdown: an example of each, its field, and its default."""
    return [_value(cls, field) for field in fields_of(cls).values() if field.bare]


def _value(cls: type[Word], field: WordField) -> str:
    assert field.bare is not None
    given = default(cls, field)
    otherwise = "" if field.required else ", or none" if given == NO_DEFAULT else f", else {given}"
    many = ", …" if field.collects else ""
    return f"`{field.bare.example}{many}` {field.name}{otherwise}"


def options(cls: type[Word]) -> dict[str, str]:
    """Return each option in Markdown, by its name."""
    return {field.name: option_entry(cls, field) for field in fields_of(cls).values() if not field.bare}


def option_entry(cls: type[Word], field: WordField) -> str:
    """Return `name=default`, the choices and the meaning of an option; `name=…` if it has no fixed default."""
    alone = f" or `{field.name}`" if field.alone else ""
    kind = " (needed)" if field.required else _choices(field)
    return f"`{field.name}={default(cls, field)}`{alone}{kind} {field.meaning}"


def _choices(field: WordField) -> str:
    if field.word_kind or not field.choices:
        return ""
    number = ", or a number" if "int" in field.kinds else ""
    return f" ({', '.join(field.choices)}{number})"


def default(cls: type[Word], field: WordField) -> str:
    """Return the default of a field in the syntax of the language, … if it has none.

    Of an option whose name may be written alone it is the value that the name stands for.
    """
    value = cls.fields()[field.name].get_default() if not field.required else None
    value = field.alone.value if field.alone is not None else value
    return NO_DEFAULT if value in (None, ()) else field_text(field, value)


def _meaning(cls: type[Word]) -> str:
    """Return a word's docstring as one paragraph."""
    return " ".join((cls.__doc__ or "").split()).replace("|", "\\|")


def write_pages(folder: Path) -> None:
    """Write both pages."""
    page = folder / "language.md"
    page.write_text(language(page.read_text(encoding="utf-8")), encoding="utf-8")
    (folder / "errors.md").write_text(errors(), encoding="utf-8")


if __name__ == "__main__":
    write_pages(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
