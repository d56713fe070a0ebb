"""Hover texts about the parts of a spec that change or extend it: variants and included files."""

from collections.abc import Iterable

from nnspec.spec_lang.check.collect import Statements, setting_key
from nnspec.spec_lang.check.examination import examine_reading
from nnspec.spec_lang.editor.document import Document
from nnspec.spec_lang.editor.symbols import Mention, is_asked_for
from nnspec.spec_lang.source import Source, Span
from nnspec.spec_lang.syntax.tree import Block, Call, Let, Pipeline, Statement, Sweep
from nnspec.spec_lang.vocabulary.registry import statements

LONGEST = 80  # characters of a statement that is quoted


def variant_text(document: Document, name: str) -> str:
    """Return what a variant replaces and adds, and its size; "" for a variant with a syntax error."""
    variant = document.known.variants.get(name)
    if variant is None:
        return ""
    lines = [_change(statement, document.known) for statement in variant.statements]
    spec = examine_reading(document.reading, variant=name).spec
    size = f", {spec.parameter_count:,} parameters" if spec is not None and spec.nodes else ""
    return "\n".join([f"**variant {name}**{size}", "", *lines])


def _change(statement: Statement, known: Statements) -> str:
    before = _same_kind(statement, known)
    replaced = f", instead of `{_short(before)}`" if before is not None else ", in addition"
    return f"- `{_short(statement.span)}`{replaced}"


def _same_kind(statement: Statement, known: Statements) -> Span | None:
    """Return the span of the statement that this one replaces."""
    replaced: Statement | Call | None = None
    match statement:
        case Let():
            replaced = known.lets.get(statement.name)
        case Block():
            replaced = known.blocks.get(statement.name)
        case Sweep():
            replaced = known.sweeps.get(statement.key)
        case Pipeline(stages=(Call(label=None) as call,)) if call.word in statements():
            replaced = known.settings.get(setting_key(call))
        case Pipeline():
            replaced = known.network
    return replaced.span if replaced is not None else None


def include_text(document: Document, include: Mention) -> str:
    """Return the first comment of an included file and what it defines; "" for one that is not read."""
    for source, tree in document.reading.parsed[1:]:
        if is_asked_for(include, source):
            return "\n\n".join(part for part in (f"**{source.name}**", _comment(source), _defined(tree)) if part)
    return ""


def _comment(source: Source) -> str:
    first = source.text.lstrip().partition("\n")[0]
    return first.lstrip("# ") if first.startswith("#") else ""


def _defined(tree: Iterable[Statement]) -> str:
    return "\n".join(f"- `{_short(statement.span)}`" for statement in tree)


def _short(span: Span) -> str:
    text = " ".join(span.text.split()).replace("`", "'")
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
