"""nnspec plot predictions."""

from pathlib import Path

import numpy as np

from tests.nnspec.conftest import Command

SHORT = ("--set", "train.epochs=2", "--out", "run")


def test_a_network_of_a_series_is_drawn_into_its_run_as_its_training_says(nnspec: Command) -> None:
    trained = nnspec("train", "rnn 4 -> dense 1", "--data", "sine length=200 window=5", *SHORT)
    assert "nnspec plot predictions run" in trained.out
    drawn = nnspec("plot", "predictions", "run")
    assert (drawn.code, drawn.out) == (0, "run/pictures/predictions.png\n")
    assert Path("run/pictures/predictions.png").read_bytes().startswith(b"\x89PNG")


def test_a_table_over_time_is_drawn_and_told_row_by_row(nnspec: Command) -> None:
    rows = "".join(f"{np.sin(i / 5):.4f},{np.cos(i / 5):.4f}\n" for i in range(60))
    Path("power.csv").write_text(f"load,heat\n{rows}")
    data = 'csv "power.csv" target=load window=6 horizon=2'
    assert nnspec("train", "gru 3 -> dense 1", "--data", data, *SHORT).code == 0
    assert nnspec("plot", "predictions", "run", "--split", "train", "--out", "p.svg").code == 0
    assert "rolled" not in Path("p.svg").read_text()  # two columns: its answers are not all that it reads
    told = nnspec("predict", "run", "power.csv", "--json").json["predictions"]
    assert [told[0]["input"], told[-1]["input"], len(told)] == ["power.csv:7", "power.csv:61", 55]


def test_a_network_of_no_series_is_told_what_would_be_one(nnspec: Command, prices: Path) -> None:
    failed = nnspec("plot", "predictions", prices)
    assert failed.code == 1 and "its data are sine, or a table with window=" in failed.err
