"""A call's arguments → the fields of its word. One binder serves every word of the language."""

import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from nnspec.spec_lang.report import other_spellings as foreign
from nnspec.spec_lang.report.diagnostics import Diagnostic, Fix, did_you_mean, near, one_of
from nnspec.spec_lang.source import Span
from nnspec.spec_lang.syntax.grammar import LARGEST
from nnspec.spec_lang.syntax.tree import Argument, Option, Value
from nnspec.spec_lang.vocabulary.markers import Bare, Chosen, marker
from nnspec.spec_lang.vocabulary.registry import SECTIONS, Word, words

W = TypeVar("W", bound=Word)

TRUTH = {"yes": True, "no": False, "true": True, "false": False, "on": True, "off": False}

_KINDS_OF: dict[Any, set[str]] = {int: {"int"}, float: {"int", "number"}, bool: {"bool"}, str: {"name", "text"}}
_KINDS_IN: dict[Any, set[str]] = {int: {"size", "int"}, float: {"ratio"}, str: {"name"}}
_IN_WORDS = {
    "size": "a size such as 3x3",
    "count": "a count such as x8",
    "ratio": "shares such as 75/25",
    "int": "a whole number",
    "number": "a number",
    "text": 'a text in "quotes"',
    "name": "a name",
    "bool": "yes or no",
}


@dataclass(frozen=True)
class Slot:
    """A field of a word as the language sees it.

    `kinds` are the kinds of value it takes, `choices` the names it may be, words of the kind `chosen` where that is
    given; `bare` is what marks it as a value without a name; it `collects` where several names make one value.
    `meaning` says in a few words what it is.
    """

    name: str
    kinds: frozenset[str]
    choices: tuple[str, ...]
    chosen: str | None
    bare: Bare | None
    collects: bool
    required: bool
    meaning: str

    def takes(self) -> str:
        """What may be written, in words."""
        kinds = {"int"} if {"int", "size"} <= self.kinds and not self.bare else self.kinds
        kinds = kinds - {"int"} if "number" in kinds else kinds
        plain = [words for kind, words in _IN_WORDS.items() if kind in kinds and not (kind == "name" and self.choices)]
        return one_of(dict.fromkeys([*self.choices, *plain]))


@cache
def slots(cls: type[Word]) -> dict[str, Slot]:
    """A word's fields in the order in which they are written: values without a name, then options."""
    made = [_slot(name, info) for name, info in cls.fields().items()]
    return {slot.name: slot for slot in sorted(made, key=lambda slot: slot.bare is None)}


def _slot(name: str, info: FieldInfo) -> Slot:
    bare, chosen = marker(info, Bare), marker(info, Chosen)
    choices = tuple(words(chosen.kind)) if chosen else tuple(_literals(info.annotation))
    kinds = frozenset(_kinds(info.annotation) | set(bare.kinds if bare else ()))
    collects = bare is not None and "name" in bare.kinds and get_origin(info.annotation) is tuple
    described = info.description or ""
    return Slot(name, kinds, choices, chosen.kind if chosen else None, bare, collects, info.is_required(), described)


