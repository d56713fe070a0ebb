"""A checked spec as text again, with every default filled in: it means the same and needs nothing from outside."""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from nnspec.spec_lang.check.spec import Fork, Node, Spec
from nnspec.spec_lang.syntax.grammar import is_name, names_layers
from nnspec.spec_lang.vocabulary.fields import WordField, fields_of
from nnspec.spec_lang.vocabulary.layers.merge import Merge
from nnspec.spec_lang.vocabulary.registry import Word
from nnspec.spec_lang.vocabulary.summary import known_words

_KEPT = "canonical text"
"""What the text is kept under in a spec: no name of a field, so that neither equality nor `replace` sees it."""


def canonical_text(spec: Spec) -> str:
    """The whole spec of one run, each setting with all its options; checking this text gives an equal spec.

    Blocks and repeats are expanded under their names, so that weights keep theirs. A variant and sweeps are applied.
    The spec keeps its text, since every checkpoint of a run has it.
    """
    kept: dict[str, str] = vars(spec)
    if _KEPT not in kept:
        kept[_KEPT] = _text(spec, written)
    return kept[_KEPT]


def short_text(spec: Spec) -> str:
    """The same without the options that have their defaults: an option that the language gets later changes no text."""
    return _text(spec, in_short)


def _text(spec: Spec, write: Callable[[Word], str]) -> str:
    """Return the text of a spec, each word as `write` writes it."""
    lines = [f"network {spec.name}"]
    if spec.input is not None:
        lines.append(f"input {spec.input.written()}")
    lines += ["", _pipeline(spec.network, "", write), ""]
    for word in (spec.data, spec.init, spec.loss, spec.optimizer, spec.schedule):
        if word is not None:
            lines.append(f"{word.kind} {write(word)}")
    if spec.augment is not None:
        lines.append(write(spec.augment))
    lines.append(write(spec.train))
    lines += [write(word) for word in (spec.begins, spec.freeze, *spec.rates) if word is not None]
    lines += [write(word) for word in (spec.ema, spec.weights, spec.early_stop) if word is not None]
    lines.append(f"metrics {metrics_text(spec, write)}")
    lines += [f"expect {expectation}" for expectation in spec.expectations]
    from nnspec.spec_lang.syntax.formatter import format_source

    return format_source("\n".join(lines), known_words())


def metrics_text(spec: Spec, write: Callable[[Word], str]) -> str:
    """Return the metrics of a spec as its statement has them: accuracy, f1 average=micro training=yes.

    An option is that of every metric that has it.
    """
    options = dict.fromkeys(option for metric in spec.metrics for option in write(metric).split()[1:])
    training = ("training=yes",) if spec.training_metrics else ()
    return " ".join((", ".join(metric.word for metric in spec.metrics), *options, *training))


def _pipeline(items: Iterable[Node | Fork], prefix: str, write: Callable[[Word], str]) -> str:
    """Return the pipeline of items under a prefix; those under a longer prefix are a named group."""
    stages: list[str] = []
    for scope, inside in scoped(items, prefix):
        if scope is None:
            stages += [_item(item, prefix, write) for item in inside]
        else:
            stages.append(f"{scope}: ({_pipeline(inside, f'{prefix}{scope}/', write)})")
    return " -> ".join(stages) or "skip"


def scoped(items: Iterable[Node | Fork], prefix: str) -> Iterator[tuple[str | None, list[Node | Fork]]]:
    """Yield consecutive items under a prefix with the name of the block or group that they are in, or None."""
    for scope, inside in groupby(items, lambda item: _scope(item, prefix)):
        yield scope, list(inside)


def _scope(item: Node | Fork, prefix: str) -> str | None:
    """Return the part of an item's name after the prefix, if another part follows it."""
    name = (item.merge if isinstance(item, Fork) else item).name
    first, slash, _ = name.removeprefix(prefix).partition("/")
    return first if slash else None


def _item(item: Node | Fork, prefix: str, write: Callable[[Word], str]) -> str:
    if isinstance(item, Fork):
        sign = f" {item.merge.layer.word} "
        return f"({sign.join(_pipeline(branch, prefix, write) for branch in item.branches)})"
    assert not isinstance(item.layer, Merge)
    return f"{item.name.removeprefix(prefix)}: {write(item.layer)}"


def written(word: Word) -> str:
    """Return a word with all its arguments in the syntax of the language."""
    parts = [word.word]
    for field in fields_of(type(word)).values():
        value = word.argument(field.name)
        if value is not None and value != ():
            text = field_text(field, value)
            parts.append(text if field.bare else f"{field.name}={text}")
    return " ".join(parts)


def in_short(word: Word) -> str:
    """Return a word with the arguments that differ from the defaults."""
    parts = [word.word]
    fields = type(word).fields()
    for field in fields_of(type(word)).values():
        value = word.argument(field.name)
        if value is not None and (field.required or value != fields[field.name].get_default()):
            text = field_text(field, value)
            parts.append(text if field.bare else f"{field.name}={text}")
    return " ".join(parts)


def field_text(field: WordField, value: object) -> str:
    """Return the value of a field in the syntax of the language."""
    if field.several and isinstance(value, tuple):
        return ", ".join(written_value(one) for one in value)
    return written_value(value, field.bare.kinds if field.bare else ())


def written_value(value: object, kinds: tuple[str, ...] = ()) -> str:
    """Return a value in the syntax of the language; `kinds` are those of its field if that has no name in specs."""
    match value:
        case bool():
            return "yes" if value else "no"
        case tuple() if value and isinstance(value[0], float):
            return "/".join(map(_number, value))
        case tuple() if value and isinstance(value[0], str):
            return ", ".join(name if names_layers(name) else f'"{name}"' for name in value)
        case tuple() if kinds == ("int",):
            return " ".join(map(str, value))
        case tuple():
            return "x".join(map(str, value))
        case int() if kinds == ("count",):
            return f"x{value}"
        case float():
            return _number(value)
        case str() if "text" in kinds or not is_name(value):
            return f'"{value}"'
        case _:
            return str(value)


def _number(value: float) -> str:
    """Return the shortest text that parses to the number: 0.1, 1e-8, 10."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(value).replace("e-0", "e-")
