"""A call's arguments → the fields of its word. One binder serves every word of the language."""

import types
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from spec_lang import foreign
from spec_lang.diagnostics import Diagnostic, near, one_of
from spec_lang.source import Span
from spec_lang.syntax import Option, Value
from spec_lang.word import Bare, Chosen, Word, marker, words

W = TypeVar("W", bound=Word)

_TRUTH = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
_KIND_IN_WORDS = {
    "size": "a size such as 3x3",
    "count": "a count such as x8",
    "ratio": "shares such as 75/25",
    "int": "a whole number",
    "number": "a number",
    "text": 'a text in "quotes"',
    "name": "a name",
    "bool": "yes or no",
}


@dataclass
class _Binding:
    """The arguments of one call, while they are given to fields."""

    cls: type[Word]
    span: Span
    values: dict[str, Any] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    found: list[Diagnostic] = field(default_factory=list)

    def say(self, code: str, message: str, span: Span, help: str | None = None) -> None:
        self.found.append(Diagnostic(code, message, span, help=help))


def bind(cls: type[W], arguments: Iterable[Value | Option], span: Span) -> tuple[W | None, list[Diagnostic]]:
    """The word with these arguments, or None and what is wrong with them, each at its place.

    Bare values go to the first free field of their kind, options by name. `span` is the place of the whole call.
    """
    binding = _Binding(cls, span)
    for argument in arguments:
        if isinstance(argument, Option):
            _option(binding, argument)
        else:
            _bare(binding, argument)
    for name, info in cls.fields().items():
        if info.is_required() and name not in binding.values and not binding.found:
            bare = marker(info, Bare)
            example = bare.example if bare else f"{name}=…"
            help = f"write {cls.examples[0]}" if cls.examples else None
            binding.say("E105", f"{cls.word} needs its {_words(name)}, such as {example}", span, help)
    if binding.found:
        return None, binding.found
    try:
        return cls(**binding.values), []
    except ValidationError as error:
        for entry in error.errors():
            name = str(entry["loc"][0]) if entry["loc"] else ""
            binding.say("E202", _in_words(name, entry), binding.spans.get(name, span))
        return None, binding.found


def _bare(binding: _Binding, value: Value) -> None:
    fitting = [(name, bare) for name, bare in binding.cls.bare_fields() if value.kind in bare.kinds]
    if not fitting and value.kind == "size" and any("int" in bare.kinds for _, bare in binding.cls.bare_fields()):
        binding.say("E201", f"{binding.cls.word} takes one number here, not a size", value.span)
        return
    for name, _ in fitting:
        collects = get_origin(binding.cls.model_fields[name].annotation) is tuple and value.kind == "name"
        if name not in binding.values or collects:
            converted = _convert(binding, name, value)
            if converted is not None:
                binding.values[name] = (*binding.values.get(name, ()), converted) if collects else converted
            else:
                binding.values.setdefault(name, None)
            binding.spans[name] = value.span
            return
    text = value.span.source.text[value.span.start : value.span.end]
    if fitting:
        names = one_of(f'"{_words(name)}"' for name, _ in fitting)
        binding.say("E106", f"{binding.cls.word} has its {names} already", value.span, "leave one of them out")
        return
    binding.say("E104", f"{binding.cls.word} has no use for {text}", value.span, _usage(binding.cls, value))


def _usage(cls: type[Word], value: Value) -> str | None:
    numeric = [name for name in cls.model_fields if value.kind in _option_kinds(cls.model_fields[name])]
    if value.kind in ("int", "number") and any(bare.kinds == ("count",) for _, bare in cls.bare_fields()):
        return f"a number of filters is written x{value.value}"
    if cls.examples:
        return f"write {cls.examples[0]}"
    if numeric:
        return f"name the option it is meant for: {numeric[0]}=…"
    return None


