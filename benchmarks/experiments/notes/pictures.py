"""The pictures of the notes' experiments for docs/experiments.md."""

from pathlib import Path

import numpy as np

import nnspec
from benchmarks.experiments.notes.claims import of_every_digit
from nnspec.runtime.data import Split
from nnspec.runtime.infer.network import Network
from nnspec.runtime.sweep.conductor import SweepResult
from nnspec.runtime.train.checkpointing import SavedRun, load_checkpoint
from nnspec.runtime.train.history import RunHistory, history_of
from nnspec.runtime.views import PICTURES, save_figure
from nnspec.runtime.views.figures import FIGURES, Subject

SHOWN = 3
"""Images of each digit on a sheet of occlusion maps."""


def draw(
    found: SweepResult, networks: dict[str, Network], untrained: dict[str, Network], test: Split, to: Path
) -> None:
    """Draw the curves of all experiments with the first seed, and weights, occlusion and confusion of `networks`."""
    seed = found.trials[0].seed
    histories = [_history(trial.path, trial.variant) for trial in found.trials if trial.seed == seed]
    save_figure(PICTURES["curves"](histories), to / "notes_curves.png")
    for name, network in networks.items():
        for when, subject in (
            ("before", Subject(untrained[name], beside=network)),
            ("after", Subject(network, beside=untrained[name])),
        ):
            save_figure(FIGURES["weights"](subject)[0], to / f"notes_{name}_{when}.png")
    network = networks["cnn"]
    images, labels = of_every_digit(test, SHOWN)
    probabilities = network.predict(images)[np.arange(len(labels)), labels]
    for window in (2, 3):
        maps = nnspec.occlude(network, images, labels, window=window, scale="drop")
        figure = PICTURES["occlusion"](
            images, maps, labels, network.classes, probabilities,
            window=window, scale="drop", of_label="true class", across=SHOWN,
            title=f"Where {network.spec.title} looks, with a window of {window}x{window}",
        )  # fmt: skip
        save_figure(figure, to / f"notes_occlusion_{window}x{window}.png")
    save_figure(FIGURES["confusion"](Subject(network))[0], to / "notes_confusion.png")


def saved_run(path: Path) -> SavedRun:
    """Return the last checkpoint of a run's folder."""
    saved = load_checkpoint(path / "last.h5")
    assert isinstance(saved, SavedRun)
    return saved


def _history(path: Path, name: str | None) -> RunHistory:
    return history_of(saved_run(path), name)
