"""Runs with each layer, merge, optimizer, schedule, loss and initializer: with a worker process, and saved.

Everything is found through the registries. `test_facts` says what is wrong with a layer for which two processes give
other bytes than one.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from nnspec.runtime.arrays import Array
from nnspec.runtime.layers import LAYERS, Backward, Forward, Mode
from nnspec.runtime.train.checkpointing import load_run, save_checkpoint, state_differences
from nnspec.runtime.train.step import Stepper
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.losses import Loss
from nnspec.spec_lang.vocabulary.registry import layers, words
from nnspec.spec_lang.vocabulary.shape import Shape
from tests.contracts.runs import STEPS, bytes_of, carrying, checked, data_for, stepper_of, trained
from tests.support.commands import statements
from tests.support.strategies import Case, examples
from tests.support.throwaway import throwaway_words

CASES = [case for name in sorted(layers()) for case in examples(name) if case.shape]
"""Samples have at least one axis."""


def with_layer(case: Case) -> Spec:
    """A network with this layer between others: states go on from batch to batch where the layer carries one."""
    return carrying(checked(f"{case.text} -> flatten -> dense 2\noptimizer adam", case.shape))


SPECS = {
    "tied transposed": "input 5\nembed 4 vocab=6 -> gru 4 -> dense 6 softmax as=embed1\noptimizer adam",
    "tied twice": "input 5 -> dense 5 relu -> dense 5 tanh as=dense1 -> dense 2\noptimizer adam",
    **{f"merge {sign}": f"input 5 -> (dense 4 {sign} dense 4 tanh) -> dense 2" for sign in words("merge")},
    **{text: f"input 5 -> dense 4 -> dense 2\n{text}" for text in (*statements("optimizer"), *statements("schedule"))},
    "images of classes": "input 4x5x1 -> conv 3x3 x2 pad=same -> conv 1x1 x3 softmax\naugment shift=1 flip",
    "images of labels": "input 4x5x1 -> conv 3x3 x2 pad=same -> conv 1x1 x2 sigmoid\n"
    "loss binary_cross_entropy\naugment rotate=9",
    "images of numbers": "input 4x5x1 -> conv 3x3 x2 pad=same -> conv 1x1 x2\nloss mse\naugment zoom=0.1 shift=1",
    **{f"init {name}": f"input 5 -> dense 4 -> dense 2\ninit {name}" for name in words("init")},
    **{
        f"loss {name}": f"input 5 -> dense 3 {word.head or 'linear'}\nloss {name}"
        for name, word in words("loss").items()
        if issubclass(word, Loss)
    },
}
"""Networks whose layers share weights, and one for each word that is no layer of one input."""


@pytest.mark.worker
@pytest.mark.parametrize("case", CASES, ids=str)
def test_two_processes_train_a_layer_to_the_bytes_of_one(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_two_processes_are_one(with_layer(case), monkeypatch)


@pytest.mark.worker
@pytest.mark.parametrize("name", SPECS)
def test_two_processes_train_by_any_word_to_the_bytes_of_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_two_processes_are_one(checked(SPECS[name]), monkeypatch)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_saved_layer_answers_and_trains_as_before(case: Case, tmp_path: Path) -> None:
    assert_saved_is_the_same(with_layer(case), tmp_path / "a.h5")


@pytest.mark.parametrize("name", SPECS)
def test_a_saved_run_goes_on_as_before_by_any_word(name: str, tmp_path: Path) -> None:
    assert_saved_is_the_same(checked(SPECS[name]), tmp_path / "a.h5")


def assert_two_processes_are_one(spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    data = data_for(spec)
    alone, together = (trained(spec, data, monkeypatch, worker) for worker in (False, True))
    if alone != together:
        raise AssertionError("two processes train other bytes than one: a layer that draws declares `draws`")


def assert_saved_is_the_same(spec: Spec, path: Path) -> None:
    """Parameters, buffers, slots and carried states come back bit by bit, the answers are equal, and so is a step."""
    data = data_for(spec)
    stepper = stepper_of(spec, data)
    advance(stepper, STEPS - 1)
    save_checkpoint(path, stepper.state, data.digest, {"folder": ".", "seconds": 0.0})
    saved = load_run(path)
    assert not state_differences(stepper.state, saved, data.digest)
    answers, same = (network.predict(data.train.inputs) for network in (stepper.state.network, saved.network))
    np.testing.assert_array_equal(same, answers)
    continued = Stepper(saved.state, data, STEPS)
    assert advance(stepper, 1) == advance(continued, 1)
    assert bytes_of(stepper.state) == bytes_of(continued.state)


def advance(stepper: Stepper, steps: int) -> list[float]:
    with stepper.ready():
        return [loss for _ in range(steps) for loss in stepper.advance(1)]


@pytest.mark.worker
def test_random_numbers_of_a_layer_do_not_depend_on_the_number_of_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    with throwaway_words():

        class Noise(Layer):
            """Each number times a random one while training."""

            word = "noise"
            mixes_samples = False
            mixes_steps = False

            def draws(self, shape: Shape) -> Shape:
                return shape

        @LAYERS.implements(Noise)
        def noise(word: Noise, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
            def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
                factor = np.ones_like(x) if mode.drawn is None else 0.5 + mode.drawn.astype(x.dtype)
                return x * factor, lambda d_y: (d_y * factor, {})

            return forward

        text = "input 5 -> dense 8 -> {} -> dense 2"
        assert_two_processes_are_one(checked(text.format("noise")), monkeypatch)
        specs = [checked(text.format(layer)) for layer in ("noise", "relu")]
        noisy, quiet = (trained(spec, data_for(spec), monkeypatch, worker=True) for spec in specs)
        assert noisy != quiet
