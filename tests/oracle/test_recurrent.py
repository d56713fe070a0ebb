"""Recurrent layers, and convolutions over time, against PyTorch: outputs and all gradients."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

import nnspec
from nnspec.runtime.arrays import Array
from nnspec.runtime.layers import Mode, build
from nnspec.spec_lang.vocabulary.layers.conv import Conv
from nnspec.spec_lang.vocabulary.layers.embedding import Embed, EmbedColumns
from nnspec.spec_lang.vocabulary.layers.recurrent import BACKWARDS, Gru, Lstm, Pass, Recurrent, Rnn
from nnspec.spec_lang.vocabulary.shape import Shape
from tests.support.strategies import Case, seeds

many = settings(max_examples=40, deadline=None)
WORDS = {"rnn": Rnn, "lstm": Lstm, "gru": Gru}


def assert_close(ours: Array, theirs: torch.Tensor) -> None:
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-8, atol=1e-8)


def module(word: Recurrent, features: int, arrays: dict[str, Array]) -> torch.nn.RNNBase:
    """PyTorch's layer with our weights; of its two biases one has ours and the other zeros."""
    options = {
        "batch_first": True,
        "bias": word.bias,
        "bidirectional": word.bidirectional,
        "num_layers": word.layers,
        "dtype": torch.float64,
    }
    layer: torch.nn.RNNBase
    if isinstance(word, Rnn):
        layer = torch.nn.RNN(features, word.units, nonlinearity=word.activation, **options)
    else:
        layer = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[word.word](features, word.units, **options)
    with torch.no_grad():
        for one in word.passes(Shape((2, features), sequence=True)):
            ours, end = one.prefix, theirs_of(one)
            getattr(layer, f"weight_ih_{end}")[...] = torch.tensor(arrays[f"{ours}input_weight"].T)
            getattr(layer, f"weight_hh_{end}")[...] = torch.tensor(arrays[f"{ours}hidden_weight"].T)
            if word.bias:
                getattr(layer, f"bias_ih_{end}")[...] = torch.tensor(arrays[f"{ours}bias"])
                hidden = getattr(layer, f"bias_hh_{end}")
                hidden.zero_()
                if isinstance(word, Gru):
                    hidden[2 * word.units :] = torch.tensor(arrays[f"{ours}hidden_bias"])
    return layer


def theirs_of(one: Pass) -> str:
    """How PyTorch's names of a direction's arrays end: l0, l1_reverse."""
    return f"l{one.layer}{'_reverse' if one.direction else ''}"


@many
@given(
    kind=st.sampled_from(sorted(WORDS)),
    units=st.integers(1, 4),
    every=st.booleans(),
    both=st.booleans(),
    bias=st.booleans(),
    relu=st.booleans(),
    layers=st.integers(1, 3),
    seed=seeds,
)
def test_recurrent_layers_are_pytorchs_also_stacked_and_where_lengths_differ(
    kind: str, units: int, every: bool, both: bool, bias: bool, relu: bool, layers: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    batch, time, features = random.integers(1, 5, 3)
    options = {"activation": "relu"} if relu and kind == "rnn" else {}
    word = WORDS[kind](
        units=units,
        bidirectional=both,
        bias=bias,
        layers=layers,
        **{"return": "sequence" if every else "last"},
        **options,
    )
    shape = Shape((int(time), int(features)), sequence=True)
    arrays = Case("", word, shape).arrays(random)
    x = random.normal(size=(batch, *shape))
    lengths = random.integers(1, time + 1, batch)

    layer = module(word, int(features), arrays)
    x_tensor = torch.tensor(x, requires_grad=True)
    packed = torch.nn.utils.rnn.pack_padded_sequence(x_tensor, torch.tensor(lengths), True, enforce_sorted=False)
    outputs, states = layer(packed)
    unpacked, _ = torch.nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True, total_length=int(time))
    hidden = states[0] if kind == "lstm" else states
    theirs = unpacked if every else hidden[-1 - both :].transpose(0, 1).reshape(batch, -1)

    y, backward = build(word, shape, arrays)(x, Mode(padding=time - lengths))
    d_y = random.normal(size=y.shape)
    real = np.arange(time) < lengths[:, None]
    if every:  # PyTorch shows zeros for padding, where we show the state as it stays
        y, d_y = y * real[..., None], d_y * real[..., None]
    theirs.backward(torch.tensor(d_y))
    d_x, gradients = backward(d_y)
    assert_close(y, theirs)
    assert x_tensor.grad is not None
    assert_close(d_x, x_tensor.grad)
    for one in word.passes(shape):
        ours, end = one.prefix, theirs_of(one)
        assert_close(gradients[f"{ours}input_weight"].T, getattr(layer, f"weight_ih_{end}").grad)
        assert_close(gradients[f"{ours}hidden_weight"].T, getattr(layer, f"weight_hh_{end}").grad)
        if bias:
            assert_close(gradients[f"{ours}bias"], getattr(layer, f"bias_ih_{end}").grad)
        if bias and kind == "gru":
            assert_close(gradients[f"{ours}hidden_bias"], getattr(layer, f"bias_hh_{end}").grad[2 * units :])


