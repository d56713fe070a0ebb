"""The pictures of a network or a run have one signature."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from nnspec import api
from nnspec.runtime.train.history import history_of_run
from nnspec.runtime.train.run import Run
from nnspec.runtime.views import PictureError
from nnspec.runtime.views._style import three_digits
from nnspec.runtime.views.figures import FIGURES, Subject
from tests.runtime.views.pictures import texts


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


@pytest.mark.parametrize("name", ["calibration", "confusion", "curves", "features", "graph", "weights"])
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


def test_letters_name_the_weights_of_a_text_also_behind_onehot(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("an example of a text\nwith letters\n" * 20)
    for text in (
        "embed 3 -> rnn 4 return=sequence -> dense 17 softmax",
        "onehot -> rnn 4 return=sequence -> dense 17 softmax",
    ):
        run = api.train(
            text, data=f'text "{tmp_path}/words.txt" window=8', settings={"train": "1 epochs"}, out=tmp_path / text[:3]
        )
        (drawn,) = FIGURES["weights"](Subject(run.network))
        words = texts(drawn)
        assert "e" in words and "␣ space" in words


def test_a_sample_that_there_is_not_is_refused(run: Run) -> None:
    with pytest.raises(PictureError, match="sample 99 is not among the 24 of"):
        FIGURES["features"](Subject(run.network, None, run.data, "validation", 99))


@pytest.mark.parametrize("of", ["run", "network", "path"])
def test_python_plots_runs_networks_and_checkpoints(of: str, run: Run, tmp_path: Path) -> None:
    run.network.save(tmp_path / "net.h5")
    choices: dict[str, Any] = {"run": run, "network": run.network, "path": tmp_path / "net.h5"}
    given = choices[of]
    (figure,) = api.plot("graph", given, style="dark")
    assert sum(to_rgb(figure.get_facecolor())) < 0.5
    with pytest.raises(PictureError, match="no picture is called 'portrait': use calibration, confusion"):
        api.plot("portrait", given)


@pytest.mark.parametrize("before", ["", "dropout 0.1 -> ", "batchnorm -> dropout 0.1 -> "])
def test_columns_name_the_weights_of_a_table_also_behind_layers_that_keep_the_shape(
    before: str, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text("age,height,y\n" + "".join(f"{i % 7},{i % 5},{i % 2}\n" for i in range(40)))
    run = api.train(
        f"{before}dense 3 relu -> dense 2 softmax", data=f'csv "{tmp_path}/t.csv" target=y',
        settings={"train": "1 epochs"}, out=tmp_path / "run",
    )  # fmt: skip
    (drawn,) = FIGURES["weights"](Subject(run.network))
    assert {"age", "height"} <= set(texts(drawn))


def test_the_title_of_predictions_says_how_far_they_and_the_baseline_miss(tmp_path: Path) -> None:
    rows = "".join(f"{10 * np.sin(i / 5):.4f}\n" for i in range(200))
    (tmp_path / "s.csv").write_text("y\n" + rows)
    run = api.train("flatten -> dense 1", data=f'csv "{tmp_path}/s.csv" target=y window=8', out=tmp_path / "run",
                    settings={"train": "1 epochs"})  # fmt: skip
    assert run.data is not None
    subject = Subject(run.network, None, run.data, "validation")
    (drawn,) = FIGURES["predictions"](subject)
    _, split = subject.samples
    own = np.median(np.abs(run.network.predict(split.inputs).ravel() - split.targets.ravel()))
    assert f"predictions miss by {three_digits(float(own))} in the median, the " in drawn.get_suptitle().replace(
        "\n", " "
    )


def test_the_title_of_weights_says_how_much_smaller_the_smallest_is(run: Run) -> None:
    values = run.network.parameters["conv1/weight"]
    norms = np.linalg.norm(values.reshape(-1, 3), axis=0)
    (drawn,) = FIGURES["weights"](Subject(run.network))
    words = drawn.get_suptitle().replace("\n", " ")
    assert words.endswith(f"the smallest filter has {norms.min() / norms.max():.2f} times the norm of the largest")
