"""A call's arguments → the fields of its word, for every word of the language."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from nnspec.spec_lang.limits import MAX_INTEGER
from nnspec.spec_lang.report import other_spellings as foreign
from nnspec.spec_lang.report.diagnostics import Diagnostic, Fix, did_you_mean, near, one_of
from nnspec.spec_lang.source import Span
from nnspec.spec_lang.syntax.tree import Argument, Option, Value
from nnspec.spec_lang.vocabulary.fields import TRUTH, WordField, fields_of
from nnspec.spec_lang.vocabulary.registry import NOTHING_GIVEN, SECTIONS, Word, words

W = TypeVar("W", bound=Word)


def bind(
    cls: type[W], arguments: Iterable[Argument], span: Span, word_span: Span | None = None
) -> tuple[W | None, list[Diagnostic]]:
    """Return the word with these arguments, or None and the first error in them.

    A value without a name fills the first free field that accepts its kind; options fill fields by name. `span` is
    that of the call, `word_span` that of its word.
    """
    binding = _Binding(cls, span, word_span)
    for argument in arguments:
        if isinstance(argument, Option):
            binding.option(argument)
        else:
            binding.bare(argument)
        if binding.found:  # what follows a misfit is most likely meant otherwise too
            return None, binding.found
    binding.require()
    word = binding.made() if not binding.found else None
    return (None if binding.found else word), binding.found[:1]


def fields_filled(cls: type[Word], arguments: Sequence[Argument]) -> Mapping[int, str]:
    """Return the field that each argument fills, by the argument's position, without arguments that fill none."""
    binding = _Binding(cls, arguments[0].span) if arguments else None
    places: dict[int, str] = {}
    for position, argument in enumerate(arguments):
        assert binding is not None
        name = argument.name if isinstance(argument, Option) else binding.place(argument)
        if name is not None:
            places[position] = name
            binding.values.setdefault(name, ())
    return places


