"""Settings from outside the spec: `--set optimizer.lr=0.1`, `--data mnist`, `--seed 3`, and the values of sweeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nnspec.spec_lang.check.bind import fields_filled
from nnspec.spec_lang.check.collect import Statements
from nnspec.spec_lang.check.data_file import kept_options, with_format
from nnspec.spec_lang.report import other_spellings as foreign
from nnspec.spec_lang.report.diagnostics import Diagnostic, Findings, Fix, did_you_mean, near, one_of
from nnspec.spec_lang.source import Source, Span
from nnspec.spec_lang.syntax.parse import parse_source, parse_value
from nnspec.spec_lang.syntax.tree import Call, Let, Option, Pipeline, Value
from nnspec.spec_lang.vocabulary.fields import fields_of
from nnspec.spec_lang.vocabulary.registry import SECTIONS, Word, statements, words
from nnspec.spec_lang.vocabulary.summary import known_words

DEFAULTS = {"optimizer": "adam", "init": "he", "schedule": "constant"}
"""The default word of a section, whose options can be set without a line in the spec."""


@dataclass(frozen=True)
class Override:
    """One setting: `key` is the name of a let, STATEMENT or STATEMENT.OPTION; `origin` is its source in messages.

    `place` and `written` are the span of its key and its value if both are in the spec, as those of a sweep are.
    """

    key: str
    value: str
    origin: str = "--set"
    place: Span | None = None
    written: Value | None = None

    @property
    def source(self) -> Source:
        """The text for the span of a finding."""
        text = f"{self.key}={self.value}" if self.origin == "--set" else self.value
        return Source(self.origin, text, option=True)

    def key_span(self) -> Span:
        """Return the span of the key, or of the whole text if that has no key."""
        if self.place is not None:
            return self.place
        return Span(self.source, 0, len(self.key) if self.origin == "--set" else len(self.value))

    def read(self) -> Value:
        """Parse the value."""
        if self.written is not None:
            return self.written
        start = len(self.key) + 1 if self.origin == "--set" else 0
        return parse_value(self.value, self.origin)._replace(span=Span(self.source, start, start + len(self.value)))


def overrides_from(settings: Mapping[str, object], data: str | None = None, seed: int | None = None) -> list[Override]:
    """Return the overrides for a caller's arguments, in the order in which they apply."""
    listed = [Override(key, _written(value)) for key, value in settings.items()]
    if data is not None:
        listed.insert(0, Override("data", data, "--data"))
    if seed is not None:
        listed.append(Override("train.seed", str(seed), "--seed"))
    return listed


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def apply_overrides(overrides: Sequence[Override], known: Statements, found: Findings) -> None:
    """Apply overrides to the statements. Report a key that names nothing."""
    for override in overrides:
        statement, _, option = override.key.partition(".")
        if override.key in known.lets:
            known.lets[override.key] = Let(override.key, (override.read(),), override.key_span())
        elif option and statement in statements():
            _set_option(override, statement, option, known, found)
        elif override.key in statements():
            _set_statement(override, known, found)
        elif f"let {override.key}" not in known.broken:
            message = f'nothing in the spec is called "{override.key}"'
            found.say("E108", message, override.key_span(), *_meant(override, known))


def require_data(word: str, known: Statements, source: Source) -> None:
    """Add a data statement of this word, unless the spec has one."""
    if "data" not in known.settings and "data" not in known.broken:
        place = Span(source, 0, 0)
        known.settings["data"] = Call("data", place, (Value("name", word, place),), place)


def settable_keys(known: Statements) -> list[str]:
    """Return the keys that can be set or swept apart from whole statements: lets, and options of statements."""
    return [*known.lets, *(f"{name}.{option}" for name in statements() for option in _options(name, known))]


def _meant(override: Override, known: Statements) -> tuple[str | None, Fix | None]:
    """Return the help and fix for an unknown key."""
    every = settable_keys(known)
    home = next((key for key in every if key.endswith(f".{override.key}")), None)
    home = home or next((key for key in every if foreign.option_meant(override.key, (key.partition(".")[2],))), None)
    lets = f"; the lets are {one_of(known.lets)}" if known.lets else ""
    otherwise = f"a key is a let, or STATEMENT.OPTION such as optimizer.lr{lets}"
    return did_you_mean(home or near(override.key, every), override.key_span(), otherwise)


def _options(statement: str, known: Statements) -> list[str]:
    """Return the options of a statement's word."""
    cls = word_of(statement, known)
    return [field.name for field in fields_of(cls).values() if not field.bare] if cls else []


def word_of(statement: str, known: Statements) -> type[Word] | None:
    """Return the word of a statement in the spec, or its default."""
    named = statements()[statement]
    if statement in named:
        return named[statement]
    call = known.settings.get(statement)
    said = [str(a.value) for a in call.arguments if isinstance(a, Value)] if call else [DEFAULTS.get(statement, "")]
    return next((named[name] for name in said if name in named), None)


