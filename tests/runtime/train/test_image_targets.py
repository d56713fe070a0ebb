"""Targets that are images: read, compared pixel by pixel, measured, augmented with their samples, saved and resumed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnspec
from nnspec.runtime.arrays import Array
from nnspec.runtime.data.augmentation.targets import TargetWarp
from nnspec.runtime.data.augmentation.warp import Warp
from nnspec.runtime.data.load import load_data
from nnspec.runtime.gradient_check import gradient_check
from nnspec.runtime.infer.network import Network
from nnspec.runtime.metrics import measure
from nnspec.runtime.train.spec_and_data import check_with_data
from nnspec.runtime.train.state import initial_state
from nnspec.runtime.train.step import Stepper
from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.vocabulary.data import NoisyDigits
from nnspec.spec_lang.vocabulary.metrics import Iou

BODY = "input 6x5x1\nconv 3x3 x3 pad=same relu -> conv 1x1 "
SAMPLES = 40

RANDOM = np.random.default_rng(0)
X: Array = RANDOM.normal(size=(SAMPLES, 6, 5, 1)).astype(np.float32)
YES, CLASSES = (X[..., 0] > 0).astype(np.int64), RANDOM.integers(0, 3, (SAMPLES, 6, 5))

KINDS: dict[str, tuple[str, Array]] = {
    "classes": ("x3 softmax", CLASSES),
    "classes with a channel axis": ("x3 softmax", CLASSES[..., None]),
    "yes or no": ("x1 sigmoid\nloss binary_cross_entropy", YES),
    "yes or no with a channel axis": ("x1 sigmoid\nloss binary_cross_entropy", YES[..., None].astype(np.uint8)),
    "several labels": ("x2 sigmoid\nloss binary_cross_entropy", np.stack([YES, 1 - YES], -1)),
    "numbers": ("x1\nloss mse", X[..., 0] * 3 + 1),
    "numbers of several channels": ("x2\nloss huber", np.concatenate([X, -X], -1)),
}


def train(kind: str) -> Any:
    end, targets = KINDS[kind]
    text = f"{BODY}{end}\noptimizer adam lr=0.05\ntrain 8 epochs batch=8 seed=1"
    return nnspec.train(text, data=(X[:30], targets[:30]), validation=(X[30:], targets[30:]))


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_learns_images_of_targets_and_is_measured(kind: str) -> None:
    run = train(kind)
    _, losses = run.history["validation_loss"]
    _, training = run.history["loss"]
    assert training[-1] < training[0]
    found = nnspec.evaluate(run.network, X[30:], KINDS[kind][1][30:])
    assert found["loss"] == pytest.approx(losses[-1])
    assert run.network.predict(X[:2]).shape[:3] == (2, 6, 5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradients_are_the_slopes_of_the_loss(kind: str) -> None:
    end, targets = KINDS[kind]
    network = nnspec.compile(f"{BODY}{end}", seed=1, dtype="float64")
    loss, gradients = network.loss_and_gradients(X[:4].astype(float), targets[:4])
    assert np.isfinite(loss)

    def value(weight: Array) -> float:
        network.set_parameters({"conv2/weight": weight})
        return float(network.loss_and_gradients(X[:4].astype(float), targets[:4])[0])

    gradient_check(value, network.parameters["conv2/weight"].copy(), gradients["conv2/weight"], "conv2/weight")


ERRORS = {
    "another size": ("conv 3x3 x3 relu -> conv 1x1 x3 softmax", CLASSES, "images of 4x3, and the targets of data are"),
    "one target a sample": ("conv 1x1 x3 softmax", CLASSES[:, 0, 0], "data has one target for each sample"),
    "no image out": ("dense 3 softmax", CLASSES, "data has an image of targets for each"),
    "channels": ("conv 1x1 x2\nloss mse", X, "ends in 2 channels, and the targets of data have 1"),
    "too few classes": ("conv 1x1 x2 softmax", CLASSES, "write conv 1x1 x3 softmax as the last layer"),
    "black and white": ("conv 1x1 x1 sigmoid\nloss binary_cross_entropy", YES * 255, "give y > 127"),
}


@pytest.mark.parametrize("what", ERRORS)
def test_shapes_that_do_not_agree_are_told_with_what_to_write(what: str) -> None:
    network, targets, said = ERRORS[what]
    with pytest.raises(nnspec.SpecError) as raised:
        nnspec.train(f"input 6x5x1\n{network}\ntrain 1 epochs", data=(X, targets))
    assert said in str(raised.value)


def test_a_label_that_is_not_a_class_is_named_with_its_sample() -> None:
    targets = CLASSES.astype(float)
    targets[7, 2, 1] = 0.5
    with pytest.raises(nnspec.DataError, match=r"label 0.5 is not a class.*sample 7"):
        nnspec.train(f"{BODY}x3 softmax\ntrain 1 epochs", data=(X, targets))


def test_intersection_over_union_is_that_of_each_class_averaged() -> None:
    outputs, targets = RANDOM.random((5, 4, 3, 3)), RANDOM.integers(0, 3, (5, 4, 3))
    said = outputs.argmax(-1)
    each = [((said == k) & (targets == k)).sum() / ((said == k) | (targets == k)).sum() for k in range(3)]
    assert measure(Iou(), outputs, targets) == pytest.approx(np.mean(each))
    yes = outputs[..., :1]
    hits = ((yes[..., 0] >= 0.5) & (targets == 1)).sum() / ((yes[..., 0] >= 0.5) | (targets == 1)).sum()
    binary = (targets == 1).astype(int)
    assert measure(Iou(average="binary"), yes, binary) == pytest.approx(hits)


def test_classes_move_with_their_pixels() -> None:
    """A shift by whole pixels moves each class as it moves a picture of it."""
    matrices = np.tile(np.eye(3), (3, 1, 1))
    matrices[:, :2, 2] = [[0, 1], [2, 0], [-1, -2]]
    targets, picture = CLASSES[:3].copy(), CLASSES[:3, ..., None].astype(np.float32)
    moved = np.empty_like(picture)
    Warp(3, (6, 5, 1), np.dtype(np.float32), "edge")(picture, matrices, moved)
    TargetWarp(3, CLASSES, "edge", False)(targets, matrices)
    np.testing.assert_array_equal(targets, moved[..., 0].astype(np.int64))


@pytest.mark.parametrize("kind", ["classes", "yes or no", "several labels", "numbers"])
def test_augmentation_moves_the_targets_with_the_images(kind: str) -> None:
    """Where a target is a function of its pixel it is the same function of the pixel that came there."""
    x = RANDOM.integers(0, 2, (SAMPLES, 6, 5, 1)).astype(np.float32)
    targets = {
        "classes": x[..., 0].astype(int) * 2, "yes or no": x[..., 0].astype(int),
        "several labels": np.concatenate([x, 1 - x], -1), "numbers": x[..., 0] * 3 + 1,
    }[kind]  # fmt: skip
    end = KINDS[kind][0]
    text = f"{BODY}{end}\naugment shift=2 flip=both\ndata arrays normalize=none targets=none\ntrain 1 epochs batch=8"
    if not kind.startswith("numbers"):
        text = text.replace(" targets=none", "")
    request = Request(Source("a test", text))
    data = nnspec.data_from_arrays(x, targets, classification=kind != "numbers")
    spec, data = check_with_data(request, data)
    network = Network(spec, data.preprocessing)
    stepper = Stepper(initial_state(network, SAMPLES, 0), data, 5)
    with stepper.ready():
        stepper.advance(1)
        program = stepper.program(8)
        seen, said = np.asarray(program.samples)[..., 0].round(), np.asarray(program.targets)
    seen, samples = seen[..., None], np.asarray(program.samples)
    expected = {"classes": seen * 2, "numbers": seen * 3 + 1, "several labels": np.concatenate([seen, 1 - seen], -1)}
    wanted = expected.get(kind, seen)
    sure = np.abs(samples - seen)[..., 0] < 0.2  # halfway between two pixels either may be nearest
    assert sure.mean() > 0.3
    np.testing.assert_allclose(said.reshape(wanted.shape)[sure], wanted[sure], atol=0.7 if kind == "numbers" else 0)


def test_images_that_are_moved_need_targets_of_their_size() -> None:
    text = "input 6x4x1\nconv 1x1 x1 -> maxpool 2 -> conv 1x1 x3 softmax\naugment shift=1\ntrain 1 epochs"
    x = RANDOM.normal(size=(10, 6, 4, 1))
    with pytest.raises(nnspec.SpecError, match="shift moves images and their targets alike"):
        nnspec.train(text, data=(x, RANDOM.integers(0, 3, (10, 3, 2))))
    nnspec.train(text.replace("shift=1", "noise=0.1"), data=(x, RANDOM.integers(0, 3, (10, 3, 2))))


def test_noisy_digits_are_the_same_for_a_seed_and_have_the_strokes_as_targets() -> None:
    data = load_data(NoisyDigits(), Path(), classification=True)
    again = load_data(NoisyDigits(), Path(), classification=True)
    assert data.test is not None and data.digest == again.digest
    assert data.train.inputs.shape == (4500, 28, 28, 1) and data.train.inputs.dtype == np.uint8
    assert data.test.targets.shape == (1000, 28, 28) and set(np.unique(data.test.targets)) == {0, 1}
    clean = load_data(NoisyDigits(noise=0, shade=0), Path(), classification=True)
    assert clean.test is not None
    np.testing.assert_array_equal(clean.test.targets, data.test.targets)
    assert (clean.test.inputs[..., 0][clean.test.targets == 0] < 128).all()
    assert load_data(NoisyDigits(seed=1), Path(), classification=True).digest != data.digest
