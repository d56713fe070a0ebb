"""Normalization and dropout."""

from nnspec.exchange.ways.torch.layers._arrays import arrays_of
from nnspec.exchange.ways.torch.layers._steps import refuse_texts
from nnspec.exchange.ways.torch.writing import Inputs, Turn, Value, Writer, goes, same
from nnspec.runtime.compiler.graph import GraphNode
from nnspec.spec_lang.vocabulary.layers.dropout import Dropout
from nnspec.spec_lang.vocabulary.layers.normalization import BatchNorm, GroupNorm, InstanceNorm, LayerNorm


@goes(BatchNorm)
def _batchnorm(word: BatchNorm, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    (x,), shape = inputs, node.input_shapes[0]
    names = ("weight", "bias", "running_mean", "running_var")
    arrays: dict[str, tuple[str, Turn]] = {name: (name, same) for name in names}
    kind = "2d" if x.planes else "1d"
    module = w.module(node, f"nn.BatchNorm{kind}({shape[-1]}, eps={word.eps}, momentum={word.momentum})", arrays)
    real = w.real(node)
    if node.settled:
        own = ", ".join(f"{module}.{name}" for name in ("running_mean", "running_var", "weight", "bias"))
        text = f"F.batch_norm({x.by_channel()}, {own}, eps={word.eps})"
        return Value(text if x.planes else f"{text}.movedim(1, -1)", shape, x.planes)
    if real is not None:
        return Value(f"{w.helper('on_real_steps')}({module}, {x.text}, {real})", shape)
    if x.planes or len(shape) == 1:
        return Value(f"{module}({x.text})", shape, x.planes)
    return Value(f"{module}({x.text}.reshape(-1, {shape[-1]})).reshape({x.text}.shape)", shape)


@goes(LayerNorm)
def _layernorm(word: LayerNorm, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    module = w.module(node, f"nn.LayerNorm({node.input_shapes[0][-1]}, eps={word.eps})", arrays_of(node, same))
    return Value(f"{module}({inputs[0].last()})", node.output_shape)


@goes(GroupNorm, InstanceNorm)
def _groupnorm(word: GroupNorm | InstanceNorm, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    refuse_texts(word, node, w)
    (x,), channels = inputs, node.input_shapes[0][-1]
    learned = not isinstance(word, InstanceNorm) or word.learned
    groups = word.groups if isinstance(word, GroupNorm) else channels
    affine = "" if learned else ", affine=False"
    module = w.module(node, f"nn.GroupNorm({groups}, {channels}, eps={word.eps}{affine})", arrays_of(node, same))
    text = f"{module}({x.by_channel()}.contiguous())"  # PyTorch 2.13 crashes on the gradient of another layout
    return Value(text if x.planes or len(x.shape) == 1 else f"{text}.movedim(1, -1)", node.output_shape, x.planes)


@goes(Dropout)
def _dropout(word: Dropout, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    (x,) = inputs
    return Value(f"{w.module(node, f'nn.Dropout({word.probability})', {})}({x.text})", x.shape, x.planes)
