"""The check of one set of statements: settings bound and completed, the network expanded, checks across both."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

from nnspec.spec_lang.check import cross_checks as ends
from nnspec.spec_lang.check import fit, learning
from nnspec.spec_lang.check.bind_settings import bind_settings
from nnspec.spec_lang.check.collect import Statements, let_values
from nnspec.spec_lang.check.elaborate import Elaborator
from nnspec.spec_lang.check.expansion import Budget, Elaborated, Passage
from nnspec.spec_lang.check.expectations import bind_expectations
from nnspec.spec_lang.check.metric_choice import chosen_metrics, unused_options
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.report.diagnostics import Findings
from nnspec.spec_lang.source import Source, Span
from nnspec.spec_lang.syntax.tree import Option
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.data import DataSource
from nnspec.spec_lang.vocabulary.fine_tuning import Freeze, From, Rate
from nnspec.spec_lang.vocabulary.given_arrays import GivenArrays
from nnspec.spec_lang.vocabulary.initializers import He, Init
from nnspec.spec_lang.vocabulary.losses import Loss
from nnspec.spec_lang.vocabulary.metrics import Metric
from nnspec.spec_lang.vocabulary.optimizers import Adam, Optimizer
from nnspec.spec_lang.vocabulary.schedules import ConstantRate, Schedule
from nnspec.spec_lang.vocabulary.shape import Shape, same_meaning
from nnspec.spec_lang.vocabulary.statements import (
    EarlyStop,
    Ema,
    Input,
    Metrics,
    NetworkName,
    Train,
    Weights,
)

if TYPE_CHECKING:
    from nnspec.spec_lang.check.sweeps import Swept
    from nnspec.spec_lang.vocabulary.augment import Augment

T = TypeVar("T")
D = TypeVar("D")


@dataclass(frozen=True)
class Outside:
    """What is known apart from the statements."""

    source: Source
    input_shape: Sequence[int] | None
    classes: int | None
    in_memory: bool = False
    outputs: int | None = None


class Examination:
    """The check of one set of statements."""

    def __init__(
        self,
        known: Statements,
        outside: Outside,
        found: Findings,
        budget: Budget,
        passages: list[Passage] | None = None,
    ):
        self.known = known
        self.outside = outside
        self.found = found
        self.variables = let_values(known, found)
        self.settings = bind_settings(known, self.variables, found)
        self.sweeps = self._sweeps()
        self.expectations = bind_expectations(known, self.variables, found)
        self.elaborator = Elaborator(known, self.variables, found, budget, passages, self._outputs)

    def _sweeps(self) -> "tuple[Swept, ...]":
        if not self.known.sweeps:
            return ()
        from nnspec.spec_lang.check.sweeps import read_sweeps

        return read_sweeps(self.known, self.variables, self.found)

    def spec(self, variant: str | None) -> Spec | None:
        """Return the spec with its defaults, or None after reporting why there is none."""
        shape = self._input()
        network = self._network(shape)
        if network is None or network.last is None:
            return None
        last = network.last.ends_in
        loss = self._loss(last)
        spec = Spec(
            name=self._name(),
            source=self.outside.source,
            input=shape,
            network=network.items,
            data=self._scaled_data(loss, network.outline),
            init=self._of(Init, "init", He()),
            loss=loss,
            optimizer=self._of(Optimizer, "optimizer", Adam()),
            schedule=self._of(Schedule, "schedule", ConstantRate()),
            train=self._of(Train, "train", Train()),
            early_stop=self._of(EarlyStop, "early_stop", None),
            metrics=self._metrics(loss),
            training_metrics=self._of(Metrics, "metrics", Metrics()).training,
            weights=self._of(Weights, "weights", None),
            expectations=self.expectations,
            ema=self._of(Ema, "ema", None),
            begins=self._of(From, "from", None),
            freeze=self._of(Freeze, "freeze", None),
            rates=tuple(word for word in self.settings.values() if isinstance(word, Rate)),
            variant=variant,
            outline=tuple(network.outline),
            sweeps=tuple((swept.sweep.key, swept.grid) for swept in self.sweeps if swept.finite),
            ranges=tuple(swept.range for swept in self.sweeps if swept.range is not None),
            variants=tuple(self.known.variants),
            augment=cast("Augment | None", self.settings.get("augment")),
            places=self._places(),
        )
        self._ends(spec, last)
        return spec

    def _of(self, cls: type[T], name: str, default: D) -> T | D:
        word = self.settings.get(name)
        return word if isinstance(word, cls) else default

    def _name(self) -> str:
        given = self._of(NetworkName, "network", None)
        return given.name if given is not None else ends.default_network_name(self.outside.source)

    def _data(self) -> DataSource | None:
        """Return the source of the data, with what the input line says of it."""
        given, data = self._of(Input, "input", None), self._of(DataSource, "data", None)
        if data is not None and self.outside.in_memory:
            return GivenArrays.like(data)
        return data.for_network(given.shape) if data is not None and given is not None else data

    def _input(self) -> Shape | None:
        """Return the shape of a sample from the input line or the data; report a disagreement."""
        given, data = self._of(Input, "input", None), self._data()
        known = self._sample_shape()
        symbols = self.outside.classes or data.classes if data is not None and data.symbolic else None
        blocks = known.blocks if isinstance(known, Shape) else ()
        if given is None:
            absent = known is None or "input" in self.known.settings
            return None if absent else Shape(known or (), symbols=symbols, blocks=blocks)
        shape = Shape(given.shape, given.axes == "sequence", symbols, blocks)
        same = known is None or ends.same_sample(shape, known)
        if known is not None and not (same or (self.outside.in_memory and same_meaning(known, shape))):
            message = f"input is {shape}, and a sample of the data is {Shape(known)}"
            help = f"write input {Shape(known)}, or leave the line out"
            self.found.say("E301", message, self.known.settings["input"].span, help)
        return shape

    def _loss(self, last: str) -> Loss:
        """Return the loss of a network that ends in an activation."""
        given = self.settings.get("loss")
        return given if isinstance(given, Loss) else fit.loss_for(last)

    def _outputs(self, last: str) -> int | None:
        """Return the number of outputs that the targets need before an activation, None where it is not known."""
        data = self._data()
        if self.outside.outputs is not None or data is None:
            return self.outside.outputs
        classes = self.outside.classes or data.classes
        return self._loss(last).outputs_for(classes) if classes is not None else None

    def _sample_shape(self) -> Sequence[int] | None:
        """Return the shape of a sample of the data, None where it is not known."""
        data = self._data()
        if self.outside.input_shape is None and data is not None:
            return data.sample_shape()
        return self.outside.input_shape

    def _scaled_data(self, loss: Loss, outline: Sequence[tuple[str, Layer]]) -> DataSource | None:
        """Return the source of the data with the scaling of targets filled in."""
        data = self._data()
        if data is None:
            return None
        ends.check_targets(data, loss, self.known.settings["data"].span, self.found)
        if data.targets is not None or not loss.numbers:
            return data
        return ends.with_target_scaling(data, (layer for _, layer in outline))

    def _network(self, shape: Shape | None) -> Elaborated | None:
        pipeline = self.known.network
        if pipeline is not None:
            network = self.elaborator.network(pipeline, shape)
            if not network.outline and self.elaborator.whole:
                self.found.say(
                    "E304", "the network has no layer", pipeline.span, "write a layer, such as dense 10 softmax"
                )
            return network
        if not any(d.code in ("E001", "E002", "E003") for d in self.found) and "network" not in self.known.broken:
            help = "write its layers on a line, as in conv 3x3 x8 -> maxpool 2 -> dense 10 softmax"
            self.found.say("E304", "the spec has no network", Span(self.outside.source, 0, 1), help)
        return None

    def _places(self) -> dict[str, Span]:
        """Return where statements and the values of their options are."""
        places = {word: call.span for word, call in self.known.settings.items()}
        for word, call in self.known.settings.items():
            options = [argument for argument in call.arguments if isinstance(argument, Option)]
            places |= {f"{word}.{option.name}": option.values[0].span for option in options}
        return {**places, **{f"expect {e.quantity}": e.span for e in self.expectations}}

    def _metrics(self, loss: Loss) -> tuple[Metric, ...]:
        """Return the metrics of the metrics statement, or the default ones, and those that are expected."""
        given = self._of(Metrics, "metrics", Metrics())
        expected = [cls for e in self.expectations if (cls := e.metric_class()) is not None]
        chosen = chosen_metrics(given, loss, expected)
        for unused in unused_options(given, chosen, self._places().get):
            self.found.add(unused)
        return chosen

    def _ends(self, spec: Spec, last: str) -> None:
        """Run the checks across statements."""
        assert self.known.network is not None
        end = self.known.network.stages[-1].span
        unsound = [word for word in ("loss", "metrics", "early_stop") if self._is_unsound(word)]
        if not unsound:
            before = len(self.found)
            for misfit in fit.misfits(spec, end):
                self.found.add(misfit)
            if spec.output_shape is not None and len(self.found) == before:
                written = self.known.settings["loss"].span if "loss" in self.settings else None
                classes = self.outside.classes
                ends.check_classes(spec.output_shape, last, spec.loss, spec.data, classes, end, written, self.found)
        ends.check_state(spec, self.known.settings["train"].span if "train" in self.known.settings else end, self.found)
        if spec.augment is not None:
            ends.check_augment(spec, self._sample_shape(), self.known.settings["augment"].span, self.found)
        for misfit in learning.misfits(spec, self.known.settings):
            self.found.add(misfit)
        for doubt in fit.doubts(spec, end):
            self.found.add(doubt)
        if spec.nodes:
            ends.check_memory(spec, self.found)

    def _is_unsound(self, word: str) -> bool:
        """Return whether a statement has an error already."""
        return word in self.known.broken or (word in self.known.settings and word not in self.settings)
