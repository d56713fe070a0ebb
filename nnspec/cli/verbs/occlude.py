"""nnspec occlude: show where in an image a classifier looks."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.explained import Explained, Size, SizeType, explained, explaining
from nnspec.cli.format import format_count
from nnspec.cli.output import print_json, print_note, print_result, translate_write_errors
from nnspec.cli.pictures import paged, save_picture

if TYPE_CHECKING:
    import numpy as np


@click.command(
    cls=Verb,
    section=Section.PICTURES,
    short_help="Show where in an image a classifier looks.",
    examples=(
        "nnspec occlude runs/quickstart",
        "nnspec occlude runs/quickstart/best.h5 --window 5x5 --stride 2 --baseline mean",
        "nnspec occlude runs/quickstart seven.png --label 7 --out maps",
        "nnspec occlude runs/quickstart --scale probability --style paper --format pdf",
    ),
)
@explaining(per_class=3)
@click.option(
    "--window",
    "windows",
    type=SizeType(),
    multiple=True,
    metavar="RxC",
    help="The size of the window. Repeatable.  [default: 2x2, 3x3]",
)
@click.option("--stride", type=SizeType(), default="1", show_default=True, metavar="N", help="Pixels between windows.")
@click.option(
    "--scale",
    type=click.Choice(("drop", "log_odds", "probability")),
    default="drop",
    show_default=True,
    help="What is drawn: the drop of the log-odds, the log-odds, or the probability with the window covered.",
)
def command(
    checkpoint: str,
    images: tuple[str, ...],
    windows: tuple[Size, ...],
    stride: Size,
    scale: str,
    baseline: float | str,
    per_class: int,
    label: str | None,
    invert: bool,
    data: str | None,
    split: str | None,
    out: Path | None,
    suffix: str,
    style: str,
    as_json: bool,
) -> None:
    """Cover a window of an image, at every position, and draw what that does to the probability of its class.

    Without images, the first correctly classified images of each class are taken from the test split. With images, in
    any format that predict reads, the predicted class is explained.

    The drop of the log-odds ln(p / (1 - p)) shows what a network needs that gives each image a probability of 1: there
    the probability itself hardly changes. Each window size gives a picture occlusion-RxC.png, one for every ten rows,
    and its arrays in occlusion-RxC.npz: images, labels, probabilities (nothing covered), maps (image, row, column) of
    probabilities, and log_odds likewise.
    """
    from nnspec.cli.checkpoint import pictures_folder
    from nnspec.runtime.explain.scales import occlude_by_scale
    from nnspec.runtime.views import in_style

    asked = explained(checkpoint, images, per_class, label, invert, data, split, baseline)
    folder = out or pictures_folder(asked.file)
    written = []
    for window in windows or ((2, 2), (3, 3)):
        print_note(f"covering {format_count(len(asked.images), 'image')} with windows of {window[0]}x{window[1]}")
        maps = occlude_by_scale(asked.network, asked.images, asked.labels, window, stride, asked.fill)
        with in_style(style):
            for path in _keep(asked, maps, folder, window, stride, scale, suffix):
                written.append(path)
                if not as_json:
                    print_result(path)
    if as_json:
        print_json(checkpoint=str(asked.file), files=written)


def _keep(
    asked: Explained,
    maps: "dict[str, np.ndarray]",
    folder: Path,
    window: Size,
    stride: Size,
    scale: str,
    suffix: str,
) -> Iterator[str]:
    """Write the arrays and each page of the picture, and yield the path of each file once it is written."""
    import numpy as np

    from nnspec.runtime.views import PICTURES
    from nnspec.runtime.views.occlusion import ACROSS, finding, page_count

    stem = f"occlusion-{window[0]}x{window[1]}"
    arrays = folder / f"{stem}.npz"
    with translate_write_errors(arrays):
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(
            arrays, maps=maps["probability"], log_odds=maps["log_odds"], classes=asked.classes, window=window,
            stride=stride, baseline=asked.fill, images=asked.images, labels=asked.labels,
            probabilities=asked.probabilities,
        )  # fmt: skip
    yield str(arrays)
    title = finding(asked.network.spec.title, maps["probability"], asked.probabilities, window)
    across = min(ACROSS, int(np.unique(asked.labels, return_counts=True)[1].max()))
    for number in range(page_count(asked.labels, across)):
        figure = PICTURES["occlusion"](
            asked.images, maps[scale], asked.labels, asked.classes, asked.probabilities, window=window, stride=stride,
            baseline=asked.baseline_in_words, scale=scale, captions=asked.captions, of_label=asked.of_label,
            across=across, page_number=number, title=title,
        )  # fmt: skip
        yield save_picture(figure, paged(folder / f"{stem}.{suffix}", number), quiet=True)
