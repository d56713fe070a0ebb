"""The values and options of a word in Markdown: for the pages of the documentation and for help in editors."""

from nnspec.spec_lang.check.canonical_text import field_text
from nnspec.spec_lang.vocabulary.fields import WordField, fields_of
from nnspec.spec_lang.vocabulary.registry import Word

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