@pytest.mark.parametrize("kind", sorted(WORDS))
def test_what_is_dropped_is_dropped_at_every_step_and_between_layers_at_each_step_anew(kind: str) -> None:
    """PyTorch's cells, one step after another, with the masks multiplied in by hand."""
    random = np.random.default_rng(7)
    shape, units, batch = Shape((5, 3), sequence=True), 4, 3
    options = {"dropout": 0.3, "input_dropout": 0.2, "recurrent_dropout": 0.4, "return": "sequence"}
    word = WORDS[kind](units=units, layers=2, **options)
    arrays = Case("", word, shape).arrays(random)
    numbers = word.draws(shape)
    assert numbers is not None
    drawn = random.random((batch, *numbers), np.float32)
    x = random.normal(size=(batch, *shape))
    y, backward = build(word, shape, arrays)(x, Mode(training=True, drawn=drawn))
    d_y = random.normal(size=y.shape)
    d_x, gradients = backward(d_y)

    x_tensor = torch.tensor(x, requires_grad=True)
    steps, cells = list(x_tensor.unbind(1)), []
    flat = torch.tensor(drawn[:, : word.masks(shape).rows].reshape(batch, -1))
    between = torch.tensor(drawn[:, word.masks(shape).rows :])
    for one in word.passes(shape):
        own = {name.removeprefix(one.prefix): a for name, a in arrays.items() if name.startswith(one.prefix)}
        plain = WORDS[kind](units=units)
        stacked = module(plain, one.features, own)
        cell_class = {"rnn": torch.nn.RNNCell, "gru": torch.nn.GRUCell, "lstm": torch.nn.LSTMCell}[kind]
        cell = cell_class(one.features, units, dtype=torch.float64)
        cell.load_state_dict({name.removesuffix("_l0"): value for name, value in stacked.state_dict().items()})
        cells.append(cell)
        input_mask = (flat[:, one.input_mask] >= 0.2).double() / 0.8
        state_mask = (flat[:, one.state_mask] >= 0.4).double() / 0.6
        h = c = torch.zeros(batch, units, dtype=torch.float64)
        shown = []
        for t, step in enumerate(steps):
            if one.layer:
                step = step * ((between[:, t] >= 0.3).double() / 0.7)
            h, c = _cell_step(cell, kind, step * input_mask, h, c, state_mask)
            shown.append(h)
        steps = shown
    theirs = torch.stack(steps, 1)
    theirs.backward(torch.tensor(d_y))
    assert_close(y, theirs)
    assert x_tensor.grad is not None
    assert_close(d_x, x_tensor.grad)
    for one, cell in zip(word.passes(shape), cells, strict=True):
        assert_close(gradients[f"{one.prefix}input_weight"].T, cell.weight_ih.grad)
        assert_close(gradients[f"{one.prefix}hidden_weight"].T, cell.weight_hh.grad)
        assert_close(gradients[f"{one.prefix}bias"], cell.bias_ih.grad)


