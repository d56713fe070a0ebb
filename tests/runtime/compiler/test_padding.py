"""Padding behind shorter sequences, through whole networks: more of it changes nothing."""

from typing import Any

import numpy as np
import pytest

import nnspec
from nnspec.runtime.compiler.graph import build_graph
from nnspec.runtime.compiler.padding import padding_after_strides
from nnspec.spec_lang.vocabulary.shape import Shape
from tests.runtime.compiler.both import Both

LENGTHS = (12, 9, 5, 6, 1, 10)
NETWORKS = [
    "rnn 4 -> dense 3 softmax",
    "gru 4 bidirectional=yes -> dense 3 softmax",
    "lstm 4 reverse=yes -> dense 3 softmax",
    "lstm 4 return=sequence bidirectional=yes -> gru 3 return=sequence -> dense 3 softmax",
    "(rnn 5 return=sequence + skip) -> layernorm -> rnn 4 return=sequence reverse=yes -> dense 3 softmax",
    "dense 4 sigmoid -> conv 3 x4 pad=same relu -> conv 2 x4 dilation=2 -> globalavgpool -> dense 3 softmax",
    "conv 3 x4 pad=same -> globalmaxpool -> dense 3 softmax",
    "conv 3 x4 stride=2 relu -> rnn 4 -> dense 3 softmax",
    "conv 3 x4 pad=1 stride=2 -> conv 2 x4 stride=2 -> batchnorm -> gru 4 bidirectional=yes -> dense 3 softmax",
    "conv 2 x3 dilation=2 bias=no -> conv 1 x4 stride=2 bias=no -> rnn 4 -> dense 3 softmax",
    "conv 5 x3 -> conv 2 x4 stride=3 -> gru 4 reverse=yes -> dense 3 softmax",
    "conv 2 x3 -> conv 2 x3 relu -> conv 3 x4 stride=2 -> globalmaxpool -> dense 3 softmax",
    "conv 1 x3 stride=2 -> conv 3 x4 -> conv 1 x4 stride=2 -> rnn 4 -> dense 3 softmax",
    "conv 3 x3 -> dense 4 tanh -> layernorm -> conv 1 x4 stride=4 -> batchnorm -> lstm 4 -> dense 3 softmax",
    "conv 4 x3 -> (conv 3 x4 stride=2 | conv 3 x2 stride=2) -> rnn 4 -> dense 3 softmax",
    "batchnorm -> conv 3 x4 pad=same -> batchnorm -> dense 3 softmax",
    "rnn 4 return=sequence -> batchnorm -> globalavgpool -> batchnorm -> dense 3 softmax",
]


@pytest.mark.parametrize("first", ["onehot", "embed 5"])
@pytest.mark.parametrize("layers", NETWORKS)
def test_three_steps_of_padding_more_change_neither_the_loss_nor_a_gradient_nor_what_batchnorm_keeps(
    layers: str, first: str
) -> None:
    random = np.random.default_rng(1)
    x = random.integers(0, 5, (len(LENGTHS), 12))
    for row, length in zip(x, LENGTHS, strict=True):
        row[length:] = -1
    found: list[dict[str, Any]] = []
    weights: dict[str, np.ndarray] = {}
    for more in (0, 3):
        spec = f"input {12 + more}\n{first} vocab=5 -> {layers}\ninit normal"
        network = nnspec.compile(spec, dtype="float64")
        weights = weights or network.parameters
        network.set_parameters(weights)
        longer = np.pad(x, ((0, 0), (0, more)), constant_values=-1)
        every = len(network.spec.output_shape or ()) == 2
        y = np.where(longer >= 0, longer % 3, -1) if every else np.arange(len(x)) % 3
        loss, gradients = network.loss_and_gradients(longer, y)
        found.append({"loss": loss, **gradients, **dict(network.buffer_arena.items())})
    assert found[0].keys() == found[1].keys()
    for name, value in found[0].items():
        np.testing.assert_allclose(found[1][name], value, rtol=1e-11, atol=1e-13, err_msg=name)


def test_a_convolution_that_skips_steps_leaves_a_sequence_the_windows_it_has_by_itself() -> None:
    spec = nnspec.check("input 7\nonehot vocab=3 -> conv 3 x2 stride=2 relu -> conv 2 x2 -> rnn 2 -> dense 2 softmax")
    tables = padding_after_strides(build_graph(spec).nodes)
    assert set(tables) == {"conv1/relu", "conv2", "rnn1", "dense1"}
    assert tables["conv1/relu"].tolist() == [0, 1, 1, 2, 2, 3, 3, 3]  # of the 3 windows on 7, 6, 5, … steps
    assert tables["rnn1"] is tables["conv1/relu"]
    assert (
        padding_after_strides(build_graph(nnspec.check("input 7x2\nconv 3 x2 -> rnn 2 -> dense 2 softmax")).nodes) == {}
    )


def test_a_table_counts_the_padding_of_the_samples_where_layers_before_it_drop_steps() -> None:
    text = "input 9\nonehot vocab=4 -> conv 2 x1 dilation=2 bias=no -> conv 1 x1 stride=2 bias=no -> rnn 1 -> dense 1"
    table = padding_after_strides(build_graph(nnspec.check(text)).nodes)["rnn1"]
    assert table.tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4, 4]  # of 4 windows; 1 or 2 steps fill none


@pytest.mark.parametrize("first", ["conv 2 x1 dilation=2 bias=no", "conv 4 x2", "conv 2 x1 stride=2 -> conv 3 x1"])
@pytest.mark.parametrize("second", ["conv 1 x1 stride=2 bias=no", "conv 2 x2 stride=2 pad=same relu"])
def test_a_planned_step_is_the_plain_one_after_a_convolution_that_drops_steps(first: str, second: str) -> None:
    both = Both.of(f"input 9\nonehot vocab=4 -> {first} -> {second} -> rnn 1 -> dense 1")
    both.assert_planned_is_plain(*both.schedules(7))


def test_samples_of_a_single_number_have_no_padding() -> None:
    both = Both.of("elu -> dense 2", shape=Shape(()))
    both.assert_planned_is_plain(*both.schedules(3))
