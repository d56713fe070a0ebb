"""A trial as it travels to a machine without our folders, and what comes back: texts, settings and sealed bytes."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from nnspec.runtime.infer.network_file import program_version, text_digest
from nnspec.runtime.sweep.trial import Outcome
from nnspec.runtime.sweep.work import Task, run_trial
from nnspec.runtime.train.checkpointing import adopt_run, replace_file
from nnspec.runtime.train.environment import EXACT, environment
from nnspec.runtime.train.events import Listener
from nnspec.runtime.train.run_folder import LAST, METRICS, RESOLVED, SPEC
from nnspec.runtime.train.signals import StopRequest
from nnspec.spec_lang.source import Source

TOLD = ("nnspec", *EXACT)
"""The versions that decide whether a worker makes the same bits."""


@dataclass(frozen=True)
class Parcel:
    """A task without its folder: the texts that the spec includes, and the files of a run that was begun.

    `home` is the folder of the spec, as far as the worker sees it. `shared` is the folder for the run that all workers
    see, None for a temporary one.
    """

    task: Task
    included: Mapping[str, str]
    files: Mapping[str, bytes]
    home: Path | None
    shared: Path | None


@dataclass(frozen=True)
class Answer:
    """What came of a trial elsewhere: the files of its run, and the versions that computed it."""

    outcome: Outcome
    files: Mapping[str, bytes]
    versions: Mapping[str, str]


def pack(task: Task, shared: Path | None) -> Parcel:
    """Return a task as it travels."""
    source = task.request.spec
    assert isinstance(source, Source)
    home = source.folder.absolute() if source.folder is not None else None
    included = dict(task.request.check().included)
    text = Source(source.name, source.text, home)
    task = replace(task, request=replace(task.request, spec=text))
    if shared is not None:
        sweep = task.path.parent.parent
        shared = shared / f"{sweep.name}-{text_digest(str(sweep))[:8]}" / task.name
    return Parcel(task, included, files_of(task.path), home, shared)


def unpack(answer: Answer, task: Task) -> Outcome:
    """Write the files of a run into the folder of its trial. Raises CheckpointError unless every byte is as written."""
    source = task.request.spec
    home = source.folder if isinstance(source, Source) and source.folder is not None else Path()
    write_files(answer.files, task.path, home)
    return answer.outcome


def train_parcel(parcel: Parcel, listen: Listener, stop: StopRequest) -> Answer:
    """Train a trial where its parcel has arrived, in the shared folder or in a temporary one."""
    with _folder(parcel) as path, _source(parcel) as source:
        if not (path / LAST).exists():
            write_files(parcel.files, path, source.folder or Path())
        request = replace(parcel.task.request, spec=source)
        outcome = run_trial(replace(parcel.task, path=path, request=request), listen, stop)
        return Answer(outcome, files_of(path), versions())


def files_of(path: Path) -> dict[str, bytes]:
    """Return the files of a run that has begun: its checkpoints, its log and its specs."""
    if not (path / LAST).exists():
        return {}
    named = [path / name for name in (METRICS, SPEC, RESOLVED)]
    return {file.name: file.read_bytes() for file in (*path.glob("*.h5"), *named) if file.exists()}


def write_files(files: Mapping[str, bytes], path: Path, home: Path) -> None:
    """Write the files of a run into a folder, which becomes that of the run; `home` is the folder of its spec."""
    if files:
        path.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        target = path / Path(name).name
        replace_file(target, content)
        if target.suffix == ".h5":
            adopt_run(target, home)


def versions() -> dict[str, str]:
    """Return what decides whether this process makes the bits of another one."""
    return {key: str(value) for key, value in {"nnspec": program_version(), **environment()}.items() if key in TOLD}


def other_versions(where: str, theirs: Mapping[str, str]) -> str | None:
    """Return a warning where a worker has other versions than this process; None where it has the same."""
    ours = versions()
    different = [f"{key} is {theirs.get(key)}, here {ours[key]}" for key in TOLD if theirs.get(key) != ours[key]]
    if not different:
        return None
    return f"the worker {where} may give other bits: {'; '.join(different)}"


@contextmanager
def _folder(parcel: Parcel) -> Iterator[Path]:
    if parcel.shared is not None:
        parcel.shared.parent.mkdir(parents=True, exist_ok=True)
        yield parcel.shared
        return
    with tempfile.TemporaryDirectory(prefix="nnspec-") as folder:
        yield Path(folder) / parcel.task.name


@contextmanager
def _source(parcel: Parcel) -> Iterator[Source]:
    """Provide the spec; where the files that it includes are not here, with a folder that has them."""
    source = parcel.task.request.spec
    assert isinstance(source, Source)
    here = parcel.home is not None and all((parcel.home / name).is_file() for name in parcel.included)
    if here or not parcel.included:
        yield source
        return
    folder = Path(tempfile.mkdtemp(prefix="nnspec-"))
    try:
        for name, text in parcel.included.items():
            file = Path(os.path.normpath(folder / "spec" / name))
            if folder in file.parents:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
        yield replace(source, folder=folder / "spec")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
