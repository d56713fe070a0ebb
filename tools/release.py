"""Builds a release and tries it: make release, or python -m tools.release [--out dist] [--python PATH]...

The archives come from the last commit, not from what else is in the folder: an sdist, and a wheel built from it. twine
and check-wheel-contents look at them. Then, for every Python at hand that the project supports, each archive is
installed into a bare virtual environment with what pip finds, and used in an empty folder: check, train, predict, stop
in the middle, resume, and compare with the run that was not stopped. Nothing is uploaded.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
BUILD = "import sys; from setuptools import build_meta; print(getattr(build_meta, sys.argv[1])(sys.argv[2]))"
VERSION = "import sys; print('.'.join(map(str, sys.version_info[:3])))"
PACKAGES = "from importlib.metadata import version as v; print('NumPy', v('numpy') + ', h5py', v('h5py'))"


class ReleaseError(Exception):
    """A step of the release failed; the message has the command and what it printed."""


@dataclass(frozen=True)
class Trial:
    """What became of an archive under an interpreter: `failure` is empty where all steps did what they should."""

    version: str
    archive: str
    packages: str
    accuracy: str
    seconds: float
    failure: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, check and try the archives; print what was done, and return 1 where something failed."""
    parser = argparse.ArgumentParser(prog="python -m tools.release", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="the folder of the archives")
    parser.add_argument("--python", type=Path, action="append", help="an interpreter, instead of all at hand")
    options = parser.parse_args(arguments)
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell's background jobs would hand on that it is ignored
    try:
        archives = build(options.out)
        for archive in archives:
            print(f"built {archive.name}, {archive.stat().st_size / 1e6:.2f} MB", flush=True)
        for command in (["twine", "check", "--strict", *archives], ["check_wheel_contents", archives[1]]):
            run([sys.executable, "-m", *command])
            print(f"{command[0]}: nothing wrong", flush=True)
    except ReleaseError as error:
        print(error)
        return 1
    found = interpreters(options.python)
    trials = []
    for archive in reversed(archives):  # the wheel is what most install
        for version, python in found.items():
            trials.append(tried(version, python, archive))
            print(_sentence(trials[-1]), flush=True)
    failed = sum(bool(trial.failure) for trial in trials)
    print(f"{len(trials)} installations under {len(found)} Pythons, {failed} failed")
    return int(failed > 0 or not trials)


def build(out: Path) -> list[Path]:
    """Build the sdist of the last commit, and the wheel from the sdist, into a folder. Raises ReleaseError."""
    with TemporaryDirectory() as temporary:
        source, unpacked = Path(temporary, "source"), Path(temporary, "unpacked")
        archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout
        with tarfile.open(fileobj=BytesIO(archive)) as files:
            files.extractall(source, filter="data")
        out.mkdir(parents=True, exist_ok=True)
        made = run([sys.executable, "-c", BUILD, "build_sdist", out.resolve()], source).splitlines()[-1]
        with tarfile.open(out / made) as files:
            files.extractall(unpacked, filter="data")
        (inside,) = unpacked.iterdir()
        wheel = run([sys.executable, "-c", BUILD, "build_wheel", out.resolve()], inside).splitlines()[-1]
    return [out / made, out / wheel]


def interpreters(given: Iterable[Path] | None = None) -> dict[str, Path]:
    """Return the interpreters that the project supports, one for each minor version, by their versions."""
    requires = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    least = tuple(map(int, re.findall(r"\d+", requires)))
    found: dict[tuple[int, ...], Path] = {}
    for python in given or _at_hand():
        try:
            version = tuple(map(int, run([python, "-I", "-c", VERSION]).split(".")))
        except (ReleaseError, OSError, ValueError):
            continue
        if version >= least and all(version[:2] != other[:2] for other in found):
            found[version] = python
    return {".".join(map(str, version)): found[version] for version in sorted(found)}


def _at_hand() -> Iterator[Path]:
    """Yield this interpreter, those on the path, and those that pyenv has installed."""
    yield Path(sys.executable)
    for minor in range(11, 20):
        if path := shutil.which(f"python3.{minor}"):
            yield Path(path)
    yield from sorted(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/3.*/bin/python"))


def tried(version: str, python: Path, archive: Path) -> Trial:
    """Install an archive into a bare environment, and use it in an empty folder."""
    began, packages, accuracy, failure = time.monotonic(), "", "", ""
    with TemporaryDirectory() as temporary:
        home, folder = Path(temporary, "venv"), Path(temporary, "folder")
        folder.mkdir()
        try:
            run([python, "-m", "venv", home])
            inside = home / ("Scripts" if os.name == "nt" else "bin")
            run(
                [inside / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", archive.resolve()]
            )
            packages = run([inside / "python", "-c", PACKAGES]).strip()
            accuracy = used(inside / "nnspec", folder)
        except (ReleaseError, OSError) as error:
            failure = str(error)
    kind = "wheel" if archive.suffix == ".whl" else "sdist"
    return Trial(version, kind, packages, accuracy, time.monotonic() - began, failure)


def used(nnspec: Path, folder: Path) -> str:
    """Check, train, predict, stop and resume; return the accuracy on the test digits. Raises ReleaseError."""
    run([nnspec, "init", "quickstart"], folder)
    run([nnspec, "check", "quickstart.nnspec"], folder)
    trained = run([nnspec, "train", "quickstart.nnspec", "--out", "whole"], folder)
    predicted = run([nnspec, "predict", "whole", "whole/pictures/sample.png"], folder)
    if "sample.png  4" not in predicted:
        raise ReleaseError(f"nnspec predict: not a 4:\n{predicted}")
    _stopped([nnspec, "train", "quickstart.nnspec", "--out", "part"], folder)
    run([nnspec, "resume", "part"], folder)
    run([nnspec, "diff", "whole", "part"], folder)  # ends with 1 where a weight differs in a bit
    run([nnspec, "verify", "whole/last.h5", "part/last.h5"], folder)
    (accuracy,) = re.findall(r"test accuracy ([\d.]+ %)", trained)
    return str(accuracy)


def _stopped(command: Sequence[object], folder: Path) -> None:
    """Start a training and interrupt it after its second evaluation, as Ctrl-C does."""
    words = list(map(str, command))
    with subprocess.Popen(words, cwd=folder, env=_environment(), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        seen = []
        for line in process.stderr:
            seen.append(line)
            if sum(each.startswith("step ") for each in seen) == 2:
                process.send_signal(signal.SIGINT)
                break
        seen += process.stderr
    if process.returncode != 130:
        raise ReleaseError(f"{' '.join(words)}: ends with {process.returncode} after Ctrl-C:\n{''.join(seen)}")


def run(command: Sequence[object], folder: Path = ROOT) -> str:
    """Run a command and return what it prints. Raises ReleaseError where it fails."""
    words = list(map(str, command))
    done = subprocess.run(
        words, cwd=folder, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        raise ReleaseError(f"{' '.join(words)}: ends with {done.returncode}:\n{done.stdout}")
    return done.stdout


def _environment() -> dict[str, str]:
    """Return an environment in which nothing of the one that releases is found."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))} | {
        "NNSPEC_OFFLINE": "1"
    }


def _sentence(trial: Trial) -> str:
    where = f"Python {trial.version}, {trial.archive}"
    if trial.failure:
        return f"{where}: FAILED\n{trial.failure}"
    did = "check, train, predict, Ctrl-C and resume to equal bits"
    return f"{where} with {trial.packages}: {did}, test accuracy {trial.accuracy}, {trial.seconds:.0f} s"


if __name__ == "__main__":
    sys.exit(main())