class _Binding:
    """The state of binding one call."""

    def __init__(self, cls: type[Word], span: Span, word_span: Span | None = None):
        self.cls = cls
        self.span = span
        self.word_span = word_span
        self.fields = fields_of(cls)
        self.values: dict[str, Any] = {}
        self.failed: set[str] = set()
        self.spans: dict[str, Span] = {}
        self.found: list[Diagnostic] = []

    def say(self, code: str, message: str, span: Span, help: str | None = None, fix: Fix | None = None) -> None:
        """Add an error."""
        self.found.append(Diagnostic(code, message, span, help=help, fix=fix))

    def place(self, value: Value) -> str | None:
        """Return the field that a value without a name fills, or None."""
        fitting = next((s.name for s in self._fitting(value) if s.name not in self.values or s.collects), None)
        alone = self._alone(value)
        return fitting if fitting is not None or alone is None else alone.name

    def _alone(self, value: Value) -> WordField | None:
        """Return the option that a name alone stands for, or None."""
        field = self.fields.get(str(value.value)) if value.kind == "name" else None
        return field if field is not None and field.alone is not None else None

    def _fitting(self, value: Value) -> list[WordField]:
        return [field for field in self.fields.values() if field.bare and value.kind in field.bare.kinds]

    def bare(self, value: Value) -> None:
        """Bind a value without a name."""
        if (alone := self._alone(value)) is not None:
            self._bind_alone(alone, value)
            return
        name = self.place(value)
        free = [field for field in self.fields.values() if field.bare and field.name not in self.values]
        if name is not None and (missing := self._missing_before(name, value)) is not None:
            example = f"write {self.cls.examples[0]}" if self.cls.examples else f"write {missing.takes()}"
            message = f"{self.cls.word} takes a whole number as its {missing.name}, not {_shown(value)}"
            self.say("E201", message, value.span, f"write a whole number: {example}")
        elif name is not None:
            field = self.fields[name]
            converted = self._convert(field, value)
            if field.collects and converted in self.values.get(name, ()):
                self.say("E106", f"{converted} is given twice", value.span, "leave one of them out")
            self.values[name] = (*self.values.get(name, ()), converted) if field.collects else converted
            self.spans.setdefault(name, value.span)
        elif value.kind == "int" and any(field.bare and field.bare.kinds == ("count",) for field in free):
            count = f"x{value.span.text}"
            message, advice = (
                f"{self.cls.word} has no use for a second number",
                f"a number of filters is written {count}",
            )
            self.say("E104", message, value.span, advice, Fix(value.span, count))
        elif fitting := self._fitting(value):
            names = one_of(field.name for field in fitting)
            self.say("E106", f"{self.cls.word} has its {names} already", value.span, "leave one of them out")
        elif value.kind in ("size", "count", "number") and (whole := self._whole(free)):
            written = value.span.text
            number = written[1:] if value.kind == "count" and written[1:].isdigit() else None
            if self.fields[whole].collects and isinstance(value.value, tuple):
                number = " ".join(map(str, value.value))
            help, fix = (f"write {number}", Fix(value.span, number)) if number else (None, None)
            message = f"{self.cls.word} takes a whole number as its {whole}, not {_shown(value)}"
            self.say("E201", message, value.span, help, fix)
        else:
            self.say("E104", f"{self.cls.word} has no use for {_shown(value)}", value.span, *self._use(value))

    def _bind_alone(self, field: WordField, value: Value) -> None:
        assert field.alone is not None
        if field.name in self.values:
            self.say("E106", f"{field.name} is given twice", value.span, "leave one of them out")
            return
        self.values[field.name] = field.alone.value
        self.spans[field.name] = value.span

    def _missing_before(self, name: str, value: Value) -> WordField | None:
        """Return a whole number that is missing where a name is written that cannot be the field's."""
        field = self.fields[name]
        if value.kind != "name" or not field.choices or str(value.value) in field.choices:
            return None
        if foreign.meant(str(value.value), field.choices) or near(str(value.value), field.choices):
            return None
        whole = (f for f in self.fields.values() if f.bare and f.bare.kinds == ("int",))
        return next((f for f in whole if f.name not in self.values and f.name != name), None)

    def _whole(self, free: Sequence[WordField]) -> str | None:
        """Return the first free field of a whole number."""
        return next((field.name for field in free if field.bare and "int" in field.bare.kinds), None)

    def _use(self, value: Value) -> tuple[str | None, Fix | None]:
        """Return the help and fix for a value that fills no field."""
        if (
            value.kind == "name"
            and (option := foreign.option_meant(str(value.value), self.fields) or value.value) in self.fields
        ):
            return f"{option} is an option: write {option}=…", None
        if option := self._named(value):
            return f"name the option: {option}", Fix(value.span, option)
        alone = [field.name for field in self.fields.values() if field.alone is not None]
        if value.kind == "name" and (close := near(str(value.value), alone)):
            return did_you_mean(close, value.span)
        if self.cls.word in foreign.LAYERS_WITH_ARGUMENTS:
            help, fix = did_you_mean(foreign.LAYERS_WITH_ARGUMENTS[self.cls.word], self.word_span or self.span)
            return help, fix if self.word_span else None
        if self.cls.examples:
            return f"write {self.cls.examples[0]}", None
        options = [field.name for field in self.fields.values() if value.kind in field.kinds]
        return f"name the option that it is for: {options[0]}={value.span.text}" if options else None, None

    def _named(self, value: Value) -> str | None:
        """Return `option=name` for the option that has this name among its choices, or None."""
        options = [field.name for field in self.fields.values() if not field.bare and value.value in field.choices]
        return f"{options[0]}={value.span.text}" if options and value.kind == "name" else None

    def option(self, option: Option) -> None:
        """Bind an option."""
        field = self.fields.get(option.name)
        if field is None or field.bare:
            message = f'{self.cls.word} has no option "{option.name}"'
            self.say("E102", message, option.name_span, *self._instead(option))
        elif field.name in self.values:
            self.say("E106", f"{field.name} is given twice", option.span, "leave one of them out")
        elif field.several:
            self.spans[field.name] = option.values[0].span
            self.values[field.name] = tuple(self._one_of_several(field, value) for value in option.values)
        elif len(option.values) > 1:
            help = f"write {field.name}={option.values[0].span.text}, or another single value"
            self.say("E201", f"{field.name} takes one value", option.span, help)
        else:
            self.spans[field.name] = option.values[0].span
            self.values[field.name] = self._convert(field, option.values[0])

    def _instead(self, option: Option) -> tuple[str | None, Fix | None]:
        """Return the help and fix for an option that the word does not have."""
        name, written = option.name.lower(), option.values[0].span.text
        if len(option.values) > 1:
            written = ", ".join(value.span.text for value in option.values)
        known = option.name if option.name in self.fields else foreign.option_meant(option.name, self.fields)
        if known is not None and (bare := self.fields[known].bare):
            value = option.values[0]
            shown = f"x{written}" if bare.kinds == ("count",) and value.kind == "int" else written
            return f"write {shown} in place of {option.span.text}", Fix(option.span, shown)
        if known is not None:
            return f"here it is called {known}: write {known}={written}", Fix(option.name_span, known)
        if name in foreign.LENGTHS and "length" in self.fields:
            length = f"{written} {foreign.LENGTHS[name]}"
            return f"write {length} in place of {option.span.text}", Fix(option.span, length)
        if name in foreign.ELSEWHERE:
            return foreign.ELSEWHERE[name], None
        options = [field.name for field in self.fields.values() if not field.bare]
        if close := near(option.name, options):
            return did_you_mean(close, option.name_span)
        if home := self._home(name):
            return home.format(value=written), None
        return f"it has {one_of(options)}" if options else "it has no options", None

    def _home(self, name: str) -> str | None:
        """Return help that names another word of this kind with an option of this name, or None."""
        for word, cls in words(self.cls.kind).items():
            known = name if name in fields_of(cls) else foreign.option_meant(name, fields_of(cls))
            if known is not None:
                statement = f"{cls.kind} " if cls.kind in SECTIONS else ""
                return f"{word} has it: write {statement}{word} … {known}={{value}}"
        return None

    def require(self) -> None:
        """Report missing arguments."""
        for field in self.fields.values():
            if field.required and field.name not in self.values and not self.found:
                needed = f"its {field.name}, such as {field.bare.example}" if field.bare else f"{field.name}=…"
                help = f"write {self.cls.examples[0]}" if self.cls.examples else None
                self.say("E105", f"{self.cls.word} needs {needed}", self.span, help)

    def made(self) -> Any:
        """Return the word, or None after reporting values out of range."""
        try:
            return self.cls(**{name: value for name, value in self.values.items() if name not in self.failed})
        except ValidationError as error:
            reported = set(self.failed)
            entries = error.errors(include_url=False)
            # In the order of the text; the choices of a union come after what else it may be.
            places = [self._named_in(entry) for entry in entries]
            ordered = sorted(zip(places, entries, strict=True), key=lambda pair: self._order(*pair))
            for name, entry in ordered:
                if not entry["loc"] and self.found:
                    continue  # a word is judged as a whole where its parts are sound
                if entry["type"] == NOTHING_GIVEN:
                    self.say("E105", f"{self.cls.word} {entry['msg']}", self.span, f"write {self.cls.examples[0]}")
                elif name not in reported and entry["type"] != "missing":
                    reported.add(name)
                    several = any(isinstance(part, int) for part in entry["loc"][1:])
                    subject = f"each number of {name}" if several else name
                    message = _in_words(subject, entry, self.fields.get(name))
                    place = self.spans.get(name, self.span)
                    help = self._range_help(message, name, entry["input"], place)
                    given = f", and {place.text} is {_of(entry['input'])}" if "$(" in place.text else ""
                    self.say("E202", message + given, place, *help)
            return None

    def _named_in(self, entry: Any) -> str:
        return str(entry["loc"][0]) if entry["loc"] else self.cls.word

    def _order(self, name: str, entry: Any) -> tuple[bool, int]:
        return entry["type"] in _NOT_THE_KIND, self.spans.get(name, self.span).start

    def _range_help(self, message: str, name: str, value: Any, place: Span) -> tuple[str | None, Fix | None]:
        """Return the help for a value out of its range, and the fix of a share given in per cent."""
        bounds, field = message.partition(" must be ")[2], self.fields.get(name)
        if field is None or not bounds:
            return None, None
        if bounds == "less than 1" and isinstance(value, int | float) and 2 <= value <= 100:
            return f"write {value / 100:g} for {value:g} %", Fix(place, f"{value / 100:g}", sure=False)
        default = self.cls.fields()[name].default
        shown = field.bare.example if field.bare else default if isinstance(default, int | float) else None
        example = f", such as {shown}" if shown is not None and not isinstance(shown, bool) else ""
        return f"write a value of {bounds}{example}", None

    def _convert(self, field: WordField, value: Value) -> Any:
        """Return the Python value for a field, or None after reporting an error."""
        text = str(value.value)
        if value.kind == "name" and "bool" in field.kinds and text.lower() in TRUTH:
            return TRUTH[text.lower()]
        if value.kind == "name" and field.choices:
            return self._choice(field, value, text)
        if value.kind not in field.kinds - {"bool"} or value.kind == "variable":
            self._fail(field, "E201", f"{field.name} cannot be {_shown(value)}", value, f"write {field.takes()}")
            return None
        numbers = value.value if isinstance(value.value, tuple) else (value.value,)
        if any(isinstance(number, int) and abs(number) > MAX_INTEGER for number in numbers):
            self._fail(field, "E202", f"{field.name} must be {MAX_INTEGER:,} or less", value)
            return None
        return numbers if value.kind == "int" and "size" in field.kinds and not field.collects else value.value

    def _one_of_several(self, field: WordField, value: Value) -> Any:
        """Return a number, or a name: where names are meant, numbers are names as they are written."""
        converted = self._convert(field, value)
        if "number" in field.kinds:
            return converted
        return value.span.text if value.kind == "int" and "$" not in value.span.text else str(converted)

    def _fail(
        self, field: WordField, code: str, message: str, value: Value, help: str | None = None, fix: Fix | None = None
    ) -> None:
        self.failed.add(field.name)
        self.say(code, message, value.span, help, fix)

    def _choice(self, field: WordField, value: Value, text: str) -> str | None:
        if text in field.choices:
            return text
        close = foreign.meant(text, field.choices) or near(text, field.choices)
        option = self._named(value)
        otherwise = foreign.VALUES.get(text.lower()) or f"write {field.takes()}"
        help, fix = did_you_mean(close, value.span, otherwise)
        if option and not close:
            help, fix = f"name the option: {option}", Fix(value.span, option)
        message = f'no {field.word_kind} is called "{text}"' if field.word_kind else f'{field.name} cannot be "{text}"'
        self._fail(field, "E103", message, value, help, fix)
        return None


