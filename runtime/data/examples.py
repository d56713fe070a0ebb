"""Small data sets written as files, one for each kind of data, to begin with before one's own are at hand.

Those of scikit-learn are as it has them; `hourly` and `passengers` are generated here, the same at every call.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from nnspec.runtime.errors import DataError


@dataclass(frozen=True)
class Example:
    """An example: its name, what it is, its file or folder, and what writes that."""

    name: str
    about: str
    file: str
    write: Callable[[Path], None]


EXAMPLES: dict[str, Example] = {}
"""Every example by name, in the order of their definition."""


def example(name: str, file: str, about: str) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    """Register what writes an example to a path."""

    def register(write: Callable[[Path], None]) -> Callable[[Path], None]:
        EXAMPLES[name] = Example(name, about, file, write)
        return write

    return register


def write_example(name: str, folder: Path) -> Path:
    """Write an example into a folder, which is made where there is none; return its path.

    Raises DataError where no example has the name, its file exists, or scikit-learn is needed and missing.
    """
    from nnspec.spec_lang.report.diagnostics import near, one_of

    if name not in EXAMPLES:
        close = near(name, EXAMPLES)
        hint = f"did you mean {close}?" if close else f"there is {one_of(EXAMPLES)}"
        raise DataError(f'no example is called "{name}"; {hint}', exit_code=2)
    path = folder / EXAMPLES[name].file
    if path.exists():
        raise DataError(f"{path} exists already: name another folder", exit_code=2)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        EXAMPLES[name].write(path)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror or error}", exit_code=2) from error
    return path


@example("iris", "iris.csv", "150 flowers of three species by four lengths (Fisher 1936): a table with classes")
def _iris(path: Path) -> None:
    _classified(path, _scikit_learn().load_iris(as_frame=True), "species")


@example("wine", "wine.csv", "178 wines of three growers by 13 measurements: a table with classes")
def _wine(path: Path) -> None:
    _classified(path, _scikit_learn().load_wine(as_frame=True), "grower")


@example("breast_cancer", "breast_cancer.csv", "569 tumours by 30 measurements, malignant or benign: two classes")
def _breast_cancer(path: Path) -> None:
    _classified(path, _scikit_learn().load_breast_cancer(as_frame=True), "diagnosis")


@example("diabetes", "diabetes.csv", "442 patients by ten measurements, how their illness advances: a regression")
def _diabetes(path: Path) -> None:
    found = _scikit_learn().load_diabetes(scaled=False)
    _write(path, (*found.feature_names, "progression"), _rows(found.data, found.target))


@example("friedman", "friedman.csv", "5,000 samples of Friedman's function of five of ten columns: a regression")
def _friedman(path: Path) -> None:
    x, y = _scikit_learn().make_friedman1(n_samples=5000, noise=1.0, random_state=0)
    _write(path, (*(f"x{number}" for number in range(1, 11)), "y"), _rows(x.round(6), y.round(6)))


@example("labels", "labels.csv", "2,000 samples with several of five labels at once, by 20 columns")
def _labels(path: Path) -> None:
    x, y = _scikit_learn().make_multilabel_classification(n_samples=2000, n_labels=2, random_state=0)
    columns = (*(f"x{number}" for number in range(1, 21)), *(f"label{number}" for number in range(1, 6)))
    _write(path, columns, (map(int, (*row, *labels)) for row, labels in zip(x, y, strict=True)))


@example("digits", "digits", "1,797 handwritten digits of 8x8 pixels as PNG, a folder for each class")
def _digits(path: Path) -> None:
    from PIL import Image

    found = _scikit_learn().load_digits()
    for number, (pixels, label) in enumerate(zip(found.images, found.target, strict=True)):
        place = path / str(label)
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray((pixels * 255 / 16).round().astype(np.uint8)).save(place / f"{number:04d}.png")


@example("hourly", "hourly.csv", "a year of an invented town's electric load and temperature, hour by hour: a series")
def _hourly(path: Path) -> None:
    random, hours = np.random.Generator(np.random.PCG64(0)), np.arange(8760)
    day, week, year = (2 * np.pi * hours / length for length in (24, 168, 8760))
    weather = _wandering(random, len(hours), 0.98, 0.5)
    temperature = 10 - 9 * np.cos(year) - 3 * np.cos(day - 0.8) + weather
    weekend = (hours // 24 % 7 >= 5).astype(float)
    daily = 6 * np.sin(day - 1.9) + 3 * np.sin(2 * day - 0.5)
    load = 38 + daily * (1 - 0.3 * weekend) - 4 * weekend + 0.35 * np.maximum(15 - temperature, 0) + np.cos(week)
    load += _wandering(random, len(hours), 0.7, 0.4)
    begin = datetime(2023, 1, 2)  # a Monday
    times = (f"{begin + timedelta(hours=int(hour)):%Y-%m-%d %H:%M}" for hour in hours)
    _write(path, ("time", "temperature", "load"), zip(times, temperature.round(1), load.round(2), strict=True))


@example("passengers", "passengers.csv", "900 invented passengers of a ship: numbers, text, yes and no, missing cells")
def _passengers(path: Path) -> None:
    random, count = np.random.Generator(np.random.PCG64(0)), 900
    cabin = random.choice(["first", "second", "third"], count, p=[0.25, 0.2, 0.55])
    female = random.random(count) < 0.36
    age = np.clip(random.normal(30, 14, count), 0.5, 80).round(1)
    fare = np.exp(random.normal(0, 0.5, count)) * np.select([cabin == "first", cabin == "second"], [80, 20], 10)
    alone, port = random.random(count) < 0.6, random.choice(["Cork", "Dover", "Brest"], count, p=[0.1, 0.7, 0.2])
    odds = -1.2 + 2.6 * female + np.select([cabin == "first", cabin == "second"], [1.4, 0.7], 0.0) - 0.02 * (age - 30)
    saved = random.random(count) < 1 / (1 + np.exp(-odds))
    ages = [str(years) if known else "" for years, known in zip(age, random.random(count) > 0.2, strict=True)]
    ports = [place if known else "" for place, known in zip(port, random.random(count) > 0.02, strict=True)]
    sex, yes = np.where(female, "female", "male"), ("no", "yes")
    columns = range(1, count + 1), cabin, sex, ages, fare.round(2), _chosen(yes, alone), ports, _chosen(yes, saved)
    names = ("number", "class", "sex", "age", "fare", "alone", "port", "survived")
    _write(path, names, zip(*columns, strict=True))


def _chosen(words: tuple[str, str], truth: Any) -> list[str]:
    return [words[bool(true)] for true in truth]


def _wandering(random: "np.random.Generator", count: int, memory: float, noise: float) -> Any:
    """Return a series in which each value is a part of the one before it, and noise."""
    values, shocks = np.zeros(count), random.normal(0, noise, count)
    for place in range(1, count):
        values[place] = memory * values[place - 1] + shocks[place]
    return values


def _scikit_learn() -> Any:
    try:
        from sklearn import datasets
    except ImportError:
        raise DataError("this example comes with scikit-learn: pip install 'nnspec[sklearn]'", exit_code=2) from None
    return datasets


def _classified(path: Path, found: Any, target: str) -> None:
    names = [name.replace(" (cm)", "").replace(" ", "_") for name in found.feature_names]
    labels = [str(found.target_names[label]) for label in found.target]
    _write(path, (*names, target), _rows(found.data.to_numpy(), labels))


def _rows(x: Any, y: Iterable[Any]) -> Iterable[Sequence[Any]]:
    return ((*map(float, row), label) for row, label in zip(x, y, strict=True))


def _write(path: Path, names: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    with path.open("x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)
