"""From sources to splits: the split, the shapes, the registry."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnspec.runtime.data import SOURCES, Data, DataError, Split, data_from_arrays, load_data
from nnspec.spec_lang.vocabulary import registry as language
from nnspec.spec_lang.vocabulary.data import DataSource, Npz

SHARES = st.lists(st.floats(0, 100), min_size=1, max_size=2).flatmap(
    lambda held: st.floats(0.5, 100).map(lambda train: (train, *held))
)


def rows(split: Split | None) -> list[int]:
    return [] if split is None else split.inputs[:, 0].tolist()


def divided(count: int, shares: tuple[float, ...], seed: int) -> Data:
    x = np.arange(count)[:, None]
    return data_from_arrays(x, np.arange(count) % 2, classification=True, split=shares, seed=seed)


@given(st.integers(3, 60), SHARES, st.integers(0, 2**63 - 1))
def test_every_sample_is_in_exactly_one_split_and_in_order(count: int, shares: tuple[float, ...], seed: int) -> None:
    try:
        data = divided(count, shares, seed)
    except DataError:
        held = sum(max(1, count * share / sum(shares) + 0.5) for share in shares[1:] if share > 0)
        assert held >= count  # an error only where nothing is left to train on
        return
    splits = [rows(data.train), rows(data.validation), rows(data.test)]
    assert sorted(row for split in splits for row in split) == list(range(count))
    assert all(split == sorted(split) for split in splits) and splits[0]
    assert data.train.targets.tolist() == [row % 2 for row in splits[0]]
    for split, share in zip(splits[1:], (*shares[1:], 0), strict=False):
        assert bool(split) == (share > 0)
        assert len(split) <= 1 or abs(len(split) - count * share / sum(shares)) <= 0.5 + 1e-6


def test_the_split_follows_from_the_seed_alone_and_stays_as_it_is() -> None:
    data = divided(12, (70, 15, 15), 7)
    order = np.random.Generator(np.random.PCG64(7)).permutation(12).tolist()
    assert rows(data.validation) == sorted(order[:2]) and rows(data.test) == sorted(order[2:4])
    assert rows(data.train) == sorted(order[4:])
    assert divided(12, (70, 15, 15), 7).digest == data.digest != divided(12, (70, 15, 15), 8).digest


def test_shares_need_not_sum_to_a_hundred() -> None:
    assert divided(40, (3, 1), 0).digest == divided(40, (75, 25), 0).digest


def test_a_small_share_still_gets_a_sample() -> None:
    data = divided(5, (99, 1), 0)
    assert data.validation is not None and (len(data.train), len(data.validation)) == (4, 1)


def test_too_few_samples_to_train_on_are_refused() -> None:
    with pytest.raises(DataError, match="2 samples in data are too few to split 1/1/1"):
        divided(2, (1, 1, 1), 0)


def test_nothing_is_split_off_and_nothing_copied_unless_it_is_asked_for() -> None:
    x = np.zeros((4, 3), np.float32)
    data = data_from_arrays(x, [0, 1, 0, 1], classification=True)
    assert data.validation is None and data.test is None and np.shares_memory(data.train.inputs, x)


def test_validation_arrays_and_shares_exclude_each_other() -> None:
    x = np.zeros((4, 3))
    with pytest.raises(DataError, match="not both") as error:
        data_from_arrays(x, [0, 1, 0, 1], (x, [0, 1, 0, 1]), classification=True, split=(1, 1))
    assert error.value.exit_code == 2


def test_bytes_stay_bytes_and_pictures_of_bytes_get_a_channel() -> None:
    data = data_from_arrays(np.zeros((3, 5, 4), np.uint8), [0, 1, 2], classification=True, split=(2, 1))
    assert data.train.inputs.shape == (2, 5, 4, 1) and data.train.inputs.dtype == np.uint8
    assert data_from_arrays(np.zeros((3, 5, 4)), [0, 1, 2], classification=True).train.inputs.shape == (3, 5, 4)


def test_foreign_byte_order_is_made_the_machines_own() -> None:
    x = np.array([[1, 256], [2, 3]], ">i4")
    data = data_from_arrays(x, [0, 1], classification=True)
    assert data.train.inputs.dtype.isnative and data.train.inputs.tolist() == x.tolist()


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (np.zeros((0, 2)), "data has no samples"),
        (np.zeros((3, 0)), r"are empty: their shape is \(3, 0\)"),
        (np.array([["a"], ["b"], ["c"]]), "they must be numbers"),
        (np.array([[1, 2], [3, 4], [5, np.nan]]), r"sample 2 \(counted from 0\) has nan at \[1\]"),
        (np.full((3, 2, 2), np.inf), r"sample 0 \(counted from 0\) has inf at \[0, 0\]"),
    ],
)
def test_samples_that_cannot_be_used_are_refused(x: np.ndarray, said: str) -> None:
    with pytest.raises(DataError, match=said):
        data_from_arrays(x, np.zeros(len(x)), classification=True)


@pytest.mark.parametrize("x", [[[0, 1, 2], [0, 1]], [np.zeros((3, 2)), np.zeros((4, 2))]], ids=["symbols", "numbers"])
def test_sequences_of_different_lengths_are_refused_with_what_to_do(x: list[Any]) -> None:
    with pytest.raises(
        DataError, match=r"the samples differ in length or shape.*pad shorter sequences of symbols with -1"
    ):
        data_from_arrays(x, [0, 1], classification=True)
    with pytest.raises(DataError, match="the validation samples differ"):
        data_from_arrays([[0, 1]], [0], (x, [0, 1]), classification=True)


def test_validation_samples_have_the_shape_of_those_to_train_on() -> None:
    with pytest.raises(DataError, match="samples of validation are 3, and those of data 2"):
        data_from_arrays(np.zeros((2, 2)), [0, 1], (np.zeros((2, 3)), [0, 1]), classification=True)


def test_normalization_is_learnt_from_the_training_split_alone() -> None:
    data = divided(50, (60, 20, 20), 3)
    assert data.preprocessing.normalize == "none"
    x = np.arange(50.0)[:, None]
    measured = data_from_arrays(x, x[:, 0] % 2, classification=True, split=(60, 20, 20), seed=3, normalize="zscore")
    train = np.array(rows(measured.train))
    assert measured.preprocessing.shift[0] == pytest.approx(train.mean(), rel=1e-14)
    assert measured.preprocessing.scale[0] == pytest.approx(train.std(), rel=1e-14)


def test_every_word_for_data_has_a_reader_and_every_reader_a_word() -> None:
    assert set(language.words("data").values()) == set(SOURCES)


def test_a_source_without_a_reader_names_the_file_to_write() -> None:
    class Parquet(DataSource):
        """A source that nothing reads yet."""

    with pytest.raises(KeyError, match=r"register a function for Parquet in runtime/data/sources/parquet\.py"):
        load_data(Parquet(), None, True)


def test_paths_begin_at_the_folder_of_the_spec_and_at_the_current_one_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((4, 2)), y=[0, 1, 0, 1])
    beside = load_data(Npz(path="a.npz"), tmp_path, True)
    monkeypatch.chdir(tmp_path)
    assert load_data(Npz(path="a.npz"), None, True).digest == beside.digest
    assert load_data(Npz(path=str(tmp_path / "a.npz")), Path("/nowhere"), True).digest == beside.digest


def test_strata_groups_and_time_come_from_the_word(tmp_path: Path) -> None:
    x, y = np.arange(40.0)[:, None], np.arange(40) % 2
    np.savez(tmp_path / "a.npz", x=x, y=y, patient=np.arange(40) // 5, names=np.array(["a", "b"] * 20))
    stratified = load_data(Npz(path="a.npz", stratified=True, split=(75, 25)), tmp_path, True)
    assert stratified.counts()["validation"] == {"0": 5, "1": 5}
    grouped = load_data(Npz(path="a.npz", group="patient", split=(75, 25)), tmp_path, True)
    assert not {row // 5 for row in rows(grouped.train)} & {row // 5 for row in rows(grouped.validation)}
    assert load_data(Npz(path="a.npz", group="names"), tmp_path, True).validation is not None
    in_time = load_data(Npz(path="a.npz", by="time", split=(75, 25)), tmp_path, True)
    assert rows(in_time.train) == list(range(30)) and rows(in_time.validation) == list(range(30, 40))
    folds = [load_data(Npz(path="a.npz", folds=4, fold=fold), tmp_path, True) for fold in (1, 2, 3, 4)]
    assert sorted(row for data in folds for row in rows(data.validation)) == list(range(40))
    with pytest.raises(DataError, match="split in order of time, so stratified=yes has no effect"):
        load_data(Npz(path="a.npz", by="time", stratified=True), tmp_path, True)
    with pytest.raises(DataError, match="stratified=yes needs one class for each sample"):
        load_data(Npz(path="a.npz", stratified=True), tmp_path, False)
