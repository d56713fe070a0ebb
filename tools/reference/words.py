"""A section for each word of the language: its help, its pictures, its values and its options.

An option that several words of a kind share, with the same default and meaning, is described once for the kind.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from nnspec.spec_lang.editor.reference import NO_DEFAULT, default, options
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.data import DataSource
from nnspec.spec_lang.vocabulary.fields import WordField, fields_of
from nnspec.spec_lang.vocabulary.layers.activation import Activation
from nnspec.spec_lang.vocabulary.registry import Word, words
from tools.reference.drawing import description
from tools.reference.shapes import Case, cases, merged

SHARED = 3
"""An option that this many words of a kind have, with the same default and meaning, is described once for the kind."""

NOUNS = {
    "data": "sources",
    "init": "initializers",
    "loss": "losses",
    "metric": "metrics",
    "setting": "settings",
}
"""What words of a kind are called together; others by their kind with an s."""


def sections(chosen: Iterable[type[Word]], level: int, pictures: str) -> str:
    """Return a section for each word, with headings of a level. `pictures` is the folder of pictures from the page."""
    return "\n\n".join("\n\n".join(_section(cls, level, pictures)) for cls in chosen)


def shared_options(kind: str) -> str:
    """Return the options that several words of a kind share as a list, each with the words that have it."""
    found = words(kind)
    lines = []
    for entry in _shared(kind):
        having = [word for word, cls in found.items() if entry in options(cls).values()]
        whose = "all" if len(having) == len(found) else ", ".join(f"[{word}](#{word})" for word in having)
        lines.append(f"- {entry}.  \n  Of {whose}.")
    return "\n".join(lines)


def anchor(kind: str) -> str:
    """Return the anchor of the section with the options that words of a kind share."""
    return f"options-of-several-{noun(kind)}"


def noun(kind: str) -> str:
    """Return what words of a kind are called together."""
    return NOUNS.get(kind, f"{kind}s")


def pictured(cls: type[Word]) -> list[Case]:
    """Return the cases that a word's section draws: none for a word that is no layer, or is drawn as a curve."""
    if not issubclass(cls, Layer) or (issubclass(cls, Activation) and cls.elementwise and cls.kind == "activation"):
        return []
    return [merged(cls)] if cls.kind == "merge" else list(cases(cls))


def picture_name(cls: type[Word], number: int = 0) -> str:
    """Return the file name of a word's picture."""
    name = getattr(cls, "called", cls.word) if cls.kind == "merge" else cls.word
    return f"{cls.kind}-{name}{f'-{number + 1}' if number else ''}.svg"


def _shared(kind: str) -> list[str]:
    count = Counter(entry for cls in words(kind).values() for entry in options(cls).values())
    return [entry for entry, times in count.items() if times >= SHARED]


def _section(cls: type[Word], level: int, pictures: str) -> Iterator[str]:
    yield f"{'#' * level} {_title(cls)}"
    yield from _paragraphs(cls.__doc__ or "")
    yield from _facts(cls)
    drawn = pictured(cls)
    for number, case in enumerate(drawn):
        yield f"![{description(case)}]({pictures}/{picture_name(cls, number)})"
    if cls.kind == "activation" and not drawn:
        yield f"![{cls.word}(x) for x from −4 to 4]({pictures}/{picture_name(cls)})"
    yield from _examples(cls, drawn)
    if drawn and (learned := _learned(drawn[0])):
        yield learned
    if listed := _values(cls):
        yield listed
    yield from _options(cls)


def _title(cls: type[Word]) -> str:
    return f"{getattr(cls, 'called', '')}: `{cls.word}`" if cls.kind == "merge" else cls.word


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.strip().split("\n\n"):
        yield " ".join(paragraph.split())


def _facts(cls: type[Word]) -> Iterator[str]:
    if issubclass(cls, DataSource) and cls.shape is not None:
        classes = f"; there are {cls.classes} classes" if cls.classes else ""
        yield f"A sample is {'x'.join(map(str, cls.shape))}{classes}."


def _examples(cls: type[Word], drawn: Sequence[Case]) -> Iterator[str]:
    """Yield the first case as a whole spec, and the other examples, each in its line."""
    others = list(cls.examples)
    if drawn and cls.kind == "layer":
        yield f"```nnspec\n{drawn[0].spec()}```"
        others = [text for text in others if text != drawn[0].text]
    if others:
        also = "Also" if len(others) < len(cls.examples) else "Written"
        yield f"{also}: {', '.join(f'`{text}`' for text in others)}."


def _learned(case: Case) -> str | None:
    if not case.learned:
        return None
    arrays = [f"`{name}` {'x'.join(map(str, array.shape))}" for name, array in case.learned.items()]
    count = sum(array.size for array in case.learned.values())
    listed = " and ".join([", ".join(arrays[:-1]), arrays[-1]] if len(arrays) > 1 else arrays)
    return f"Learns {listed}: {count:,} number{'s' if count != 1 else ''}{' here' if count > 1 else ''}."


def _values(cls: type[Word]) -> str:
    return "\n".join(_value(cls, field) for field in fields_of(cls).values() if field.bare)


def _value(cls: type[Word], field: WordField) -> str:
    assert field.bare is not None
    given = default(cls, field)
    otherwise = "" if field.required else "; may be left out" if given == NO_DEFAULT else f"; `{given}` if left out"
    about = f": {field.meaning}" if field.meaning else ""
    return f"- `{field.bare.example}{', …' if field.collects else ''}` **{field.name}**{about}{otherwise}"


def _options(cls: type[Word]) -> Iterator[str]:
    """Yield the options of a word's own as a list, and the names of those that are described for its kind."""
    found, shared = options(cls), set(_shared(cls.kind))
    own = [f"- {entry}" for entry in found.values() if entry not in shared]
    also = [f"`{name}`" for name, entry in found.items() if entry in shared]
    if own:
        yield "\n".join(own)
    if also:
        yield f"And {_listed(also)}: [options of several {noun(cls.kind)}](#{anchor(cls.kind)})."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def chosen(kind: str, names: Sequence[str], elsewhere: Mapping[str, set[str]]) -> list[type[Word]]:
    """Return the words of a kind with these names or from modules of these names; without names, all other ones.

    `elsewhere` has for each kind the names that other marks have. Raises KeyError for a name of nothing.
    """
    found = words(kind)
    if not names:
        return [cls for cls in found.values() if not {cls.word, _module(cls)} & elsewhere.get(kind, set())]
    if unknown := set(names) - set(found) - {_module(cls) for cls in found.values()}:
        raise KeyError(f"{kind}: {', '.join(sorted(unknown))}")
    return [cls for cls in found.values() if {cls.word, _module(cls)} & set(names)]


def _module(cls: type[Word]) -> str:
    return cls.__module__.rpartition(".")[2]
