from typing import Any

import pytest

from nnspec import checkpoints
from nnspec.checkpoints import Checkpoint
from nnspec.checkpoints.migrate import STEPS, migrate


def test_every_step_between_two_versions_is_there() -> None:
    assert set(STEPS) == set(range(1, checkpoints.FORMAT_VERSION))


def test_a_checkpoint_of_todays_version_stays_as_it_is(example: checkpoints.Checkpoint) -> None:
    assert migrate(example, checkpoints.FORMAT_VERSION) is example


def test_an_old_checkpoint_takes_each_step_once_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def step(number: Any) -> Any:
        return lambda old: Checkpoint({"steps": [*old.meta["steps"], number]}, old.entries)

    for number in (1, 2, 3):
        monkeypatch.setitem(STEPS, number, step(number))
    old = Checkpoint({"steps": []}, {})
    assert migrate(old, 2, target=4).meta == {"steps": [2, 3]}
    assert migrate(old, 1, target=4).meta == {"steps": [1, 2, 3]}
    assert old.meta == {"steps": []}
