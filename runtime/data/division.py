"""Dividing samples into training, validation and test: at random, by class, by group, in order of time, in folds.

A division names rows and moves no sample, so that a source may be larger than memory and what is learnt from training
rows, such as the categories of a column, is learnt from these alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.errors import DataError

Rows = slice | NDArray[np.intp]
"""Rows of a source: a part of it as it lies, or their numbers in the order of the source."""


@dataclass(frozen=True, eq=False)
class Division:
    """The rows of each split; None for a split without rows."""

    train: Rows
    validation: Rows | None = None
    test: Rows | None = None

    def splits(self) -> Iterator[tuple[str, Rows | None]]:
        """Yield the name and the rows of each split."""
        yield from (("train", self.train), ("validation", self.validation), ("test", self.test))


@dataclass(frozen=True, eq=False)
class HowToDivide:
    """What decides a division.

    Arguments:
        shares: of training, validation and, if there are three, test. They need not sum to 100.
        seed: of the permutation; None cuts the splits in the order of the source.
        strata: a class for each row. Every split then has the classes in the proportions of the source.
        groups: a group for each row, number or text. The rows of a group are in one split.
        fold: the number of a fold, counted from 1, and how many there are. The fold is the validation split, instead of
            the share of validation.
        gap: without a seed, the rows left out between two splits, because what they predict lies in the later one.
    """

    shares: tuple[float, ...]
    seed: int | None = 0
    strata: NDArray[Any] | None = None
    groups: NDArray[Any] | None = None
    fold: tuple[int, int] | None = None
    gap: int = 0


def divide(count: int, how: HowToDivide, name: str) -> Division:
    """Return which of `count` rows are in which split.

    One permutation by PCG64(seed) decides. Its first rows are the validation split, the next ones the test split, the
    rest is the training split; each keeps the order of the source. A share above 0 gets at least one row (or group, or
    one of the largest classes), and is otherwise rounded to the nearest whole number of them. Without a seed the splits
    are consecutive: training, validation, test. Raises DataError, which names the source, where rows are too few.
    """
    if how.fold is not None:
        return _fold(count, how, name)
    wanted = _wanted(count, how.shares)
    if count - sum(wanted) < 1:
        raise _too_few(count, how.shares, name)
    if not sum(wanted):
        return Division(slice(None))
    if how.seed is None:
        return _consecutive(count, wanted, how, name)
    if how.groups is not None:
        held, rest = _held_groups(count, how, name)
    elif how.strata is not None:
        held, rest = _held_strata(count, wanted, how, name)
    else:
        order = _random(how).permutation(count)
        *held, rest = np.split(order, np.cumsum(wanted))
    if not rest.size:
        raise _too_few(count, how.shares, name)
    return Division(np.sort(rest), *(np.sort(rows) if rows.size else None for rows in held))


def _consecutive(count: int, wanted: Sequence[int], how: HowToDivide, name: str) -> Division:
    """Return the splits in the order of the source, with the gap between each and the next."""
    ends = np.cumsum([0, count - sum(wanted), *wanted]).tolist()
    cut = [slice(i, j - how.gap if j < count else j) if j > i else None for i, j in pairwise(ends)]
    train = cut[0]
    if train is None or any(part is not None and part.stop <= part.start for part in cut):
        raise _too_few(count, how.shares, name)
    return Division(train, *cut[1:])


def _fold(count: int, how: HowToDivide, name: str) -> Division:
    """Return the division whose validation split is one of several folds of what is not held back for the test."""
    assert how.fold is not None
    number, folds = how.fold
    test_share = how.shares[2] if len(how.shares) > 2 else 0
    outer = divide(count, replace(how, shares=(sum(how.shares) - test_share, 0, test_share), fold=None), name)
    rows = np.arange(count)[outer.train]
    if how.seed is None:  # each fold follows what it is trained on
        ends = np.linspace(0, len(rows), folds + 2).round().astype(int)
        train = rows[: max(0, ends[number] - how.gap)]
        validation = rows[ends[number] : ends[number + 1]]
    else:
        of_row = _fold_of_each(rows, how)
        train, validation = rows[of_row != number - 1], rows[of_row == number - 1]
    if not (train.size and validation.size):
        what = "groups" if how.groups is not None else "samples"
        raise DataError(f"{name} has too few {what} for {folds} folds: write fewer", exit_code=2)
    return Division(train, validation, outer.test)


def _fold_of_each(rows: NDArray[np.intp], how: HowToDivide) -> NDArray[np.intp]:
    """Return the fold of each row, counted from 0: rows, classes or groups are dealt out in a random order."""
    assert how.fold is not None
    folds, random = how.fold[1], _random(how)
    dealt = np.empty(len(rows), np.intp)
    if how.groups is not None:
        _, group, sizes = np.unique(how.groups[rows], return_inverse=True, return_counts=True)
        fold, filled = np.empty(len(sizes), np.intp), np.zeros(folds, np.intp)
        order = random.permutation(len(sizes))
        for largest in order[np.argsort(-sizes[order], kind="stable")]:  # each to the fold with the fewest rows
            fold[largest] = filled.argmin()
            filled[fold[largest]] += sizes[largest]
        dealt[...] = fold[group]
        return dealt
    order = random.permutation(len(rows))
    if how.strata is not None:
        order = order[np.argsort(how.strata[rows][order], kind="stable")]
    dealt[order] = np.arange(len(rows)) % folds
    return dealt


def _held_groups(count: int, how: HowToDivide, name: str) -> tuple[list[NDArray[np.intp]], NDArray[np.intp]]:
    """Return the rows of each held split, whole groups whose rows come nearest to its share, and the rest."""
    assert how.groups is not None
    names, group, sizes = np.unique(how.groups, return_inverse=True, return_counts=True)
    splits = 1 + sum(share > 0 for share in how.shares[1:])
    if len(names) < splits:
        raise DataError(f"{name} has {len(names)} group{'s' * (len(names) != 1)}, and {splits} splits need one each", 2)
    order, taken = _random(how).permutation(len(names)), 0
    split_of = np.zeros(len(names), np.intp)  # 0: training
    for number, rows in enumerate(_wanted(count, how.shares), 1):
        spare = splits - 1 - sum(share > 0 for share in how.shares[1:number])  # splits that come after this one
        total = 0
        while rows and taken < len(names) - spare:
            size = int(sizes[order[taken]])
            if total and abs(total + size - rows) >= abs(total - rows):
                break
            split_of[order[taken]], total, taken = number, total + size, taken + 1
    of_row = split_of[group]
    return [np.flatnonzero(of_row == number) for number in range(1, len(how.shares))], np.flatnonzero(of_row == 0)


def _held_strata(
    count: int, wanted: Sequence[int], how: HowToDivide, name: str
) -> tuple[list[NDArray[np.intp]], NDArray[np.intp]]:
    """Return the rows of each held split, which has every class in its proportion, and the rest."""
    assert how.strata is not None
    classes, stratum, sizes = np.unique(how.strata, return_inverse=True, return_counts=True)
    order = _random(how).permutation(count)
    by_class = np.split(order[np.argsort(stratum[order], kind="stable")], np.cumsum(sizes)[:-1])
    used = np.zeros(len(classes), np.intp)
    held = []
    for rows in wanted:
        each = _in_proportion(rows, sizes, sizes - used - 1)  # each class keeps a row to train on
        held.append(
            np.concatenate([own[start : start + n] for own, start, n in zip(by_class, used, each, strict=True)])
        )
        used += each
    rest = np.concatenate([own[start:] for own, start in zip(by_class, used, strict=True)])
    return held, rest


def _in_proportion(total: int, sizes: NDArray[np.intp], most: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return whole numbers in the proportion of the sizes that sum to `total`, the largest remainders rounded up.

    No number is above that in `most`; where they leave no room the sum is smaller.
    """
    most = np.maximum(most, 0)
    exact = total * sizes / sizes.sum()
    each: NDArray[np.intp] = np.minimum(np.floor(exact).astype(np.intp), most)
    for index in np.argsort(np.floor(exact) - exact, kind="stable"):
        if each.sum() < total and each[index] < most[index]:
            each[index] += 1
    return each


def _wanted(count: int, shares: tuple[float, ...]) -> list[int]:
    """Return the rows of each held split: the nearest whole number to its share, and at least one."""
    total = sum(shares)
    return [max(1, int(np.floor(count * share / total + 0.5))) if share > 0 else 0 for share in shares[1:]]


def _random(how: HowToDivide) -> "np.random.Generator":
    assert how.seed is not None
    return np.random.Generator(np.random.PCG64(how.seed))


def _too_few(count: int, shares: tuple[float, ...], name: str) -> DataError:
    written = "/".join(f"{share:g}" for share in shares)
    few = "1 sample in {} is" if count == 1 else f"{count} samples in {{}} are"
    return DataError(
        f"{few.format(name)} too few to split {written}: nothing is left for the training split; give more, or "
        "hold nothing back with split=100/0"
    )
