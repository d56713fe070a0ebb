"""Resuming a run from a checkpoint, on the same data and to the same bits as without the stop."""

from pathlib import Path

from nnspec.runtime.data import Data
from nnspec.runtime.errors import CheckpointError
from nnspec.runtime.execute.processors import Workers, with_workers
from nnspec.runtime.infer.network_file import program_version
from nnspec.runtime.train.checkpointing import Resumptions, SavedRun, load_run, run_lock, state_differences
from nnspec.runtime.train.environment import differences, environment
from nnspec.runtime.train.events import Event, Listener, Watcher, silent, start_event, unwatched
from nnspec.runtime.train.loop import Trainer
from nnspec.runtime.train.run import Run
from nnspec.runtime.train.run_folder import RunFolder, resolve_checkpoint
from nnspec.runtime.train.signals import StopRequest
from nnspec.runtime.train.spec_and_data import Given, spec_data, with_data_statement
from nnspec.runtime.train.timetable import Timetable

MOST_RESUMPTIONS = 10
"""The most resumptions that a checkpoint keeps: run/info has room for 4096 bytes."""

ALLOW_INEXACT = "use --allow-inexact to resume it with other bits"


def resume(
    path: str | Path,
    allow_inexact: bool = False,
    listen: Listener = silent,
    verify: bool = False,
    given: Given | str | None = None,
    workers: Workers = "auto",
    stop: StopRequest | None = None,
    watch: Watcher = unwatched,
) -> Run:
    """Resume a run as if it had never stopped, and train it to its end.

    Arguments:
        path: the run's folder, or one of its checkpoints.
        allow_inexact: resume even where the bits may differ.
        listen: called with each event.
        verify: first repeat the steps from FILE.prev to FILE and compare every bit.
        given: the run's data where the spec does not lead to them: given data, or a data statement for data that moved.
        workers: how many processes train, or "auto" for as many as pay. The weights are the same bits.
        stop: asks the run to stop after a step, as a signal does.
        watch: called with the network while it trains, see `Trainer`.

    Raises CheckpointError where the file is damaged, where the data have changed and, unless `allow_inexact` is true,
    where the arithmetic of this machine is not the one that wrote the file or a repeated step gives other bits.
    """
    file = resolve_checkpoint(path)
    load_run(file)  # before the lock, so that nothing is written next to a file that is not a checkpoint
    with with_workers(workers), run_lock(file.parent) as check_lock:
        saved = load_run(file)  # the former holder of the lock may have trained further
        _check_arithmetic(saved, allow_inexact, file)
        folder = RunFolder(file.parent, saved.run.get("made_in"))
        spec = saved.network.spec
        data = _data(saved, given, file)
        if (warning := folder.edited_spec_warning(saved.source)) is not None:
            listen({"event": "warning", "text": warning})
        for note in data.notes:
            listen({"event": "note", "text": note})
        if (before := _former_version(saved)) is not None:
            versions = f"it was saved by nnspec {before}, and this is {program_version()}"
            listen({"event": "warning", "text": f"{versions}: training goes on, with other last bits"})
        if verify:
            listen(_replay(file, saved, data, allow_inexact))
        folder.truncate_log(saved.state.step)
        total = Timetable.of(spec, len(data.train)).total
        listen(start_event(spec, len(data.train), folder, saved.state.step, total))
        saved_at = saved.state.step if file == folder.last else None
        seconds, resumed = float(saved.run["seconds"]), _resumptions(saved)
        end = Trainer(
            saved.state, data, folder, listen, seconds, saved_at, check_lock, stop, resumed, watch=watch
        ).run()
    return Run(saved.network, saved.state.history, folder.path, end, data)


def _data(saved: SavedRun, given: Given | str | None, file: Path) -> Data:
    """Return the data of a run. Raises CheckpointError where they are not those it was trained on, DataError."""
    spec = saved.network.spec
    if given is None and (spec.data is None or spec.data.in_memory):
        call = f"nnspec.resume({str(file)!r}, data=(x, y))"
        raise CheckpointError(f"{file}: it was trained on arrays; {call} resumes it with the same ones", exit_code=2)
    if isinstance(given, str):
        spec = with_data_statement(spec, given)
    data = spec_data(spec, given if not isinstance(given, str) else None, exact=True)
    if data.digest != saved.meta["data_digest"] or spec.samples_an_epoch(len(data.train)) != len(saved.state.order):
        advice = "restore the former files, name them with --data, or train a new run"
        if not isinstance(given, str | None):
            advice = "give the same data and validation as to nnspec.train"
        changed = "".join(f"{note}; " for note in data.notes)
        raise CheckpointError(f"{file}: the data are not those it was trained on: {changed}{advice}")
    return data


def _resumptions(saved: SavedRun) -> Resumptions:
    """Return the last resumptions of a run with this one, which names what of the arithmetic has changed."""
    changed = tuple(text.split(" ", 1)[0] for text in differences(saved.meta["environment"], environment()))
    changed += ("nnspec",) * (_former_version(saved) is not None)
    return (*saved.run["resumed"], (saved.state.step, changed))[-MOST_RESUMPTIONS:]


def _former_version(saved: SavedRun) -> str | None:
    """Return the version of nnspec that saved a run, None if it is this one: another compiles other programs."""
    version = str(saved.meta.get("program_version", "of an unknown version"))
    return version if version != program_version() else None


def _check_arithmetic(saved: SavedRun, allow_inexact: bool, file: Path) -> None:
    changed = differences(saved.meta["environment"], environment())
    if changed and not allow_inexact:
        text = f"{file}: a resumed run would not have the same bits here: {'; '.join(changed)}"
        raise CheckpointError(f"{text}\n  help: {ALLOW_INEXACT}")


def _replay(file: Path, saved: SavedRun, data: Data, allow_inexact: bool) -> Event:
    """Repeat the steps from FILE.prev to FILE, compare every bit, and return the event that reports the outcome."""
    former = Path(f"{file}.prev")
    if not former.exists():
        raise CheckpointError(f"{file}: there is no {former.name}, so there is nothing to replay", exit_code=2)
    state, step = load_run(former).state, saved.state.step
    if state.step >= step:
        raise CheckpointError(f"{former} is at step {state.step}, so there is nothing to replay", exit_code=2)
    steps = f"steps {state.step + 1} to {step}"
    Trainer(state, data, None, silent).replay(step)
    differing = state_differences(state, saved, data.digest)
    if not differing:
        return {"event": "note", "text": f"{steps} repeated: every bit is the same"}
    others = f" and {len(differing) - 1} more" if len(differing) > 1 else ""
    text = f"{steps} repeated give other bits, in {differing[0]}{others}"
    if not allow_inexact:
        raise CheckpointError(f"{file}: {text}\n  help: {ALLOW_INEXACT}")
    return {"event": "warning", "text": text}
