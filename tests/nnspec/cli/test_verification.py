"""Files of strangers are read in a process of its own, with limits."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nnspec.cli import verification
from nnspec.cli.verification import MEMORY, SECONDS, verify_in_sandbox

LIMITS = """
import json, resource
kinds = (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE)
print(json.dumps([resource.getrlimit(kind) for kind in kinds]))
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "found.h5"
    path.write_bytes(b"x" * 1000)
    return path


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let another program stand for the process that reads, started in the very same way."""
    run = subprocess.run

    def program(code: str) -> None:
        def started(command: list[str], **how: Any) -> Any:
            return run([sys.executable, "-c", code], **how)

        monkeypatch.setattr(verification.subprocess, "run", started)

    return program


def test_the_reader_has_little_memory_and_time_and_can_write_nothing(reader: Any, file: Path) -> None:
    reader(LIMITS)
    verdict, _, code = verify_in_sandbox(file)
    assert code == 0
    assert json.loads(verdict) == [[limit, limit] for limit in (MEMORY + 8 * 1000, SECONDS, 0, 0)]


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("import os; os.kill(os.getpid(), 11)", "ended by signal 11"),
        ("print('OK'); raise SystemExit(99)", "ended without a verdict"),
        ("pass", "ended without a verdict"),
    ],
)
def test_a_reader_that_does_not_come_to_an_end_of_its_own_is_a_verdict(
    reader: Any, file: Path, program: str, told: str
) -> None:
    reader(program)
    verdict, advice, code = verify_in_sandbox(file)
    assert (verdict, code) == (f"not usable: the process that read it {told}", 1)
    assert advice.startswith("do not use it")


def test_a_reader_that_hangs_is_ended(file: Path, reader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "SECONDS", 0.1)
    monkeypatch.setattr(verification.resource, "setrlimit", lambda *_: None)
    reader("import time; time.sleep(60)")
    assert verify_in_sandbox(file)[0] == "not usable: reading it took more than 0.2 seconds"


def test_without_limits_nothing_is_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "resource", None)
    verdict, advice, code = verify_in_sandbox(file)
    assert verdict == "not verified: this system has no limits on the memory and time of a process"
    assert "Linux" in advice and code == 2


def test_what_the_reader_finds_is_told_as_verify_tells_it(file: Path) -> None:
    verdict, advice, code = verify_in_sandbox(file)
    assert verdict == "not usable: not an nnspec checkpoint (it begins with other bytes)"
    assert advice.startswith("give a file that nnspec train wrote") and code == 1
