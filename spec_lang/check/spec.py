"""The checked spec: every statement with its defaults filled in, and the network with its shapes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nnspec.spec_lang.check.expectations import Expectation
from nnspec.spec_lang.report.diagnostics import Diagnostic
from nnspec.spec_lang.source import Source, Span
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.data import DataSource
from nnspec.spec_lang.vocabulary.fine_tuning import Freeze, From, Rate, layers_named
from nnspec.spec_lang.vocabulary.initializers import Init
from nnspec.spec_lang.vocabulary.losses import Loss
from nnspec.spec_lang.vocabulary.metrics import Metric
from nnspec.spec_lang.vocabulary.optimizers import Optimizer
from nnspec.spec_lang.vocabulary.schedules import Schedule
from nnspec.spec_lang.vocabulary.shape import Parameter, Shape
from nnspec.spec_lang.vocabulary.statements import EarlyStop, Ema, Train, Weights

if TYPE_CHECKING:
    from nnspec.spec_lang.check.sweeps import SweepRange
    from nnspec.spec_lang.vocabulary.augment import Augment

INPUT = "input"
"""The name of the sample among a node's inputs."""


class Tie(NamedTuple):
    """An array that a layer takes from an earlier one, by its full name, such as embed1/weight; perhaps transposed."""

    array: str
    transposed: bool


@dataclass(frozen=True)
class Node:
    """A layer in the network: the nodes that it reads, and its input and output shapes without the batch axis.

    `ties` has the arrays that it takes from earlier layers, by their names in the layer.
    """

    name: str
    layer: Layer
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    span: Span
    ties: Mapping[str, Tie] = field(default_factory=dict, hash=False)

    @property
    def input_shape(self) -> Shape:
        """The input shape, of several branches that of the first."""
        return self.input_shapes[0]

    def parameters(self) -> dict[str, Parameter]:
        """Return the arrays of its own that it learns by their full names, such as conv1/weight."""
        return dict(self._learned)

    @cached_property
    def _learned(self) -> dict[str, Parameter]:
        arrays = self.layer.parameters(self.input_shape)
        return {f"{self.name}/{name}": array for name, array in arrays.items() if name not in self.ties}

    def buffers(self) -> dict[str, Parameter]:
        """Return its buffers by their full names."""
        return {f"{self.name}/{name}": p for name, p in self.layer.buffers(self.input_shape).items()}

    def flops(self) -> int:
        """Operations of one sample's forward pass, those of the layer's activation included."""
        return self.layer.flops(self.input_shape) + sum(a.flops(self.output_shape) for a in self.layer.activations())


@dataclass(frozen=True)
class Fork:
    """Branches with a common input and the merge that joins them; an empty branch is `skip`."""

    branches: tuple[tuple["Node | Fork", ...], ...]
    merge: Node


class DataFile(NamedTuple):
    """A file or a folder that a run's data were read from: the field that names it, its size in bytes, its SHA-256."""

    field: str
    size: int
    digest: str

    @property
    def identity(self) -> tuple[int, str]:
        """The size and the digest."""
        return self.size, self.digest


