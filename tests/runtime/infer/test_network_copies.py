"""Copies and pickles of a network: changing a copy never changes the original, and always changes the copy."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnspec
from nnspec.runtime.infer.network import Network
from nnspec.runtime.infer.single_step import SingleStepNetwork
from nnspec.runtime.train.state import initial_state

COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda network: pickle.loads(pickle.dumps(network)),
    "a copy of a copy": lambda network: copy.copy(copy.deepcopy(network)),
    "inside a list": lambda network: copy.deepcopy([network])[0],
}
TEXTS = {
    "dense": "input 20 -> dense 30 relu l2=0.01 -> dense 4 softmax",
    "convolutions": "input 12x12 -> conv 3x3 x8 relu -> maxpool 2 -> batchnorm -> dense 4 softmax",
    "sequences": "input 9 -> onehot vocab=5 -> gru 6 -> dense 4 softmax",
    "no weights": "input 4 -> softmax",
}
ASKED = [False, True]


def network_of(text: str, dtype: str = "float32") -> tuple[Network, np.ndarray]:
    network = nnspec.compile(text, seed=1, dtype=dtype)
    assert network.spec.input is not None
    return network, np.random.default_rng(0).integers(0, 4, (6, *network.spec.input)).astype(dtype)


def answers(network: Network, x: np.ndarray) -> list[bytes]:
    """All that a network answers: predictions, single ones, the plain program, gradients, parameters."""
    loss, gradients = network.loss_and_gradients(x, np.arange(6) % 4)
    arrays = [network.predict(x), network.predict(x[:1]), network.program.outputs(x), np.float64(loss)]
    return [np.asarray(array).tobytes() for array in (*arrays, *gradients.values(), *network.parameters.values())]


def change(network: Network) -> None:
    """Change every parameter and every running average."""
    random = np.random.default_rng(5)
    changed = {name: random.normal(size=array.shape) for name, array in network.parameters.items()}
    network.set_parameters(changed)
    network.buffer_arena.flat[...] += 0.5


@pytest.mark.parametrize("asked", ASKED, ids=["fresh", "asked before"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_copy_and_its_original_have_weights_of_their_own(
    text: str, copied: Callable[[Network], Network], dtype: str, asked: bool
) -> None:
    network, x = network_of(text, dtype)
    if asked:
        answers(network, x)
    other = copied(network)
    before = answers(network, x)
    assert answers(other, x) == before
    assert other.dtype == network.dtype and repr(other) == repr(network)
    change(other)
    assert answers(network, x) == before
    if network.parameters:
        changed = answers(other, x)
        assert all(a != b for a, b in zip(changed[:3], before[:3], strict=True))
        change(network)
        assert answers(network, x) == changed


@pytest.mark.parametrize("copied", [copy.deepcopy, COPIES["pickle"]], ids=["deepcopy", "pickle"])
def test_the_parts_of_a_network_are_copied_as_a_whole(copied: Callable[[Any], Any]) -> None:
    network, x = network_of(TEXTS["convolutions"])
    state = initial_state(network, 6, 0)
    network.predict(x)
    other = copied(state)
    assert other.network.program.parameters is other.network.parameter_arena
    before = network.predict(x)
    change(other.network)
    for arena in (*other.slots.values(), other.network.parameter_arena):
        arena.flat.fill(2)
        assert all((array == 2).all() for array in arena.values())
    assert network.predict(x).tobytes() == before.tobytes()
    parts = copied((network.program, network.programs, network.parameter_arena))
    assert parts[0].parameters is parts[1].parameters is parts[2]
    parts[2].flat.fill(0)
    answer = next(parts[1].run("outputs", x))
    assert answer.tobytes() == parts[0].outputs(x).tobytes() or np.allclose(answer, parts[0].outputs(x))
    assert network.predict(x).tobytes() == before.tobytes()


def test_what_cannot_be_copied_says_so() -> None:
    step = SingleStepNetwork(network_of("input 6x3 -> gru 5 -> dense 4 softmax")[0])
    with pytest.raises(TypeError, match="cannot be copied or pickled"):
        copy.deepcopy(step)
