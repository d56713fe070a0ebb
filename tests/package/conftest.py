"""The project as a user gets it: the wheel in an environment of its own, beside folders of the user's."""

import os
import shutil
import site
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_IN_THE_REPOSITORY = (".git", ".*_cache", ".*venv", ".hypothesis", "__pycache__", "*.egg-info", "*.pyc")
LEFT_BY_TOOLS = ("build", "dist", "runs", "node_modules")
BUILD = "import sys; from setuptools import build_meta; print(getattr(build_meta, sys.argv[1])(sys.argv[2]))"


@dataclass(frozen=True)
class Environment:
    """A virtual environment with nnspec in it, and the dependencies of the one that runs the tests."""

    home: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def site_packages(self) -> Path:
        """The folder that it installs into."""
        (found,) = self.home.glob("[Ll]ib/site-packages" if os.name == "nt" else "lib/python*/site-packages")
        return found

    def install(self, *what: object) -> None:
        """Install without a network, dependencies being there, whatever version of nnspec tests are run with."""
        options = ("--quiet", "--no-deps", "--no-build-isolation", "--ignore-installed", "--disable-pip-version-check")
        command = [sys.executable, "-m", "pip", "--python", self.python, "install", *options, *what]
        subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)

    def run(self, *arguments: object, folder: Path) -> str:
        """Run its interpreter in a folder and return what it prints; an error is shown and raised."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST"))}
        environment |= {"NNSPEC_OFFLINE": "1", "IPYTHONDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [str(self.python), *map(str, arguments)]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def new_environment(home: Path) -> Environment:
    """An environment that sees the packages of this one but nnspec; on Windows, which restricts links, that too."""
    venv.create(home, symlinks=os.name != "nt", with_pip=False)
    made = Environment(home)
    folders = [path for path in map(Path, (*site.getsitepackages(), site.getusersitepackages())) if path.is_dir()]
    if os.name != "nt":
        links = home / "dependencies"
        links.mkdir()
        for entry in (entry for folder in folders for entry in folder.iterdir()):
            if not entry.name.startswith(("nnspec", "__editable__")) and not (links / entry.name).exists():
                (links / entry.name).symlink_to(entry)
        folders = [links]
    (made.site_packages / "dependencies.pth").write_text("".join(f"{folder}\n" for folder in folders))
    return made


def built(source: Path, kind: str, folder: Path) -> Path:
    """Build a wheel or an sdist of a source tree and return its path."""
    done = subprocess.run(
        [sys.executable, "-c", BUILD, f"build_{kind}", str(folder)], cwd=source, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.splitlines()[-1]


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository, so that building leaves nothing in it."""
    copy = tmp_path_factory.mktemp("source") / "nnspec"
    shutil.copytree(ROOT, copy, ignore=_not_in_the_repository)
    return copy


def _not_in_the_repository(folder: str, names: list[str]) -> set[str]:
    left = LEFT_BY_TOOLS if Path(folder) in (ROOT, ROOT / "web", ROOT / "editors" / "vscode") else ()
    return set(shutil.ignore_patterns(*NOT_IN_THE_REPOSITORY, *left)(folder, names))


@pytest.fixture(scope="session")
def sdist(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive."""
    return built(source, "sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the repository."""
    return built(source, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel."""
    made = new_environment(tmp_path_factory.mktemp("installed") / "venv")
    made.install(wheel)
    return made


@pytest.fixture(scope="session")
def editable(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the editable install of the README."""
    made = new_environment(tmp_path_factory.mktemp("editable") / "venv")
    made.install("--editable", source)
    return made
