"""Checkpoints as arguments of verbs: a file, or a run's folder, which means its last.h5."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnspec.cli.output import print_note, print_warning

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nnspec.runtime.data import Data, Split
    from nnspec.runtime.infer.baseline import Baseline
    from nnspec.runtime.infer.network import Network
    from nnspec.runtime.train.checkpointing import Saved, SavedRun
    from nnspec.spec_lang.check.spec import Spec


def find_checkpoint(path: str) -> Path:
    """Return the file of a checkpoint. Given a folder, print which file of it is read."""
    from nnspec.runtime.train.run_folder import resolve_checkpoint

    file = resolve_checkpoint(path)
    if file != Path(path):
        print_note(f"reading {file}")
    return file


def open_checkpoint(path: str) -> "tuple[Path, Saved]":
    """Return the file of a checkpoint and its content. Raises CheckpointError."""
    from nnspec.runtime.train.checkpointing import load_checkpoint

    file = find_checkpoint(path)
    return file, load_checkpoint(file)


def open_to_ask(path: str) -> "tuple[Path, Saved]":
    """Return the file and the content of a checkpoint whose network is asked; warn where its answers mean little."""
    from nnspec.runtime.train.reservations import reservations

    file, saved = open_checkpoint(path)
    for reservation in reservations(saved, file):
        print_warning(reservation)
    return file, saved


def open_run(path: str) -> "tuple[Path, SavedRun]":
    """Return the file of a run's checkpoint and its content. Raises CheckpointError for a network without a run."""
    from nnspec.runtime.train.checkpointing import load_run

    file = find_checkpoint(path)
    return file, load_run(file)


def is_checkpoint(given: str) -> bool:
    """Return whether an argument is a checkpoint and not a spec: a folder, or a file that begins as a checkpoint."""
    from nnspec.spec_lang.regular_file import open_regular_file

    path = Path(given)
    try:
        if path.is_dir() or path.suffix == ".h5":
            return True
        if path.suffix == ".nnspec":
            return False
        with open_regular_file(path) as file:
            beginning = file.read(512)
    except (OSError, ValueError):  # such as a text longer than a file name may be
        return False
    from nnspec.checkpoints.seal import MAGIC

    return beginning.startswith(MAGIC)


def refuse_changes(settings: "Mapping[str, str]", variant: str | None) -> None:
    """Raise UsageError where --set or --variant is given for a checkpoint."""
    if settings or variant:
        raise click.UsageError("--set and --variant change specs; the spec of a checkpoint cannot be changed")


def pictures_folder(file: Path) -> Path:
    """Return the folder of a checkpoint's pictures: pictures/ next to it."""
    from nnspec.runtime.train.run_folder import RunFolder

    return RunFolder(file.parent).pictures


def chosen_split(network: "Network", data: str | None, split: str | None) -> "tuple[str, Data, Split]":
    """Return the split that --data and --split ask for: its name, the data, the split. Raises DataError, SpecError."""
    from nnspec.runtime.train.spec_and_data import network_data, split_of

    found = network_data(network, data)
    for note in found.notes:
        print_note(note)
    name, chosen = split_of(found, split)
    for warning in found.warnings:
        print_warning(warning)
    if data is not None and split is None and name != "test":
        print_note(f"{found.name} has no test split, so its {name} split is used; --split all takes every sample")
    return name, found, chosen


def known_baseline(saved: "Saved", data: "Data | None") -> "Baseline | None":
    """Return the baseline of a checkpoint: the stored one, else that of the network's own data where they are given."""
    from nnspec.runtime.infer.baseline import Baseline

    stored: Baseline | None = getattr(saved, "baseline", None)
    return Baseline.fit(saved.network, data.train) if stored is None and data is not None else stored


def class_names(network: "Network", steps: bool = False) -> list[str] | None:
    """Return the names of the classes in the order of the outputs, None if the network is not a classifier.

    With `steps` a network that classifies every step of a sequence is one too.
    """
    shape, preprocessing = network.spec.output_shape, network.preprocessing
    assert shape is not None
    one_of_many = network.spec.classification or shape.size == 1
    sequence = steps and shape.sequence and network.spec.classification
    if not (len(shape) == 1 or sequence) or preprocessing.task != "classification" or not one_of_many:
        return None
    return [preprocessing.class_name(number) for number in range(max(shape[-1], 2))]


def ends_in_image(spec: "Spec") -> bool:
    """Return whether the output of a network for a sample is an image, (height, width, channels)."""
    shape = spec.output_shape
    return shape is not None and len(shape) == 3 and not shape.sequence


def classifies_images(network: "Network") -> bool:
    """Return whether the network has probabilities of the classes of images, which occlusion explains."""
    shape, scores = network.spec.input, network.spec.loss.scores
    return class_names(network) is not None and not scores and shape is not None and shape.as_image() is not None
