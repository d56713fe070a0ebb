"""What the layers of a module are written into: lines of its `__init__` and of its forward, and its arrays."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from keyword import iskeyword
from typing import Any

import numpy as np

from nnspec.exchange.errors import ExchangeError
from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler.graph import GraphNode, reads_symbols
from nnspec.runtime.infer.network import Network
from nnspec.runtime.registry import Registry
from nnspec.spec_lang.check.spec import INPUT
from nnspec.spec_lang.vocabulary.shape import Shape

TAKEN = frozenset(
    [
        "T_destination",
        "add_module",
        "apply",
        "bfloat16",
        "buffers",
        "call_super_init",
        "children",
        "compile",
        "cpu",
        "cuda",
        "double",
        "dtype",
        "dump_patches",
        "eval",
        "extra_repr",
        "F",
        "float",
        "forward",
        "get_buffer",
        "get_extra_state",
        "get_parameter",
        "get_submodule",
        "half",
        "ipu",
        "load_state_dict",
        "logits",
        "modules",
        "mtia",
        "named_buffers",
        "named_children",
        "named_modules",
        "named_parameters",
        "nn",
        "padding",
        "parameters",
        "register_backward_hook",
        "register_buffer",
        "register_forward_hook",
        "register_forward_pre_hook",
        "register_full_backward_hook",
        "register_module",
        "register_parameter",
        "requires_grad_",
        "scale",
        "self",
        "set_extra_state",
        "set_submodule",
        "shift",
        "share_memory",
        "state_dict",
        "target_scale",
        "target_shift",
        "to",
        "to_empty",
        "torch",
        "train",
        "training",
        "type",
        "x",
        "xpu",
        "zero_grad",
    ]
)
"""Names that no layer gets: they mean something in a module already."""

Turn = Callable[[Array], Array]


def same(array: Array) -> Array:
    """Return the array."""
    return array


@dataclass(frozen=True)
class Value:
    """A node's output in the text. `planes` says that an image is (batch, channels, height, width) there."""

    text: str
    shape: Shape
    planes: bool = False

    def last(self) -> str:
        """Return its text with the channels last, as samples have them."""
        return f"{self.text}.permute(0, 2, 3, 1)" if self.planes else self.text

    def first(self, axes: int) -> str:
        """Return its text with the channels first, and then the two axes of an image, or the one of a sequence."""
        if self.planes:
            return self.text
        if axes == 1:
            return f"{self.text}.transpose(1, 2)"
        return f"{self.text}.permute(0, 3, 1, 2)" if len(self.shape) == 3 else f"{self.text}.unsqueeze(1)"

    def by_channel(self) -> str:
        """Return its text with the last axis of the sample as axis 1."""
        return self.text if self.planes else f"{self.text}.movedim(-1, 1)"


