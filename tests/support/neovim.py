"""Neovim as a user has it: started without a screen, sent keys, and asked what it shows."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("nvim")

LONGEST = 60
"""Seconds after which something that should happen does not: many times what it takes on a busy machine."""


class Neovim:
    """One Neovim with a file open, in a folder of its own; `nnspec` on its path is the package under test."""

    def __init__(self, folder: Path, file: Path, config: str) -> None:
        assert PROGRAM is not None
        self.socket = str(folder / "nvim.sock")
        (folder / "init.lua").write_text(config)
        path = f"{command_folder(folder)}{os.pathsep}{os.environ['PATH']}"
        homes = {f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
        self.environment = {**os.environ, **homes, "PATH": path, "HOME": str(folder), "NVIM_LOG_FILE": "/dev/null"}
        command = [PROGRAM, "--headless", "-i", "NONE", "-n", "-u", str(folder / "init.lua"), "--listen", self.socket]
        self.process = subprocess.Popen(
            [*command, str(file)], env=self.environment, cwd=folder, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        self.until(lambda: Path(self.socket).exists())

    def send(self, keys: str) -> None:
        """Type keys, with names such as <Esc>."""
        self._remote("--remote-send", keys)

    def lua(self, code: str) -> Any:
        """Return the value of an expression in Lua."""
        quoted = f"vim.json.encode({code})".replace("'", "''")
        return json.loads(self._remote("--remote-expr", f"luaeval('{quoted}')"))

    def until(self, happened: Callable[[], Any]) -> Any:
        """Return the first true value; fail where none comes."""
        end = time.monotonic() + LONGEST
        while not (found := happened()):
            assert time.monotonic() < end and self.process.poll() is None, "it does not happen"
            time.sleep(0.05)
        return found

    def quit(self) -> str:
        """End it and return its last error message."""
        complaint: str = self.lua("vim.v.errmsg")
        self._run("--remote-expr", "execute('qa!')")  # it may be gone before it answers
        self.process.communicate(timeout=LONGEST)
        return complaint

    def _remote(self, how: str, what: str) -> str:
        done = self._run(how, what)
        assert done.returncode == 0, done.stderr
        return done.stdout or done.stderr

    def _run(self, how: str, what: str) -> "subprocess.CompletedProcess[str]":
        assert PROGRAM is not None
        command = [PROGRAM, "--headless", "--clean", "--server", self.socket, how, what]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=LONGEST)


def command_folder(folder: Path) -> Path:
    """Return a folder with the command `nnspec` of this environment."""
    home = folder / "bin"
    home.mkdir(exist_ok=True)
    command = home / "nnspec"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m nnspec "$@"\n')
    command.chmod(0o755)
    return home
