"""Symbols and columns of tables as vectors."""

from nnspec.exchange.ways.torch.layers._arrays import arrays_of
from nnspec.exchange.ways.torch.writing import Inputs, Turn, Value, Writer, goes, same
from nnspec.runtime.compiler.graph import GraphNode
from nnspec.spec_lang.vocabulary.layers.embedding import Embed, EmbedColumns, OneHot


@goes(OneHot)
def _onehot(word: OneHot, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    count = word.vocabulary(node.input_shapes[0])
    return Value(f"{w.helper('one_hot')}({inputs[0].text}, {count})", node.output_shape)


@goes(Embed)
def _embed(word: Embed, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    if node.ties:
        weight = w.weight_of(node, "weight")
    else:
        shape = node.layer.parameters(node.input_shapes[0])["weight"].shape
        weight = f"{w.module(node, f'nn.Embedding({shape[0]}, {shape[1]})', arrays_of(node, same))}.weight"
    return Value(f"{w.helper('embedded')}({inputs[0].text}, {weight})", node.output_shape)


@goes(EmbedColumns)
def _embed_columns(word: EmbedColumns, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    shape = node.input_shapes[0]
    arrays: dict[str, tuple[str, Turn]] = {name: (name, same) for name in word.parameters(shape)}
    columns = [tuple(column) for column in word.columns_in(shape)]
    module = w.module(node, f"{w.helper('EmbedColumns')}({columns}, {word.units})", arrays)
    return Value(f"{module}({inputs[0].text})", node.output_shape)
