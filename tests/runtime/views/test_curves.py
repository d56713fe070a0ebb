"""Training curves: what a reader can read from them."""

import itertools
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from nnspec.runtime.train.history import RunHistory
from nnspec.runtime.views import PictureError
from nnspec.runtime.views import curves as picture
from tests.runtime.views.pictures import overhang, size, texts, title

STEPS = np.arange(1, 11) * 1000
LOSS = 2.3 * np.exp(-STEPS / 2500)  # from 1.54 to 0.042
ACCURACY = np.array([0.5, 0.7, 0.8, 0.9, 0.93, 0.95, 0.9721, 0.96, 0.965, 0.96])
RUN: dict[str, Any] = {
    "train_loss": (STEPS, LOSS),
    "validation_loss": (STEPS, LOSS + np.linspace(0, 0.2, 10)),
    "validation_accuracy": (STEPS, ACCURACY),
}


def curves(histories: dict[str, Any], steps_per_epoch: int | None = None, **options: Any) -> Figure:
    runs = [RunHistory(name, metrics, {}, steps_per_epoch) for name, metrics in histories.items()]
    return picture.curves(runs, **options)


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
    assert title(figure) == "mnist_mlp: best validation accuracy 97.2 % at step 7,000"
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
    assert title(figure) == "2 runs: best validation accuracy 97.2 % by paper_sgd at step 7,000"
    accuracy = panel(figure, "Accuracy")
    names = {text.get_text(): text.get_color() for text in accuracy.texts}
    assert set(names) == {"paper_sgd\n97.2 %", "paper_adam\n48.6 %"}
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
    assert "validation\nbest 2.00 at step 1,000\ndiverged at step 3,000" in texts(axes)
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


def test_labels_of_five_runs_with_long_names_do_not_touch_and_stay_on_the_page() -> None:
    long = "a_run_of_some_length,optimizer.lr=0.001,optimizer.beta=0.9,seed="
    figure = curves({f"{long}{i}": {**RUN, "validation_accuracy": (STEPS, ACCURACY)} for i in range(5)})
    figure.draw_without_rendering()
    for axes in figure.axes:
        boxes = sorted((text.get_window_extent() for text in axes.texts), key=lambda box: box.y0)
        assert len(boxes) == 5
        assert all(below.y1 <= above.y0 for below, above in itertools.pairwise(boxes))
    assert overhang(figure) <= 0
    assert size(figure)[0] == 900


def many(count: int) -> dict[str, Any]:
    """Runs of which the last is best, in one folder."""
    return {
        f"sweeps/a/trials/lr={i},seed=1": {**RUN, "validation_accuracy": (STEPS, ACCURACY * (i + 1) / count)}
        for i in range(count)
    }


def test_more_than_five_runs_have_a_panel_each_with_the_others_in_grey_on_one_scale() -> None:
    figure = curves(many(13))
    assert title(figure) == "13 runs: best validation accuracy 97.2 % by lr=12,seed=1 at step 7,000"
    names = [axes.get_title("left") for axes in figure.axes]
    assert names == [f"lr={i},seed=1" for i in range(13)] * 2
    for block in (figure.axes[:13], figure.axes[13:]):
        assert len({(axes.get_xlim(), axes.get_ylim()) for axes in block}) == 1
        for axes in block:
            assert len(axes.collections[0].get_segments()) == 13
    np.testing.assert_allclose(drawn(figure.axes[13 + 12])[-1], ACCURACY)
    assert "97.2 %" in texts(figure.axes[-1]) and figure.axes[-1].texts[0].get_weight() == "bold"


def test_a_panel_says_where_its_run_is_above_the_scale() -> None:
    runs = many(7)
    name = next(iter(runs))
    runs[name] = {key: (STEPS, np.full(len(STEPS), 1e6)) if key == "validation_loss" else v for key, v in RUN.items()}
    figure = curves(runs)
    assert "1.00e+06, above the scale" in texts(figure.axes[0])
    assert sum("above the scale" in text for axes in figure.axes for text in texts(axes)) == 1


