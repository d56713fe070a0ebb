"""Networks that look back on their steps, one step after another."""

import numpy as np
import pytest

import nnspec
from nnspec.runtime.infer.sampling import TextGenerator
from nnspec.runtime.infer.single_step import SingleStepNetwork
from nnspec.runtime.infer.window_step import WindowNetwork, step_network

BLOCK = "(layernorm -> attention 2 causal + skip) -> (layernorm -> dense 8 gelu -> dense 4 + skip)"
BACK = [
    f"dense 4 -> positions -> {BLOCK} -> dense 2",
    f"dense 4 -> positions learned -> repeat 2 {BLOCK.split(' -> (layernorm -> dense')[0]} -> dense 1",
    "conv 3 x4 pad=2x0 relu -> conv 3 x4 pad=4x0 dilation=2 -> dense 1",
    "dense 4 -> attention 1 causal dropout=0.5 -> lstm 3 return=sequence -> dense 1",
]


@pytest.mark.parametrize("layers", BACK)
def test_step_after_step_gives_what_the_whole_sequence_gives(layers: str) -> None:
    network = nnspec.compile(f"input 6x2 sequence\n{layers}", dtype="float64", seed=3)
    x = np.random.default_rng(1).normal(size=(2, 6, 2))
    steps = step_network(network)
    for sequence, answers in zip(x, network.predict(x), strict=True):
        steps.restart()
        found = [steps.read([point]) for point in sequence]
        np.testing.assert_allclose(found, answers, rtol=1e-10, atol=1e-12)
        steps.restart()
        np.testing.assert_allclose(steps.read(sequence), answers[-1], rtol=1e-10, atol=1e-12)


def test_after_more_steps_than_a_sample_has_the_last_ones_are_the_window() -> None:
    network = nnspec.compile(f"input 6x2 sequence\n{BACK[0]}", dtype="float64", seed=3)
    x = np.random.default_rng(1).normal(size=(9, 2))
    steps = step_network(network)
    found = [steps.read([point]) for point in x]
    np.testing.assert_allclose(found[-1], network.predict(x[None, 3:])[0, -1], rtol=1e-10)


@pytest.mark.parametrize(
    "layers",
    [
        "dense 4 -> attention 2 -> dense 1",
        "dense 4 -> attention 2 causal -> globalavgpool -> dense 1",
        "conv 3 x4 pad=same -> dense 1",
        "dense 4 -> attention 2 causal -> rnn 3 reverse=yes return=sequence -> dense 1",
    ],
)
def test_what_needs_later_steps_is_told(layers: str) -> None:
    with pytest.raises(nnspec.NetworkError, match="attention causal=yes"):
        step_network(nnspec.compile(f"input 6x2 sequence\n{layers}"))


def test_a_network_of_carried_states_has_no_window() -> None:
    network = nnspec.compile("input 6x2 sequence\nlstm 3 return=sequence -> dense 1")
    assert isinstance(step_network(network), SingleStepNetwork)
    assert isinstance(step_network(nnspec.compile(f"input 6x2 sequence\n{BACK[0]}")), WindowNetwork)


def test_a_transformer_writes_text_longer_than_its_window() -> None:
    text = f"embed 4 -> positions -> {BLOCK} -> dense 27 softmax\ndata dinos split=80/20\ntrain 2 iterations batch=8"
    network = nnspec.train(text, data="dinos split=80/20", seed=1).network
    long = "a" * 30
    (first, second) = ("".join(TextGenerator(network, 5, length=40).generate(long)) for _ in "ab")
    assert first == second and first.startswith(long)
    other = "".join(TextGenerator(network, 6, length=40).generate(long))
    assert other != first
