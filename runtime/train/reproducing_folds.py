"""Reproducing every run of a cross-validation: each fold is trained again and compared with the one in the folder.

`nnspec reproduce` and the Python interface use it. It does not know how a comparison is shown.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nnspec.runtime.train.cross_validation import FOLDS, folds_in
from nnspec.runtime.train.events import Listener, silent
from nnspec.runtime.train.reproducing import Reproduction, reproduce
from nnspec.runtime.train.run_folder import RunFolder, new_folder
from nnspec.runtime.train.spec_and_data import Given


@dataclass(frozen=True)
class FoldsReproduction:
    """The comparisons of the folds of a cross-validation with their repetitions.

    Arguments:
        file: the folder of the folds.
        folds: the comparison of each fold that has a checkpoint, by its number, counted from 1.
        asked_for: how many folds the cross-validation has.
        path: the folder of the repetitions; None where it was a temporary one.
    """

    file: Path
    folds: Mapping[int, Reproduction]
    asked_for: int
    path: Path | None

    @property
    def equal(self) -> bool:
        """Whether every repetition has the same bits."""
        return all(found.equal for found in self.folds.values())


def reproduce_folds(
    path: Path, out: str | Path | None = None, listen: Listener = silent, given: Given | str | None = None
) -> FoldsReproduction:
    """Train every fold of a cross-validation again and compare each with the run in the folder.

    Arguments:
        path: the folder of the folds.
        out: the folder of the repetitions, which becomes that of a cross-validation; None for temporary ones.
        listen, given: as for `reproduce`.

    Raises CheckpointError where no fold has a checkpoint, and as `reproduce` does.
    """
    asked_for, folds = folds_in(path)
    target = None if out is None else new_folder("folds", out).path
    if target is not None:
        known = json.loads((path / FOLDS).read_bytes())
        RunFolder(target).write_text(FOLDS, json.dumps({**known, "metrics": {}}, indent=2) + "\n")
    found: dict[int, Reproduction] = {}
    for number, folder in folds.items():
        listen({"event": "note", "text": f"fold {number} of {asked_for}"})
        found[number] = reproduce(folder, None if target is None else target / folder.name, listen, given)
    return FoldsReproduction(path, found, asked_for, target)