@pytest.mark.long
@pytest.mark.parametrize("count", [6, 13, 60])
def test_the_panels_of_many_runs_stay_on_the_page_and_their_words_apart(count: int) -> None:
    histories = {f"{name}_with_a_name_that_goes_on_and_on,beta=0.9": run for name, run in many(count).items()}
    figure = curves(histories, steps_per_epoch=1125)
    figure.draw_without_rendering()
    assert overhang(figure) <= 0
    assert size(figure)[0] == 900
    words = [axes._left_title.get_window_extent() for axes in figure.axes] + [
        text.get_window_extent() for text in figure.texts
    ]
    for one, other in itertools.combinations(words, 2):
        assert not one.overlaps(other)


def test_of_too_many_runs_the_best_have_a_panel_and_the_title_says_so() -> None:
    figure = curves(many(60))
    assert len(figure.axes) == 2 * 36
    assert figure.axes[0].get_title("left") == "lr=59,seed=1"
    assert "The 36 best of 60 runs have a panel" in title(figure).replace("\n", " ")
    assert len(figure.axes[0].collections[0].get_segments()) == 60


def test_epochs_are_an_axis_below_the_steps_where_all_runs_have_the_same() -> None:
    figure = curves({"a": RUN}, steps_per_epoch=500)
    (below,) = figure.axes[-1].child_axes
    assert below.get_xlabel() == "epochs of 500 steps"
    assert title(figure).endswith("at step 7,000 (epoch 14)")
    runs = [RunHistory("a", RUN, {}, 500), RunHistory("b", RUN, {}, 1000)]
    assert picture.curves(runs).axes[-1].child_axes == []
    over = picture.curves(runs, axis="epoch")
    assert over.axes[-1].get_xlabel() == "epochs"
    lines: list[Any] = list(over.axes[-1].lines)
    ends = sorted(line.get_xdata()[-1] for line in lines if len(line.get_xdata()) == 10)
    assert ends == [10, 20]


def test_epochs_of_unknown_length_and_two_runs_of_one_name_are_refused() -> None:
    with pytest.raises(PictureError, match="how many steps an epoch of a has"):
        curves({"a": RUN}, axis="epoch")
    with pytest.raises(PictureError, match="two runs are called a"):
        picture.curves([RunHistory("a", RUN), RunHistory("a", RUN)])
    with pytest.raises(PictureError, match="use step or epoch"):
        curves({"a": RUN}, axis="second")


def test_the_labels_of_a_baseline_stay_within_the_panel() -> None:
    runs = [RunHistory(f"run{i}", RUN, {"name": "majority class", "loss": 2.3, "accuracy": 0.1}) for i in range(5)]
    for axes in picture.curves(runs).axes:
        assert all(0 <= text.get_position()[1] <= 1 for text in axes.texts)


def test_a_single_point_is_drawn_too() -> None:
    assert "validation\nbest 2.20 at step 500" in texts(curves({"a": {"validation_loss": ([500], [2.2])}}))


def test_a_dollar_in_a_name_is_a_dollar(tmp_path: Any) -> None:
    from nnspec.runtime.views import save_figure

    figure = curves({r"a $\run$": RUN})
    save_figure(figure, tmp_path / "curves.png")
    assert title(figure) == r"a $\run$: best validation accuracy 97.2 % at step 7,000"


@pytest.mark.parametrize("histories", [{}, {"a": {}}, {"a": {"loss": ([], [])}}, {"a": {"loss": ([1], [np.nan])}}])
def test_nothing_to_draw_is_said(histories: Any) -> None:
    with pytest.raises(PictureError, match="nothing to draw: no run has a value of any metric yet"):
        curves(histories)


def test_steps_and_values_of_different_length_are_refused_by_name() -> None:
    with pytest.raises(
        PictureError, match=r"train_loss of a must be two rows of the same length.* not \(3,\) and \(2,\)"
    ):
        curves({"a": {"train_loss": ([1, 2, 3], [1.0, 2.0])}})
