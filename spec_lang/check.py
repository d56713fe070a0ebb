"""Statements → a checked spec: settings bound and completed, the network elaborated, both held against each other."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from spec_lang import foreign
from spec_lang.bind import bind
from spec_lang.data import Data
from spec_lang.diagnostics import Diagnostic, near, one_of
from spec_lang.elaborate import Elaborator, substitute
from spec_lang.errors import SpecError
from spec_lang.include import with_includes
from spec_lang.initializers import He, Init
from spec_lang.losses import BinaryCrossEntropy, CrossEntropy, Loss, Mse
from spec_lang.optimizers import Adam, Optimizer
from spec_lang.overrides import Override, apply
from spec_lang.schedules import ConstantRate, Schedule
from spec_lang.shape import Shape
from spec_lang.source import Source, Span
from spec_lang.spec import Fork, Node, Spec
from spec_lang.syntax import Block, Call, Let, Pipeline, Statement, Sweep, Value, Variant
from spec_lang.training import Accuracy, EarlyStop, Input, Metric, Metrics, NetworkName, Rmse, Train
from spec_lang.word import Layer, Weighted, Word, layers, words

T = TypeVar("T")
D = TypeVar("D")

SECTIONS = ("data", "init", "loss", "optimizer", "schedule")
"""Statements that name a word of their own kind: `optimizer adam lr=0.01`."""


@dataclass
class Statements:
    """The statements of a spec by what they are; a later one of a kind replaces an earlier one from another layer of text."""

    settings: dict[str, Call] = field(default_factory=dict)
    network: Pipeline | None = None
    lets: dict[str, Let] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)
    variants: dict[str, Variant] = field(default_factory=dict)
    sweeps: dict[str, Sweep] = field(default_factory=dict)


def check(
    source: Source,
    overrides: Sequence[Override] = (),
    variant: str | None = None,
    input_shape: Sequence[int] | None = None,
    classes: int | None = None,
) -> Spec:
    """The spec that a text says, or SpecError with everything that is wrong with it.

    `overrides` are settings from outside (`--set`, `--data`, `--seed`), `variant` one of the spec's variants. `input_shape` and
    `classes` are what the data have turned out to be, where no line of the spec says so.
    """
    statements, found = with_includes(source)
    checker = _Checker(source, found)
    spec = checker.run(statements, overrides, variant, input_shape, classes)
    if checker.found or spec is None:
        raise SpecError(in_order(checker.found, source))
    return spec


def in_order(found: Iterable[Diagnostic], source: Source) -> list[Diagnostic]:
    """Diagnostics by place, those of the source itself first, each once."""
    once = dict.fromkeys(found)
    return sorted(once, key=lambda d: (d.span.source is not source, d.span.source.name, d.span.start, d.code))


class _Checker:
    """One check of one spec; `found` collects what is wrong."""

    def __init__(self, source: Source, found: list[Diagnostic]):
        self.source = source
        self.found = list(found)

    def run(
        self,
        statements: Sequence[Sequence[Statement]],
        overrides: Sequence[Override],
        variant: str | None,
        input_shape: Sequence[int] | None,
        classes: int | None,
    ) -> Spec | None:
        known = Statements()
        for layer in statements:  # included texts first: what follows replaces their statements of the same kind
            self._collect(layer, known)
        self._check_variants(known)
        if variant is not None:
            self._choose(variant, known)
        self.found += apply(overrides, known, SECTIONS)
        settings = self._settings(known)
        data = settings.get("data")
        given = settings.get("input")
        shape = self._input_shape(given, data, input_shape, known)
        elaborator = Elaborator(known.blocks, shape)
        network: tuple[Node | Fork, ...] = ()
        last: Layer | None = None
        if known.network is not None:
            network, last = elaborator.network(known.network, {name: let.value for name, let in known.lets.items()})
            self.found += elaborator.found
            if last is None and not self.found:
                self._say("E304", "the network has no layer", known.network.span)
        elif not self.found:
            help = "write the layers, as in conv 3x3 x8 -> maxpool 2 -> dense 10 softmax"
            self._say("E304", "the spec has no network", Span(self.source, 0, 1), help)
        if last is None or any(d.severity == "error" for d in self.found):
            return None
        return self._complete(settings, known, shape, network, last, variant, classes)

    def _collect(self, statements: Sequence[Statement], known: Statements) -> None:
        """Sort the statements of one text by what they are; one kind twice in it is an error."""
        seen: dict[str, Span] = {}

        def once(kind: str, span: Span) -> bool:
            if kind in seen:
                line, _ = seen[kind].source.place(seen[kind].start)
                self._say("E107", f"{kind} is given a second time", span, f"it stands in line {line} already; keep one of them")
                return False
            seen[kind] = span
            return True

        for statement in statements:
            match statement:
                case Let() if once(f"let {statement.name}", statement.span):
                    known.lets[statement.name] = statement
                case Block() if once(f"block {statement.name}", statement.span):
                    known.blocks[statement.name] = statement
                case Variant() if once(f"variant {statement.name}", statement.span):
                    known.variants[statement.name] = statement
                case Sweep() if once(f"sweep {statement.key}", statement.span):
                    known.sweeps[statement.key] = statement
                case Pipeline():
                    self._pipeline(statement, known, once)

    def _pipeline(self, pipeline: Pipeline, known: Statements, once: object) -> None:
        assert callable(once)
        first = pipeline.stages[0]
        if isinstance(first, Call) and first.label is None and self._is_setting(first, known, len(pipeline.stages)):
            if once(first.word, first.span):
                known.settings[first.word] = first
            rest = pipeline.stages[1:]
            if rest and first.word == "input":
                pipeline = Pipeline(rest, rest[0].span.to(rest[-1].span))
            else:
                if rest:
                    self._say("E002", f"{first.word} is a statement of its own", rest[0].span, "end the line before the arrow")
                return
        if once("the network", pipeline.span):
            known.network = pipeline

    def _is_setting(self, call: Call, known: Statements, stages: int) -> bool:
        """Whether a line's first word is a setting, or most likely meant to be one."""
        if call.word in words("setting") or call.word in SECTIONS:
            return True
        if call.word in layers() or call.word in known.blocks or call.word == "skip" or stages > 1:
            return False
        names = [*words("setting"), *SECTIONS]
        every = [*names, *layers(), *known.blocks, "let", "block", "variant", "include", "sweep", "repeat"]
        meant = foreign.WORDS.get(call.word.lower(), near(call.word, every))
        if call.word.lower() in every:
            meant = call.word.lower()
        help = f"did you mean {meant}?" if meant else "a line begins with a layer or a setting"
        self._say("E101", f'no layer or statement is called "{call.word}"', call.word_span, help)
        return True

    def _choose(self, variant: str, known: Statements) -> None:
        chosen = known.variants.get(variant)
        if chosen is None:
            close = near(variant, known.variants)
            listed = f"it has {one_of(known.variants)}" if known.variants else "it has none"
            span = Span(Source("--variant", variant), 0, len(variant))
            self._say("E108", f'the spec has no variant "{variant}"', span, f"did you mean {close}?" if close else listed)
            return
        self._collect(chosen.statements, known)

    def _check_variants(self, known: Statements) -> None:
        """Bind every variant's settings, so that a mistake in one that is not chosen is told too."""
        for variant in known.variants.values():
            inside = Statements(lets=dict(known.lets), blocks=dict(known.blocks))
            self._collect(variant.statements, inside)
            self._settings(inside)

    def _settings(self, known: Statements) -> dict[str, Word]:
        """Every setting as its word; what does not bind is told and left out."""
        bound: dict[str, Word] = {}
        for name, call in known.settings.items():
            word = self._setting(call, {let.name: let.value for let in known.lets.values()})
            if word is not None:
                bound[name] = word
        return bound

    def _setting(self, call: Call, variables: Mapping[str, Value]) -> Word | None:
        arguments = substitute(call.arguments, variables)
        if call.word not in words("setting") and call.word not in SECTIONS:
            return None  # told when it was met
        if call.word not in SECTIONS:
            word, found = bind(words("setting")[call.word], arguments, call.span)
            self.found += found
            return word
        names = words(call.word)
        chosen = next((a for a in arguments if isinstance(a, Value) and a.kind == "name"), None)
        if chosen is None:
            self._say("E105", f"{call.word} needs a name", call.span, f"write {one_of(names)}")
            return None
        cls = names.get(str(chosen.value))
        if cls is None:
            meant = foreign.WORDS.get(str(chosen.value).lower())
            close = meant if meant in names else near(str(chosen.value), names)
            help = f"did you mean {close}?" if close else f"write {one_of(names)}"
            self._say("E103", f'no {call.word} is called "{chosen.value}"', chosen.span, help)
            return None
        word, found = bind(cls, [a for a in arguments if a is not chosen], call.span)
        self.found += found
        return word

    def _input_shape(
        self, given: Word | None, data: Word | None, found: Sequence[int] | None, known: Statements
    ) -> Shape | None:
        shape = None
        if isinstance(given, Input):
            shape = Shape(given.shape)
        known_shape = found if found is not None else data.shape if isinstance(data, Data) else None
        if shape is not None and known_shape is not None and not _same_sample(shape, known_shape):
            span = known.settings["input"].span
            message = f"input is {shape}, and a sample of the data is {Shape(known_shape)}"
            self._say("E301", message, span, f"write input {Shape(known_shape)}, or leave the line out")
        if shape is None and known_shape is not None:
            shape = Shape(known_shape)
        return shape

    def _complete(
        self,
        settings: dict[str, Word],
        known: Statements,
        shape: Shape | None,
        network: tuple[Node | Fork, ...],
        last: Layer,
        variant: str | None,
        classes: int | None,
    ) -> Spec | None:
        """The spec with its defaults, if the ends meet: the last layer, the loss and the data."""
        data = settings.get("data")
        assert data is None or isinstance(data, Data)
        head = last.activation if isinstance(last, Weighted) else last.word
        loss = settings.get("loss") or _loss_for(head)
        assert isinstance(loss, Loss)
        metrics = self._metrics(settings.get("metrics"), known, head, loss)
        name = settings.get("network")
        spec = Spec(
            name=name.name if isinstance(name, NetworkName) else _name_of(self.source),
            source=self.source,
            input=shape,
            network=network,
            data=data,
            init=_typed(settings.get("init"), Init, He()),
            loss=loss,
            optimizer=_typed(settings.get("optimizer"), Optimizer, Adam()),
            schedule=_typed(settings.get("schedule"), Schedule, ConstantRate()),
            train=_typed(settings.get("train"), Train, Train()),
            early_stop=_typed(settings.get("early_stop"), EarlyStop, None),
            metrics=metrics,
            variant=variant,
        )
        end = known.network.stages[-1].span if known.network is not None else Span(self.source, 0, 1)
        place = known.settings["loss"].span if "loss" in known.settings else end
        if loss.head is not None and head != loss.head:
            message = f"{loss.word} needs a network that ends in {loss.head}, this one ends in {head}"
            fitting = _loss_for(head).word
            self._say("E303", message, place, f"end the last layer in {loss.head}, or write loss {fitting}")
        self._check_classes(spec, data, classes, end)
        self._check_memory(spec, end)
        return spec

    def _check_classes(self, spec: Spec, data: Data | None, classes: int | None, end: Span) -> None:
        classes = classes if classes is not None else data.classes if data is not None else None
        output = spec.output_shape
        if classes is None or output is None:
            return
        source = data.word if data is not None else "the data"
        if spec.loss.classes and output[-1:] != (classes,):
            message = f"the network ends in {output[-1]} outputs, {source} has {classes} classes"
            self._say("E303", message, end, f"write dense {classes} softmax as the last layer")
        elif not spec.loss.classes and spec.loss.word != "binary_cross_entropy" and output[-1:] != (classes,):
            message = f"the loss {spec.loss.word} compares numbers, and {source} has {classes} classes"
            self._say("E303", message, end, f"write dense {classes} softmax as the last layer")

    def _check_memory(self, spec: Spec, end: Span) -> None:
        needed, there = spec.memory_bytes(), physical_memory()
        if needed > there:
            largest = max(spec.nodes, key=lambda node: max(sum(p.size for p in node.parameters().values()), node.output_shape.size))
            message = f"training this network takes at least {in_bytes(needed)}, this machine has {in_bytes(there)}"
            notes = (f"{largest.name} alone has {sum(p.size for p in largest.parameters().values()):,} parameters.",)
            self.found.append(Diagnostic("E401", message, largest.span, notes, "make it smaller, or the batch"))

    def _metrics(self, setting: Word | None, known: Statements, head: str, loss: Loss) -> tuple[Metric, ...]:
        if not isinstance(setting, Metrics):
            return (Accuracy(),) if loss.classes or head == "sigmoid" else (Rmse(),)
        chosen: list[Metric] = []
        for value in known.settings["metrics"].arguments:
            cls = words("metric").get(str(value.value)) if isinstance(value, Value) else None
            if cls is None:
                close = near(str(getattr(value, "value", "")), words("metric"))
                help = f"did you mean {close}?" if close else f"write {one_of(words('metric'))}"
                self._say("E103", "no such metric", value.span, help)
                continue
            metric = cls()
            assert isinstance(metric, Metric)
            chosen.append(metric)
        return tuple(chosen)

    def _say(self, code: str, message: str, span: Span, help: str | None = None) -> None:
        self.found.append(Diagnostic(code, message, span, help=help))


def _typed(word: Word | None, cls: type[T], default: D) -> T | D:
    return word if isinstance(word, cls) else default


def _same_sample(given: Shape, known: Sequence[int]) -> bool:
    """Whether an input line and the data mean one shape: 28x28 is 28x28x1, and a row of pixels is an image's."""
    def trimmed(shape: Sequence[int]) -> tuple[int, ...]:
        return tuple(shape[:-1]) if len(shape) == 3 and shape[-1] == 1 else tuple(shape)

    return trimmed(given) == trimmed(known) or (len(given) == 1 and given.size == Shape(known).size)


def _loss_for(head: str) -> Loss:
    """The loss that belongs to a last activation."""
    return next((cls() for cls in (CrossEntropy, BinaryCrossEntropy) if cls.head == head), Mse())


def _name_of(source: Source) -> str:
    stem = os.path.basename(source.name).removesuffix(".nnspec")
    name = "".join(c if c.isalnum() or c in "_-" else "_" for c in stem)
    return name if source.folder is not None and name.strip("_") else "network"


def physical_memory() -> int:
    """Bytes of memory this machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def in_bytes(count: float) -> str:
    """A number of bytes as people say it: 1.2 GB."""
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.0f} PB"
