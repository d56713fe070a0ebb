"""Disable each guard of the checkpoints and of the runs that write them, one at a time, and see whether a test fails.

    python -m tools.mutants                       every guard
    python -m tools.mutants checkpoints/seal.py   those of one file

A guard is an `if` whose body raises, returns or continues, the condition of a list that a function returns, or a call
statement that checks, syncs, sweeps, locks, limits, ends or forgets. Each is disabled alone, in a copy of the project:
the condition becomes False, the call becomes `pass`. Then the tests of its file run. The command prints the mutants
that no test noticed and exits with 1 if there are any. With --report it writes the figures into docs/reliability.md.
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

from tools.report import write_entry

CLAIM = (
    "with any one guard of the checkpoints, of the runs that write them, of the processes and threads that compute, or "
    "of the standard streams disabled, a test fails"
)
ROOT = Path(__file__).resolve().parents[1]
CALLS = re.compile(
    r"_?(check\w*|\w*fsync\w*|to_disk|sweep|f?lock|try_lock|refuse_if_taken|\w+_log|setrlimit"
    r"|require_\w+|prctl|kill|closerange|register_at_fork|forget_\w+|fail|open_null|make_streams_last)"
)
RUNTIME = [
    *(
        f"tests/runtime/train/test_{name}.py"
        for name in (
            "checkpoint_validation",
            "checkpointing",
            "resuming",
            "loop",
            "run_folder",
            "foreign_data",
            "moved_data",
            "standing_alone",
            "going_on",
        )
    ),
    "tests/nnspec/cli/verbs/test_resume.py",
]
EXECUTORS = ["tests/runtime/execute", "tests/runtime/infer/test_program_cache.py"]
TESTS = {
    "checkpoints": ["tests/checkpoints", "tests/tools/soak/test_crash_points.py"],
    "runtime/train/checkpointing.py": RUNTIME,
    "runtime/train/checkpoint_validation.py": RUNTIME,
    "runtime/train/resuming.py": RUNTIME,
    "runtime/train/loop.py": [*RUNTIME, "tests/tools/soak/test_stopping.py"],
    "runtime/train/run_folder.py": RUNTIME,
    "runtime/train/signals.py": [*RUNTIME, "tests/tools/soak/test_stopping.py"],
    "runtime/train/data_files.py": RUNTIME,
    "runtime/train/spec_and_data.py": RUNTIME,
    "spec_lang/regular_file.py": ["tests/spec_lang/test_regular_file.py", "tests/runtime/data/test_files.py"],
    "nnspec/api.py": ["tests/nnspec/test_arguments.py"],
    "runtime/train/environment.py": ["tests/runtime/train/test_environment.py"],
    "runtime/infer/network_file.py": ["tests/runtime/infer/test_network_file.py", *RUNTIME],
    "runtime/execute/processors.py": EXECUTORS,
    "runtime/execute/blas.py": EXECUTORS,
    "runtime/execute/forks.py": EXECUTORS,
    "runtime/execute/shared_memory.py": EXECUTORS,
    "runtime/execute/threads.py": EXECUTORS,
    "runtime/execute/watch.py": EXECUTORS,
    "runtime/execute/worker_process.py": EXECUTORS,
    "runtime/execute/worker_processes.py": EXECUTORS,
    "runtime/execute/pace.py": EXECUTORS,
    "nnspec/_streams.py": ["tests/nnspec/test_streams.py"],
    "nnspec/__main__.py": ["tests/nnspec/test_streams.py", "tests/nnspec/test_main.py"],
    "nnspec/cli/verification.py": ["tests/nnspec/cli/test_verification.py"],
}
LONGEST = 600  # seconds: a mutant that hangs counts as noticed


@dataclass(frozen=True)
class Mutant:
    """A file with one guard disabled; `guard` is its source."""

    file: Path
    line: int
    guard: str
    text: str


def mutants(file: Path) -> Iterator[Mutant]:
    """Yield every mutant of a file."""
    text = (ROOT / file).read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.If) and isinstance(node.body[-1], ast.Raise | ast.Return | ast.Continue):
            yield Mutant(file, node.lineno, f"if {ast.unparse(node.test)}", _replaced(text, node.test, "False"))
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.ListComp):
            for test in node.value.generators[0].ifs:
                yield Mutant(file, test.lineno, f"if {ast.unparse(test)}", _replaced(text, test, "False"))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            names = [ast.unparse(part).rpartition(".")[2] for part in _called(node.value)]
            if any(CALLS.fullmatch(name) for name in names):
                yield Mutant(file, node.lineno, ast.unparse(node), _replaced(text, node, "pass"))


def _called(call: ast.Call) -> Iterator[ast.expr]:
    """Yield the called function and every argument, which may be a function that is called for it."""
    yield call.func
    for argument in call.args:
        if isinstance(argument, ast.Call):
            yield from _called(argument)
        else:
            yield argument


def _replaced(text: str, node: ast.expr | ast.Expr, instead: str) -> str:
    """Return the text with the source of one node replaced; the offsets of `ast` count bytes."""
    lines = text.encode().splitlines(keepends=True)
    assert node.end_lineno is not None and node.end_col_offset is not None
    start = sum(map(len, lines[: node.lineno - 1])) + node.col_offset
    end = sum(map(len, lines[: node.end_lineno - 1])) + node.end_col_offset
    data = b"".join(lines)
    return (data[:start] + instead.encode() + data[end:]).decode()


def noticed(mutant: Mutant, copy: Path) -> bool:
    """Return whether a test of the copied project fails with the mutant in place of the file."""
    target = copy / mutant.file
    before = target.read_text(encoding="utf-8")
    target.write_text(mutant.text, encoding="utf-8")
    try:
        return any(_fails(copy, tests) for tests in _tests_of(mutant.file, copy))
    finally:
        target.write_text(before, encoding="utf-8")


def _tests_of(file: Path, copy: Path) -> Iterator[list[str]]:
    """Yield the file's own tests without the property tests, which usually suffice, then all tests that concern it."""
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
    """Try the mutants of the requested files. Return 1 if one survives."""
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
                    print(f"survived: {file}:{mutant.line} {mutant.guard}", flush=True)
    held = tried - len(survivors)
    print(f"{held} of {tried} disabled guards are noticed")
    if "--report" in sys.argv:
        command = " ".join(["python -m tools.mutants", *arguments])
        notes = [f"survived: {mutant.file}:{mutant.line} {mutant.guard}" for mutant in survivors]
        write_entry("mutants", CLAIM, held, tried, command, notes, time.monotonic() - start)
    return int(bool(survivors))


if __name__ == "__main__":
    sys.exit(main())
