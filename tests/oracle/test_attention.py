"""Attention and transformers against PyTorch: outputs and all gradients, with padding and causal masks."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

import nnspec
from nnspec.runtime.arrays import Array
from nnspec.runtime.layers import Mode, build
from nnspec.spec_lang.vocabulary.layers.attention import Attention, Positions
from nnspec.spec_lang.vocabulary.shape import Shape
from tests.support.strategies import Case, seeds

many = settings(max_examples=40, deadline=None)


def assert_close(ours: Array, theirs: torch.Tensor | None) -> None:
    assert theirs is not None
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-8, atol=1e-9)


@many
@given(heads=st.integers(1, 3), size=st.integers(1, 4), causal=st.booleans(), bias=st.booleans(), seed=seeds)
def test_attention_is_pytorchs_also_causal_and_where_lengths_differ(
    heads: int, size: int, causal: bool, bias: bool, seed: int
) -> None:
    random = np.random.default_rng(seed)
    batch, time = (int(number) for number in random.integers(1, 6, 2))
    width = heads * size
    word, shape = Attention(heads=heads, causal=causal, bias=bias), Shape((time, width), sequence=True)
    arrays = Case("", word, shape).arrays(random)
    lengths = random.integers(1, time + 1, batch)
    real = np.arange(time) < lengths[:, None]
    x = random.normal(size=(batch, *shape))

    module = torch.nn.MultiheadAttention(width, heads, bias=bias, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        module.in_proj_weight[...] = torch.tensor(arrays["input_weight"].T)
        module.out_proj.weight[...] = torch.tensor(arrays["output_weight"].T)
        if bias:
            module.in_proj_bias[...] = torch.tensor(arrays["input_bias"])
            module.out_proj.bias[...] = torch.tensor(arrays["output_bias"])
    x_tensor = torch.tensor(x, requires_grad=True)
    mask = torch.triu(torch.ones(time, time, dtype=torch.bool), 1) if causal else None
    theirs, _ = module(x_tensor, x_tensor, x_tensor, key_padding_mask=torch.tensor(~real), attn_mask=mask)

    y, backward = build(word, shape, arrays)(x, Mode(padding=time - lengths))
    d_y = random.normal(size=y.shape) * real[..., None]
    theirs.backward(torch.tensor(d_y))
    d_x, gradients = backward(d_y)
    np.testing.assert_allclose(y[real], theirs.detach().numpy()[real], rtol=1e-8, atol=1e-9)
    assert_close(d_x, x_tensor.grad)
    assert_close(gradients["input_weight"].T, module.in_proj_weight.grad)
    assert_close(gradients["output_weight"].T, module.out_proj.weight.grad)
    if bias:
        assert_close(gradients["input_bias"], module.in_proj_bias.grad)
        assert_close(gradients["output_bias"], module.out_proj.bias.grad)


@pytest.mark.parametrize("causal", [False, True])
def test_heads_of_another_width_and_dropped_weights_are_the_formula(causal: bool) -> None:
    """`dim=` is not PyTorch's module's to say, so its functions are; its mask of what is dropped is ours."""
    random = np.random.default_rng(2)
    word = Attention(heads=2, dim=6, dropout=0.3, causal=causal)
    shape = Shape((4, 5), sequence=True)
    arrays = Case("", word, shape).arrays(random)
    drawn = random.random((3, 2, 4, 4), np.float32)
    x = random.normal(size=(3, *shape))
    y, backward = build(word, shape, arrays)(x, Mode(training=True, drawn=drawn))
    d_y = random.normal(size=y.shape)
    d_x, gradients = backward(d_y)
    tensors = {name: torch.tensor(array, requires_grad=True) for name, array in arrays.items()}
    x_tensor = torch.tensor(x, requires_grad=True)
    thirds = x_tensor @ tensors["input_weight"] + tensors["input_bias"]
    q, k, v = (part.reshape(3, 4, 2, 3).transpose(1, 2) for part in thirds.split(6, -1))
    plain = functional.scaled_dot_product_attention(q, k, v, is_causal=causal)
    scores = q @ k.transpose(-1, -2) / math.sqrt(3)
    if causal:
        scores = scores.masked_fill(torch.triu(torch.ones(4, 4, dtype=torch.bool), 1), -torch.inf)
    weights = scores.softmax(-1)
    torch.testing.assert_close(weights @ v, plain)
    kept = weights * (torch.tensor(drawn) >= 0.3).double() / 0.7
    joined = (kept @ v).transpose(1, 2).reshape(3, 4, 6)
    theirs = joined @ tensors["output_weight"] + tensors["output_bias"]
    theirs.backward(torch.tensor(d_y))
    assert_close(y, theirs)
    assert_close(d_x, x_tensor.grad)
    for name, tensor in tensors.items():
        assert_close(gradients[name], tensor.grad)


def test_sinusoidal_positions_are_those_of_the_paper() -> None:
    """As torch's own tutorial computes them: exp of multiples of −ln(10000) / C."""
    time, features = 7, 6
    steps = torch.arange(time, dtype=torch.float64)[:, None]
    rates = torch.exp(torch.arange(0, features, 2, dtype=torch.float64) * (-math.log(10000.0) / features))
    table = torch.zeros(time, features, dtype=torch.float64)
    table[:, 0::2], table[:, 1::2] = torch.sin(steps * rates), torch.cos(steps * rates)
    shape = Shape((time, features), sequence=True)
    assert_close(build(Positions(), shape, {})(np.zeros((1, *shape)), Mode())[0][0], table)


