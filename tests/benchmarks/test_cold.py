import ast
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cold import (
    PREDICTING,
    STARTING,
    import_seconds,
    memory_of,
    prepare,
    process_seconds,
    seconds_of_calls,
    watched,
    with_parts,
)
from benchmarks.drive import PEERS
from benchmarks.workloads import WORKLOADS


@pytest.mark.parametrize("peer", STARTING)
def test_what_is_started_afresh_is_imported_by_statements(peer: Any) -> None:
    statements = ast.parse(with_parts(PEERS[peer])).body
    assert isinstance(statements[0], ast.Import)
    assert len(statements) == 1 + bool(PEERS[peer].uses)


def test_an_import_is_timed_in_an_interpreter_of_its_own() -> None:
    assert import_seconds("import json") > 0


SIZE = 60_000_000
PARENT_AND_CHILD = f"""
import os, sys
held = bytearray(b'1') * {SIZE}
parents_end, own_end = os.pipe()
if not os.fork():
    os.close(own_end)
    os.read(parents_end, 1)  # returns when the parent has ended
    os._exit(0)
print("both", flush=True)
sys.stdin.readline()
more = bytearray(b'1') * {SIZE}
print("more", flush=True)
sys.stdin.read()
"""
"""Each line is printed when what it names is there and stays: memory that two have in common, then that of one."""

PATIENCE = 60  # seconds


def test_the_memory_of_a_process_and_its_child_is_counted_once() -> None:
    program = [sys.executable, "-c", PARENT_AND_CHILD]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "both\n"
        assert SIZE < memory_of(process.pid) < 2 * SIZE
        with watched(process.pid) as most:
            assert SIZE < most() < 2 * SIZE
            print(file=process.stdin, flush=True)
            assert process.stdout.readline() == "more\n"
            until = time.monotonic() + PATIENCE
            while most() < 2 * SIZE and time.monotonic() < until:
                time.sleep(0.01)
            assert 2 * SIZE < most() < 3 * SIZE
    assert memory_of(process.pid) == 0


@pytest.mark.slow
def test_whole_processes_are_timed_with_what_they_need(tmp_path: Path) -> None:
    prepare(tmp_path, ["nnspec"])
    module, *arguments = PREDICTING["nnspec"]
    seconds, printed = process_seconds(tmp_path, module, *arguments)
    assert seconds > 0
    assert printed.startswith("digit.png")
    assert set(dict(seconds_of_calls("nnspec", WORKLOADS["W8"]))) == {"arrays", "file"}
