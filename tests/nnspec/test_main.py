"""nnspec/__main__.py: the command as a process."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.nnspec.conftest import ROOT

Start = Callable[..., subprocess.Popen[str]]


def test_help_and_the_import_of_every_verb_load_neither_numpy_nor_pydantic() -> None:
    script = """
import sys
from nnspec.cli import command_line
for arguments in (["--help"], ["train", "--help"], ["plot", "curves", "--help"]):
    command_line(arguments, standalone_mode=False)
print(sorted({"numpy", "pydantic", "h5py", "matplotlib", "lark", "tqdm"} & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    assert "Usage: " in done.stdout


def test_results_and_errors_go_different_ways(process: Start, tmp_path: Path) -> None:
    (tmp_path / "good.nnspec").write_text("input 4 -> dense 2 softmax")
    (tmp_path / "bad.nnspec").write_text("input 4 -> dens 2 softmax")
    out, err = process("check", "good.nnspec", "bad.nnspec").communicate()
    assert "good.nnspec: no errors" in out and "bad.nnspec" not in out
    assert "error[E101]" in err and "good.nnspec" not in err


def test_the_exit_code_is_that_of_the_process(process: Start, tmp_path: Path) -> None:
    (tmp_path / "bad.nnspec").write_text("dens 2")
    codes = []
    for arguments in (("check", "input 4 -> dense 2"), ("check", "bad.nnspec"), ("check", "none.nnspec"), ("chek",)):
        running = process(*arguments)
        _, err = running.communicate()
        assert "Traceback" not in err
        codes.append(running.returncode)
    assert codes == [0, 1, 2, 2]


def test_a_terminal_without_arrows_gets_question_marks(process: Start) -> None:
    running = process("check", "input 4 -> dense 2 softmax", env={"PYTHONIOENCODING": "latin-1"})
    out, err = running.communicate()
    assert (running.returncode, err) == (0, "")
    assert "4 ? 2" in out


def test_a_reader_that_goes_away_is_no_error(process: Start, digits: Path) -> None:
    running = process("inspect", digits / "last.h5")
    assert running.stdout is not None and running.stderr is not None
    running.stdout.close()
    err = running.stderr.read()
    running.stderr.close()
    assert (running.wait(), err) == (0, "")


def test_the_collection_at_the_end_of_a_process_has_nothing_to_traverse() -> None:
    script = """
import atexit, gc, sys
atexit.register(lambda: print(len(gc.get_objects()) < 1000 < gc.get_freeze_count(), file=sys.stderr))
sys.argv = ["nnspec", "check", "input 4 -> dense 2 softmax"]
from nnspec.__main__ import main
main()
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == "True\n"
