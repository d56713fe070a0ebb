"""Series cut into windows."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from nnspec.runtime.data import DataError, load_data
from nnspec.runtime.data.sources.series import sine, windows
from nnspec.spec_lang.vocabulary.data_tables import Csv
from nnspec.spec_lang.vocabulary.sequence_sources import Sine


def test_a_window_is_followed_by_its_target() -> None:
    points = np.arange(6.0)
    last = windows("s", points[:, None], points, Sine(window=2, horizon=2), str)
    assert last.inputs[..., 0].tolist() == [[0, 1], [1, 2], [2, 3]]
    assert last.targets.tolist() == [[3], [4], [5]]
    every = windows("s", points[:, None], points, Sine(window=2, predict="every"), str)
    assert every.inputs[..., 0].tolist() == [[0, 1], [2, 3]]
    assert every.targets[..., 0].tolist() == [[1, 2], [3, 4]]


def test_all_points_up_to_the_horizon_are_one_vector_and_columns_lie_side_by_side() -> None:
    points = np.arange(7.0)
    two = np.stack([points, 10 * points], axis=1)
    ahead = windows("s", two, two, Sine(window=2, horizon=3, predict="all", stride=2), str)
    assert ahead.inputs.shape == (2, 2, 2)
    assert ahead.targets.tolist() == [[2, 20, 3, 30, 4, 40], [4, 40, 5, 50, 6, 60]]
    last = windows("s", two, two, Sine(window=2, horizon=3), str)
    assert last.targets.tolist() == [[4, 40], [5, 50], [6, 60]]
    every = windows("s", two, two, Sine(window=2, predict="every"), str)
    assert every.targets.tolist() == [[[1, 10], [2, 20]], [[3, 30], [4, 40]], [[5, 50], [6, 60]]]


@pytest.mark.parametrize("stride", [1, 2, 5])
@pytest.mark.parametrize("folds", [None, 3])
def test_splits_that_predict_vectors_share_no_target_point(stride: int, folds: int | None) -> None:
    shares = (70.0, 15.0, 15.0)
    word = Sine(length=200, noise=0.3, window=6, horizon=4, predict="all", stride=stride, split=shares, folds=folds)
    splits = [set(np.round(split.targets, 12).flat) for _, split in load_data(word, None, False).splits()]
    assert len(splits) == 3 and all(splits)
    assert not splits[0] & splits[1] and not splits[1] & splits[2]


def test_the_sine_is_a_sine_with_noise_of_the_deviation_asked_for_and_one_seed_is_one_series() -> None:
    np.testing.assert_allclose(sine(Sine(noise=0)), np.sin(0.01 * np.arange(10_001)))
    noise = sine(Sine(seed=3)) - sine(Sine(noise=0))
    assert abs(noise.std() - 0.1) < 0.002
    np.testing.assert_array_equal(sine(Sine(seed=3)), sine(Sine(seed=3)))
    assert (sine(Sine(seed=3)) != sine(Sine(seed=4))).all()


def test_splits_of_a_series_are_cut_in_time_and_share_no_target() -> None:
    data = load_data(Sine(length=110, noise=0, split=(70, 10, 20)), None, False)
    assert [len(split) for _, split in data.splits()] == [70, 10, 20]
    together = np.concatenate([split.targets for _, split in data.splits()])
    np.testing.assert_array_equal(together[:, 0], sine(Sine(length=110, noise=0))[10:])


def write(folder: Path, rows: int) -> Path:
    path = folder / "power.csv"
    path.write_text("load,heat\n" + "".join(f"{i},{10 * i}\n" for i in range(rows)))
    return path


def test_rows_of_a_table_are_points_in_time_where_a_window_is_given(tmp_path: Path) -> None:
    path = write(tmp_path, 10)
    data = load_data(Csv(path=str(path), target="load", window=3, split=(1, 0)), tmp_path, False)
    assert data.train.inputs.shape == (7, 3, 2)
    assert data.train.inputs[1].tolist() == [[1, 10], [2, 20], [3, 30]]
    assert data.train.targets[:2].tolist() == [[3], [4]]
    assert data.preprocessing.features == ("load", "heat")


def test_a_series_of_one_column_is_enough(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("load\n1\n2\n3\n4\n5\n6\n")
    data = load_data(Csv(path="one.csv", target="load", window=2), tmp_path, False)
    assert data.train.inputs.shape[1:] == (2, 1)


def test_what_a_series_lacks_is_told(tmp_path: Path) -> None:
    path = str(write(tmp_path, 5))
    with pytest.raises(DataError, match="has 5 points, and a window of 5 with a horizon of 1 needs 6"):
        load_data(Csv(path=path, target="load", window=5), tmp_path, False)
    with pytest.raises(DataError, match='has no column "lod"; did you mean "load"'):
        load_data(Csv(path=path, target="lod", window=2), tmp_path, False)
    with pytest.raises(ValidationError, match="add window=10, for example"):
        Csv(path=path, target="load", horizon=3)


def test_a_date_of_a_series_has_its_cycles_and_no_days_that_training_never_saw(tmp_path: Path) -> None:
    begin = np.datetime64("2024-01-01T00:00")
    rows = "".join(f"{begin + np.timedelta64(hour, 'h')},{hour % 24}\n" for hour in range(24 * 20))
    (tmp_path / "s.csv").write_text(f"time,load\n{rows}")
    data = load_data(Csv(path="s.csv", target=("load",), window=24), tmp_path, False)
    assert data.preprocessing.features == (
        *(f"time, {part} of the {cycle}" for cycle in ("week", "day") for part in ("sine", "cosine")),
        "load",
    )
    days = "".join(f"2024-01-{day:02d},{day}\n" for day in range(1, 11))
    (tmp_path / "d.csv").write_text(f"day,load\n{days}")
    few = load_data(Csv(path="d.csv", target=("load",), window=2), tmp_path, False)
    assert few.preprocessing.features == ("day in days", "load")  # too short for a cycle
