"""Training curves: what a reader can read from them."""

import itertools
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from nnspec.runtime.views import PictureError
from nnspec.runtime.views.curves import curves
from tests.runtime.views.pictures import overhang, size, texts, title

STEPS = np.arange(1, 11) * 1000
LOSS = 2.3 * np.exp(-STEPS / 2500)  # from 1.54 to 0.042
ACCURACY = np.array([0.5, 0.7, 0.8, 0.9, 0.93, 0.95, 0.9721, 0.96, 0.965, 0.96])
RUN: dict[str, Any] = {
    "train_loss": (STEPS, LOSS),
    "validation_loss": (STEPS, LOSS + np.linspace(0, 0.2, 10)),
    "validation_accuracy": (STEPS, ACCURACY),
}


def panel(figure: Figure, name: str) -> Any:
    return next(axes for axes in figure.axes if axes.get_title("left").startswith(name))


def ring(axes: Any) -> list[tuple[float, float]]:
    return [(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines if line.get_marker() == "o"]


def drawn(axes: Any) -> list[np.ndarray[Any, Any]]:
    """The values of the curves, without rings, crosses and the lines that lead to labels."""
    return [
        line.get_ydata() for line in axes.lines if line.get_transform() == axes.transData and len(line.get_xdata()) > 1
    ]


def test_one_run_has_a_panel_for_each_quantity_and_loss_is_the_first() -> None:
    figure = curves({"mnist_mlp": {"validation_accuracy": (STEPS, ACCURACY), "train_loss": (STEPS, LOSS)}})
    assert title(figure) == "Training of mnist_mlp"
    assert [axes.get_title("left") for axes in figure.axes] == ["Loss (logarithmic scale)", "Accuracy"]
    assert figure.axes[-1].get_xlabel() == "training steps (updates of the weights)"


def test_the_curves_are_the_values_given() -> None:
    lines = drawn(panel(curves({"a": RUN}), "Loss"))
    assert len(lines) == 2
    for values, (_, given) in zip(
        sorted(lines, key=lambda y: y[-1]), (RUN["train_loss"], RUN["validation_loss"]), strict=True
    ):
        np.testing.assert_array_equal(values, given)


def test_the_best_point_is_ringed_and_named_with_its_value_and_step() -> None:
    figure = curves({"a": RUN})
    assert ring(panel(figure, "Accuracy")) == [(7000, 0.9721)]
    assert "validation\nbest 97.2 % at step 7,000" in texts(panel(figure, "Accuracy"))
    lowest = int(np.argmin(RUN["validation_loss"][1]))
    assert ring(panel(figure, "Loss")) == [(STEPS[lowest], RUN["validation_loss"][1][lowest])]
    assert "training" in texts(panel(figure, "Loss"))


def test_a_quantity_whose_name_does_not_tell_what_is_better_has_no_best() -> None:
    axes = panel(curves({"a": {"lr": (STEPS, 1 / STEPS)}}), "Learning rate")
    assert ring(axes) == []
    assert axes.get_yscale() == "linear"


def test_several_runs_share_the_panels_and_are_told_apart_by_name_and_colour() -> None:
    figure = curves({"paper_sgd": RUN, "paper_adam": {**RUN, "validation_accuracy": (STEPS, ACCURACY / 2)}})
    assert title(figure) == "Training of 2 runs"
    accuracy = panel(figure, "Accuracy")
    names = {text.get_text(): text.get_color() for text in accuracy.texts}
    assert set(names) == {"paper_sgd  97.2 %", "paper_adam  48.6 %"}
    assert len(set(names.values())) == 2
    key = [text.get_text() for text in figure.legends[0].get_texts()]
    assert key == ["validation", "training", "best"]


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([2.3, 0.5, 0.1], "log"),
        ([2.3, 1.5, 1.0], "linear"),
        ([2.3, 0.1, 0.0], "linear"),
        ([2.3, 0.1, -0.1], "linear"),
    ],
)
def test_the_scale_is_logarithmic_only_where_a_positive_loss_falls_far(values: list[float], scale: str) -> None:
    axes = curves({"a": {"validation_loss": ([1, 2, 3], values)}}).axes[0]
    assert axes.get_yscale() == scale
    assert ("logarithmic" in axes.get_title("left")) == (scale == "log")


