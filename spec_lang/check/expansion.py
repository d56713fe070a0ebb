"""The state of an expansion: the scope of a pipeline, the flow between stages, what may still be expanded."""

from dataclasses import dataclass, field
from typing import NamedTuple

from nnspec.spec_lang.check.collect import Variables
from nnspec.spec_lang.check.layer_names import Names
from nnspec.spec_lang.check.shape_history import ShapeStep
from nnspec.spec_lang.check.spec import Fork, Node
from nnspec.spec_lang.limits import MAX_STAGES
from nnspec.spec_lang.report.diagnostics import Trace
from nnspec.spec_lang.source import Span
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.shape import Shape

Items = list[Node | Fork]


@dataclass
class Scope:
    """The context of a pipeline: the values of variables, the names taken, and the blocks around it."""

    variables: Variables
    names: Names
    depth: int = 0
    blocks: tuple[str, ...] = ()
    repeated: Span | None = None  # the head of the outermost repeat
    traces: tuple[Trace, ...] = ()
    last: bool = False  # whether the pipeline ends the network
    activation: str | None = None  # the activation after a pipeline that ends the network


@dataclass
class Flow:
    """The state between two stages: the last node, its shape (None if unknown), and the shapes so far for errors."""

    node: str
    shape: Shape | None
    way: ShapeStep | None

    def lost(self, name: str | None = None) -> "Flow":
        """Return the flow after a stage whose output shape is not known."""
        return Flow(name or self.node, None, self.way)


class Passage(NamedTuple):
    """One expansion of a stage: its input and output shapes, None if not known, and its layers.

    `nodes` are the layers of the stage; those of a block or a group are expanded.
    """

    span: Span
    before: Shape | None
    after: Shape | None
    nodes: tuple[Node, ...]


@dataclass
class Budget:
    """The number of stages that may still be expanded; checks that share a budget take a bounded time together.

    If `reports` is off, stages beyond the budget are skipped without an error.
    """

    stages: int = MAX_STAGES
    reports: bool = True

    def spent(self) -> bool:
        """Return whether the budget is used up."""
        return self.stages <= 0


@dataclass
class Elaborated:
    """An expanded network. `outline` has every layer by its name, also if its shape is not known.

    `last` is the last layer, None if that has an error.
    """

    items: tuple[Node | Fork, ...] = ()
    outline: list[tuple[str, Layer]] = field(default_factory=list)
    last: Layer | None = None
