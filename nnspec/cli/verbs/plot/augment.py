"""nnspec plot augment: draw training images and what augmentation makes of them."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnspec.cli.command import Verb
from nnspec.cli.options import json_flag, spec_options
from nnspec.cli.output import print_json
from nnspec.cli.pictures import out_option, save_picture, style_option

if TYPE_CHECKING:
    import numpy as np

    from nnspec.runtime.data import Data
    from nnspec.spec_lang.check.spec import Spec


@click.command(
    cls=Verb,
    short_help="Draw training images beside augmented ones.",
    examples=(
        "nnspec plot augment specs/mnist_best.nnspec --data mnist_sample",
        "nnspec plot augment specs/quickstart.nnspec --set augment.rotate=15 --set augment.noise=0.1",
        "nnspec plot augment runs/mnist_best --out augmented.png",
    ),
)
@click.argument("file", metavar="FILE_OR_CHECKPOINT")
@spec_options
@click.option("--images", type=click.IntRange(1, 20), default=5, show_default=True, help="Images to draw.")
@click.option("--count", type=click.IntRange(1, 20), default=8, show_default=True, help="Variations of each image.")
@out_option
@style_option
@json_flag
def command(
    file: str,
    settings: dict[str, str],
    variant: str | None,
    data: str | None,
    images: int,
    count: int,
    out: Path | None,
    style: str,
    as_json: bool,
) -> None:
    """Draw training images, one of each class, and beside each some variations that training may see.

    Targets that are images are drawn below them. The variations are drawn with the seed of the spec's train statement.
    The picture of a spec is written to NAME-augment.png in the current folder.
    """
    from nnspec.cli.checkpoint import ends_in_image, is_checkpoint, open_checkpoint, pictures_folder, refuse_changes
    from nnspec.runtime.data.augmentation.augmenter import variations
    from nnspec.runtime.train.spec_and_data import check_with_data, network_data
    from nnspec.runtime.views import PICTURES, in_style
    from nnspec.spec_lang.check.canonical_text import written
    from nnspec.spec_lang.check.spec_request import Request

    if is_checkpoint(file):
        refuse_changes(settings, variant)
        checkpoint, saved = open_checkpoint(file)
        spec, found = saved.network.spec, network_data(saved.network, data)
        place = pictures_folder(checkpoint) / "augment.png"
    else:
        spec, found = check_with_data(Request(file, settings, variant, data))
        place = Path(f"{spec.title}-augment.png")
    if spec.augment is None:
        raise click.UsageError(f"{spec.name} has no augment statement: add one, or try --set augment.shift=2")
    chosen = _chosen(found, images)
    assert spec.input is not None
    raw = found.train.inputs[chosen].reshape(len(chosen), *spec.input)
    targets = found.train.targets[chosen] if ends_in_image(spec) else None
    drawn, moved = variations(spec.augment, found.preprocessing, raw, count, spec.train.seed, targets, spec.loss.labels)
    pairs = None if targets is None or moved is None else (targets, moved)
    title = f"Augmentation of {spec.title} on {found.name}"
    with in_style(style):
        figure = PICTURES["augment"](raw, drawn, _names(spec, found, chosen), written(spec.augment), title, pairs)
    path = save_picture(figure, out or place, as_json)
    if as_json:
        print_json(pictures=[path])


def _chosen(data: "Data", most: int) -> "np.ndarray":
    """Return the first training image of each class, or the first images where there are no classes."""
    import numpy as np

    targets = data.train.targets
    if targets.ndim == 1 and data.preprocessing.classes is not None:
        return np.unique(targets, return_index=True)[1][:most]
    return np.arange(min(most, len(data.train)))


def _names(spec: "Spec", data: "Data", chosen: "np.ndarray") -> list[str] | None:
    """Return the class of each chosen image, None where the targets are numbers."""
    targets = data.train.targets
    if targets.ndim != 1 or not spec.classification:
        return None
    return [data.preprocessing.class_name(int(target)) for target in targets[chosen]]