def test_a_linear_loss_begins_at_nothing() -> None:
    assert curves({"a": {"loss": ([1, 2], [2.0, 1.5])}}).axes[0].get_ylim()[0] == 0


def test_an_accuracy_is_never_logarithmic_and_has_percent_at_its_ticks() -> None:
    axes = curves({"a": {"validation_accuracy": ([1, 2], [0.01, 0.9])}}).axes[0]
    assert axes.get_yscale() == "linear"
    assert axes.yaxis.get_major_formatter()(0.25, 0) == "25 %"


def test_steps_have_their_thousands_parted() -> None:
    assert curves({"a": RUN}).axes[-1].xaxis.get_major_formatter()(10000, 0) == "10,000"


def test_a_run_that_diverged_says_so_where_its_last_value_stood() -> None:
    figure = curves({"a": {"validation_loss": (STEPS[:4], [2.0, 9.0, np.nan, np.inf])}})
    axes = figure.axes[0]
    assert "validation\nbest 2.00 at step 1,000\ndiverged at 3,000" in texts(axes)
    lines: list[Any] = list(axes.lines)
    crosses = [(line.get_xdata()[0], line.get_ydata()[0]) for line in lines if line.get_marker() == "x"]
    assert crosses == [(2000, 9.0)]


def test_a_run_that_runs_away_does_not_flatten_the_others() -> None:
    figure = curves({"good": RUN, "bad": {"validation_loss": (STEPS[:3], [1e6, 1e12, np.nan])}})
    assert panel(figure, "Loss").get_ylim()[1] < 1000


@pytest.mark.parametrize("name", ["val_loss", "validation_loss", "loss/validation", "valid loss", "validation.loss"])
def test_a_split_stands_before_or_after_its_quantity(name: str) -> None:
    figure = curves({"a": {name: (STEPS, LOSS)}})
    assert figure.axes[0].get_title("left").startswith("Loss")
    assert any(text.startswith("validation\nbest") for text in texts(figure))


def test_a_loss_without_a_split_beside_that_of_validation_is_that_of_training() -> None:
    both = texts(panel(curves({"a": {"loss": (STEPS, LOSS), "validation_loss": (STEPS, LOSS + 1)}}), "Loss"))
    assert "training" in both
    alone = texts(panel(curves({"a": {"loss": (STEPS, LOSS)}}), "Loss"))
    assert "training" not in alone
    assert any(text.startswith("loss\nbest") for text in alone)


def test_labels_of_many_runs_do_not_touch_and_stay_on_the_page() -> None:
    figure = curves({f"a_run_of_some_length_{i}": {**RUN, "validation_accuracy": (STEPS, ACCURACY)} for i in range(11)})
    figure.draw_without_rendering()
    for axes in figure.axes:
        boxes = sorted((text.get_window_extent() for text in axes.texts), key=lambda box: box.y0)
        assert len(boxes) == 11
        assert all(below.y1 <= above.y0 for below, above in itertools.pairwise(boxes))
    assert overhang(figure) <= 0
    assert size(figure)[0] == 900


def test_a_single_point_is_drawn_too() -> None:
    assert "validation\nbest 2.20 at step 500" in texts(curves({"a": {"validation_loss": ([500], [2.2])}}))


def test_a_dollar_in_a_name_is_a_dollar(tmp_path: Any) -> None:
    from nnspec.runtime.views import save_figure

    figure = curves({r"a $\run$": RUN})
    save_figure(figure, tmp_path / "curves.png")
    assert title(figure) == r"Training of a $\run$"


@pytest.mark.parametrize("histories", [{}, {"a": {}}, {"a": {"loss": ([], [])}}, {"a": {"loss": ([1], [np.nan])}}])
def test_nothing_to_draw_is_said(histories: Any) -> None:
    with pytest.raises(PictureError, match="nothing to draw: no run has a value of any metric yet"):
        curves(histories)


def test_steps_and_values_of_different_length_are_refused_by_name() -> None:
    with pytest.raises(
        PictureError, match=r"train_loss of a must be two rows of the same length.* not \(3,\) and \(2,\)"
    ):
        curves({"a": {"train_loss": ([1, 2, 3], [1.0, 2.0])}})
