import ast
import subprocess
import sys
import time

import pytest

from benchmarks.cold import STARTING, import_seconds, memory_of, watched, with_parts
from benchmarks.drive import PEERS


@pytest.mark.parametrize("peer", STARTING)
def test_what_is_started_afresh_is_imported_by_statements(peer):
    statements = ast.parse(with_parts(PEERS[peer])).body
    assert isinstance(statements[0], ast.Import)
    assert len(statements) == 1 + bool(PEERS[peer].uses)


def test_an_import_is_timed_in_an_interpreter_of_its_own():
    assert 0 < import_seconds("import json") < 60


CHILD = "import os, time; held = bytearray(b'1' * 60_000_000); pid = os.fork(); time.sleep(60)"


def test_the_memory_of_a_process_and_its_child_is_counted_once():
    process = subprocess.Popen([sys.executable, "-c", CHILD])
    try:
        until = time.monotonic() + 20
        while memory_of(process.pid) < 60_000_000 and time.monotonic() < until:
            time.sleep(0.05)
        assert 60_000_000 < memory_of(process.pid) < 110_000_000
        with watched(process.pid) as most:
            time.sleep(0.1)
        assert 60_000_000 < most() < 110_000_000
    finally:
        subprocess.run(["pkill", "-KILL", "-P", str(process.pid)], check=False)
        process.kill()
        process.wait()
    assert memory_of(process.pid) == 0
