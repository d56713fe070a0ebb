"""Recurrent layers, one helper for all."""

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.ways.torch.layers._steps import masked
from nnspec.exchange.ways.torch.writing import Inputs, Turn, Value, Writer, goes, same
from nnspec.runtime.compiler.graph import GraphNode
from nnspec.spec_lang.vocabulary.layers.recurrent import Recurrent, Rnn


@goes(Recurrent)
def _recurrent(word: Recurrent, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    if node.ties:
        raise ExchangeError(f"{node.name}: {word.word} with the weights of another layer does not go to PyTorch")
    shape = node.input_shapes[0]
    kind = "rnn_relu" if isinstance(word, Rnn) and word.activation == "relu" else word.word
    options = {
        "layers": (word.layers, 1),
        "bidirectional": (word.bidirectional, False),
        "reverse": (word.reverse, False),
        "sequence": (word.return_ == "sequence", False),
        "bias": (word.bias, True),
        "dropout": (word.dropout, 0),
        "input_dropout": (word.input_dropout, 0),
        "recurrent_dropout": (word.recurrent_dropout, 0),
    }
    more = "".join(f", {name}={value!r}" for name, (value, default) in options.items() if value != default)
    arrays: dict[str, tuple[str, Turn]] = {name: (name, same) for name in word.parameters(shape)}
    features = word.steps(shape)[1]
    module = w.module(node, f'{w.helper("Recurrent")}("{kind}", {features}, {word.units}{more})', arrays)
    return Value(f"{module}({inputs[0].text}{masked(node, w)})", node.output_shape)