def test_a_block_of_a_transformer_on_sequences_of_different_lengths_has_pytorchs_loss_and_gradients() -> None:
    """nn.TransformerEncoderLayer with norm_first, causal, on embedded symbols with learned positions."""
    text = (
        "input 6\nembed 8 vocab=5 -> positions learned -> (layernorm -> attention 2 causal + skip)"
        " -> (layernorm -> dense 12 gelu -> dense 8 + skip) -> dense 5 softmax"
    )
    network = nnspec.compile(text, seed=2, dtype="float64")
    random = np.random.default_rng(3)
    lengths = np.array([6, 3, 1, 5])
    padding = np.arange(6) >= lengths[:, None]
    x, y = (np.where(padding, -1, random.integers(0, 5, padding.shape)) for _ in range(2))
    arrays = network.parameters
    block = torch.nn.TransformerEncoderLayer(
        8, 2, 12, dropout=0.0, activation="gelu", batch_first=True, norm_first=True, dtype=torch.float64
    )
    theirs = {
        "attention1/input_weight": block.self_attn.in_proj_weight,
        "attention1/input_bias": block.self_attn.in_proj_bias,
        "attention1/output_weight": block.self_attn.out_proj.weight,
        "attention1/output_bias": block.self_attn.out_proj.bias,
        "dense1/weight": block.linear1.weight,
        "dense1/bias": block.linear1.bias,
        "dense2/weight": block.linear2.weight,
        "dense2/bias": block.linear2.bias,
        "layernorm1/weight": block.norm1.weight,
        "layernorm1/bias": block.norm1.bias,
        "layernorm2/weight": block.norm2.weight,
        "layernorm2/bias": block.norm2.bias,
    }
    with torch.no_grad():
        for name, tensor in theirs.items():
            tensor[...] = torch.tensor(arrays[name].T)
    others = {name: torch.tensor(arrays[name], requires_grad=True) for name in arrays if name not in theirs}
    hidden = functional.embedding(torch.tensor(np.where(padding, 0, x)), others["embed1/weight"])
    hidden = hidden * torch.tensor(~padding)[..., None] + others["positions1/weight"]
    later = torch.triu(torch.ones(6, 6, dtype=torch.bool), 1)
    hidden = block(hidden, src_mask=later, src_key_padding_mask=torch.tensor(padding))
    logits = hidden @ others["dense3/weight"] + others["dense3/bias"]
    expected = functional.cross_entropy(logits.reshape(-1, 5), torch.tensor(y.reshape(-1)), ignore_index=-1)
    expected.backward()
    loss, gradients = network.loss_and_gradients(x, y)
    assert abs(loss - expected.item()) < 1e-8
    for name, tensor in theirs.items():
        assert tensor.grad is not None
        assert_close(gradients[name].T, tensor.grad)
    for name, tensor in others.items():
        assert_close(gradients[name], tensor.grad)
