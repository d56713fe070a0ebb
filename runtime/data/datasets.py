"""The data sets known by name: what they hold, where they are, and how they are fetched."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nnspec.runtime.data.files import absent
from nnspec.runtime.data.load import SOURCES
from nnspec.runtime.errors import DataError
from nnspec.spec_lang.report.diagnostics import near, one_of
from nnspec.spec_lang.vocabulary import data as words


@dataclass(frozen=True)
class Dataset:
    """A data set known by name.

    `find` returns its folder or file, or None if it is not on this machine. `get` fetches it if needed and returns the
    same path; its argument says whether to draw a progress bar on standard error, None only on a terminal.
    """

    name: str
    about: str
    train: int
    test: int
    shape: tuple[int, ...]
    find: Callable[[], Path | None]
    get: Callable[[bool | None], Path]


DATASETS: dict[str, Dataset] = {}
"""Every data set by name, complete after `datasets` has been called."""


def register(dataset: Dataset) -> Dataset:
    """Add a data set to DATASETS."""
    DATASETS[dataset.name] = dataset
    return dataset


def datasets() -> list[Dataset]:
    """Return every data set, in the order of their names."""
    SOURCES.load()
    return [DATASETS[name] for name in sorted(DATASETS)]


def fetch(name: str, progress: bool | None = None) -> Path:
    """Fetch a data set if it is not on this machine, and return its path.

    Raises DataError where no data set has that name, or it cannot be fetched.
    """
    names = [dataset.name for dataset in datasets()]
    if name not in DATASETS:
        close = near(name, names)
        hint = f"did you mean {close}?" if close else f"there is {one_of(names)}"
        raise DataError(f'no data set is called "{name}"; {hint}', exit_code=2)
    return DATASETS[name].get(progress)


def missing(word: words.DataSource, folder: Path) -> str | None:
    """Return why the samples of a word are not on this machine, None if they are. Paths are relative to `folder`."""
    dataset = DATASETS.get(word.word) if type(word) in SOURCES else None  # the module of the reader registers it
    if dataset is not None and dataset.find() is None:
        return f"{word.word} is not on this machine; run nnspec data fetch {word.word}"
    path = next(absent_files(word, folder), None)
    return str(absent(path)) if path is not None else None


def absent_files(word: words.DataSource, folder: Path) -> Iterator[Path]:
    """Yield the files of a word that do not exist. Paths are relative to `folder`."""
    for path in (folder / given for given in word.given_paths().values()):
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            yield path
        except OSError:  # reading it reports why
            continue
