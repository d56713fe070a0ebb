"""nnspec plot curves."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from nnspec.runtime.views import PICTURES, curves
from tests.nnspec.conftest import Command


@pytest.fixture
def run(digits: Path, tmp_path: Path) -> Path:
    """A run's folder that may be written into."""
    shutil.copytree(digits, tmp_path / "run")
    return tmp_path / "run"


def test_the_picture_goes_into_the_run(nnspec: Command, run: Path) -> None:
    drawn = nnspec("plot", "curves", "run")
    assert (drawn.code, drawn.out) == (0, "run/pictures/curves.png\n")
    assert (run / "pictures" / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_history_is_drawn_by_split_and_the_rate_is_left_out(
    nnspec: Command, run: Path, flowers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}

    def draw(runs: list[Any], **options: Any) -> Any:
        seen.update({run.name: run.metrics for run in runs})
        return curves.curves(runs, **options)

    monkeypatch.setitem(curves.picture.__globals__["_drawers"], "curves", draw)
    assert nnspec("plot", "curves", run, flowers, "--out", "both.svg").code == 0
    assert list(seen) == [str(run), str(flowers)]
    assert set(seen[str(run)]) == {"training_loss", "validation_loss", "validation_accuracy"}
    assert list(seen[str(run)]["training_loss"].steps) == [141, 282]
    assert Path("both.svg").read_text().count("<svg") == 1


def test_a_measured_training_split_is_drawn_thin_beside_the_validation_split(
    nnspec: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nnspec.runtime.train.checkpointing import load_run

    (tmp_path / "t.csv").write_text("a,y\n" + "".join(f"{i % 7},{i % 2}\n" for i in range(60)))
    spec = "dropout 0.3 -> dense 2 softmax\nmetrics accuracy training=yes"
    assert nnspec("train", spec, "--data", "t.csv target=y", "--set", "train=4 epochs", "--out", "run").code == 0
    drawn: list[Any] = []
    monkeypatch.setattr("nnspec.cli.verbs.plot.curves.save_picture", lambda figure, *rest: drawn.append(figure))
    assert nnspec("plot", "curves", "run").code == 0
    history = load_run("run/last.h5").state.history
    assert history["loss"].values != history["training_loss"].values
    for axes, quantity in zip(drawn[0].axes, ("loss", "accuracy"), strict=True):
        lines = {tuple(line.get_ydata()): line.get_linewidth() for line in axes.lines if len(line.get_xdata()) == 4}
        assert lines == {
            tuple(history[f"training_{quantity}"].values): 1.0,
            tuple(history[f"validation_{quantity}"].values): 2.0,
        }
        assert {text.get_text().split("\n")[0] for text in axes.texts} >= {"training", "validation"}


def test_a_suffix_that_is_no_picture_is_wrong_use(nnspec: Command, run: Path) -> None:
    failed = nnspec("plot", "curves", "run", "--out", "curves.gif")
    assert failed.code == 2 and "use curves.png" in failed.err
    assert nnspec("plot", "curves", "none").code == 2
    assert "curves" in PICTURES


def test_a_folder_that_cannot_be_written_is_told(nnspec: Command, run: Path) -> None:
    (run / "file").write_text("")
    failed = nnspec("plot", "curves", "run", "--out", "run/file/curves.png")
    assert failed.code == 2 and "cannot be written" in failed.err


@pytest.mark.parametrize("picture", ["curves", "weights", "confusion", "graph"])
def test_json_has_the_path_of_each_picture(picture: str, nnspec: Command, flowers: Path, tmp_path: Path) -> None:
    drawn = nnspec("plot", picture, flowers, "--out", "drawn.svg", "--json")
    assert drawn.json["pictures"] == ["drawn.svg"] and (tmp_path / "drawn.svg").is_file()


def test_the_baseline_is_a_thin_line(nnspec: Command, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nnspec.runtime.train.checkpointing import load_run

    drawn: list[Any] = []
    monkeypatch.setattr("nnspec.cli.verbs.plot.curves.save_picture", lambda figure, *rest: drawn.append(figure))
    assert nnspec("plot", "curves", run).code == 0
    measured = load_run(run / "last.h5").run["baseline"]
    for axes, name in zip(drawn[0].axes, ("loss", "accuracy"), strict=True):
        levels = [line for line in axes.lines if line.get_linewidth() < 1 and len(set(line.get_ydata())) == 1]
        assert [line.get_ydata()[0] for line in levels] == [measured[name]]
        (label,) = [text for text in axes.texts if text.get_text().startswith("majority class ")]
        assert 0 <= label.get_position()[1] <= 1