def _cell_step(
    cell: torch.nn.RNNCellBase,
    kind: str,
    x: torch.Tensor,
    h: torch.Tensor,
    c: torch.Tensor,
    mask: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """One step of a cell whose hidden weights meet h · mask; the mixture of a GRU takes h itself."""
    if kind == "rnn":
        return cell(x, h * mask), c
    if kind == "lstm":
        h, c = cell(x, (h * mask, c))
        return h, c
    r, z, n = (x @ cell.weight_ih.T + cell.bias_ih).chunk(3, 1)
    hidden_r, hidden_z, hidden_n = ((h * mask) @ cell.weight_hh.T + cell.bias_hh).chunk(3, 1)
    r, z = torch.sigmoid(r + hidden_r), torch.sigmoid(z + hidden_z)
    n = torch.tanh(n + r * hidden_n)
    return n + z * (h - n), c


@pytest.mark.parametrize("kind", sorted(WORDS))
def test_a_layer_that_reads_from_the_end_is_the_second_direction_of_pytorchs(kind: str) -> None:
    random = np.random.default_rng(4)
    shape = Shape((5, 3), sequence=True)
    both = WORDS[kind](units=2, bidirectional=True, **{"return": "sequence"})
    arrays = Case("", both, shape).arrays(random)
    x = random.normal(size=(2, *shape))
    theirs = module(both, 3, arrays)(torch.tensor(x))[0][..., 2:]
    own = {name.removeprefix(BACKWARDS): array for name, array in arrays.items() if name.startswith(BACKWARDS)}
    reverse = WORDS[kind](units=2, reverse=True, **{"return": "sequence"})
    assert_close(build(reverse, shape, own)(x, Mode())[0], theirs)


@pytest.mark.parametrize("kind", sorted(WORDS))
def test_a_stack_on_symbols_of_different_lengths_has_pytorchs_loss_and_gradients(kind: str) -> None:
    """Embedded symbols, two layers that read both ways, an answer at each step: the mean over real steps."""
    text = f"input 6\nembed 3 vocab=5 -> repeat 2 ({kind} 4 bidirectional=yes return=sequence) -> dense 5 softmax"
    network = nnspec.compile(text, seed=2, dtype="float64")
    random = np.random.default_rng(3)
    lengths = np.array([6, 3, 1, 5])
    padding = np.arange(6) >= lengths[:, None]
    x, y = (np.where(padding, -1, random.integers(0, 5, padding.shape)) for _ in range(2))

    arrays = network.parameters
    names = sorted({name.rpartition("/")[0] for name in arrays if "hidden_weight" in name})
    tensors = {name: torch.tensor(arrays[name], requires_grad=True) for name in ("embed1/weight", *_dense(arrays))}
    hidden = functional.embedding(torch.tensor(np.where(padding, 0, x)), tensors["embed1/weight"])
    layers = []
    for name in names:
        own = {key.rpartition("/")[2]: array for key, array in arrays.items() if key.startswith(f"{name}/")}
        word = WORDS[kind](units=4, bidirectional=True, **{"return": "sequence"})
        layers.append(module(word, hidden.shape[-1], own))
        packed = torch.nn.utils.rnn.pack_padded_sequence(hidden, torch.tensor(lengths), True, enforce_sorted=False)
        hidden, _ = torch.nn.utils.rnn.pad_packed_sequence(layers[-1](packed)[0], batch_first=True, total_length=6)
    weight, bias = (tensors[name] for name in _dense(arrays))
    logits = hidden @ weight + bias
    theirs = functional.cross_entropy(logits.reshape(-1, 5), torch.tensor(y.reshape(-1)), ignore_index=-1)
    theirs.backward()

    loss, gradients = network.loss_and_gradients(x, y)
    assert abs(loss - theirs.item()) < 1e-8
    for name, tensor in tensors.items():
        assert tensor.grad is not None
        assert_close(gradients[name], tensor.grad)
    for name, layer in zip(names, layers, strict=True):
        for direction, end in (("", ""), (BACKWARDS, "_reverse")):
            assert_close(gradients[f"{name}/{direction}input_weight"].T, getattr(layer, f"weight_ih_l0{end}").grad)
            assert_close(gradients[f"{name}/{direction}hidden_weight"].T, getattr(layer, f"weight_hh_l0{end}").grad)
            assert_close(gradients[f"{name}/{direction}bias"], getattr(layer, f"bias_ih_l0{end}").grad)


def _dense(arrays: dict[str, Array]) -> tuple[str, str]:
    (weight,) = [name for name in arrays if name.startswith("dense") and name.endswith("weight")]
    return weight, weight.replace("weight", "bias")


@many
@given(
    time=st.integers(1, 8),
    window=st.integers(1, 4),
    stride=st.integers(1, 3),
    pad=st.sampled_from([0, 1, 2]),
    groups=st.integers(1, 2),
    seed=seeds,
)
def test_convolutions_over_time_are_pytorchs(
    time: int, window: int, stride: int, pad: int, groups: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    word = Conv(window=(window,), filters=2 * groups, stride=stride, pad=pad, groups=groups)
    shape = Shape((max(time, window), 3 * groups), sequence=True)
    arrays = Case("", word, shape).arrays(random)
    x = random.normal(size=(2, *shape))
    weight = torch.tensor(arrays["weight"].transpose(2, 1, 0), requires_grad=True)  # (out, in, steps)
    x_tensor = torch.tensor(x.transpose(0, 2, 1), requires_grad=True)
    theirs = functional.conv1d(
        x_tensor, weight, torch.tensor(arrays["bias"]), stride=stride, padding=pad, groups=groups
    )
    y, backward = build(word, shape, arrays)(x, Mode())
    d_y = random.normal(size=y.shape)
    theirs.backward(torch.tensor(d_y.transpose(0, 2, 1)))
    d_x, gradients = backward(d_y)
    assert_close(y.transpose(0, 2, 1), theirs)
    assert x_tensor.grad is not None
    assert_close(d_x.transpose(0, 2, 1), x_tensor.grad)
    assert weight.grad is not None
    assert_close(gradients["weight"].transpose(2, 1, 0), weight.grad)


def test_embeddings_are_pytorchs() -> None:
    random = np.random.default_rng(2)
    word, shape = Embed(units=3, vocab=5), Shape((4,))
    arrays = Case("", word, shape).arrays(random)
    x = random.integers(0, 5, (6, 4))
    weight = torch.tensor(arrays["weight"], requires_grad=True)
    theirs = functional.embedding(torch.tensor(x), weight)
    y, backward = build(word, shape, arrays)(x.astype(float), Mode())
    d_y = random.normal(size=y.shape)
    theirs.backward(torch.tensor(d_y))
    assert_close(y, theirs)
    assert weight.grad is not None
    assert_close(backward(d_y)[1]["weight"], weight.grad)


def test_embedded_columns_are_pytorchs_embeddings_beside_the_other_numbers() -> None:
    random = np.random.default_rng(3)
    word, shape = EmbedColumns(units=2, blocks="1:3 5:4"), Shape((10,))
    arrays = Case("", word, shape).arrays(random)
    one, other = random.integers(0, 3, 7), random.integers(0, 4, 7)
    x = random.normal(size=(7, 10))
    x[:, 1:4], x[:, 5:9] = np.eye(3)[one], np.eye(4)[other]
    weights = [torch.tensor(arrays[name], requires_grad=True) for name in ("weight1", "weight2")]
    vectors = [functional.embedding(torch.tensor(c), w) for c, w in zip((one, other), weights, strict=True)]
    theirs = torch.cat([torch.tensor(x[:, [0, 4, 9]]), *vectors], 1)
    y, backward = build(word, shape, arrays)(x, Mode())
    d_y = random.normal(size=y.shape)
    theirs.backward(torch.tensor(d_y))
    assert_close(y, theirs)
    for weight, gradient in zip(weights, backward(d_y)[1].values(), strict=True):
        assert weight.grad is not None
        assert_close(gradient, weight.grad)