def _kinds(annotation: Any) -> set[str]:
    """The kinds of value that an annotation takes."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return set().union(*map(_kinds, arguments))
    if hasattr(annotation, "__metadata__"):
        return _kinds(annotation.__origin__)
    if origin is tuple:
        inner = arguments[0].__origin__ if hasattr(arguments[0], "__metadata__") else arguments[0]
        return _KINDS_IN[inner]
    return {"name"} if origin is Literal else _KINDS_OF.get(annotation, set())


def _literals(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return [str(choice) for choice in get_args(annotation)]
    return [
        choice for part in get_args(annotation) for choice in _literals(part) if get_origin(annotation) is not tuple
    ]


def bind(
    cls: type[W], arguments: Iterable[Argument], span: Span, word_span: Span | None = None
) -> tuple[W | None, list[Diagnostic]]:
    """The word with these arguments, or None and what is wrong with them, each at its place.

    Bare values go to the first free field of their kind, options by name. `span` is the place of the whole call,
    `word_span` that of its word alone.
    """
    binding = _Binding(cls, span, word_span)
    for argument in arguments:
        if isinstance(argument, Option):
            binding.option(argument)
        else:
            binding.bare(argument)
    binding.require()
    word = binding.made()
    return (None if binding.found else word), binding.found


def field_of(cls: type[Word], arguments: Sequence[Argument]) -> Mapping[int, str]:
    """Which field each argument fills, by the argument's position; what has no place is left out."""
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
    """The arguments of one call, while they are given to fields."""

    def __init__(self, cls: type[Word], span: Span, word_span: Span | None = None):
        self.cls = cls
        self.span = span
        self.word_span = word_span
        self.slots = slots(cls)
        self.values: dict[str, Any] = {}
        self.failed: set[str] = set()
        self.spans: dict[str, Span] = {}
        self.found: list[Diagnostic] = []

    def say(self, code: str, message: str, span: Span, help: str | None = None, fix: Fix | None = None) -> None:
        """One more thing that is wrong."""
        self.found.append(Diagnostic(code, message, span, help=help, fix=fix))

    def place(self, value: Value) -> str | None:
        """The field that a bare value fills."""
        return next((s.name for s in self._fitting(value) if s.name not in self.values or s.collects), None)

    def _fitting(self, value: Value) -> list[Slot]:
        return [slot for slot in self.slots.values() if slot.bare and value.kind in slot.bare.kinds]

    def bare(self, value: Value) -> None:
        """Give a bare value to its field."""
        name = self.place(value)
        free = [slot for slot in self.slots.values() if slot.bare and slot.name not in self.values]
        if name is not None:
            slot = self.slots[name]
            converted = self._convert(slot, value)
            if slot.collects and converted in self.values.get(name, ()):
                self.say("E106", f"{converted} is given twice", value.span, "leave one of them out")
            self.values[name] = (*self.values.get(name, ()), converted) if slot.collects else converted
            self.spans.setdefault(name, value.span)
        elif value.kind == "int" and any(slot.bare and slot.bare.kinds == ("count",) for slot in free):
            count = f"x{value.span.text}"
            message, advice = (
                f"{self.cls.word} has no use for a second number",
                f"a number of filters is written {count}",
            )
            self.say("E104", message, value.span, advice, Fix(value.span, count))
        elif fitting := self._fitting(value):
            names = one_of(slot.name for slot in fitting)
            self.say("E106", f"{self.cls.word} has its {names} already", value.span, "leave one of them out")
        elif value.kind in ("size", "count", "number") and (whole := self._whole(free)):
            written = value.span.text
            number = written[1:] if value.kind == "count" and written[1:].isdigit() else None
            help, fix = (f"write {number}", Fix(value.span, number)) if number else (None, None)
            message = f"{self.cls.word} takes a whole number as its {whole}, not {written}"
            self.say("E201", message, value.span, help, fix)
        else:
            self.say("E104", f"{self.cls.word} has no use for {value.span.text}", value.span, *self._use(value))

    def _whole(self, free: Sequence[Slot]) -> str | None:
        """The first free field of a whole number."""
        return next((slot.name for slot in free if slot.bare and "int" in slot.bare.kinds), None)

    def _use(self, value: Value) -> tuple[str | None, Fix | None]:
        """What to write in place of a value that has no place."""
        if (
            value.kind == "name"
            and (option := foreign.option_meant(str(value.value), self.slots) or value.value) in self.slots
        ):
            return f"{option} is an option: write {option}=…", None
        if option := self._named(value):
            return f"name the option: {option}", Fix(value.span, option)
        if self.cls.word in foreign.LAYERS_WITH_ARGUMENTS:
            help, fix = did_you_mean(foreign.LAYERS_WITH_ARGUMENTS[self.cls.word], self.word_span or self.span)
            return help, fix if self.word_span else None
        if self.cls.examples:
            return f"write {self.cls.examples[0]}", None
        options = [slot.name for slot in self.slots.values() if value.kind in slot.kinds]
        return f"name the option that it is for: {options[0]}={value.span.text}" if options else None, None

    def _named(self, value: Value) -> str | None:
        """A name that an option has among its own, as that option."""
        options = [slot.name for slot in self.slots.values() if not slot.bare and value.value in slot.choices]
        return f"{options[0]}={value.span.text}" if options and value.kind == "name" else None

    def option(self, option: Option) -> None:
        """Give an option to the field of its name."""
        slot = self.slots.get(option.name)
        if slot is None or slot.bare:
            message = f'{self.cls.word} has no option "{option.name}"'
            self.say("E102", message, option.name_span, *self._instead(option))
        elif slot.name in self.values:
            self.say("E106", f"{slot.name} is given twice", option.span, "leave one of them out")
        elif len(option.values) > 1:
            self.say("E201", f"{slot.name} takes one value", option.span)
        else:
            self.spans[slot.name] = option.values[0].span
            self.values[slot.name] = self._convert(slot, option.values[0])

    def _instead(self, option: Option) -> tuple[str | None, Fix | None]:
        """What this language writes for an option that the word does not have."""
        name, written = option.name.lower(), option.values[0].span.text
        known = option.name if option.name in self.slots else foreign.option_meant(option.name, self.slots)
        if known is not None and (bare := self.slots[known].bare):
            value = option.values[0]
            shown = f"x{written}" if bare.kinds == ("count",) and value.kind == "int" else written
            return f"write {shown} in place of {option.span.text}", Fix(option.span, shown)
        if known is not None:
            return f"here it is called {known}: write {known}={written}", Fix(option.name_span, known)
        if name in foreign.LENGTHS and "length" in self.slots:
            length = f"{written} {foreign.LENGTHS[name]}"
            return f"write {length} in place of {option.span.text}", Fix(option.span, length)
        if name in foreign.ELSEWHERE:
            return foreign.ELSEWHERE[name], None
        options = [slot.name for slot in self.slots.values() if not slot.bare]
        if close := near(option.name, options):
            return did_you_mean(close, option.name_span)
        if home := self._home(name):
            return home.format(value=written), None
        return f"it has {one_of(options)}" if options else "it has no options", None

    def _home(self, name: str) -> str | None:
        """The other word of its kind that has an option of this name."""
        for word, cls in words(self.cls.kind).items():
            known = name if name in slots(cls) else foreign.option_meant(name, slots(cls))
            if known is not None:
                statement = f"{cls.kind} " if cls.kind in SECTIONS else ""
                return f"{word} has it: write {statement}{word} … {known}={{value}}"
        return None

    def require(self) -> None:
        """Tell which arguments are missing."""
        for slot in self.slots.values():
            if slot.required and slot.name not in self.values and not self.found:
                needed = f"its {slot.name}, such as {slot.bare.example}" if slot.bare else f"{slot.name}=…"
                help = f"write {self.cls.examples[0]}" if self.cls.examples else None
                self.say("E105", f"{self.cls.word} needs {needed}", self.span, help)

    def made(self) -> Any:
        """The word, or None after telling which values are out of their ranges."""
        try:
            return self.cls(**{name: value for name, value in self.values.items() if name not in self.failed})
        except ValidationError as error:
            told = set(self.failed)
            entries = error.errors(include_url=False)
            for entry in sorted(
                entries, key=lambda entry: entry["type"] == "literal_error"
            ):  # the other half of a union
                name = str(entry["loc"][0]) if entry["loc"] else self.cls.word
                if name not in told and entry["type"] != "missing":
                    told.add(name)
                    subject = (
                        f"each number of {name}" if len(entry["loc"]) > 1 and entry["loc"][1] in range(9) else name
                    )
                    self.say("E202", _in_words(subject, entry, self.slots.get(name)), self.spans.get(name, self.span))
            return None

    def _convert(self, slot: Slot, value: Value) -> Any:
        """The Python value for a field, or None after telling what is wrong with it."""
        text = str(value.value)
        if value.kind == "name" and "bool" in slot.kinds and text.lower() in TRUTH:
            return TRUTH[text.lower()]
        if value.kind == "name" and slot.choices:
            return self._choice(slot, value, text)
        if value.kind not in slot.kinds - {"bool"} or value.kind == "variable":
            self._fail(slot, "E201", f"{slot.name} cannot be {value.span.text}", value, f"write {slot.takes()}")
            return None
        numbers = value.value if isinstance(value.value, tuple) else (value.value,)
        if any(isinstance(number, int) and abs(number) > LARGEST for number in numbers):
            self._fail(slot, "E202", f"{slot.name} must be {LARGEST:,} or less", value)
            return None
        return numbers if value.kind == "int" and "size" in slot.kinds else value.value

    def _fail(
        self, slot: Slot, code: str, message: str, value: Value, help: str | None = None, fix: Fix | None = None
    ) -> None:
        self.failed.add(slot.name)
        self.say(code, message, value.span, help, fix)

    def _choice(self, slot: Slot, value: Value, text: str) -> str | None:
        if text in slot.choices:
            return text
        close = foreign.meant(text, slot.choices) or near(text, slot.choices)
        option = self._named(value)
        help, fix = did_you_mean(close, value.span, f"write {one_of(slot.choices)}")
        if option and not close:
            help, fix = f"name the option: {option}", Fix(value.span, option)
        message = f'no {slot.chosen} is called "{text}"' if slot.chosen else f'{slot.name} cannot be "{text}"'
        self._fail(slot, "E103", message, value, help, fix)
        return None


def _in_words(subject: str, entry: Any, slot: Slot | None) -> str:
    """Pydantic's finding in the language's own words."""
    context = entry.get("ctx", {})
    match entry["type"]:
        case "greater_than" if slot is not None and "number" not in slot.kinds:
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