@dataclass(frozen=True)
class Spec:
    """Everything a run depends on. `nodes` are in an order in which each reads only earlier ones.

    `outline` has every layer by its name, also as long as the shape of the input is not known and `network` is empty.
    `sweeps` are the grids that the spec asks for: a key as `--set` takes it, and the values as written. `ranges` are
    those in which a search chooses; one with a step is a grid too, and in both. `variants` are the names of all its
    variants. `included` are the texts of the files that it includes, each after its path from the spec's folder.
    `data_within` is the folder that its data must not leave, None where they may be anywhere: a checkpoint of someone
    else may name any file.
    `warnings` are what a reader of the spec may not expect of it. `places` are where statements are, by their words,
    and the values of their options, by STATEMENT.OPTION.
    `kept_in` is the folder of the checkpoint that the spec is from, `data_files` are the files of its data.
    `training_metrics` is whether evaluations measure the training split too. `expectations` are what a run has to
    reach; what they name is among the `metrics`.
    `begins` is the checkpoint whose weights it begins with, `freeze` and `rates` name layers that do not learn, or
    learn at a rate of their own.
    `overrides` are the settings from outside that are in force, each a key as `--set` takes it and its value.
    """

    name: str
    source: Source
    input: Shape | None
    network: tuple[Node | Fork, ...]
    data: DataSource | None
    init: Init
    loss: Loss
    optimizer: Optimizer
    schedule: Schedule
    train: Train
    early_stop: EarlyStop | None
    metrics: tuple[Metric, ...]
    weights: Weights | None = None
    ema: Ema | None = None
    begins: From | None = None
    freeze: Freeze | None = None
    rates: tuple[Rate, ...] = ()
    variant: str | None = None
    outline: tuple[tuple[str, Layer], ...] = ()
    sweeps: tuple[tuple[str, tuple[str, ...]], ...] = ()
    variants: tuple[str, ...] = field(default=(), compare=False)
    ranges: "tuple[SweepRange, ...]" = ()
    included: tuple[tuple[str, str], ...] = ()
    data_within: Path | None = None
    augment: "Augment | None" = None
    warnings: tuple[Diagnostic, ...] = field(default=(), compare=False)
    places: Mapping[str, Span] = field(default_factory=dict, compare=False)
    overrides: tuple[tuple[str, str], ...] = ()
    kept_in: Path | None = None
    data_files: tuple[DataFile, ...] = ()
    training_metrics: bool = False
    expectations: tuple[Expectation, ...] = ()

    @property
    def title(self) -> str:
        """The name of the network and, after a hyphen, of its variant: it names runs and stands in titles."""
        return f"{self.name}-{self.variant}" if self.variant is not None else self.name

    @property
    def folder(self) -> Path:
        """The folder of relative paths in the spec."""
        return self.source.folder or Path()

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All layers in order; empty if the shape of the input is not known."""
        return tuple(flat(self.network))

    @property
    def output_shape(self) -> Shape | None:
        """The shape of one output, None if the shape of the input is not known."""
        return self.nodes[-1].output_shape if self.nodes else None

    def parameters(self) -> dict[str, Parameter]:
        """Return all trainable arrays, in the order of the layers."""
        return {name: parameter for node in self.nodes for name, parameter in node.parameters().items()}

    def buffers(self) -> dict[str, Parameter]:
        """Return all buffers, in the order of the layers."""
        return {name: buffer for node in self.nodes for name, buffer in node.buffers().items()}

    def carried(self) -> dict[str, Parameter]:
        """What each layer hands from one batch to the next, (batch, numbers) by layer; nothing unless stateful=yes."""
        numbers = {node.name: node.layer.carries(node.input_shape) for node in self.nodes if self.train.stateful}
        return {name: Parameter((self.train.batch, count)) for name, count in numbers.items() if count}

    def samples_an_epoch(self, samples: int) -> int:
        """Return the training samples in an epoch: all, or if stateful the largest multiple of the batch."""
        return samples // self.train.batch * self.train.batch if self.train.stateful else samples

    @cached_property
    def frozen(self) -> frozenset[str]:
        """The layers that do not learn, by name."""
        names = [name for name, _ in self.outline]
        given = self.freeze.names if self.freeze is not None else ()
        return frozenset(layer for name in given for layer in layers_named(name, names))

    def frozen_arrays(self) -> frozenset[str]:
        """Return the arrays that training leaves as they are, by their full names."""
        return frozenset(name for node in self.nodes if node.name in self.frozen for name in node.parameters())

    def rate_factors(self) -> dict[str, float]:
        """Return the factor on the learning rate of every layer: 0 of one that is frozen, 1 without a line for it."""
        names = [name for name, _ in self.outline]
        factors = dict.fromkeys(names, 1.0)
        for rate in self.rates:
            factors |= {layer: rate.factor for name in rate.names for layer in layers_named(name, names)}
        return factors | dict.fromkeys(self.frozen, 0.0)

    @property
    def trainable_count(self) -> int:
        """The number of values that training changes: those of the layers that are not frozen."""
        nodes = [node for node in self.nodes if node.name not in self.frozen]
        return sum(parameter.size for node in nodes for parameter in node.parameters().values())

    @property
    def parameter_count(self) -> int:
        """The number of values that layers learn, or could: frozen ones too."""
        return sum(parameter.size for parameter in self.parameters().values())

    def memory_of(self, node: Node) -> int:
        """Return the part of `memory_bytes` that a layer takes."""
        numbers = sum(parameter.size for parameter in node.parameters().values())
        arenas = numbers * (2 + len(self.optimizer.slots) + (self.ema is not None) + (self.train.accumulate > 1))
        activations = node.output_shape.size + node.layer.kept_inside(node.input_shape)
        return 4 * (arenas + 2 * self.train.batch * activations)

    def memory_bytes(self) -> int:
        """Return the bytes that training needs at least, in float32: parameters, gradients, slots, activations."""
        return sum(self.memory_of(node) for node in self.nodes)

    @property
    def classification(self) -> bool:
        """Whether targets are classes."""
        return self.loss.classes


def flat(items: Iterable[Node | Fork]) -> Iterator[Node]:
    """Yield the layers of items, those of branches before the merge that joins them."""
    for item in items:
        if isinstance(item, Node):
            yield item
        else:
            for branch in item.branches:
                yield from flat(branch)
            yield item.merge
