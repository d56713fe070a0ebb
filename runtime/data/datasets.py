"""The data sets that nnspec knows by name: what they hold, where they are, how they get here."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nnspec.runtime.data.files import absent
from nnspec.runtime.data.load import load_sources
from nnspec.runtime.errors import DataError
from nnspec.spec_lang.report.diagnostics import near, one_of
from nnspec.spec_lang.vocabulary import data as words


@dataclass(frozen=True)
class Dataset:
    """A data set with a name. `find` gives the folder or file where it is, None where it is not on this machine;
    `get` brings it here and gives the same. Its argument says whether to draw a progress bar on standard error, None on
    a terminal alone."""

    name: str
    about: str
    train: int
    test: int
    shape: tuple[int, ...]
    find: Callable[[], Path | None]
    get: Callable[[bool | None], Path]


DATASETS: dict[str, Dataset] = {}
"""Every data set by its name, once `datasets` has been called."""


def register(dataset: Dataset) -> Dataset:
    """Make a data set known."""
    DATASETS[dataset.name] = dataset
    return dataset


def datasets() -> list[Dataset]:
    """Every data set that nnspec knows, by name."""
    load_sources()
    return [DATASETS[name] for name in sorted(DATASETS)]


def fetch(name: str, progress: bool | None = None) -> Path:
    """Bring a data set onto this machine, unless it is here, and say where it is.

    Raises DataError where no data set has that name, or it cannot be had.
    """
    names = [dataset.name for dataset in datasets()]
    if name not in DATASETS:
        close = near(name, names)
        hint = f"did you mean {close}?" if close else f"there is {one_of(names)}"
        raise DataError(f'no data set is called "{name}"; {hint}', exit_code=2)
    return DATASETS[name].get(progress)


def missing(word: words.DataSource, folder: Path) -> str | None:
    """Why the samples that a word names are not on this machine, None where they are; paths begin at `folder`."""
    load_sources()
    dataset = DATASETS.get(word.word)
    if dataset is not None and dataset.find() is None:
        return f"{word.word} is not on this machine: nnspec data fetch {word.word} brings it"
    named = [folder / path for path in (getattr(word, name) for name in word.paths) if path is not None]
    gone = next((path for path in named if not path.exists()), None)
    return str(absent(gone)) if gone is not None else None
