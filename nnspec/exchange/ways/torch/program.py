"""The text of a module: its class, the helpers that it needs, and how to load and to train it."""

import ast
import textwrap
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnspec.exchange.ways.torch.writing import Turn, Value, Writer, tensors, written_node, written_nodes
from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler.graph import GraphNode
from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.check.canonical_text import written
from nnspec.spec_lang.vocabulary.losses import (
    BinaryCrossEntropy,
    BinaryHinge,
    CrossEntropy,
    Hinge,
    Huber,
    Kl,
    Loss,
    Mae,
    Mse,
)

HELPERS = Path(__file__).with_name("helpers.py")


@dataclass(frozen=True)
class Module:
    """A module: its text, the arrays of its file, and from which array of the network each is, and how turned."""

    text: str
    tensors: dict[str, Array]
    turned: dict[str, tuple[str, Turn]]


def written_module(network: Network, name: str) -> Module:
    """Return the module of a network whose files are called `name`. Raises ExchangeError for a layer that cannot go."""
    w, logits = written_nodes(network)
    scaling = network.preprocessing.target_scaling
    arrays = {**tensors(w), "shift": network.preprocessing.shift, "scale": network.preprocessing.scale}
    if scaling is not None:
        answers = network.spec.loss.answers
        arrays["target_shift"] = np.repeat(scaling.shift, answers)
        arrays["target_scale"] = np.repeat(scaling.scale, answers)
    text = "\n\n\n".join(
        [
            _head(network, name),
            _imports(network),
            *_helpers(w.helpers | ({"padding_of"} if w.symbolic else set())),
            _class(network, w, logits, arrays),
            _load(network),
        ]
    )
    return Module(text + "\n", arrays, w.turned)


def class_name(network: Network) -> str:
    """Return the name of the class: mnist_cnn is MnistCnn."""
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in network.spec.name).split()
    name = "".join(word[:1].upper() + word[1:] for word in words)
    return name if name.isidentifier() else f"Network{name}"


def _by(shape: tuple[int, ...]) -> str:
    return ", ".join(["batch", *map(str, shape)])


def _head(network: Network, name: str) -> str:
    from nnspec import __version__

    spec, fitted = network.spec, network.preprocessing
    scaled = fitted.target_scaling is not None
    lines = [
        f'"""{spec.title}: {spec.input} -> {spec.output_shape}, {spec.parameter_count:,} parameters, in PyTorch.',
        "",
        f"    from {name} import load",
        f"    module = load()  # reads {name}.safetensors",
        f"    answers = module(x)  # ({_by(fitted.input_shape)}), raw -> ({_by(spec.output_shape or ())})",
        "",
        "Samples are as the data have them, channels last; they are normalized inside. To train on:",
        "",
        f"    loss = {_loss(spec.loss, spec.output_shape or ())}",
        *(["    # y is scaled: (y - module.target_shift) / module.target_scale"] if scaled else []),
        "    loss.backward()",
        "",
        f"Written by nnspec {__version__}, nnspec export --to torch.",
        '"""',
    ]
    return "\n".join(lines)


def _loss(loss: Loss, output: tuple[int, ...]) -> str:
    """Return the text of a loss in PyTorch, or its name in nnspec where PyTorch has none."""
    z = "module.logits(x)"
    match loss:
        case CrossEntropy():
            smoothing = f", label_smoothing={loss.smoothing}" if loss.smoothing else ""
            if len(output) == 1:
                return f"F.cross_entropy({z}, y{smoothing})"
            return f"F.cross_entropy({z}.flatten(0, -2), y.flatten(), ignore_index=-1{smoothing})"
        case BinaryCrossEntropy() if not loss.smoothing:
            return f"F.binary_cross_entropy_with_logits({z}, y)"
        case Mse():
            return f"F.mse_loss({z}, y)"
        case Mae():
            return f"F.l1_loss({z}, y)"
        case Huber():
            return f"F.huber_loss({z}, y, delta={loss.delta})"
        case Kl():
            return f'F.kl_div({z}.log_softmax(-1), y, reduction="batchmean")'
        case Hinge():
            return f"F.multi_margin_loss({z}, y, p={2 if loss.squared else 1}, margin={loss.margin})"
        case BinaryHinge():
            power = " ** 2" if loss.squared else ""
            return f"(F.relu({loss.margin} - (2 * y - 1) * {z}){power}).mean()"
    return f"…  # of {z} and y; in nnspec it was {written(loss)}, which PyTorch does not have"


