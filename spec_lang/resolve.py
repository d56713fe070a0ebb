"""A checked spec as text again, with every default filled in: it means the same and needs nothing from outside."""

from collections.abc import Iterable

from spec_lang.layers.merge import Merge
from spec_lang.spec import Fork, Node, Spec
from spec_lang.word import Bare, Word, marker


def resolved(spec: Spec) -> str:
    """The whole spec, each setting with all its options. Checking this text gives an equal spec."""
    lines = [f"network {spec.name}"]
    if spec.input is not None:
        lines.append(f"input {spec.input}")
    lines += ["", _pipeline(spec.network, "\n  -> "), ""]
    for word in (spec.data, spec.init, spec.loss, spec.optimizer, spec.schedule):
        if word is not None:
            lines.append(f"{word.kind} {written(word)}")
    lines.append(written(spec.train))
    if spec.early_stop is not None:
        lines.append(written(spec.early_stop))
    lines.append(f"metrics {', '.join(metric.word for metric in spec.metrics)}")
    return "\n".join(lines) + "\n"


def _pipeline(items: Iterable[Node | Fork], arrow: str = " -> ") -> str:
    return arrow.join(_item(item) for item in items) or "skip"


def _item(item: Node | Fork) -> str:
    if isinstance(item, Fork):
        sign = f" {item.merge.layer.word} "
        return f"({sign.join(_pipeline(branch) for branch in item.branches)})"
    assert not isinstance(item.layer, Merge)
    return f"{item.name}: {written(item.layer)}"


def written(word: Word) -> str:
    """A word and all its arguments, as the language writes them."""
    parts = [word.word]
    for name, info in type(word).fields().items():
        value = getattr(word, name)
        if value is None:
            continue
        bare = marker(info, Bare)
        text = _value(value, bare.kinds if bare else ())
        parts.append(text if bare else f"{name}={text}")
    return " ".join(parts)


def _value(value: object, kinds: tuple[str, ...]) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case tuple() if value and isinstance(value[0], float):
            return "/".join(f"{share:g}" for share in value)
        case tuple() if value and isinstance(value[0], str):
            return ", ".join(value)
        case tuple():
            return "x".join(map(str, value))
        case int() if kinds == ("count",):
            return f"x{value}"
        case str() if "text" in kinds or not value.isidentifier():
            return f'"{value}"'
        case _:
            return repr(value) if isinstance(value, float) else str(value)
