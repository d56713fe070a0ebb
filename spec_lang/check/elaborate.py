"""Pipelines → named layers with shapes: variables, blocks and repeats are expanded."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from nnspec.spec_lang.check.bind import bind, fields_filled
from nnspec.spec_lang.check.block_arguments import block_arguments
from nnspec.spec_lang.check.collect import Statements, Variables, substitute
from nnspec.spec_lang.check.expansion import Budget, Elaborated, Flow, Items, Passage, Scope
from nnspec.spec_lang.check.layer_names import Names
from nnspec.spec_lang.check.meant import as_meant, used_in
from nnspec.spec_lang.check.shape_history import ShapeStep
from nnspec.spec_lang.check.spec import INPUT, Fork, Node, flat
from nnspec.spec_lang.check.ties import Ties, found_name, tied, unknown_layer
from nnspec.spec_lang.limits import MAX_LAYERS, MAX_NESTING, MAX_STAGES
from nnspec.spec_lang.report import other_spellings as foreign
from nnspec.spec_lang.report.diagnostics import Diagnostic, Findings, Fix, Trace, did_you_mean, near
from nnspec.spec_lang.source import Span
from nnspec.spec_lang.syntax.tree import Argument, Call, Group, Option, Pipeline, Repeat, Stage, Value
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.layers.merge import Merge
from nnspec.spec_lang.vocabulary.registry import Word, layers, statements, words
from nnspec.spec_lang.vocabulary.shape import Misfit, Shape


class Elaborator:
    """Expands a network. Shapes after a layer that does not fit are not checked.

    Each expansion of a stage is appended to `passages`, if that is given. `outputs` is the number of outputs that the
    data need before an activation, None where it is not known.
    """

    def __init__(
        self,
        known: Statements,
        variables: Variables,
        found: Findings,
        budget: Budget,
        passages: list[Passage] | None = None,
        outputs: Callable[[str], int | None] = lambda last: None,
    ):
        self.outputs = outputs
        self.open = False  # whether the number of outputs is not known yet
        self.known = known
        self.variables = variables
        self.found = found
        self.budget = budget
        self.passages = passages
        self.outline: list[tuple[str, Layer]] = []
        self.whole = True
        self.full = False
        self._placed: dict[str, Node] = {}
        self._bound: dict[object, Layer] = {}
        self._unknown_words: set[str] = set()
        self._reported: set[tuple[str, str, Span]] = set()

    def network(self, pipeline: Pipeline, shape: Shape | None) -> Elaborated:
        """Return the expanded network; without the shape of a sample only its outline."""
        flow = Flow(INPUT, shape, ShapeStep(str(shape)) if shape is not None else None)
        items, end = self._pipeline(pipeline, Scope(self.variables, Names(), last=True), flow)
        last = self.outline[-1][1] if self.outline and self.outline[-1][0] == end.node else None
        return Elaborated(tuple(items) if self.whole and not self.open else (), self.outline, last)

    def _pipeline(self, pipeline: Pipeline, scope: Scope, flow: Flow) -> tuple[Items, Flow]:
        items: Items = []
        ending, before = None, scope
        if scope.last:
            ending, activation = _ending(pipeline)
            before, scope = replace(scope, last=False), replace(scope, activation=scope.activation or activation)
        for stage in pipeline.stages:
            self.budget.stages -= 1
            if self.budget.spent():
                self._too_large(f"more than {MAX_STAGES:,} parts once everything is written out", stage.span, scope)
            if self.full:
                break
            more, after = self._stage(stage, scope if stage is ending else before, flow)
            if self.passages is not None:
                self.passages.append(Passage(stage.span, flow.shape, after.shape, tuple(flat(more))))
            flow = after
            items += more
        return items, flow

    def _stage(self, stage: Stage, scope: Scope, flow: Flow) -> tuple[Items, Flow]:
        if not isinstance(stage, Call):
            if scope.depth >= MAX_NESTING:
                self._too_deep(stage.span, scope)
                return [], flow
            if isinstance(stage, Repeat):
                return self._repeat(stage, scope, flow)  # its parentheses are a group, which adds the level
            return self._group(stage, replace(scope, depth=scope.depth + 1), flow)
        if stage.word.startswith("$"):
            return self._chosen(stage, scope, flow)
        if stage.word == "skip":
            return [], self._skip(stage, scope, flow)
        if stage.word in self.known.blocks:
            return self._block(stage, scope, flow)
        return self._layer(stage, scope, flow)

    def _chosen(self, call: Call, scope: Scope, flow: Flow) -> tuple[Items, Flow]:
        """Expand a stage whose word is the value of a variable, such as an activation that a block is given."""
        done = self._substituted((Value("variable", call.word[1:], call.span),), scope)
        value = done[0] if done else None
        if isinstance(value, Value) and value.kind == "name":
            return self._stage(replace(call, word=str(value.value)), scope, flow)
        if isinstance(value, Value):
            message = f"a stage is a layer, and {call.word} is {value.written()}"
            self._say(scope, "E201", message, call.span, f"give {call.word[1:]} the name of a layer, such as relu")
        self.whole = False
        return [], flow.lost()

    def _skip(self, call: Call, scope: Scope, flow: Flow) -> Flow:
        if call.arguments or call.label is not None:
            what = "arguments" if call.arguments else "name"
            self._say(scope, "E104", f"skip is the input itself and takes no {what}", call.span, "write skip")
        return flow

    def _layer(self, call: Call, scope: Scope, flow: Flow) -> tuple[Items, Flow]:
        if len(self.outline) >= MAX_LAYERS:
            self._too_large(f"the network has more than {MAX_LAYERS:,} layers", call.span, scope)
            return [], flow
        cls = layers().get(call.word)
        if cls is None or f"block {call.word}" in self.known.broken:
            self._unknown(call, scope)
            return [], flow.lost()
        name = self._name(call.label, call.word, scope, call.span)
        arguments = self._substituted(call.arguments, scope)
        unknown = arguments is not None and self._leaves_out(cls, arguments)
        if unknown and arguments is not None:
            arguments = self._counted(cls, arguments, call, scope)
        layer = self._bind(cls, arguments, call, scope) if arguments is not None else None
        if layer is not None and unknown:
            count = self.outputs(scope.activation or layer.ends_in)
            layer = layer.model_copy(update={str(layer.outputs_field): count})
            if count is None:
                self.open = True
                self.outline.append((name, layer))
                return [], flow.lost(name)
        if layer is None:
            self.whole = False
            return [], flow.lost()
        if layer.tied_to is not None:
            found = found_name(layer.tied_to, scope.names.prefix, dict(self.outline))
            if found is None:
                self.whole = False
                place = next(a.values[0].span for a in arguments or () if isinstance(a, Option) and a.name == "as")
                self._report(unknown_layer(layer.tied_to, dict(self.outline), place), scope)
                return [], flow.lost()
            layer = layer.model_copy(update={"as_": found})
        return self._place(name, layer, [flow], call.span, scope, _option_in(arguments or ()))

    def _leaves_out(self, cls: type[Word], arguments: Sequence[Argument]) -> bool:
        """Return whether a layer is without its number of outputs, and may be."""
        counted = cls.outputs_field if issubclass(cls, Layer) else None
        values = [argument for argument in arguments if isinstance(argument, Value)]
        misfits = any(value.span.text not in words("activation") for value in values)
        return counted is not None and not misfits and counted not in fields_filled(cls, arguments).values()

    def _counted(
        self, cls: type[Word], arguments: Sequence[Argument], call: Call, scope: Scope
    ) -> Sequence[Argument] | None:
        """Return the arguments of a layer with 1 in place of the number of outputs that the data need.

        Return None after reporting that the layer does not end the network.
        """
        if scope.last:
            return (Value("int", 1, call.span), *arguments)
        found = bind(cls, arguments, call.span, call.word_span)[1]
        if found and found[0].code == "E105":
            message = f"{found[0].message}: only the last layer takes it from the data"
            found = [replace(found[0], message=message)]
        for finding in found:
            self._report(used_in(as_meant(finding, call.span, self.known, line=False), call.span), scope)
        return None

    def _bind(self, cls: type, arguments: Sequence[Argument], call: Call, scope: Scope) -> Layer | None:
        """Return the layer of a call, from a cache if an equal call was bound before."""
        said = [(a.kind, a.value) if isinstance(a, Value) else (a.name, [v[:2] for v in a.values]) for a in arguments]
        key = (cls, repr(said))
        if key not in self._bound:
            layer, found = bind(cls, arguments, call.span, call.word_span)
            if found:
                self._report(used_in(as_meant(found[0], call.span, self.known, line=False), call.span), scope)
            if not isinstance(layer, Layer):
                return None
            self._bound[key] = layer
        return self._bound[key]

    def _place(
        self,
        name: str,
        layer: Layer,
        flows: Sequence[Flow],
        span: Span,
        scope: Scope,
        option: Span | None = None,
    ) -> tuple[Items, Flow]:
        """Add a layer after these flows, if their shapes are known and fit; `option` gives one of its values."""
        self.outline.append((name, layer))
        shapes = [flow.shape for flow in flows if flow.shape is not None]
        way = flows[0].way
        if len(shapes) < len(flows):
            return [], flows[0].lost(name)
        try:
            layer = layer.completed(shapes[0])
            output = layer.merged_shape(shapes)
            owner = self._placed.get(layer.tied_to or "")
            ties: Ties = tied(layer, shapes[0], owner) if owner is not None else {}
            node = Node(name, layer, tuple([flow.node for flow in flows]), tuple(shapes), output, span, ties)
            node.parameters()
            self._placed[name] = node
        except Misfit as misfit:
            self.whole = False
            notes = (str(misfit), way.as_text() if way is not None else "")
            title = misfit.title or f"{layer.word} does not fit here"
            self._report(used_in(Diagnostic("E301", title, option or span, notes, misfit.help), span), scope)
            return [], flows[0].lost(name)
        self._warn(layer, shapes[0], way, span, scope)
        return [node], Flow(name, output, ShapeStep(str(output), span, way, scope.variables))

    def _warn(self, layer: Layer, shape: Shape, way: ShapeStep | None, span: Span, scope: Scope) -> None:
        """Report a layer that reads a shape in one of two ways."""
        doubt = layer.doubt(shape)
        if doubt is not None:
            message = f"{layer.word} reads {shape} as an image with one channel"
            notes = (doubt, way.as_text() if way is not None else "")
            help = f"write the shape as {shape}x1 for an image, or as {shape} sequence for time x features"
            self._report(Diagnostic("W301", message, span, notes, help, severity="warning"), scope)

    def _group(self, group: Group, scope: Scope, flow: Flow) -> tuple[Items, Flow]:
        if group.label is not None:
            name = self._name(group.label, group.label, scope, group.span)
            scope = replace(scope, names=Names(f"{name}/"))
        if group.join is None:
            return self._pipeline(group.branches[0], scope, flow)
        scope = replace(scope, last=False)
        walked = [self._pipeline(branch, scope, flow) for branch in group.branches]
        merge = words("merge")[group.join]()
        assert isinstance(merge, Merge)
        name = self._name(None, merge.called, scope, group.span)
        nodes, after = self._place(name, merge, [end for _, end in walked], group.span, scope)
        if not nodes:
            return [], after
        assert isinstance(nodes[0], Node)
        return [Fork(tuple([tuple(items) for items, _ in walked]), nodes[0])], after

    def _repeat(self, repeat: Repeat, scope: Scope, flow: Flow) -> tuple[Items, Flow]:
        count = (self._substituted((repeat.count,), scope) or (None,))[0]
        if not isinstance(count, Value) or not isinstance(count.value, int):
            if count is not None:
                given = (
                    f", not {count.written()}" if isinstance(count, Value) and "$(" in repeat.count.span.text else ""
                )
                self._say(
                    scope, "E201", f"repeat takes a whole number{given}", repeat.count.span, "write repeat 3 ( … )"
                )
            self.whole = False
            return [], flow.lost()
        if count.value < 1:
            self.whole = False
            self._say(scope, "E202", "repeat must be 1 or more", repeat.count.span, "write 1 or more")
            return [], flow.lost()
        items: Items = []
        body = Pipeline((replace(repeat.body, label=repeat.label),), repeat.body.span)
        head = Span(repeat.span.source, repeat.span.start, repeat.count.span.end)
        scope = replace(scope, last=False, repeated=scope.repeated or head)
        for _ in range(count.value):
            more, flow = self._pipeline(body, scope, flow)
            items += more
            if self.full or not self.whole:
                break  # the next copy would report the same error
        return items, flow

    def _block(self, call: Call, scope: Scope, flow: Flow) -> tuple[Items, Flow]:
        block = self.known.blocks[call.word]
        if block.name in scope.blocks:
            circle = " -> ".join((*scope.blocks[scope.blocks.index(block.name) :], block.name))
            self._too_large(f"the block {block.name} uses itself: {circle}", call.span, replace(scope, repeated=None))
            return [], flow
        if scope.depth >= MAX_NESTING:
            self._too_deep(call.span, scope)
            return [], flow
        name = self._name(call.label, call.word, scope, call.span)
        arguments = self._substituted(call.arguments, scope)
        given: dict[str, Value] | None = None
        if arguments is not None:
            defaults = {option.name: option.values[0] for option in block.defaults}
            given, finding = block_arguments(call, block.parameters, arguments, defaults)
            if finding is not None:
                self._report(finding, scope)
            given = self._with_defaults(given, defaults, scope) if given is not None else None
        if given is None:
            self.whole = False
            return [], flow.lost()
        inner = Scope(
            {**self.variables, **given} if given else self.variables,
            Names(f"{name}/"),
            scope.depth + 1,
            (*scope.blocks, block.name),
            scope.repeated,
            (Trace(f"block {block.name}", call.span), *scope.traces),
            scope.last,
            scope.activation,
        )
        return self._pipeline(block.body, inner, flow)

    def _with_defaults(
        self, given: dict[str, Value], defaults: Mapping[str, Value], scope: Scope
    ) -> dict[str, Value] | None:
        """Return the values of a block's parameters with the defaults of those left out; a default may use others."""
        for name, default in defaults.items():
            if name not in given:
                done = self._substituted((default,), replace(scope, variables={**self.variables, **given}))
                if done is None:
                    return None
                assert isinstance(done[0], Value)
                given = {**given, name: done[0]}
        return given

    def _substituted(self, arguments: Sequence[Argument], scope: Scope) -> Sequence[Argument] | None:
        values = (value for a in arguments for value in ((a,) if isinstance(a, Value) else a.values))
        if not any(value.kind in ("variable", "formula") for value in values):
            return arguments
        return substitute(arguments, scope.variables, self.known.broken, lambda found: self._report(found, scope))

    def _name(self, label: str | None, kind: str, scope: Scope, span: Span) -> str:
        """Return a layer's label, or its kind and a number, both prefixed by the names of the blocks around it."""
        if label is not None:
            name = scope.names.given(label, span)
            if name is not None:
                return name
            message = f'another layer is called "{label}" already'
            self._say(scope, "E107", message, span, "give each layer a name of its own")
        return scope.names.counted(kind, span)

    def _unknown(self, call: Call, scope: Scope) -> None:
        self.whole = False
        if f"block {call.word}" in self.known.broken:
            return
        if call.word in statements():
            message = f"{call.word} is a statement, not a layer"
            self._say(scope, "E101", message, call.word_span, "write it on a line of its own")
            return
        known: dict[str, object] = {**layers(), **self.known.blocks, "skip": None}
        close = foreign.meant(call.word, known, bool(call.arguments)) or near(call.word, known)
        if call.word in self._unknown_words and not _alike(call.word, close):
            return  # a block that is missing is missed once
        self._unknown_words.add(call.word)
        own = f"a block of your own is written block {call.word}(…) = … above"
        help, fix = did_you_mean(close, call.word_span, own)
        plain = Diagnostic("E101", f'no layer is called "{call.word}"', call.word_span, help=help, fix=fix)
        meant = as_meant(plain, call.span, self.known, line=False)
        if close is not None and not _alike(call.word, close) and not (meant.fix and meant.fix.sure):
            meant = replace(plain, help=f"did you mean {close}? If not, {own}", fix=None)
        self._report(meant, scope)

    def _too_deep(self, span: Span, scope: Scope) -> None:
        message = f"blocks and groups inside each other, more than {MAX_NESTING} levels deep"
        self._too_large(message, span, replace(scope, repeated=None))

    def _too_large(self, message: str, span: Span, scope: Scope) -> None:
        if not self.full and self.budget.reports:
            help = "repeat it less often" if scope.repeated is not None else None
            self._say(scope, "E003", message, scope.repeated or span, help)
        self.whole, self.full = False, True

    def _say(
        self, scope: Scope, code: str, message: str, span: Span, help: str | None = None, fix: Fix | None = None
    ) -> None:
        self._report(Diagnostic(code, message, span, help=help, fix=fix), scope)

    def _report(self, diagnostic: Diagnostic, scope: Scope) -> None:
        """Report a finding with the blocks around it; one in a block's body only at the first use of the block."""
        said = (diagnostic.code, diagnostic.message, diagnostic.span)
        if said not in self._reported:
            self._reported.add(said)
            self.found.add(replace(diagnostic, traces=scope.traces))


def _ending(pipeline: Pipeline) -> tuple[Stage | None, str | None]:
    """Return the stage whose outputs are those of a pipeline, the last that is not an activation, and the one after."""
    activations, after = words("activation"), None
    for stage in reversed(pipeline.stages):
        if not (isinstance(stage, Call) and stage.word in activations):
            return stage, after
        after = after or stage.word
    return None, after


def _alike(word: str, close: str | None) -> bool:
    """Return whether a word is beyond doubt another one, misspelled or in the spelling of another tool."""
    from difflib import SequenceMatcher

    from nnspec.spec_lang.syntax.misfits.names import SURE

    if close is None:
        return False
    return foreign.meant(word, (close,)) is not None or SequenceMatcher(None, word.lower(), close).ratio() >= SURE


def _option_in(arguments: Iterable[Argument]) -> Span | None:
    """Return the place of an argument's value in an option of the command, None if it has none."""
    spans = [value.span for a in arguments for value in ((a,) if isinstance(a, Value) else a.values)]
    return next((span for span in spans if span.source.option), None)
