"""Every command of docs/serving.md that asks a server works, and its table of limits is that of the program."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from nnspec.serving.limits import MOST_RECEIVING, Limits
from tests.nnspec.serving.running import ROOT, Running, npy, picture

pytest.importorskip("fastapi")
pytest.importorskip("httptools")
pytest.importorskip("python_multipart")

TEXT = (ROOT / "docs/serving.md").read_text(encoding="utf-8")
COMMANDS = [line[2:] for line in TEXT.splitlines() if line.startswith("$ curl") and "127.0.0.1" in line]


def test_the_commands_that_ask_work(server: Running, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    (tmp_path / "seven.png").write_bytes(picture())
    (tmp_path / "one.png").write_bytes(picture())
    (tmp_path / "samples.npy").write_bytes(npy(np.zeros((2, 28, 28, 1), np.uint8)))
    (tmp_path / "samples.json").write_text(json.dumps({"samples": np.zeros((1, 28, 28)).tolist()}))
    assert len(COMMANDS) == 8
    for command in COMMANDS:
        here = command.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
        done = subprocess.run(f"{here} --fail -s", shell=True, cwd=tmp_path, capture_output=True, timeout=60)
        assert done.returncode == 0, (command, done.stderr)
    assert np.load(tmp_path / "outputs.npy").shape == (2, 10)
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")


def test_the_table_of_limits_has_the_defaults() -> None:
    from nnspec.cli.verbs.serve import command
    from nnspec.serving.protocol import MOST_HEADERS

    limits = Limits()
    options = {parameter.name: parameter.default for parameter in command.params}
    told = dict(re.findall(r"`--(\w+) ([\d.]+)`", TEXT))
    assert told["queue"] == str(options["queue"]) == str(limits.queue)
    assert told["body"] == str(options["body"]) == str(limits.body // 2**20)
    assert told["timeout"] == str(options["timeout"]) == f"{limits.timeout:g}"
    assert (options["batch"], options["wait"]) == (limits.batch, limits.wait * 1000)
    assert f"| {MOST_RECEIVING // 2**20} MB |" in TEXT
    assert f"| {MOST_HEADERS:,} |" in TEXT
