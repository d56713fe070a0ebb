"""Twenty steps of every optimizer against PyTorch's, with each option."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from nnspec.runtime.optimizers import rule
from nnspec.spec_lang.vocabulary.optimizers import Adagrad, Adam, AdamW, Momentum, NAdam, Optimizer, RmsProp, Sgd
from nnspec.spec_lang.vocabulary.registry import words

CASES: list[tuple[Optimizer, type[torch.optim.Optimizer], dict[str, Any]]] = [
    (Sgd(), torch.optim.SGD, {}),
    (Sgd(weight_decay=0.1), torch.optim.SGD, {"weight_decay": 0.1}),
    (Momentum(), torch.optim.SGD, {"momentum": 0.9}),
    (Momentum(beta=0.5, dampening=0.3), torch.optim.SGD, {"momentum": 0.5, "dampening": 0.3}),
    (Momentum(dampening=0.9), torch.optim.SGD, {"momentum": 0.9, "dampening": 0.9}),
    (Momentum(beta=0.8, weight_decay=0.1), torch.optim.SGD, {"momentum": 0.8, "weight_decay": 0.1}),
    (
        Momentum(nesterov=True, weight_decay=0.1),
        torch.optim.SGD,
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    ),
    (RmsProp(), torch.optim.RMSprop, {}),
    (
        RmsProp(alpha=0.5, eps=0.1, weight_decay=0.1),
        torch.optim.RMSprop,
        {"alpha": 0.5, "eps": 0.1, "weight_decay": 0.1},
    ),
    (Adam(), torch.optim.Adam, {}),
    (
        Adam(beta1=0.5, beta2=0.8, eps=0.1, weight_decay=0.1),
        torch.optim.Adam,
        {"betas": (0.5, 0.8), "eps": 0.1, "weight_decay": 0.1},
    ),
    (Adagrad(), torch.optim.Adagrad, {}),
    (
        Adagrad(lr_decay=0.1, initial_accumulator_value=0.5, eps=1e-3, weight_decay=0.1),
        torch.optim.Adagrad,
        {"lr_decay": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-3, "weight_decay": 0.1},
    ),
    (NAdam(), torch.optim.NAdam, {}),
    (
        NAdam(beta1=0.7, beta2=0.9, eps=1e-3, momentum_decay=0.3, weight_decay=0.1),
        torch.optim.NAdam,
        {"betas": (0.7, 0.9), "eps": 1e-3, "momentum_decay": 0.3, "weight_decay": 0.1},
    ),
    (AdamW(), torch.optim.AdamW, {}),
    (
        AdamW(beta1=0.5, beta2=0.8, eps=0.1, weight_decay=0.3),
        torch.optim.AdamW,
        {"betas": (0.5, 0.8), "eps": 0.1, "weight_decay": 0.3},
    ),
]


@pytest.fixture
def in_double_precision() -> Iterator[None]:
    """PyTorch's scalars, such as the product of NAdam's momenta, in the precision of these tests."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.usefixtures("in_double_precision")
@pytest.mark.parametrize(("word", "theirs", "options"), CASES, ids=[f"{w.word} {o}" for w, _, o in CASES])
def test_twenty_steps_at_a_changing_rate_are_pytorchs(
    word: Optimizer, theirs: type[torch.optim.Optimizer], options: dict[str, Any]
) -> None:
    random = np.random.default_rng(1)
    p = random.normal(size=50)
    tensor = torch.tensor(p, requires_grad=True)
    optimizer = theirs([tensor], lr=0.1, **options)
    slots, update = {name: np.zeros_like(p) for name in word.slots}, rule(word)
    for step in range(1, 21):
        gradient = random.normal(size=50)
        rate = 0.1 * 0.9**step
        optimizer.param_groups[0]["lr"] = rate
        tensor.grad = torch.tensor(gradient)
        optimizer.step()
        update(p, gradient, slots, step, rate)
        np.testing.assert_allclose(p, tensor.detach().numpy(), rtol=1e-11, atol=1e-12)


THEIRS = {name.lower() for name in dir(torch.optim)}
COMPARED = {word.word for word, _, _ in CASES} | (set(words("optimizer")) & THEIRS)


@pytest.mark.parametrize("name", sorted(COMPARED))
def test_the_defaults_are_pytorchs_and_every_optimizer_that_pytorch_has_is_compared(name: str) -> None:
    assert any(word == words("optimizer")[name]() for word, _, _ in CASES)
