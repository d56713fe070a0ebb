"""nnspec saliency: compare maps of what a classifier of images depends on."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.explained import Explained, Size, SizeType, explained, explaining
from nnspec.cli.format import format_count
from nnspec.cli.output import print_json, print_note, print_result, translate_write_errors
from nnspec.cli.pictures import paged, save_picture

if TYPE_CHECKING:
    import numpy as np

    from nnspec.runtime.explain.saliency import Question

_METHODS = ("occlusion", "gradient", "gradient_input", "integrated", "grad_cam")


@click.command(
    cls=Verb,
    section=Section.PICTURES,
    short_help="Compare maps of what a classifier of images depends on.",
    examples=(
        "nnspec saliency runs/quickstart",
        "nnspec saliency runs/quickstart seven.png --method integrated --method occlusion --out maps",
        "nnspec saliency runs/quickstart --sanity --json",
    ),
)
@explaining(per_class=1)
@click.option(
    "--method", "methods", type=click.Choice(_METHODS), multiple=True,
    help="A method. Repeatable.  [default: all that the network can be explained by]",
)  # fmt: skip
@click.option("--window", type=SizeType(), default="3", show_default=True, metavar="RxC", help="Of occlusion.")
@click.option(
    "--steps", type=click.IntRange(1), default=128, show_default=True, metavar="N", help="Of integrated gradients."
)
@click.option("--sanity", is_flag=True, help="Also compare the maps with those of randomized weights.")
def command(
    checkpoint: str,
    images: tuple[str, ...],
    methods: tuple[str, ...],
    window: Size,
    steps: int,
    sanity: bool,
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
    """Draw maps of the pixels that the log-odds of a class depend on, by several methods, and say which to trust.

    Writes saliency.png, the maps side by side; deletion.png, the curves of deletion and insertion (Petsiuk et al.
    2018), whose areas are printed; with --sanity sanity.png, the maps as the layers are given random weights from the
    last to the first (Adebayo et al. 2018); and the maps in saliency.npz.

    Methods: occlusion (Zeiler & Fergus 2014), gradient (Simonyan et al. 2014), gradient_input (Shrikumar et al. 2016),
    integrated (integrated gradients, Sundararajan et al. 2017), grad_cam (Selvaraju et al. 2017).
    """
    from nnspec.cli.checkpoint import pictures_folder
    from nnspec.runtime.explain.deletion import deletion_curves
    from nnspec.runtime.explain.saliency import Question, maps_by, methods_for
    from nnspec.runtime.explain.sanity import randomized
    from nnspec.runtime.views import PICTURES, in_style

    asked = explained(checkpoint, images, per_class, label, invert, data, split, baseline)
    question = Question.of(asked.network, asked.images, asked.labels, asked.fill, window, 1, steps)
    names = list(dict.fromkeys(methods)) or methods_for(asked.network)
    print_note(f"explaining {format_count(len(asked.images), 'image')} by {', '.join(names)}")
    maps = dict(maps_by(question, names))
    curves = deletion_curves(question, maps)
    folder = out or pictures_folder(asked.file)
    title = asked.network.spec.title
    with in_style(style):
        written = [_keep_arrays(asked, maps, folder), *_draw_sheets(asked, question, maps, folder, suffix)]
        figure = PICTURES["deletion"](curves, f"Which map of {title} to trust")
        written.append(save_picture(figure, folder / f"deletion.{suffix}", quiet=True))
        found = randomized(question, names) if sanity else {}
        if found:
            figure = PICTURES["sanity"](question.images[0], found, 0, f"Sanity check of {title}")
            written.append(save_picture(figure, folder / f"sanity.{suffix}", quiet=True))
    areas = {name: {"deletion": each.deletion_area, "insertion": each.insertion_area} for name, each in curves.items()}
    alike = {name: dict(zip(("trained", *each.layers), each.correlation.mean(axis=1).tolist(), strict=True))
             for name, each in found.items()}  # fmt: skip
    if as_json:
        print_json(checkpoint=str(asked.file), files=written, areas=areas, correlation=alike)
        return
    for path in written:
        print_result(path)
    print_result(f"{'':16}deletion  insertion   (area under the curve: low and high are good)")
    for name, area in sorted(areas.items(), key=lambda item: item[1]["deletion"] - item[1]["insertion"]):
        print_result(f"{name:16}{area['deletion']:8.3f}{area['insertion']:11.3f}")
    for name, values in alike.items():
        print_result(f"{name:16}rank correlation with all layers random {list(values.values())[-1]:.2f}")


def _keep_arrays(asked: Explained, maps: "dict[str, np.ndarray]", folder: Path) -> str:
    """Write the maps with the images, their labels and their probabilities, and return the path."""
    import numpy as np

    path = folder / "saliency.npz"
    with translate_write_errors(path):
        folder.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, Any] = {
            "classes": asked.classes, "baseline": asked.fill, "images": asked.images, "labels": asked.labels,
            "probabilities": asked.probabilities,
        }  # fmt: skip
        np.savez(path, **(arrays | maps))
    return str(path)


def _draw_sheets(
    asked: Explained, question: "Question", maps: "dict[str, np.ndarray]", folder: Path, suffix: str
) -> list[str]:
    """Draw the maps, ten images on a page, and return the paths."""
    from nnspec.runtime.explain.saliency import WORDS
    from nnspec.runtime.views import PICTURES
    from nnspec.runtime.views.saliency import ROWS

    paths = []
    pages = -(-len(asked.labels) // ROWS)
    for number in range(pages):
        part = slice(number * ROWS, (number + 1) * ROWS)
        of_pages = f", page {number + 1} of {pages}" if pages > 1 else ""
        subtitle = f"baseline {asked.baseline_in_words}{of_pages}"
        figure = PICTURES["saliency"](
            question.images[part],
            {name: values[part] for name, values in maps.items()},
            [asked.classes[label] for label in asked.labels[part]],
            None if asked.captions is None else asked.captions[part],
            WORDS,
            title=f"What the log-odds of the class depend on, {asked.network.spec.title}",
            subtitle=subtitle,
            of_label=asked.of_label,
        )
        paths.append(save_picture(figure, paged(folder / f"saliency.{suffix}", number), quiet=True))
    return paths