@dataclass
class Writer:
    """A module while it is written.

    `arrays` are those of its file, by their names in the module; `turned` says from which array of the network each is,
    and how it is turned.
    """

    network: Network
    init: list[str] = field(default_factory=list)
    forward: list[str] = field(default_factory=list)
    helpers: set[str] = field(default_factory=set)
    turned: dict[str, tuple[str, Turn]] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    @property
    def symbolic(self) -> bool:
        """Whether samples are symbols, which may be padded."""
        return reads_symbols(self.network.programs.graph.nodes)

    def name(self, node: str) -> str:
        """Return the identifier of a node in the module; that of an activation is its layer's."""
        own = any(node == each.name for each in self.network.spec.nodes)
        wish = node if own else node.rpartition("/")[0]
        if wish not in self._names:
            base = "".join(c if c.isascii() and c.isalnum() else "_" for c in wish)
            base = f"layer_{base}" if base in TAKEN or iskeyword(base) or not base.isidentifier() else base
            while base in self._names.values():
                base += "_"
            self._names[wish] = base
        return self._names[wish]

    def module(self, node: GraphNode, text: str, arrays: Mapping[str, tuple[str, Turn]], part: str = "") -> str:
        """Add a module as an attribute; return its text.

        `arrays` are its own by the network's names, with the turn; `part` tells modules of one layer apart.
        """
        name = self.name(node.name) + part
        self.init.append(f"self.{name} = {text}")
        self._keep(node, {array: (f"{name}.{own}", turn) for array, (own, turn) in arrays.items()})
        return f"self.{name}"

    def parameter(self, node: GraphNode, array: str, shape: tuple[int, ...], own: str | None = None) -> str:
        """Add an array as a parameter of the module itself; return its text."""
        name = f"{self.name(node.name)}_{own or array}"
        self.init.append(f"self.{name} = nn.Parameter(torch.zeros({shape}))")
        self._keep(node, {array: (name, same)})
        return f"self.{name}"

    def constant(self, node: GraphNode, what: str, text: str) -> str:
        """Add a constant, which no file has; return its text."""
        name = f"{self.name(node.name)}_{what}"
        self.init.append(f'self.register_buffer("{name}", {text}, persistent=False)')
        return f"self.{name}"

    def helper(self, name: str) -> str:
        """Let the file have a function or class of `helpers`; return its name."""
        self.helpers.add(name)
        return name

    def real(self, node: GraphNode) -> str | None:
        """Return the text of which steps a layer of a sequence reads are not padding, None where all are."""
        if not self.symbolic or not node.input_shapes[0].sequence:
            return None
        return f"{self.helper('real_steps')}(padding, {node.input_shapes[0][0]})"

    def weight_of(self, node: GraphNode, array: str) -> str:
        """Return the text of an array that a node takes from another one, as that one has it in the network."""
        tie = node.ties[array]
        key, turn = self.turned.get(tie.array, ("", same))
        if not key:
            raise ExchangeError(f"{node.name} uses the weights of {tie.array}, which have another place in PyTorch")
        text = f"self.{key}"
        if turn is not same:
            text = f"{text}.T"
        return (f"{text}.T" if tie.transposed else text).replace(".T.T", "")

    def _keep(self, node: GraphNode, arrays: Mapping[str, tuple[str, Turn]]) -> None:
        for array, (key, turn) in arrays.items():
            self.turned[f"{node.name}/{array}"] = key, turn
            if node.frozen and array in node.layer.parameters(node.input_shapes[0]):
                self.init.append(f"self.{key}.requires_grad_(False)")


Inputs = list[Value]
"""The values that a layer reads, one unless it is a merge."""

GOES: Registry[Callable[[Any, GraphNode, Writer, Inputs], Value]] = Registry("nnspec.exchange.ways.torch.layers")
"""How each layer and merge goes out, by its class of word: its lines, and the text of its output."""

goes = GOES.implements


def written_nodes(network: Network) -> tuple[Writer, Value]:
    """Write all nodes of a network but its head; return the writer, and the logits.

    Raises ExchangeError with the name of a layer that cannot go.
    """
    w, graph = Writer(network), network.programs.graph
    values = {INPUT: Value("x", graph.input_shape)}
    end = values[INPUT]
    for node in graph.nodes:
        end = written_node(w, node, [values[name] for name in node.inputs])
        values[node.name] = end
    return w, end


def written_node(w: Writer, node: GraphNode, inputs: list[Value], name: str | None = None) -> Value:
    """Write a node under its own name; return its output."""
    if type(node.layer) not in GOES:
        raise ExchangeError(f"{node.name}: {node.layer.word} cannot go to PyTorch")
    found = GOES[type(node.layer)](node.layer, node, w, inputs)
    local = name or w.name(node.name)
    if found.text == local:
        return found
    shape = found.shape
    sizes = (shape[2], shape[0], shape[1]) if found.planes else tuple(shape)
    w.forward.append(f"{local} = {found.text}  # ({', '.join(['batch', *map(str, sizes)])})")
    return Value(local, shape, found.planes)


def tensors(w: Writer) -> dict[str, Array]:
    """Return the arrays of the module's file by their names there, contiguous."""
    network = w.network
    known = {**network.parameters, **network.buffers}
    return {key: np.ascontiguousarray(turn(known[array])) for array, (key, turn) in w.turned.items()}
