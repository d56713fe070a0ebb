"""The pictures of a network or a run have one signature."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from nnspec import api
from nnspec.runtime.train.history import history_of_run
from nnspec.runtime.train.run import Run
from nnspec.runtime.views import PictureError
from nnspec.runtime.views.figures import FIGURES, Subject


@pytest.fixture(scope="module")
def run() -> Run:
    """A run on arrays of two classes."""
    x = np.random.default_rng(0).normal(size=(60, 4, 4))
    settings = {"train.epochs": 3, "data.split": "60/40"}
    return api.train("conv 2x2 x3 -> dense 2 softmax", settings=settings, data=(x, (x[:, 0, 0] > 0).astype(int)))


def test_a_new_file_is_a_new_picture_and_no_list_is_touched() -> None:
    assert {"confusion", "curves", "graph", "predictions", "weights"} <= set(FIGURES)
    assert "portrait" not in FIGURES
    for name in FIGURES:
        assert FIGURES[name].__module__ == f"nnspec.runtime.views.figures.{name}"


@pytest.mark.parametrize("name", ["confusion", "curves", "graph", "weights"])
def test_each_is_drawn_of_a_run_on_arrays(name: str, run: Run) -> None:
    drawn = FIGURES[name](Subject(run.network, history_of_run(run), run.data))
    assert drawn and all(isinstance(figure, Figure) for figure in drawn)


def test_what_has_no_such_picture_says_so(run: Run) -> None:
    numbers = api.compile("input 4x4 -> dense 3")
    with pytest.raises(PictureError, match="it is not a classifier"):
        FIGURES["confusion"](Subject(numbers, None, run.data))
    with pytest.raises(PictureError, match="is a network without a run, so it has no curves"):
        FIGURES["curves"](Subject(numbers))


def test_the_history_of_a_run_is_that_of_its_checkpoint(run: Run) -> None:
    history = history_of_run(run, "mine")
    assert history.name == "mine" and history.steps_per_epoch == run.end["steps"] // 3
    assert set(history.metrics) >= {"training_loss", "validation_loss", "validation_accuracy"}
    assert "lr" not in history.metrics