def _option(binding: _Binding, option: Option) -> None:
    fields = binding.cls.model_fields
    if option.name not in fields:
        other = foreign.OPTIONS.get(option.name.lower())
        if other in fields:
            help: str | None = f"here it is called {other}"
        elif option.name.lower() in foreign.ARGUMENTS and any(True for _ in binding.cls.bare_fields()):
            help = foreign.ARGUMENTS[option.name.lower()]
        else:
            close = near(option.name, fields)
            options = [name for name in fields if marker(fields[name], Bare) is None]
            listed = f"it has {one_of(options)}" if options else "it has no options"
            help = f"did you mean {close}?" if close else listed
        binding.say("E102", f'{binding.cls.word} has no option "{option.name}"', option.name_span, help)
        return
    if option.name in binding.values:
        binding.say("E106", f"{_words(option.name)} is given twice", option.span, "leave one of them out")
        return
    if len(option.values) > 1 and get_origin(fields[option.name].annotation) is not tuple:
        binding.say("E201", f"{option.name} takes one value", option.span)
        return
    converted = [_convert(binding, option.name, value) for value in option.values]
    binding.spans[option.name] = option.values[0].span.to(option.values[-1].span)
    binding.values[option.name] = tuple(converted) if len(converted) > 1 else converted[0]


def _convert(binding: _Binding, name: str, value: Value) -> Any:
    """The Python value for a field, or None after saying what is wrong with it."""
    info = binding.cls.model_fields[name]
    kinds = _option_kinds(info)
    bare = marker(info, Bare)
    kinds |= set(bare.kinds) if bare else set()
    if value.kind == "variable":
        binding.say("E103", f'no let gives "${value.value}" a value', value.span, f"write let {value.value} = … above")
        return None
    chosen = marker(info, Chosen)
    if chosen is not None:
        return _chosen(binding, name, value, words(chosen.kind))
    choices = _literals(info.annotation)
    if value.kind == "name" and choices and not (kinds & {"bool"}):
        return _chosen(binding, name, value, choices)
    if value.kind == "name" and "bool" in kinds and str(value.value).lower() in _TRUTH:
        return _TRUTH[str(value.value).lower()]
    if value.kind not in kinds - {"bool"}:
        wanted = [*choices, *(_KIND_IN_WORDS[k] for k in _KIND_IN_WORDS if k in kinds and not (k == "name" and choices))]
        text = value.span.source.text[value.span.start : value.span.end]
        binding.say("E201", f"{_words(name)} cannot be {text}", value.span, f"write {one_of(dict.fromkeys(wanted))}")
        return None
    if value.kind == "int" and bare is not None and "size" in bare.kinds:
        return (value.value,)
    return value.value


def _chosen(binding: _Binding, name: str, value: Value, names: Iterable[str]) -> str | None:
    word, known = str(value.value), list(names)
    if word in known:
        return word
    close = foreign.WORDS.get(word.lower())
    close = close if close in known else near(word, known)
    help = f"did you mean {close}?" if close else f"write {one_of(known)}"
    binding.say("E103", f'"{word}" is no {_words(name)}', value.span, help)
    return None


def _option_kinds(info: FieldInfo) -> set[str]:
    """The kinds of value that a field takes, from its annotation."""
    found: set[str] = set()
    pending = [info.annotation]
    while pending:
        annotation: Any = pending.pop()
        origin = get_origin(annotation)
        if origin in (Union, types.UnionType):
            pending += get_args(annotation)
        elif origin is tuple:
            found |= {int: {"size", "int"}, float: {"ratio"}, str: {"name"}}[get_args(annotation)[0]]
        elif origin is Literal:
            found.add("name")
        elif hasattr(annotation, "__metadata__"):
            pending.append(annotation.__origin__)
        else:
            found |= {int: {"int"}, float: {"int", "number"}, bool: {"bool"}, str: {"name", "text"}}.get(annotation, set())
    return found


def _literals(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return [str(choice) for choice in get_args(annotation)]
    return [choice for part in get_args(annotation) for choice in _literals(part) if get_origin(annotation) is not tuple]


def _words(name: str) -> str:
    return name.replace("_", " ") if name not in ("lr",) else "lr"


def _in_words(name: str, entry: Any) -> str:
    """Pydantic's finding in the language's own words."""
    context = entry.get("ctx", {})
    subject = _words(name)
    match entry["type"]:
        case "greater_than":
            bound = context["gt"]
            whole = isinstance(entry["input"], int) and bound == int(bound)
            return f"{subject} must be {int(bound) + 1} or more" if whole else f"{subject} must be more than {bound:g}"
        case "greater_than_equal":
            return f"{subject} must be {context['ge']:g} or more"
        case "less_than":
            return f"{subject} must be less than {context['lt']:,g}"
        case "less_than_equal":
            return f"{subject} must be {context['le']:,g} or less"
        case "value_error":
            return f"{subject} {context['error']}"
        case "finite_number":
            return f"{subject} must be a finite number"
        case _:
            return f"{subject} cannot be {entry['input']}"
