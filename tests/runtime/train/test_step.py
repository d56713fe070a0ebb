"""Steps of training: what clipping does to one."""

from typing import Any

import numpy as np
import pytest

import nnspec

SPEC = "input 3\ndense 2\ninit normal\noptimizer sgd lr=1\ntrain 1 iterations batch=4"


def moved(**train: Any) -> np.ndarray:
    """How far one step of plain SGD at a rate of 1 moves all parameters: the gradient that it took."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(4, 3)), 5 * random.normal(size=(4, 2))
    settings = {f"train.{name}": value for name, value in train.items()}
    before = nnspec.compile(SPEC, dtype="float64").parameters
    after = nnspec.train(SPEC, data=(x, y), settings=settings, dtype="float64").network.parameters
    return np.concatenate([(before[name] - after[name]).ravel() for name in before])


def test_clip_norm_shortens_the_whole_gradient_and_keeps_its_direction() -> None:
    whole = moved()
    norm = float(np.linalg.norm(whole))
    assert norm > 1
    np.testing.assert_allclose(moved(clip_norm=1), whole / norm, rtol=1e-12)
    np.testing.assert_array_equal(moved(clip_norm=2 * norm), whole)


def test_clip_value_cuts_each_number_by_itself() -> None:
    whole = moved()
    edge = float(np.median(np.abs(whole)))
    np.testing.assert_allclose(moved(clip_value=edge), np.clip(whole, -edge, edge), rtol=1e-12)
    assert float(np.abs(moved(clip_value=edge)).max()) == pytest.approx(edge)


def test_numbers_are_cut_before_the_whole_is_shortened() -> None:
    whole = moved()
    edge = float(np.median(np.abs(whole)))
    cut = np.clip(whole, -edge, edge)
    np.testing.assert_allclose(moved(clip_value=edge, clip_norm=0.1), 0.1 * cut / np.linalg.norm(cut), rtol=1e-12)
