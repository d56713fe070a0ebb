"""The house: who may import whom, and that its parts are light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "spec_lang": set(),
    "checkpoints": set(),
    "runtime": {"spec_lang", "checkpoints"},
    "nnspec": {"spec_lang", "runtime", "checkpoints"},
}


def imported_by(room):
    """(file, package) for every import in a room, wherever in a file it stands."""
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                yield path.relative_to(ROOT), name.split(".")[0]


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_run_one_way(room):
    wrong = [
        (str(path), name) for path, name in imported_by(room) if name in MAY_IMPORT.keys() - MAY_IMPORT[room] - {room}
    ]
    assert wrong == []


def test_the_language_needs_no_arrays():
    assert {name for _, name in imported_by("spec_lang")}.isdisjoint({"numpy", "h5py", "matplotlib"})


def test_only_saving_knows_the_checkpoint_room():
    """The training loop reaches the file format through one narrow door."""
    knowing = {path.name for path, name in imported_by("runtime") if name == "checkpoints"}
    assert "saving.py" in knowing and not knowing & {"training.py", "stepping.py", "state.py", "network.py"}


def modules_after(code):
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return set(done.stdout.split())


def test_importing_nnspec_imports_nothing_heavy():
    heavy = {"numpy", "pydantic", "h5py", "lark", "matplotlib", "click"}
    assert modules_after("import nnspec") & heavy == set()


def test_checking_a_spec_imports_no_numpy():
    code = "from nnspec.spec_lang.check.examination import check; from nnspec.spec_lang.source import Source; "
    code += "check(Source('x', 'input 4 -> dense 2 softmax'))"
    assert modules_after(code) & {"numpy", "h5py", "matplotlib"} == set()


def test_a_file_that_hides_a_room_is_named(tmp_path):
    hiding = tmp_path / "runtime.py"
    hiding.write_text("")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.path.append({str(ROOT)!r}); import nnspec"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode != 0
    assert str(hiding) in done.stderr and "rename it" in done.stderr
