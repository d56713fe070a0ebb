"""`%%nnspec`, in a true IPython shell."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("IPython")

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from nnspec.notebook import CellError

NET = "input 4\ndense 3 softmax"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> InteractiveShell:
    """A shell that keeps no history and knows nnspec."""
    config = Config()
    config.HistoryManager.enabled = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        shell = InteractiveShell(config=config)
    shell.run_line_magic("load_ext", "nnspec")
    return shell


@pytest.fixture
def shell(started: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InteractiveShell:
    """The shell in an empty folder, with samples x and targets y."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    started.user_ns.update(x=random.standard_normal((40, 4)), y=random.integers(0, 3, 40))
    started.user_ns.pop("net", None)
    return started


def failed(shell: InteractiveShell, cell: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What a cell that fails shows, without colours."""
    capsys.readouterr()
    done = shell.run_cell(cell)
    assert isinstance(done.error_in_exec, CellError)
    shown = capsys.readouterr()
    text = re.sub(r"\x1b\[[\d;]*m", "", shown.out + shown.err)
    assert "Traceback" not in text
    return text


def done(shell: InteractiveShell, cell: str) -> dict[str, Any]:
    assert shell.run_cell(cell).success
    names: dict[str, Any] = shell.user_ns
    return names


def test_a_cell_is_a_network_under_its_name(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    names = done(shell, f"%%nnspec net --seed 3 --set train.epochs=2\n{NET}")
    assert names["net"].predict(names["x"]).shape == (40, 3)
    assert (names["net"].spec.train.seed, names["net"].spec.train.length, names["net"].spec.name) == (3, 2, "net")
    assert "net: 4 → 3, 15 parameters" in capsys.readouterr().out
    assert repr(names["net"]) == "<Network net: 4 → 3, 15 parameters>"


def test_without_a_name_the_cell_is_checked(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    before = set(shell.user_ns)
    done(shell, f"%%nnspec\n{NET}")
    assert "4 → 3, 15 parameters" in capsys.readouterr().out and set(shell.user_ns) - before <= {"_i", "_ii", "_iii"}


def test_two_variables_are_samples_and_targets(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    names = done(shell, "%%nnspec run --train --data x,y --set train.epochs=2\ndense 3 softmax\ntrain batch=32")
    assert names["run"].path is None and names["run"].network.spec.input == (4,)
    shown = capsys.readouterr()
    assert "training loss" in shown.out and "4 steps in all\n" in shown.err and "epoch 2: " in shown.err
    assert done(shell, "%%nnspec net --data 'x, y'\ndense 3 softmax")["net"].spec.input == (4,)


def test_a_training_is_kept_in_a_folder(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    Path("table.csv").write_text("a,b,kind\n" + "1,2,x\n3,4,y\n" * 10)
    names = done(shell, "%%nnspec flowers --train --quiet --data 'csv \"table.csv\" target=kind'\ndense 2 softmax")
    assert names["flowers"].path == Path("runs/flowers") and Path("runs/flowers/last.h5").exists()
    assert repr(names["flowers"]) == "<Run of flowers: 1,000 steps, table.csv, in runs/flowers>"
    shown = capsys.readouterr()
    assert "the run is in runs/flowers" in shown.out and shown.err == ""


def test_errors_are_shown_in_the_cell_with_the_notebook_s_lines(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    text = failed(shell, "%%nnspec net\ninput 4\ndense 3 sofmax -> drpout 0.5", capsys)
    assert "error[E103]" in text and "error[E101]" in text  # all of them at once
    assert "net:3:9" in text and "3 | dense 3 sofmax -> drpout 0.5" in text and "did you mean softmax?" in text
    assert "net" not in shell.user_ns


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("net --trian", "No such option"),
        ("a b", "unexpected extra argument"),
        ("3x", "is not a valid variable name"),
        ("class", "is not a valid variable name"),
        ("net --data 'x", "cannot be parsed"),
        ("net --data x,z", "there is no variable called z"),
        ("net --set width", "is not KEY=VALUE"),
        ("net --train", "the spec names no data"),
    ],
)
def test_a_line_that_cannot_be_meant_is_answered(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str], line: str, why: str
) -> None:
    assert why in failed(shell, f"%%nnspec {line}\n{NET}", capsys)


def test_the_plan_and_the_help_are_shown(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    done(shell, f"%%nnspec --plan\n{NET}")
    assert "dense1" in (shown := capsys.readouterr().out) and "optimizer adam" in shown
    done(shell, f"%%nnspec --help\n{NET}")
    assert "--data D" in capsys.readouterr().out


def test_the_cells_of_the_documentation_run(shell: InteractiveShell) -> None:
    page = (Path(__file__).parents[2] / "docs" / "howto" / "notebook.md").read_text(encoding="utf-8")
    cells = re.findall(r"```(?:text|python)\n(.*?)```", page, re.DOTALL)
    assert len(cells) == 3
    shell.user_ns["images"] = np.zeros((2, 28, 28, 1), np.uint8)
    for cell in cells:
        assert shell.run_cell(cell).success, cell
