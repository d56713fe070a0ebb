"""What a page finds in its folder when it is executed: what an earlier page has made, or the reader has."""

import shutil
from collections.abc import Callable, Iterable
from contextlib import chdir
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

ROOT = Path(__file__).resolve().parents[1]


def provide(names: Iterable[str], folder: Path) -> None:
    """Put what is named into a folder. Raises KeyError for a name that nothing is known of."""
    for name in names:
        PROVIDED[name](folder / name)


def _quickstart(place: Path) -> None:
    shutil.copytree(_trained(), place)


@cache
def _trained() -> Path:
    """Return a run of the shipped spec quickstart, trained for one epoch: once in a process."""
    import nnspec

    folder = Path(mkdtemp(prefix="nnspec-pages-"))
    with chdir(folder):
        nnspec.train(ROOT / "specs" / "quickstart.nnspec", out="runs/quickstart", settings={"train.epochs": 1})
    return folder / "runs" / "quickstart"


def _seven(place: Path) -> None:
    from PIL import Image

    digit = np.zeros((28, 28), np.uint8)
    digit[5:8, 7:21] = 255
    for row in range(8, 24):
        left = 19 - (row - 8) // 2
        digit[row, left : left + 3] = 255
    Image.fromarray(digit).save(place)


PROVIDED: dict[str, Callable[[Path], object]] = {
    "runs/quickstart": _quickstart,
    "seven.png": _seven,
    "specs": lambda place: shutil.copytree(ROOT / "specs", place),
}
