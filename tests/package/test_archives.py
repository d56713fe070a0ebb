"""What the wheel and the source archive hold."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.package.conftest import Environment, built

pytestmark = pytest.mark.slow

MADE_BY_SETUPTOOLS = {"PKG-INFO", "setup.cfg"}


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_one_name_is_installed(installed: Environment) -> None:
    names = {path.name for path in installed.site_packages.iterdir()} - {"dependencies.pth", "__pycache__"}
    (info,) = (name for name in names if name.endswith(".dist-info"))
    assert names == {"nnspec", info} and info.startswith("nnspec-")


def test_the_wheel_has_every_module_and_every_file_that_a_module_reads(wheel: Path, source: Path) -> None:
    rooms = ("spec_lang", "runtime", "checkpoints", "specs")
    expected = {f"nnspec/{name}" for name in files_below(source / "nnspec")}
    for room in rooms:
        expected |= {f"nnspec/{room}/{name}" for name in files_below(source / room)}
    found = {name for name in contents(wheel) if ".dist-info/" not in name}
    beside = {name for name in found if ".data/" in name}
    assert found - beside == expected
    assert {name.partition("/")[2] for name in beside} == {"data/share/man/man1/nnspec.1"}


def test_the_sdist_has_every_file_of_the_repository_and_builds_the_same_wheel(
    sdist: Path, source: Path, wheel: Path, tmp_path: Path
) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    extra = {name for name in files_below(unpacked) if name.startswith("nnspec.egg-info/")} | MADE_BY_SETUPTOOLS
    repository = {name for name in files_below(source) if not name.startswith(("nnspec.egg-info/", "build/"))}
    assert files_below(unpacked) - extra == repository
    (tmp_path / "wheel").mkdir()
    assert contents(built(unpacked, "wheel", tmp_path / "wheel")) == contents(wheel)


def test_the_tools_of_the_package_index_find_nothing_wrong(wheel: Path, sdist: Path) -> None:
    pytest.importorskip("twine")
    pytest.importorskip("check_wheel_contents")
    for command in (["twine", "check", "--strict", wheel, sdist], ["check_wheel_contents", wheel]):
        done = subprocess.run([sys.executable, "-m", *map(str, command)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
