"""Truth and prediction over time."""

import numpy as np
import pytest

from nnspec.runtime.views import PictureError
from nnspec.runtime.views.predictions import predictions
from tests.runtime.views.pictures import overhang, title

TRUTH = np.sin(np.arange(40) / 5)


def test_both_panels_show_the_truth_and_say_how_far_off_the_network_is() -> None:
    figure = predictions(TRUTH, TRUTH + 0.1, TRUTH[10:] - 0.5, 10, "sine_rnn on sine, test")
    above, below = figure.axes
    assert title(figure) == "sine_rnn on sine, test"
    assert above.get_title("left") == "the next point from the true ones\nrmse 0.1"
    assert below.get_title("left") == "rolled forward on its own answers\nfrom point 10, rmse 0.5"
    np.testing.assert_array_equal(above.lines[1].get_ydata(), TRUTH + 0.1)
    np.testing.assert_array_equal(below.lines[1].get_xdata(), np.arange(10, 40))
    assert overhang(figure) <= 0


def test_without_a_roll_there_is_one_panel_and_one_that_runs_away_leaves_the_picture() -> None:
    assert len(predictions(TRUTH, TRUTH).axes) == 1
    figure = predictions(TRUTH, TRUTH, np.full(30, 1e9), 10)
    assert figure.axes[1].get_ylim()[1] < 3


def test_numbers_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(PictureError, match="a number for each point"):
        predictions(TRUTH, TRUTH[1:])
    with pytest.raises(PictureError, match="do not end where the truth does"):
        predictions(TRUTH, TRUTH, TRUTH, 3)
