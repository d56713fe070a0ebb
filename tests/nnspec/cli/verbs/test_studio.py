import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.nnspec.conftest import Command


@pytest.mark.parametrize("name", ["starlette", "uvicorn"])
def test_where_a_package_is_missing_it_is_told_what_to_install(
    nnspec: Command, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    done = nnspec("studio", "--no-browser")
    assert done.code == 2 and "which is not installed\n  help: pip install 'nnspec[studio]'" in done.err


def test_a_file_that_is_not_there_or_not_a_spec_is_an_error_in_words(nnspec: Command, tmp_path: Path) -> None:
    pytest.importorskip("uvicorn")
    pytest.importorskip("starlette")
    done = nnspec("studio", "none.nnspec", "--no-browser")
    assert done.code == 2 and "none.nnspec: there is no such file" in done.err
    assert "help: nnspec init quickstart none.nnspec" in done.err
    (tmp_path / "notes.txt").write_text("dense 1")
    done = nnspec("studio", "notes.txt", "--no-browser")
    assert done.code == 2 and "end in .nnspec" in done.err


def test_a_port_that_is_taken_is_an_error_with_the_way_out(nnspec: Command) -> None:
    pytest.importorskip("uvicorn")
    pytest.importorskip("starlette")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = nnspec("studio", "--no-browser", "--port", port)
    assert done.code == 2 and f"port {port}" in done.err and "help: --port 0 takes a free one" in done.err


def test_the_link_that_is_printed_opens_the_page_and_a_signal_ends_the_studio(
    process: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    pytest.importorskip("uvicorn")
    pytest.importorskip("starlette")
    (tmp_path / "net.nnspec").write_text("dense 10 softmax\ndata mnist_sample\n")
    with process("studio", "net.nnspec", "--no-browser", "--port", 0) as running:
        assert running.stderr is not None
        link = running.stderr.readline().split()[-1]
        assert link.startswith("http://127.0.0.1:") and "?token=" in link
        assert str(tmp_path) in running.stderr.readline()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(link) as page:
            assert b"studio.js" in page.read() and "token" not in page.url
        with opener.open(link.partition("?")[0] + "api/events") as events:
            assert b'"opens":"net.nnspec"' in events.readline()
            began = time.monotonic()
            running.send_signal(signal.SIGTERM)  # while a tab listens
            assert running.wait(30) == 143
            assert time.monotonic() - began < 10
