"""The differences in meaning between two specs: settings, layers, shapes and parameters."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from nnspec.spec_lang.check.canonical_text import field_text, in_short, metrics_text, written
from nnspec.spec_lang.check.spec import Node, Spec
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.fields import WordField, fields_of
from nnspec.spec_lang.vocabulary.registry import SECTIONS, Word

What = Literal["setting", "layer", "connection", "shape", "parameters", "run"]


@dataclass(frozen=True)
class Difference:
    """One difference: its name and the value in each spec, None in a spec that does not have it."""

    what: What
    name: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.name}: only in the second, {self.after}"
        if self.after is None:
            return f"{self.name}: only in the first, {self.before}"
        return f"{self.name}: {self.before} → {self.after}"

    def as_json(self) -> dict[str, object]:
        """Return the fields by name."""
        return {"what": self.what, "name": self.name, "before": self.before, "after": self.after}


def spec_differences(first: Spec, second: Spec) -> tuple[Difference, ...]:
    """Return all differences in meaning, settings first.

    Layers are compared only by their arguments if one of the specs leaves the shape of a sample to its data.
    """
    return (*_settings(first, second), *_layers(first, second))


def counterparts(first: Spec, second: Spec) -> dict[str, str]:
    """Return the layers that both specs have: each name in the first with the name in the second."""
    return {a.name: b.name for a, b in _pairs(_places(first), _places(second)) if a is not None and b is not None}


def differences_text(found: Iterable[Difference]) -> str:
    """Return one line for each difference, grouped by `what`."""
    headings = {
        "setting": "settings",
        "layer": "layers",
        "connection": "connections",
        "shape": "shapes",
        "parameters": "parameters",
        "run": "runs",
    }
    rows: list[str] = []
    for difference in found:
        heading = f"{headings[difference.what]}:"
        if heading not in rows:
            rows.append(heading)
        rows.append(f"  {difference}")
    return "\n".join(rows)


def _settings(first: Spec, second: Spec) -> Iterator[Difference]:
    if first.name != second.name:
        yield Difference("setting", "network", first.name, second.name)
    if first.input is not None and second.input is not None and first.input.written() != second.input.written():
        yield Difference("setting", "input", first.input.written(), second.input.written())
    for name in (*SECTIONS, "augment", "train", "freeze", "ema", "weights", "early_stop"):
        yield from _words("setting", name, getattr(first, name), getattr(second, name))
    yield from _words("setting", "from", first.begins, second.begins)
    rates = [", ".join(written(rate) for rate in spec.rates) or None for spec in (first, second)]
    if rates[0] != rates[1]:
        yield Difference("setting", "rate", *rates)
    measured = [metrics_text(spec, in_short) for spec in (first, second)]
    if measured[0] != measured[1]:
        yield Difference("setting", "metrics", *measured)
    expected = [", ".join(map(str, spec.expectations)) or None for spec in (first, second)]
    if expected[0] != expected[1]:
        yield Difference("setting", "expect", *expected)


def _words(what: What, name: str, first: Word | None, second: Word | None) -> Iterator[Difference]:
    """Compare two settings or layers: option by option if they are the same word, else as a whole."""
    if first == second and type(first) is type(second):
        return
    if first is None or second is None or type(first) is not type(second):
        yield Difference(what, name, written(first) if first else None, written(second) if second else None)
        return
    for field in fields_of(type(first)).values():
        before, after = (word.argument(field.name) for word in (first, second))
        if before != after:
            yield Difference(what, f"{name}.{field.name}", _shown(before, field), _shown(after, field))


def _shown(value: object, field: WordField) -> str:
    return "none" if value is None else field_text(field, value)


@dataclass(frozen=True)
class _Place:
    """A layer in one of the specs."""

    name: str
    layer: Layer
    node: Node | None


def _layers(first: Spec, second: Spec) -> Iterator[Difference]:
    """Match layers in order, equal ones first, then those of one kind at corresponding positions; compare them."""
    before, after = _places(first), _places(second)
    pairs = list(_pairs(before, after))
    names = {a.name: b.name for a, b in pairs if a is not None and b is not None}
    for a, b in pairs:
        if a is not None and b is None:
            yield Difference("layer", a.name, written(a.layer), None)
        elif b is not None and a is None:
            yield Difference("layer", b.name, None, written(b.layer))
        elif a is not None and b is not None:
            if a.name != b.name:
                yield Difference("layer", a.name, a.name, b.name)
            yield from _words("layer", a.name, a.layer, b.layer)
    matched = [(a, b) for a, b in pairs if a is not None and b is not None]
    yield from _connections(matched, names)
    for a, b in matched:
        if a.node and b.node and tuple(a.node.output_shape) != tuple(b.node.output_shape):
            yield Difference("shape", a.name, str(a.node.output_shape), str(b.node.output_shape))
    if first.nodes and second.nodes and first.parameter_count != second.parameter_count:
        yield Difference("parameters", "all", f"{first.parameter_count:,}", f"{second.parameter_count:,}")


def _places(spec: Spec) -> list[_Place]:
    nodes = {node.name: node for node in spec.nodes}
    return [_Place(name, layer, nodes.get(name)) for name, layer in spec.outline]


def _pairs(before: Sequence[_Place], after: Sequence[_Place]) -> Iterator[tuple[_Place | None, _Place | None]]:
    said = [[written(place.layer) for place in places] for places in (before, after)]
    for _, a, b, c, d in SequenceMatcher(None, said[0], said[1], autojunk=False).get_opcodes():
        left, right = list(before[a:b]), list(after[c:d])
        while left and right:
            if left[0].layer.word == right[0].layer.word:
                yield left.pop(0), right.pop(0)
            elif any(place.layer.word == left[0].layer.word for place in right):
                yield None, right.pop(0)
            else:
                yield left.pop(0), None
        yield from ((place, None) for place in left)
        yield from ((None, place) for place in right)


def _connections(matched: Iterable[tuple[_Place, _Place]], names: Mapping[str, str]) -> Iterator[Difference]:
    """Yield layers whose inputs differ from those of their counterparts."""
    for a, b in matched:
        if a.node is not None and b.node is not None:
            before = [names.get(name, name) for name in a.node.inputs]
            if before != list(b.node.inputs):
                yield Difference(
                    "connection", a.name, f"from {', '.join(a.node.inputs)}", f"from {', '.join(b.node.inputs)}"
                )
