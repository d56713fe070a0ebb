"""The picture of a sweep: the curves of all its trials. The command and the Python function draw it after a sweep."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.runtime.errors import CheckpointError
from nnspec.runtime.train.checkpointing import load_run
from nnspec.runtime.train.history import history_of
from nnspec.runtime.train.run_folder import LAST

if TYPE_CHECKING:
    from nnspec.runtime.sweep.conductor import SweepResult


def draw_curves(sweep: "SweepResult") -> Path | None:
    """Draw the curves of all trials that have been evaluated into the sweep's folder, the best settings first.

    Return the picture's path, None where there is nothing to draw. Raises OSError.
    """
    from nnspec.runtime.views import PICTURES, PictureError, save_figure

    places = {rank.name: place for place, rank in enumerate(sweep.ranking)}
    runs = []
    for trial in sorted(sweep.trials, key=lambda trial: places[trial.trial.group]):
        with suppress(CheckpointError):  # it has not begun, or its file is damaged, which resuming it reports
            runs.append(history_of(load_run(trial.path / LAST), trial.name))
    try:
        return Path(save_figure(PICTURES["curves"](runs), sweep.path / "pictures" / "curves.png"))
    except PictureError:  # nothing has been evaluated
        return None
