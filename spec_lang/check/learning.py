"""The names of layers that from, freeze and rate give, against the layers of the network."""

from collections.abc import Iterator, Mapping

from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.report.diagnostics import Diagnostic, did_you_mean, near, one_of
from nnspec.spec_lang.syntax.tree import Argument, Call, Option, Value
from nnspec.spec_lang.vocabulary.fine_tuning import Freeze, From, Rate, layers_named

MOST_LISTED = 12
"""The most layers that a help lists."""


def misfits(spec: Spec, calls: Mapping[str, Call]) -> Iterator[Diagnostic]:
    """Yield the errors of the lines `from`, `freeze` and `rate`; `calls` are all statements but the network."""
    names = [name for name, _ in spec.outline]
    learning = {node.name for node in spec.nodes if node.layer.parameters(node.input_shape)}
    known = learning if spec.nodes else set(names)
    rated: dict[str, Value] = {}
    for call in calls.values():
        if call.word not in (Freeze.word, Rate.word, From.word):
            continue
        for value in _named(call):
            if not isinstance(value, Value) or value.kind not in ("name", "text"):
                continue
            layers = layers_named(str(value.value), names)
            found = _unknown(value, layers, names, known) or (
                _again(value, [layer for layer in layers if layer in known], rated, spec)
                if call.word == Rate.word
                else None
            )
            if found is not None:
                yield found
                return
    if spec.nodes and learning and learning <= spec.frozen:
        message = "every layer that learns is frozen, and training would change nothing"
        yield Diagnostic("E303", message, calls[Freeze.word].span, help="leave out the layers that are to learn")


def _named(call: Call) -> Iterator[Argument]:
    """Yield the names of layers in a line: its values, or those of `only=`."""
    if call.word != From.word:
        yield from call.arguments
        return
    for argument in call.arguments:
        if isinstance(argument, Option) and argument.name == "only":
            yield from argument.values


def _unknown(value: Value, layers: list[str], names: list[str], known: set[str]) -> Diagnostic | None:
    """Return the error of a name that means no layer, or none that learns."""
    if any(layer in known for layer in layers):
        return None
    written = str(value.value)
    learn = [name for name in names if name in known]
    if not layers:
        scopes = {name[:at] for name in names for at, sign in enumerate(name) if sign == "/"}
        help, fix = did_you_mean(near(written, [*names, *scopes]), value.span, _listed(learn))
        what = "no layer begins with" if written.endswith("*") else "no layer is called"
        return Diagnostic("E103", f'{what} "{written.removesuffix("*")}"', value.span, help=help, fix=fix)
    return Diagnostic("E303", f"{written} has nothing that learns", value.span, help=_listed(learn))


def _again(value: Value, layers: list[str], rated: dict[str, Value], spec: Spec) -> Diagnostic | None:
    """Return the error of a layer that has a rate already, or is frozen."""
    for layer in layers:
        if layer in rated:
            help = f"leave one of them out: {rated[layer].value} has it"
            return Diagnostic("E106", f"{layer} has a rate already", value.span, help=help)
        rated[layer] = value
    if layers and spec.frozen.issuperset(layers):
        message = f"{value.value} is frozen, and a rate of a layer that does not learn does nothing"
        return Diagnostic("E303", message, value.span, help="leave it out of freeze, or leave the rate out")
    return None


def _listed(names: list[str]) -> str:
    more = f" or one of {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
    return f"write {one_of(names[:MOST_LISTED])}{more}" if names else "leave the line out: no layer learns"
