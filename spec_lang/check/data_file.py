"""A data statement from outside that begins with a file: `--data iris.csv` means `data csv "iris.csv"`.

Overrides use it. The name of the file says its format, as each data word declares.
"""

import os
import re
from pathlib import PurePath

from nnspec.spec_lang.report.diagnostics import one_of
from nnspec.spec_lang.syntax.tree import Call, Option, Value
from nnspec.spec_lang.vocabulary.data import DataSource
from nnspec.spec_lang.vocabulary.fields import fields_of
from nnspec.spec_lang.vocabulary.registry import words

_FILE = re.compile(r'\s*(?:"(?P<quoted>[^"\n]+)"|(?P<bare>[^\s"]+))(?P<options>\s+[A-Za-z_]\w*\s*=.*)?\s*', re.S)


def with_format(text: str) -> tuple[str, str | None]:
    """Return a data statement whose first word is its format, and the file where this was added.

    "iris.csv target=species" becomes 'csv "iris.csv" target=species'; any other text stays as it is. A file with spaces
    in its name is quoted, or is the whole text. Raises ValueError, with the formats, for a file whose name does not
    show one.
    """
    whole = text.strip()
    match = _FILE.fullmatch(text)
    file, options = whole, ""
    if match is not None and not os.path.exists(whole):
        file, options = match["quoted"] or match["bare"], match["options"] or ""
    if file in words("data") or '"' in file:
        return text, None
    word = _format_of(file)
    if word is None:
        if not os.path.exists(file):
            return text, None
        named = one_of(f"{word} ({', '.join(suffixes)})" for word, suffixes in _suffixes().items())
        raise ValueError(f'write the format first, as csv "{file}"; the name of a file shows {named}')
    return f'{word} "{file}"{options}', file


def kept_options(new: Call, former: Call | None) -> tuple[Option, ...]:
    """Return the options of a spec's data statement that hold for another file too.

    They are those that the new statement's word has and the statement does not give, without those that name files.
    """
    if former is None:
        return ()
    cls, before = _word(new), _word(former)
    if cls is None or before is None:
        return ()
    fields = fields_of(cls)
    given = {argument.name for argument in new.arguments if isinstance(argument, Option)}
    return tuple(
        argument
        for argument in former.arguments
        if isinstance(argument, Option)
        and argument.name in fields
        and argument.name not in given
        and argument.name not in (*cls.paths, *before.paths)
    )


def _word(call: Call) -> type[DataSource] | None:
    name = call.arguments[0].value if call.arguments and isinstance(call.arguments[0], Value) else None
    found = words("data").get(str(name))
    return found if found is not None and issubclass(found, DataSource) else None


def _format_of(file: str) -> str | None:
    if os.path.isdir(file):
        return next((word for word, cls in words("data").items() if issubclass(cls, DataSource) and cls.folders), None)
    suffix = PurePath(file).suffix.lower()
    return next((word for word, suffixes in _suffixes().items() if suffix in suffixes), None)


def _suffixes() -> dict[str, tuple[str, ...]]:
    """Return the data words whose files have names of their own."""
    return {word: cls.suffixes for word, cls in words("data").items() if issubclass(cls, DataSource) and cls.suffixes}