def _imports(network: Network) -> str:
    lines = [
        "from pathlib import Path",
        "",
        "import torch",
        "from safetensors.torch import load_file",
        "from torch import nn",
        "from torch.nn import functional as F",
    ]
    if network.classes is not None:
        lines += ["", f"CLASSES = {tuple(network.classes)}"]
    if network.preprocessing.features is not None:
        lines += ["", f"FEATURES = {tuple(network.preprocessing.features)}"]
    return "\n".join(lines)


def _helpers(names: set[str]) -> list[str]:
    """Return the source of the helpers of these names, in the order of their file."""
    source = HELPERS.read_text(encoding="utf-8")
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in names:
            found.append(ast.get_source_segment(source, node) or "")
    return found


def _class(network: Network, w: Writer, logits: Value, arrays: dict[str, Array]) -> str:
    spec = network.spec
    buffers = [name for name in ("shift", "scale", "target_shift", "target_scale") if name in arrays]
    init = [
        "super().__init__()",
        *(
            f'self.register_buffer("{name}", torch.zeros({arrays[name].shape}, dtype=torch.float64))'
            for name in buffers
        ),
        *w.init,
    ]
    lines = [
        f"class {class_name(network)}(nn.Module):",
        '    """The layers have their names in the spec."""',
        "",
        "    def __init__(self):",
        *(f"        {line}" for line in init),
        "",
        "    def logits(self, x):",
        '        """Return what a loss takes: the outputs before the last activation, in the units of the network."""',
        *(f"        {line}" for line in _normalized(network, w)),
        *(f"        {line}" for line in w.forward),
        f"        return {logits.last()}",
        "",
        "    def forward(self, x):",
        f'        """Return the answers, ({_by(spec.output_shape or ())}), for raw samples."""',
        *(f"        {line}" for line in _answers(network)),
    ]
    return "\n".join(lines)


def _normalized(network: Network, w: Writer) -> list[str]:
    """Return the lines that make of raw samples what the first layer reads."""
    dtype = _dtype(w)
    sizes = ", ".join(map(str, network.programs.graph.input_shape))
    shape = f"x = x.reshape(len(x){', ' + sizes if sizes else ''})"
    lines = [f"padding = {'padding_of(x)'}  # padded steps at the end of each sequence"] if w.symbolic else []
    if network.preprocessing.normalize == "none":
        return [*lines, f"{shape}.to({dtype})"]
    raw = ", ".join(map(str, network.preprocessing.input_shape))
    lines.append(f"x = (x.reshape(len(x), {raw}) - self.shift) / self.scale")
    return [*lines, f"x = x.to({dtype})" if raw == sizes else f"{shape}.to({dtype})"]


def _dtype(w: Writer) -> str:
    """Return the text of the type that the module computes in: that of its first parameter."""
    learned = [key for array, (key, _) in w.turned.items() if array in w.network.parameter_arena]
    return f"self.{learned[0]}.dtype" if learned else "torch.get_default_dtype()"


def _answers(network: Network) -> list[str]:
    graph, head = network.programs.graph, Writer(network)
    lines = ["answers = self.logits(x)"]
    if graph.head is not None:
        node = GraphNode("answers", graph.head, (), (graph.output_shape,), graph.output_shape)
        written_node(head, node, [Value("answers", graph.output_shape)], "answers")
        lines += head.forward
    if network.preprocessing.target_scaling is not None:
        lines.append("answers = (answers * self.target_scale + self.target_shift).to(answers.dtype)")
    return [*lines, "return answers"]


def _load(network: Network) -> str:
    double = ".double()" if network.dtype == np.float64 else ""
    return textwrap.dedent(
        f'''\
        def load(path=Path(__file__).with_suffix(".safetensors")):
            """Return the module with the weights of a file, as at inference; call .train() to train it on."""
            module = {class_name(network)}(){double}
            module.load_state_dict(load_file(path))
            return module.eval()'''
    )
