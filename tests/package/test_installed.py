"""The installed package works wherever a user starts it, whatever the user's own files are called."""

import os
from pathlib import Path

import pytest

from tests.package.conftest import Environment

pytestmark = pytest.mark.slow

PACKAGES = ("runtime", "checkpoints", "specs")
MODULES = ("spec_lang", "tests", "tools")
PROGRAM = """
import nnspec
run = nnspec.train("input 4 -> dense 3 softmax", data=([[1, 2, 3, 4]] * 6, [0, 1, 2] * 2), out="run")
print(nnspec.load("run/best.h5").predict([[1, 2, 3, 4]]).shape, nnspec.__file__)
"""
NOTEBOOK = f"""
from IPython.testing.globalipapp import start_ipython
shell = start_ipython()
shell.run_line_magic("load_ext", "nnspec")
assert shell.run_cell_magic("nnspec", "net", "input 4\\ndense 3 softmax") is None and "net" in shell.user_ns
exec({PROGRAM!r})
"""
TEST = """
import nnspec, runtime
def test_both_are_there():
    assert runtime.MINE and nnspec.compile("input 4 -> dense 3 softmax").spec.name
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A user's folder, whose packages and modules have the names of the project's folders."""
    for name in PACKAGES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("MINE = True\n")
    for name in MODULES:
        (tmp_path / f"{name}.py").write_text("MINE = True\n")
    (tmp_path / "program.py").write_text(PROGRAM)
    return tmp_path


def test_an_empty_folder_is_enough(installed: Environment, tmp_path: Path) -> None:
    printed = installed.run("-c", PROGRAM, folder=tmp_path)
    assert printed.split(")")[0] == "(1, 3" and str(installed.home) in printed


def test_a_program_runs_beside_a_module_called_runtime(installed: Environment, tmp_path: Path) -> None:
    (tmp_path / "runtime.py").write_text("raise ImportError\n")
    (tmp_path / "program.py").write_text(PROGRAM)
    assert str(installed.home) in installed.run("program.py", folder=tmp_path)


@pytest.mark.parametrize("how", [("program.py",), ("-m", "program")])
def test_a_program_runs_beside_files_of_these_names(installed: Environment, folder: Path, how: tuple[str, ...]) -> None:
    assert str(installed.home) in installed.run(*how, folder=folder)


def test_the_command_runs_beside_files_of_these_names(installed: Environment, folder: Path) -> None:
    assert "quickstart" in installed.run("-m", "nnspec", "init", folder=folder)
    command = installed.python.with_name("nnspec.exe" if os.name == "nt" else "nnspec")
    assert "quickstart" in installed.run(
        "-c", f"import subprocess; subprocess.run([{str(command)!r}, 'init'])", folder=folder
    )


def test_a_notebook_runs_beside_files_of_these_names(installed: Environment, folder: Path) -> None:
    pytest.importorskip("IPython")
    assert str(installed.home) in installed.run("-c", NOTEBOOK, folder=folder)


def test_pytest_runs_in_a_project_with_its_own_runtime(installed: Environment, folder: Path) -> None:
    (folder / "test_mine.py").write_text(TEST)
    assert "1 passed" in installed.run("-m", "pytest", "-q", "test_mine.py", folder=folder)


def test_the_editable_install_runs_beside_files_of_these_names(
    editable: Environment, source: Path, folder: Path
) -> None:
    assert str(source / "nnspec" / "__init__.py") in editable.run("program.py", folder=folder)


def test_a_checkout_runs_without_being_installed(source: Path, installed: Environment, folder: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(source)!r})\n{PROGRAM}"
    assert str(source / "nnspec" / "__init__.py") in installed.run("-c", code, folder=folder)
