"""The settings of a spec: calls → words with their defaults."""

from collections.abc import Mapping

from nnspec.spec_lang.check.bind import bind
from nnspec.spec_lang.check.collect import Statements, Variables, substitute
from nnspec.spec_lang.check.meant import as_meant, used_in
from nnspec.spec_lang.report import other_spellings as foreign
from nnspec.spec_lang.report.diagnostics import Diagnostic, Findings, did_you_mean, near, one_of
from nnspec.spec_lang.syntax.tree import Call, Value
from nnspec.spec_lang.vocabulary.registry import SECTIONS, Word, statements


def bind_settings(known: Statements, variables: Variables, found: Findings) -> dict[str, Word]:
    """Return every setting as its word, without those that have errors, which are reported."""
    bound = {name: _setting(call, known, variables, found) for name, call in known.settings.items()}
    return {name: word for name, word in bound.items() if word is not None}


def _setting(call: Call, known: Statements, variables: Variables, found: Findings) -> Word | None:
    arguments = substitute(call.arguments, variables, known.broken, found.add)
    if arguments is None:
        return None
    named = statements()[call.word]
    cls = named.get(call.word)
    if call.word in SECTIONS:
        first = arguments[0] if arguments else None
        cls = _chosen(call, first if isinstance(first, Value) else None, named, known, found)
        arguments = arguments[1:]
    if cls is None:
        return None
    word, wrong = bind(cls, arguments, call.span)
    if wrong:
        found.add(used_in(as_meant(wrong[0], call.span, known), call.span))
    return word


def _chosen(
    call: Call, name: Value | None, named: Mapping[str, type[Word]], known: Statements, found: Findings
) -> type[Word] | None:
    """Return the word that a section names, `adam` in `optimizer adam`, or None after reporting an error."""
    if name is None or name.kind != "name":
        help: str | None = f"write {call.word} and one of {', '.join(named)}"
        if call.word == "data" and name is not None and name.kind == "text":
            help = f"name the format first: data csv {name.written()} target=…"
        plain = Diagnostic("E105", f"{call.word} needs a name first", name.span if name else call.span, help=help)
        found.add(as_meant(plain, call.span, known))
        return None
    word = str(name.value)
    if word not in named:
        close = foreign.meant(word, named) or near(word, named)
        help, fix = did_you_mean(close, name.span, f"write {one_of(named)}")
        plain = Diagnostic("E103", f'no {call.word} is called "{word}"', name.span, help=help, fix=fix)
        found.add(as_meant(plain, call.span, known))
    return named.get(word)
