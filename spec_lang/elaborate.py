"""Pipelines → layers in their places: variables looked up, blocks and repeats written out, names given, shapes walked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from spec_lang import foreign
from spec_lang.bind import bind
from spec_lang.diagnostics import Diagnostic, near, one_of
from spec_lang.layers.merge import Merge
from spec_lang.shape import Misfit, Shape
from spec_lang.source import Span
from spec_lang.spec import INPUT, Fork, Node
from spec_lang.syntax import Block, Call, Group, Option, Pipeline, Repeat, Stage, Value
from spec_lang.word import Layer, layers, words

MOST_LAYERS = 10_000
DEEPEST_BLOCKS = 64


@dataclass
class Scope:
    """The names that hold where a pipeline stands, and how many layers of each kind it has so far."""

    variables: Mapping[str, Value]
    prefix: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    taken: dict[str, Span] = field(default_factory=dict)
    depth: int = 0


@dataclass
class _Flow:
    """Where the walk stands: the node last passed, its shape (None once unknown), and the way here for the errors."""

    node: str
    shape: Shape | None
    trail: tuple[str, ...]


class Elaborator:
    """One walk over a network. `found` collects what was wrong; after a misfit the shapes behind it are not judged."""

    def __init__(self, blocks: Mapping[str, Block], input_shape: Shape | None):
        self.blocks = blocks
        self.input_shape = input_shape
        self.found: list[Diagnostic] = []
        self.count = 0
        self.last: Layer | None = None

    def network(self, pipeline: Pipeline, variables: Mapping[str, Value]) -> tuple[tuple[Node | Fork, ...], Layer | None]:
        """The layers in their places, and the last one even where no shape is known."""
        shape = self.input_shape
        flow = _Flow(INPUT, shape, (str(shape),) if shape is not None else ())
        items, _ = self._pipeline(pipeline, Scope(variables), flow)
        return items, self.last

    def _pipeline(self, pipeline: Pipeline, scope: Scope, flow: _Flow) -> tuple[tuple[Node | Fork, ...], _Flow]:
        items: list[Node | Fork] = []
        for stage in pipeline.stages:
            if self.count > MOST_LAYERS:
                break
            more, flow = self._stage(stage, scope, flow)
            items += more
        return tuple(items), flow

    def _stage(self, stage: Stage, scope: Scope, flow: _Flow) -> tuple[Sequence[Node | Fork], _Flow]:
        match stage:
            case Group(branches=(only,), label=None):
                return self._pipeline(only, scope, flow)
            case Group():
                return self._group(stage, scope, flow)
            case Repeat():
                return self._repeat(stage, scope, flow)
            case Call(word="skip", arguments=()):
                return (), flow
            case Call() if stage.word in self.blocks:
                return self._block(stage, scope, flow)
            case _:
                return self._layer(stage, scope, flow)

    def _layer(self, call: Call, scope: Scope, flow: _Flow) -> tuple[Sequence[Node], _Flow]:
        self.count += 1
        if self.count > MOST_LAYERS:
            self._say("E003", f"the network has more than {MOST_LAYERS:,} layers", call.span)
            return (), flow
        cls = layers().get(call.word)
        if cls is None:
            self._unknown(call)
            return (), replace(flow, shape=None)
        layer, found = bind(cls, substitute(call.arguments, scope.variables), call.span)
        self.found += found
        name = self._name(call.label, call.word, scope, call.span)
        if layer is None:
            return (), replace(flow, shape=None)
        assert isinstance(layer, Layer)
        self.last = layer
        return self._place(name, layer, (flow,), call.span)

    def _place(self, name: str, layer: Layer, flows: Sequence[_Flow], span: Span) -> tuple[Sequence[Node], _Flow]:
        """The layer behind these flows, if their shapes are known and fit."""
        trail = flows[0].trail
        shapes = [flow.shape for flow in flows if flow.shape is not None]
        if len(shapes) < len(flows):
            return (), _Flow(name, None, trail)
        text = " ".join(span.source.text[span.start : span.end].split())
        try:
            output = layer.merged_shape(shapes) if isinstance(layer, Merge) else layer.output_shape(shapes[0])
            node = Node(name, layer, tuple(flow.node for flow in flows), tuple(shapes), output, span)
            node.parameters()
        except Misfit as misfit:
            notes = (str(misfit), " · ".join(trail))
            what = "the branches do not fit each other" if isinstance(layer, Merge) else _misfit_title(layer)
            self.found.append(Diagnostic("E301", what, span, notes, misfit.help))
            return (), _Flow(name, None, trail)
        shown = text if len(text) <= 60 else f"{text[:57]}..."
        return (node,), _Flow(name, output, (*trail, shown, str(output)))

    def _group(self, group: Group, scope: Scope, flow: _Flow) -> tuple[Sequence[Node | Fork], _Flow]:
        inner = scope
        if group.label is not None:
            name = self._name(group.label, group.label, scope, group.span)
            inner = Scope(scope.variables, f"{name}/", depth=scope.depth)
        if group.join is None:
            return self._pipeline(group.branches[0], inner, flow)
        walked = [self._pipeline(branch, inner, flow) for branch in group.branches]
        cls = words("merge")[group.join]
        merge = cls()
        assert isinstance(merge, Merge)
        name = self._name(None, {"+": "add", "|": "concatenate"}[group.join], inner, group.span)
        nodes, after = self._place(name, merge, [end for _, end in walked], group.span)
        if not nodes:
            return (), after
        return (Fork(tuple(items for items, _ in walked), nodes[0]),), after

    def _repeat(self, repeat: Repeat, scope: Scope, flow: _Flow) -> tuple[Sequence[Node | Fork], _Flow]:
        count = substitute((repeat.count,), scope.variables)[0]
        if not isinstance(count, Value) or count.kind != "int" or not isinstance(count.value, int):
            self._say("E201", "repeat takes a whole number", repeat.count.span, "write repeat 3 ( … )")
            return (), replace(flow, shape=None)
        if count.value < 1:
            self._say("E202", "repeat must be 1 or more", repeat.count.span)
        items: list[Node | Fork] = []
        for _ in range(count.value):
            errors = len(self.found)
            more, flow = self._stage(replace(repeat.body, label=repeat.label), scope, flow)
            items += more
            if self.count > MOST_LAYERS or len(self.found) > errors:
                break  # one telling of a mistake is enough
        return items, flow

    def _block(self, call: Call, scope: Scope, flow: _Flow) -> tuple[Sequence[Node | Fork], _Flow]:
        block = self.blocks[call.word]
        arguments = substitute(call.arguments, scope.variables)
        values = [argument for argument in arguments if isinstance(argument, Value)]
        named = {o.name: o.values[0] for o in arguments if isinstance(o, Option)}
        free = [parameter for parameter in block.parameters if parameter not in named]
        if len(values) != len(free) or set(named) - set(block.parameters):
            takes = one_of(block.parameters).replace(" or ", " and ") if block.parameters else "no arguments"
            self._say("E104" if len(values) > len(free) else "E105", f"{call.word} takes {takes}", call.span)
            return (), replace(flow, shape=None)
        if scope.depth >= DEEPEST_BLOCKS:
            self._say("E003", f"blocks inside blocks, more than {DEEPEST_BLOCKS} deep: does {call.word} use itself?", call.span)
            self.count = MOST_LAYERS + 1
            return (), replace(flow, shape=None)
        name = self._name(call.label, call.word, scope, call.span)
        variables = {**scope.variables, **dict(zip(free, values, strict=True)), **named}
        return self._pipeline(block.body, Scope(variables, f"{name}/", depth=scope.depth + 1), flow)

    def _name(self, label: str | None, kind: str, scope: Scope, span: Span) -> str:
        """The label a layer was given, or its kind and a number; both behind the names of the blocks around it."""
        if label is not None and label not in scope.taken:
            scope.taken[label] = span
            return scope.prefix + label
        if label is not None and scope.taken[label] != span:
            self._say("E107", f'another layer is called "{label}" already', span, "give each layer a name of its own")
        kind = label or kind
        while True:  # the first of a kind has the number 1; a label's first use has none
            scope.counts[kind] = scope.counts.get(kind, 1 if label else 0) + 1
            name = f"{kind}{scope.counts[kind]}"
            if name not in scope.taken:
                scope.taken[name] = span
                return scope.prefix + name

    def _unknown(self, call: Call) -> None:
        known = [*layers(), *self.blocks]
        meant = foreign.WORDS.get(call.word.lower())
        close = meant if meant in known else near(call.word, known)
        if call.word.lower() in known:
            close = call.word.lower()
        help = f"did you mean {close}?" if close else None
        self._say("E101", f'no layer is called "{call.word}"', call.word_span, help)

    def _say(self, code: str, message: str, span: Span, help: str | None = None) -> None:
        self.found.append(Diagnostic(code, message, span, help=help))


def _misfit_title(layer: Layer) -> str:
    return "the window does not fit" if hasattr(layer, "window") else f"{layer.word} does not fit here"


def substitute(arguments: Sequence[Value | Option], variables: Mapping[str, Value]) -> tuple[Value | Option, ...]:
    """The arguments with each `$name` replaced by its value, at the place where it is used; `x$w` of a whole number is a count."""

    def value(v: Value) -> Value:
        if v.kind != "variable" or str(v.value) not in variables:
            return v
        meant = variables[str(v.value)]
        counted = v.span.source.text[v.span.start] == "x" and meant.kind == "int"
        return Value("count" if counted else meant.kind, meant.value, v.span)

    return tuple(
        value(a) if isinstance(a, Value) else replace(a, values=tuple(map(value, a.values))) for a in arguments
    )
