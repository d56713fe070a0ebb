"""A stopped run goes on: from a checkpoint, on the same data, to the bits that it would have had without the stop."""

from pathlib import Path

from nnspec.runtime.data import Data
from nnspec.runtime.errors import CheckpointError
from nnspec.runtime.train.checkpointing import Saved, alone, differing_entries, load
from nnspec.runtime.train.environment import differences, environment
from nnspec.runtime.train.loop import Event, Listener, Run, Timetable, Trainer, beginning, silent
from nnspec.runtime.train.run_folder import RunFolder, checkpoint_at
from nnspec.runtime.train.spec_and_data import data_of

ALL_THE_SAME = "--allow-inexact goes on all the same"


def resume(path: str | Path, allow_inexact: bool = False, listen: Listener = silent, verify: bool = False) -> Run:
    """Go on with a run from its folder or one of its checkpoints, as if it had never stopped.

    With `verify` the steps since the checkpoint before it, FILE.prev, are made once more and compared first. Raises
    CheckpointError where the file is damaged, the data have changed, or this machine's arithmetic differs from the one
    that wrote it, by its name or by its bits, and `allow_inexact` is not given.
    """
    file = checkpoint_at(path)
    saved = load(file)  # before the lock, so that nothing is written beside a file that is no checkpoint
    folder = RunFolder(file.parent)
    with alone(folder.path):
        saved = load(file)  # whoever held the lock may have gone on meanwhile
        _same_arithmetic(saved, allow_inexact, file)
        spec = saved.network.spec
        data = data_of(spec)
        if data.digest != saved.meta["data_digest"] or spec.samples_an_epoch(len(data.train)) != len(saved.state.order):
            advice = "put the former files back, or train anew"
            raise CheckpointError(f"{file}: the data are not those it was trained on; {advice}")
        if verify:
            listen(_replayed(file, saved, data, allow_inexact))
        folder.truncate_log(saved.state.step)
        listen(beginning(spec, data, folder, Timetable.of(spec, len(data.train)), saved.state.step))
        saved_at = saved.state.step if file == folder.last else None
        end = Trainer(saved.state, data, folder, listen, float(saved.run["seconds"]), saved_at).run()
    return Run(saved.network, saved.state.history, folder.path, end, data)


def _same_arithmetic(saved: Saved, allow_inexact: bool, file: Path) -> None:
    changed = differences(saved.meta["environment"], environment())
    if changed and not allow_inexact:
        raise CheckpointError(f"{file}: going on would not be exact here: {'; '.join(changed)}\n  help: {ALL_THE_SAME}")


def _replayed(file: Path, saved: Saved, data: Data, allow_inexact: bool) -> Event:
    """Make the steps from FILE.prev to FILE once more and compare every bit. Gives the event that tells the outcome."""
    former = Path(f"{file}.prev")
    if not former.exists():
        raise CheckpointError(f"{file}: there is no {former.name}, so there is nothing to replay", exit_code=2)
    state, step = load(former).state, saved.state.step
    if state.step >= step:
        raise CheckpointError(f"{former} stands at step {state.step}, so there is nothing to replay", exit_code=2)
    steps = f"steps {state.step + 1} to {step}"
    Trainer(state, data, None, silent).replay(step)
    differing = differing_entries(state, saved, data.digest)
    if not differing:
        return {"event": "note", "text": f"{steps} made once more: every bit is the same"}
    others = f" and {len(differing) - 1} more" if len(differing) > 1 else ""
    told = f"{steps} made once more give other bits, in {differing[0]}{others}"
    if not allow_inexact:
        raise CheckpointError(f"{file}: {told}\n  help: {ALL_THE_SAME}")
    return {"event": "warning", "text": told}
