"""Take away each guard of the checkpoints in turn and see whether a test notices.

    python -m tests.mutants                       every guard
    python -m tests.mutants checkpoints/seal.py   those of one file

A guard is an `if` that raises, or that leaves early or goes on with the next, and a call that stands for itself and
checks, syncs, sweeps, locks or limits. Each is taken away alone, in a copy of the project: the condition becomes false,
the call becomes nothing. Then the tests of its file run. The survivors, which no test noticed, are told, and the exit
code is 1 where there is one. With --report the figure goes into docs/reliability.md.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.reliability.report import write_down

CLAIM = "a guard of the checkpoints and of the runs that write them is taken away, alone, and a test fails"
ROOT = Path(__file__).resolve().parents[1]
CALLS = re.compile(r"_?(check\w*|\w*fsync\w*|to_disk|examine|sweep|f?lock|try_lock|refuse_if_taken|\w+_log|setrlimit)")
RUNTIME = [
    *(f"tests/runtime/test_{name}.py" for name in ("stored", "saving", "resuming", "training", "runs")),
    "tests/nnspec/cli/test_resume.py",
]
TESTS = {
    "checkpoints": ["tests/checkpoints", "tests/reliability/test_crash_points.py"],
    "runtime/train/checkpointing.py": RUNTIME,
    "runtime/train/checkpoint_validation.py": RUNTIME,
    "runtime/train/resuming.py": RUNTIME,
    "runtime/train/loop.py": [*RUNTIME, "tests/reliability/test_stopping.py"],
    "runtime/train/run_folder.py": RUNTIME,
    "runtime/train/signals.py": [*RUNTIME, "tests/reliability/test_stopping.py"],
    "nnspec/cli/_untrusted.py": ["tests/nnspec/cli/test_untrusted.py"],
}
LONGEST = 600  # seconds: a mutant that hangs is noticed too


@dataclass(frozen=True)
class Mutant:
    """A file with one guard taken away; `told` is the guard as it was."""

    file: Path
    line: int
    told: str
    text: str


def mutants(file: Path) -> Iterator[Mutant]:
    """Every mutant of a file, in the order of its lines."""
    text = (ROOT / file).read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.If) and isinstance(node.body[-1], ast.Raise | ast.Return | ast.Continue):
            told = f"if {ast.unparse(node.test)}"
            yield Mutant(file, node.lineno, told, _replaced(text, node.test, "False"))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            names = [ast.unparse(part).rpartition(".")[2] for part in _called(node.value)]
            if any(CALLS.fullmatch(name) for name in names):
                yield Mutant(file, node.lineno, ast.unparse(node), _replaced(text, node, "pass"))


def _called(call: ast.Call) -> Iterator[ast.expr]:
    """What is called, itself or by way of another call that it is handed to: told(checkpoints.sweep, folder)."""
    yield call.func
    for argument in call.args:
        if isinstance(argument, ast.Call):
            yield from _called(argument)
        else:
            yield argument


def _replaced(text: str, node: ast.expr | ast.Expr, instead: str) -> str:
    """The text with a node's own characters replaced; offsets of `ast` count bytes."""
    lines = text.encode().splitlines(keepends=True)
    assert node.end_lineno is not None and node.end_col_offset is not None
    start = sum(map(len, lines[: node.lineno - 1])) + node.col_offset
    end = sum(map(len, lines[: node.end_lineno - 1])) + node.end_col_offset
    data = b"".join(lines)
    return (data[:start] + instead.encode() + data[end:]).decode()


def noticed(mutant: Mutant, copy: Path) -> bool:
    """Whether a test of the copied project fails with the mutant in place of the file."""
    target = copy / mutant.file
    before = target.read_text(encoding="utf-8")
    target.write_text(mutant.text, encoding="utf-8")
    try:
        return any(_fails(copy, tests) for tests in _tests_of(mutant.file, copy))
    finally:
        target.write_text(before, encoding="utf-8")


def _tests_of(file: Path, copy: Path) -> Iterator[list[str]]:
    """The file's own tests without those of many examples, which mostly suffice, and then all that concern it."""
    own = Path("tests") / file.parent / f"test_{file.name}"
    if (copy / own).exists():
        yield ["-m", "not hypothesis", str(own)]
    yield TESTS.get(str(file)) or TESTS[file.parts[0]]


def _fails(copy: Path, tests: list[str]) -> bool:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, timeout=LONGEST)
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


def main() -> int:
    """Try the mutants of the files asked for; 1 where one survives."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--report"]
    files = [Path(name) for name in arguments] or [
        *sorted(path.relative_to(ROOT) for path in (ROOT / "checkpoints").glob("*.py")),
        *(Path(name) for name in TESTS if name.endswith(".py")),
    ]
    survivors: list[Mutant] = []
    tried, start = 0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        unwanted = shutil.ignore_patterns(".*", "__pycache__", "runs")
        shutil.copytree(ROOT, copy, ignore=unwanted)
        every = {
            path for file in files for tests in _tests_of(file, copy) for path in tests if path.startswith("tests/")
        }
        assert not _fails(copy, sorted(every)), f"{' '.join(sorted(every))} fail without a mutant"
        for file in files:
            for mutant in mutants(file):
                tried += 1
                if not noticed(mutant, copy):
                    survivors.append(mutant)
                    print(f"survived: {file}:{mutant.line} {mutant.told}", flush=True)
    held = tried - len(survivors)
    print(f"{held} of {tried} guards are noticed when they are gone")
    if "--report" in sys.argv:
        command = " ".join(["python -m tests.mutants", *arguments])
        notes = [f"survived: {mutant.file}:{mutant.line} {mutant.told}" for mutant in survivors]
        write_down("mutants", CLAIM, held, tried, command, notes, time.monotonic() - start)
    return int(bool(survivors))


if __name__ == "__main__":
    sys.exit(main())