_NOT_THE_KIND = ("literal_error", "int_type", "tuple_type")
"""Errors of a value that another part of a union accepts."""


def _shown(value: Value) -> str:
    """Return a value as it is written, and what a formula gives."""
    text = value.span.text
    return f"{text}, which is {value.written()}" if "$(" in text or (value.kind == "number" and "$" in text) else text


def _of(given: Any) -> str:
    return "x".join(map(str, given)) if isinstance(given, tuple) else str(given)


def _in_words(subject: str, entry: Any, field: WordField | None) -> str:
    """Return a Pydantic error as a message."""
    context = entry.get("ctx", {})
    match entry["type"]:
        case "greater_than" if field is not None and "number" not in field.kinds:
            return f"{subject} must be {context['gt'] + 1:,} or more"
        case "greater_than":
            return f"{subject} must be more than {_number(context['gt'])}"
        case "greater_than_equal":
            return f"{subject} must be {_number(context['ge'])} or more"
        case "less_than":
            return f"{subject} must be less than {_number(context['lt'])}"
        case "less_than_equal":
            return f"{subject} must be {_number(context['le'])} or less"
        case "too_long":
            return f"{subject} has {context['max_length']} sizes at most"
        case "value_error":
            return f"{subject} {context['error']}"
        case "finite_number":
            return f"{subject} must be a finite number"
        case _:
            return f"{subject} cannot be {entry['input']}"


def _number(bound: float) -> str:
    return f"{int(bound):,}" if bound == int(bound) else f"{bound:g}"
