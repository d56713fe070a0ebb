"""The schedules of time against PyTorch's, rate by rate."""

from collections.abc import Callable
from typing import Any

import pytest

from nnspec.runtime.schedules import factor
from nnspec.spec_lang.vocabulary.schedules import (
    Cosine,
    CosineRestarts,
    Exponential,
    Linear,
    Milestones,
    OneCycle,
    Schedule,
    StepDecay,
)

torch = pytest.importorskip("torch")
lr = torch.optim.lr_scheduler

STEPS = 60
RATE = 0.3

CASES: list[tuple[Schedule, Callable[[Any], Any]]] = [
    (StepDecay(factor=0.5, every=7), lambda o: lr.StepLR(o, 7, 0.5)),
    (Milestones(at=(3, 10, 45), factor=0.2), lambda o: lr.MultiStepLR(o, [3, 10, 45], 0.2)),
    (Exponential(factor=0.9), lambda o: lr.ExponentialLR(o, 0.9)),
    (Cosine(), lambda o: lr.CosineAnnealingLR(o, STEPS)),
    (Cosine(floor=0.1), lambda o: lr.CosineAnnealingLR(o, STEPS, 0.1 * RATE)),
    (CosineRestarts(every=9), lambda o: lr.CosineAnnealingWarmRestarts(o, 9)),
    (CosineRestarts(every=4, mult=2), lambda o: lr.CosineAnnealingWarmRestarts(o, 4, 2)),
    (CosineRestarts(every=5, mult=3, floor=0.25), lambda o: lr.CosineAnnealingWarmRestarts(o, 5, 3, 0.25 * RATE)),
    (Linear(), lambda o: lr.LinearLR(o, 1, 0, STEPS)),
    (Linear(start_factor=0.25, end_factor=1, over=20), lambda o: lr.LinearLR(o, 0.25, 1, 20)),
    (OneCycle(), lambda o: lr.OneCycleLR(o, RATE, STEPS, cycle_momentum=False)),
    (OneCycle(pct_start=0), lambda o: lr.OneCycleLR(o, RATE, STEPS, pct_start=0.0, cycle_momentum=False)),
    (
        OneCycle(max_factor=10, pct_start=0.15, div_factor=5, final_div_factor=100, anneal="linear"),
        lambda o: lr.OneCycleLR(
            o,
            10 * RATE,
            STEPS,
            pct_start=0.15,
            anneal_strategy="linear",
            div_factor=5,
            final_div_factor=100,
            cycle_momentum=False,
        ),
    ),
]


@pytest.mark.parametrize(("word", "theirs"), CASES, ids=[str(index) for index in range(len(CASES))])
@pytest.mark.parametrize("epoch", [1, 7], ids=["iterations", "epochs"])
def test_every_rate_is_that_of_pytorch(word: Schedule, theirs: Callable[[Any], Any], epoch: int) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE)
    scheduler = theirs(optimizer)
    lengths = {"every", "over", "at"} & type(word).model_fields.keys()
    given = {name: getattr(word, name) for name in lengths}
    in_epochs = {
        name: tuple(one / epoch for one in value) if isinstance(value, tuple) else value and value / epoch
        for name, value in given.items()
    }
    word = word.model_copy(update=in_epochs)
    if isinstance(word, Exponential):
        word = word.model_copy(update={"every": 1 / epoch})
    for step in range(STEPS):
        expected = optimizer.param_groups[0]["lr"]
        found = RATE * factor(word, step / epoch, STEPS / epoch, 1 / epoch)
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-15), step
        optimizer.step()
        if step < STEPS - 1:
            scheduler.step()
