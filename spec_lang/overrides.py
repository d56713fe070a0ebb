"""Settings from outside the spec: `--set optimizer.lr=0.1`, `--data mnist`, `--seed 3`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spec_lang.diagnostics import Diagnostic, near, one_of
from spec_lang.parse import parse, parse_value
from spec_lang.source import Source, Span
from spec_lang.syntax import Call, Let, Option, Pipeline, Value
from spec_lang.word import words

if TYPE_CHECKING:
    from spec_lang.check import Statements


@dataclass(frozen=True)
class Override:
    """One setting from outside: `key` is a let's name, STATEMENT or STATEMENT.OPTION; `origin` is what messages call it."""

    key: str
    value: str
    origin: str = "--set"

    @property
    def source(self) -> Source:
        """The text that a diagnostic points into."""
        return Source(self.origin, f"{self.key}={self.value}" if self.origin == "--set" else self.value)

    def key_span(self) -> Span:
        """The place of the key, or of the whole text where the key is not written."""
        return Span(self.source, 0, len(self.key) if self.origin == "--set" else len(self.value))


def overrides_from(settings: Mapping[str, object], data: str | None = None, seed: int | None = None) -> list[Override]:
    """The overrides that a caller's arguments stand for, in the order in which they apply."""
    listed = [Override(key, _written(value)) for key, value in settings.items()]
    if data is not None:
        listed.insert(0, Override("data", data, "--data"))
    if seed is not None:
        listed.append(Override("train.seed", str(seed), "--seed"))
    return listed


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def apply(overrides: Sequence[Override], known: "Statements", sections: Sequence[str]) -> list[Diagnostic]:
    """Change the statements as the overrides say; returns what fits nothing."""
    found: list[Diagnostic] = []
    for override in overrides:
        statement, _, option = override.key.partition(".")
        if not option and override.key in known.lets:
            found += _set_let(override, known)
        elif not option and (statement in sections or statement in words("setting")):
            found += _set_statement(override, known)
        elif option and (statement in sections or statement in words("setting")):
            found += _set_option(override, statement, option, known, sections)
        else:
            names = [*known.lets, *(f"{s}.{o}" for s in (*sections, *words("setting")) for o in _options(s, known))]
            close = near(override.key, names)
            lets = f"; the lets are {one_of(known.lets)}" if known.lets else ""
            help = f"did you mean {close}?" if close else f"a key is STATEMENT.OPTION, such as optimizer.lr{lets}"
            found.append(Diagnostic("E108", f'nothing in the spec is called "{override.key}"', override.key_span(), help=help))
    return found


def _options(statement: str, known: "Statements") -> list[str]:
    """The options that a statement has, as it stands or by default."""
    call = known.settings.get(statement)
    classes = words(statement) or {statement: words("setting")[statement]}
    chosen = next((str(a.value) for a in call.arguments if isinstance(a, Value) and str(a.value) in classes), None) if call else None
    return [name for word, cls in classes.items() if chosen in (None, word) for name in cls.model_fields]


def _value_of(override: Override) -> tuple[Value | None, list[Diagnostic]]:
    value = parse_value(override.value, override.origin)
    if isinstance(value, Diagnostic):
        return None, [value]
    start = len(override.key) + 1 if override.origin == "--set" else 0
    return replace(value, span=Span(override.source, start, start + len(override.value))), []


def _set_let(override: Override, known: "Statements") -> list[Diagnostic]:
    value, found = _value_of(override)
    if value is not None:
        known.lets[override.key] = Let(override.key, value, override.key_span())
    return found


def _set_statement(override: Override, known: "Statements") -> list[Diagnostic]:
    """`--data "csv 'x.csv' target=y"`: the whole statement anew."""
    source = Source(override.origin, f"{override.key} {override.value}")
    statements, found = parse(source)
    match statements:
        case [Pipeline(stages=(Call() as call,))] if not found:
            known.settings[override.key] = call
        case _ if not found:
            found = [Diagnostic("E002", f"{override.key} cannot be {override.value}", override.key_span())]
    return found


def _set_option(
    override: Override, statement: str, option: str, known: "Statements", sections: Sequence[str]
) -> list[Diagnostic]:
    value, found = _value_of(override)
    if value is None:
        return found
    call = known.settings.get(statement)
    if call is None:
        default = {"optimizer": "adam", "init": "he", "schedule": "constant"}.get(statement)
        if default is None and statement in sections:
            message = f"the spec has no {statement} statement whose option could be set"
            return [Diagnostic("E108", message, override.key_span(), help=f"write --set {statement}=NAME first")]
        named = (Value("name", default, override.key_span()),) if default else ()
        call = Call(statement, override.key_span(), named, override.key_span())
    bare = _bare_for(statement, option, value)
    if bare is not None:
        rest = [a for a in call.arguments if not (isinstance(a, Value) and a.kind in ("int", "name"))]
        known.settings[statement] = replace(call, arguments=(*bare, *rest))
        return []
    rest = [a for a in call.arguments if not (isinstance(a, Option) and a.name == option)]
    new = Option(option, override.key_span(), (value,), value.span)
    known.settings[statement] = replace(call, arguments=(*rest, new))
    return []


def _bare_for(statement: str, option: str, value: Value) -> tuple[Value, ...] | None:
    """`train.epochs=3` stands for the bare `3 epochs`."""
    if statement == "train" and option in ("epochs", "iterations"):
        return (value, Value("name", option, value.span))
    return None
