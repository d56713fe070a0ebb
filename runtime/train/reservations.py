"""Reasons not to rely on the answers of a checkpoint: it is untrained, its run diverged, or guessing is as good."""

from collections.abc import Iterator
from pathlib import Path

from nnspec.runtime.train.checkpointing import Saved, SavedRun
from nnspec.runtime.train.run_folder import RunFolder


def reservations(saved: Saved, file: Path) -> Iterator[str]:
    """Yield each reason as a sentence that begins with the file's name. A network without a run has none."""
    if not isinstance(saved, SavedRun):
        return
    if saved.state.step == 0:
        yield f"{file} is untrained: it holds step 0, whose weights are the initial ones"
        return
    end = RunFolder(file.parent).last_event()
    if end.get("event") == "diverged":
        yield f"{file} is of step {saved.state.step}, and its run diverged at step {end.get('steps')}"
    yield from _no_better_than_guessing(saved, file)


def _no_better_than_guessing(saved: SavedRun, file: Path) -> Iterator[str]:
    own = saved.run.get("baseline")
    if own is None or saved.baseline is None:
        return
    prefix = "validation_" if own["split"] == "validation" else ""
    history = saved.state.history
    found = {name: history[f"{prefix}{name}"].values[-1] for name in own if f"{prefix}{name}" in history}
    if saved.baseline.beaten(found, own) is False:
        yield (
            f"{file} is no better than the baseline ({saved.baseline.name}): it was trained too short, or its data "
            "say nothing about the target; nnspec plot curves shows which"
        )
