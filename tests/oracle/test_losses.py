"""Every loss and its gradient against PyTorch."""

from collections.abc import Callable

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_pinball_loss
from torch.nn import functional

from nnspec.runtime.arrays import Array
from nnspec.runtime.losses import build_loss
from nnspec.runtime.targets import PADDING
from nnspec.spec_lang.vocabulary.losses import (
    BinaryCrossEntropy,
    BinaryFocal,
    BinaryHinge,
    CrossEntropy,
    Focal,
    Hinge,
    Huber,
    Kl,
    Loss,
    Mae,
    Mse,
    Quantile,
)
from tests.support.strategies import seeds

SHAPES = st.sampled_from([(1, 2), (4, 1), (3, 5), (2, 3, 4)])
SCALES = st.sampled_from([0.1, 1.0, 30.0])
many = settings(max_examples=40, deadline=None)


def check_agrees(word: Loss, outputs: Array, targets: Array, theirs: torch.Tensor, leaf: torch.Tensor) -> None:
    theirs.backward()
    value, gradient = build_loss(word)(outputs, targets)
    assert leaf.grad is not None
    np.testing.assert_allclose(value, theirs.item(), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(gradient, leaf.grad.numpy(), rtol=1e-8, atol=1e-12)


@many
@given(shape=SHAPES, scale=SCALES, seed=seeds)
def test_cross_entropy_is_pytorchs(shape: tuple[int, ...], scale: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    logits, classes = random.normal(0, scale, shape), random.integers(0, shape[-1], shape[:-1])
    leaf = torch.tensor(logits, requires_grad=True)
    theirs = functional.cross_entropy(leaf.reshape(-1, shape[-1]), torch.tensor(classes).reshape(-1))
    check_agrees(CrossEntropy(), logits, classes, theirs, leaf)


@many
@given(shape=SHAPES, scale=SCALES, smoothing=st.floats(0, 0.9), seed=seeds)
def test_smoothing_is_pytorchs_label_smoothing(
    shape: tuple[int, ...], scale: float, smoothing: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    logits, classes = random.normal(0, scale, shape), padded_classes(random, shape)
    leaf = torch.tensor(logits, requires_grad=True)
    theirs = functional.cross_entropy(
        leaf.reshape(-1, shape[-1]),
        torch.tensor(classes).reshape(-1),
        label_smoothing=smoothing,
        ignore_index=PADDING,
    )
    check_agrees(CrossEntropy(smoothing=smoothing), logits, classes, theirs, leaf)


@many
@given(shape=SHAPES, scale=SCALES, smoothing=st.floats(0, 0.9), seed=seeds)
def test_smoothed_labels_are_pytorchs_loss_of_softer_targets(
    shape: tuple[int, ...], scale: float, smoothing: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    logits, truth = random.normal(0, scale, shape), random.integers(0, 2, shape)
    leaf = torch.tensor(logits, requires_grad=True)
    softer = torch.tensor(np.where(truth == 1, 1 - smoothing / 2, smoothing / 2))
    theirs = functional.binary_cross_entropy_with_logits(leaf, softer)
    check_agrees(BinaryCrossEntropy(smoothing=smoothing), logits, truth, theirs, leaf)


@many
@given(shape=SHAPES, scale=SCALES, seed=seeds)
def test_binary_cross_entropy_is_pytorchs(shape: tuple[int, ...], scale: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    logits, truth = random.normal(0, scale, shape), random.integers(0, 2, shape)
    leaf = torch.tensor(logits, requires_grad=True)
    theirs = functional.binary_cross_entropy_with_logits(leaf, torch.tensor(truth, dtype=torch.float64))
    check_agrees(BinaryCrossEntropy(), logits, truth, theirs, leaf)


@many
@given(shape=SHAPES, scale=SCALES, delta=st.floats(0.1, 5), seed=seeds)
def test_mse_mae_and_huber_are_pytorchs(shape: tuple[int, ...], scale: float, delta: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    outputs, targets = random.normal(0, scale, shape), random.normal(0, scale, shape)
    outputs.flat[0] = targets.flat[0]  # no difference at all
    truth = torch.tensor(targets)
    cases: list[tuple[Loss, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]]] = [
        (Mse(), functional.mse_loss),
        (Mae(), functional.l1_loss),
        (Huber(), functional.huber_loss),
        (Huber(delta=delta), lambda y, t: functional.huber_loss(y, t, delta=delta)),
    ]
    for word, function in cases:
        leaf = torch.tensor(outputs, requires_grad=True)
        check_agrees(word, outputs, targets, function(leaf, truth), leaf)


@many
@given(shape=st.sampled_from([(4, 2), (3, 5)]), scale=SCALES, seed=seeds)
def test_weighted_cross_entropy_is_the_mean_of_weighted_terms(shape: tuple[int, int], scale: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    logits, classes = random.normal(0, scale, shape), random.integers(0, shape[-1], shape[:-1])
    weights = random.random(shape[0])
    leaf = torch.tensor(logits, requires_grad=True)
    terms = functional.cross_entropy(leaf, torch.tensor(classes), reduction="none")
    theirs = (terms * torch.tensor(weights)).mean()
    theirs.backward()
    value, gradient = build_loss(CrossEntropy())(logits, classes, weights)
    assert leaf.grad is not None
    np.testing.assert_allclose(value, theirs.item(), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(gradient, leaf.grad.numpy(), rtol=1e-8, atol=1e-12)


def mean_of_real(terms: torch.Tensor, classes: Array) -> torch.Tensor:
    """The mean over the places that are not padding."""
    real = torch.tensor(classes.reshape(-1) != PADDING)
    return terms.reshape(-1)[real].sum() / real.sum()


def padded_classes(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Random classes of samples, or of steps, the last of which may be padding."""
    classes = random.integers(0, shape[-1], shape[:-1])
    if len(shape) == 3:
        classes[0, -1] = PADDING
    return classes


@many
@given(shape=SHAPES, scale=SCALES, gamma=st.sampled_from([0.0, 0.5, 1.0, 2.0, 5.0]), seed=seeds)
def test_focal_is_its_formula_in_pytorch(shape: tuple[int, ...], scale: float, gamma: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    logits, classes = random.normal(0, min(scale, 3), shape), padded_classes(random, shape)
    leaf = torch.tensor(logits, requires_grad=True)
    terms = functional.cross_entropy(
        leaf.reshape(-1, shape[-1]), torch.tensor(classes).reshape(-1), reduction="none", ignore_index=PADDING
    )
    others = 1 - torch.exp(-terms)
    power = others**gamma if gamma >= 1 else torch.where(others > 0, others, 1.0) ** gamma
    check_agrees(Focal(gamma=gamma), logits, classes, mean_of_real(power * terms, classes), leaf)


@many
@given(shape=SHAPES, scale=SCALES, gamma=st.sampled_from([0.0, 1.0, 2.0, 5.0]), alpha=st.floats(0.1, 0.9), seed=seeds)
def test_binary_focal_is_its_formula_in_pytorch(
    shape: tuple[int, ...], scale: float, gamma: float, alpha: float, seed: int
) -> None:
    """It is that of torchvision.ops.sigmoid_focal_loss, with reduction="mean"."""
    random = np.random.default_rng(seed)
    logits, truth = random.normal(0, min(scale, 3), shape), random.integers(0, 2, shape)
    for factor, word in ((alpha, BinaryFocal(gamma=gamma, alpha=alpha)), (None, BinaryFocal(gamma=gamma))):
        leaf, labels = torch.tensor(logits, requires_grad=True), torch.tensor(truth, dtype=torch.float64)
        terms = functional.binary_cross_entropy_with_logits(leaf, labels, reduction="none")
        p = torch.sigmoid(leaf)
        terms = terms * (1 - (p * labels + (1 - p) * (1 - labels))) ** gamma
        if factor is not None:
            terms = terms * (factor * labels + (1 - factor) * (1 - labels))
        check_agrees(word, logits, truth, terms.mean(), leaf)


@many
@given(shape=SHAPES, scale=SCALES, margin=st.floats(0.1, 3), squared=st.booleans(), seed=seeds)
def test_hinge_is_pytorchs_multi_margin_loss(
    shape: tuple[int, ...], scale: float, margin: float, squared: bool, seed: int
) -> None:
    random = np.random.default_rng(seed)
    scores, classes = random.normal(0, scale, shape), padded_classes(random, shape)
    leaf = torch.tensor(scores, requires_grad=True)
    terms = functional.multi_margin_loss(
        leaf.reshape(-1, shape[-1]),
        torch.tensor(np.maximum(classes, 0)).reshape(-1),
        p=2 if squared else 1,
        margin=margin,
        reduction="none",
    )
    check_agrees(Hinge(margin=margin, squared=squared), scores, classes, mean_of_real(terms, classes), leaf)


@many
@given(shape=SHAPES, scale=SCALES, margin=st.floats(0.1, 3), squared=st.booleans(), seed=seeds)
def test_binary_hinge_is_its_formula_in_pytorch(
    shape: tuple[int, ...], scale: float, margin: float, squared: bool, seed: int
) -> None:
    random = np.random.default_rng(seed)
    scores, truth = random.normal(0, scale, shape), random.integers(0, 2, shape)
    leaf = torch.tensor(scores, requires_grad=True)
    missing = torch.clamp(margin - torch.tensor(2.0 * truth - 1) * leaf, min=0)
    theirs = (missing**2 if squared else missing).mean()
    check_agrees(BinaryHinge(margin=margin, squared=squared), scores, truth, theirs, leaf)


@many
@given(shape=SHAPES, scale=SCALES, seed=seeds)
def test_kl_is_pytorchs_divergence_per_place(shape: tuple[int, ...], scale: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    logits, truth = random.normal(0, scale, shape), random.dirichlet(np.ones(shape[-1]), shape[:-1])
    truth[(0,) * (len(shape) - 1)] = np.eye(shape[-1])[0]  # zeros have no term
    leaf = torch.tensor(logits, requires_grad=True)
    logs = functional.log_softmax(leaf, dim=-1)
    theirs = functional.kl_div(logs, torch.tensor(truth), reduction="sum") / (truth.size // shape[-1])
    check_agrees(Kl(), logits, truth, theirs, leaf)


@many
@given(count=st.integers(1, 3), targets=st.integers(1, 2), scale=SCALES, seed=seeds)
def test_quantile_is_the_pinball_loss_in_pytorch(count: int, targets: int, scale: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    at = tuple(np.sort(random.uniform(0.01, 0.99, count)).tolist())
    outputs, truth = random.normal(0, scale, (4, targets * count)), random.normal(0, scale, (4, targets))
    leaf = torch.tensor(outputs, requires_grad=True)
    missing = torch.tensor(truth)[:, :, None] - leaf.reshape(4, targets, count)
    q = torch.tensor(at, dtype=torch.float64)
    check_agrees(Quantile(at=at), outputs, truth, torch.maximum(q * missing, (q - 1) * missing).mean(), leaf)


def test_quantile_is_scikit_learns_mean_pinball_loss() -> None:
    random = np.random.default_rng(1)
    outputs, truth = random.normal(size=(20, 1)), random.normal(size=20)
    for q in (0.1, 0.5, 0.9):
        value, _ = build_loss(Quantile(at=(q,)))(outputs, truth)
        np.testing.assert_allclose(value, mean_pinball_loss(truth, outputs[:, 0], alpha=q), rtol=1e-12)