@dataclass(frozen=True)
class _Shown:
    """The text of an option as its user wrote it, `ahead` characters of which its statement has more at its start."""

    source: Source
    ahead: int

    def span(self, span: Span) -> Span:
        """Return the place in the option of a place in its statement."""
        return Span(self.source, max(span.start - self.ahead, 0), max(span.end - self.ahead, 0))

    def value(self, value: Value) -> Value:
        """Return a value with its place."""
        return value._replace(span=self.span(value.span))

    def call(self, call: Call) -> Call:
        """Return a call with its places."""
        arguments = tuple(
            self.value(argument)
            if isinstance(argument, Value)
            else Option(
                argument.name,
                self.span(argument.name_span),
                tuple(self.value(value) for value in argument.values),
                self.span(argument.span),
            )
            for argument in call.arguments
        )
        return replace(call, word_span=self.span(call.word_span), arguments=arguments, span=self.span(call.span))

    def finding(self, found: Diagnostic) -> Diagnostic:
        """Return a finding with its places."""
        fix = replace(found.fix, span=self.span(found.fix.span)) if found.fix is not None else None
        return replace(found, span=self.span(found.span), fix=fix)


def _set_statement(override: Override, known: Statements, found: Findings) -> None:
    """Replace a whole statement, as `--data "csv 'x.csv' target=y"` does."""
    if override.written is not None:
        place = override.key_span()
        known.settings[override.key] = Call(override.key, place, (override.written,), override.written.span)
        return
    value, file = override.value, None
    if override.key == "data":
        try:
            value, file = with_format(value)
        except ValueError as error:
            found.say("E002", f"data cannot be {value}", override.key_span(), str(error))
            return
    read, wrong = parse_source(Source(override.origin, f"{override.key} {value}", option=True), known_words())
    shown = _Shown(override.source, 0 if override.origin == "--set" else len(override.key) + 1)
    if value != override.value:  # a file alone, whose format is written here
        shown = _Shown(Source(override.origin, value, option=True), len(override.key) + 1)
    for diagnostic in wrong:
        found.add(shown.finding(diagnostic))
    match read:
        case [Pipeline(stages=(Call(label=None) as call,))] if not wrong:
            kept = kept_options(call, known.settings.get("data")) if file is not None else ()
            call = shown.call(call)
            known.settings[override.key] = replace(call, arguments=(*call.arguments, *kept))
        case _ if not wrong:
            found.say("E002", f"{override.key} cannot be {override.value}", override.key_span())


def _set_option(override: Override, statement: str, option: str, known: Statements, found: Findings) -> None:
    """Set one argument of a statement; add the statement if the spec does not have it."""
    call = known.settings.get(statement)
    if call is None:
        call = _added(override, statement, known, found)
    if call is None:
        return
    value, place = override.read(), override.key_span()
    cls = word_of(statement, known)
    known_as = None
    if cls is not None and option not in (fields := fields_of(cls)) and option not in foreign.LENGTHS:
        known_as = foreign.option_meant(option, fields) or near(option, [n for n, f in fields.items() if not f.bare])
    if cls is not None and known_as is not None:
        key = f"{statement}.{known_as}"
        found.say("E102", f'{cls.word} has no option "{option}"', place, f"did you mean {key}?", Fix(place, key))
        return
    length = foreign.LENGTHS.get(option) if statement == "train" else None
    several = cls is not None and option in fields_of(cls) and fields_of(cls)[option].several
    values = tuple(parse_value(part.strip(), override.origin) for part in override.value.split(",")) if several else ()
    new: tuple[Value | Option, ...] = (Option(option, place, values or (value,), value.span),)
    replaced = {option}
    if length is not None:  # train.epochs=3 is written `3 epochs`
        new, replaced = (value, Value("name", length, value.span)), {"length", "unit"}
    elif cls is not None and option in fields_of(cls) and fields_of(cls)[option].bare:
        new = (value,)
    arguments = [a for a in call.arguments if not (statement in SECTIONS and a == call.arguments[0])]
    name = call.arguments[:1] if statement in SECTIONS else ()
    filled = fields_filled(cls, arguments) if cls is not None else {}
    kept = [argument for position, argument in enumerate(arguments) if filled.get(position) not in replaced]
    known.settings[statement] = replace(call, arguments=(*name, *new, *kept))


def _added(override: Override, statement: str, known: Statements, found: Findings) -> Call | None:
    """Return a new statement with its default word, or None after reporting that it has none."""
    place = override.key_span()
    if statement in known.broken:
        return None
    if statement in SECTIONS and statement not in DEFAULTS:
        message = f"the spec has no {statement} statement whose option could be set"
        found.say("E108", message, place, f"write --set {statement}=… first, {one_of(words(statement))}")
        return None
    named = (Value("name", DEFAULTS[statement], place),) if statement in DEFAULTS else ()
    return Call(statement, place, named, place)
