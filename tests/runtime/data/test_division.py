"""Divisions: each row in one split, classes in proportion, groups and folds that stay whole, the order of time."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnspec.runtime.data import DataError
from nnspec.runtime.data.division import Division, HowToDivide, divide

SEEDS = st.integers(0, 2**63 - 1)
LABELS = st.lists(st.integers(0, 4), min_size=20, max_size=80).map(np.array)


def rows(division: Division, count: int) -> dict[str, list[int]]:
    every = np.arange(count)
    return {name: [] if part is None else every[part].tolist() for name, part in division.splits()}


def whole(division: Division, count: int) -> dict[str, list[int]]:
    """Return the rows of each split, checked: each row in one split, in the order of the source."""
    found = rows(division, count)
    assert sorted(row for part in found.values() for row in part) == list(range(count))
    assert all(part == sorted(part) for part in found.values()) and found["train"]
    return found


@given(LABELS, SEEDS, st.sampled_from([(80, 20), (60, 20, 20), (90, 10)]))
def test_strata_keep_the_proportions_of_the_classes(labels: Any, seed: int, shares: tuple[float, ...]) -> None:
    found = whole(divide(len(labels), HowToDivide(shares, seed, strata=labels), "data"), len(labels))
    for name in ("validation", "test")[: len(shares) - 1]:
        size = len(found[name])
        for label in np.unique(labels):
            have, ideal = int((labels[found[name]] == label).sum()), size * (labels == label).mean()
            room = (labels == label).sum() - 1
            assert have <= room
            assert abs(have - ideal) < 1.5 or have == room or room <= 2
    assert set(labels[found["train"]]) == set(labels)  # each class can be learnt


@given(LABELS, SEEDS)
def test_groups_are_in_one_split_and_shares_are_met_as_far_as_groups_allow(groups: Any, seed: int) -> None:
    if len(np.unique(groups)) < 3:
        with pytest.raises(DataError, match="splits need one each"):
            divide(len(groups), HowToDivide((60, 20, 20), seed, groups=groups), "data")
        return
    found = whole(divide(len(groups), HowToDivide((60, 20, 20), seed, groups=groups), "data"), len(groups))
    inside = [set(groups[part].tolist()) for part in found.values()]
    assert all(inside) and sum(map(len, inside)) == len(set().union(*inside))


@pytest.mark.parametrize("kind", ["plain", "stratified", "grouped"])
@pytest.mark.parametrize("shares", [(90, 10), (60, 20, 20)])
def test_each_row_is_validated_in_exactly_one_fold_and_tested_in_all_or_none(kind: str, shares: Any) -> None:
    labels = np.random.default_rng(0).integers(0, 3, 60)
    groups = np.arange(60) // 4
    strata = labels if kind == "stratified" else None
    grouped = groups if kind == "grouped" else None
    seen, tests = [], []
    for fold in range(1, 6):
        how = HowToDivide(shares, 3, strata, grouped, (fold, 5))
        found = whole(divide(60, how, "data"), 60)
        seen += found["validation"]
        tests.append(found["test"])
        if grouped is not None:
            assert not set(groups[found["train"]]) & set(groups[found["validation"]])
        if strata is not None:
            ideal = len(found["validation"]) * (labels == 1).mean()
            assert abs((labels[found["validation"]] == 1).sum() - ideal) < 2
    assert all(test == tests[0] for test in tests) and bool(tests[0]) == (len(shares) == 3)
    assert sorted(seen + tests[0]) == list(range(60))


def test_folds_in_time_are_trained_on_what_came_before_alone() -> None:
    ends = []
    for fold in range(1, 4):
        found = rows(divide(40, HowToDivide((80, 10, 10), None, fold=(fold, 3)), "data"), 40)
        assert max(found["train"]) < min(found["validation"]) and max(found["validation"]) < min(found["test"])
        ends.append((len(found["train"]), len(found["validation"]), len(found["test"])))
    assert ends == [(9, 9, 4), (18, 9, 4), (27, 9, 4)]


def test_more_folds_than_rows_or_groups_are_refused() -> None:
    with pytest.raises(DataError, match="data has too few samples for 5 folds: write fewer"):
        divide(3, HowToDivide((1,), 0, fold=(5, 5)), "data")
    with pytest.raises(DataError, match="data has too few groups for 3 folds"):
        divide(9, HowToDivide((1,), 0, groups=np.arange(9) // 5, fold=(3, 3)), "data")


def test_the_same_seed_gives_the_same_strata_and_another_one_others() -> None:
    labels = np.arange(50) % 3
    one, again, other = (divide(50, HowToDivide((80, 20), seed, labels), "data") for seed in (1, 1, 2))
    assert rows(one, 50) == rows(again, 50) != rows(other, 50)
