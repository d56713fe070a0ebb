"""A shell in a pseudo-terminal, typed into as a user does."""

import os
import pty
import re
import select
import shutil
import signal
import time
from pathlib import Path

from tests.support.neovim import LONGEST, command_folder

PROMPT = "ready>"

START = {
    "bash": (["--norc", "--noprofile", "-i"], 'eval "$(_NNSPEC_COMPLETE=bash_source nnspec)"'),
    "zsh": (
        ["-f", "-i"],
        "unsetopt prompt_cr prompt_sp; autoload -Uz compinit; compinit -u; "
        'eval "$(_NNSPEC_COMPLETE=zsh_source nnspec)"',
    ),
    "fish": (["--no-config", "-i"], "_NNSPEC_COMPLETE=fish_source nnspec | source"),
}
"""For each shell its arguments, and the documented line that turns completion on."""


class Shell:
    """One shell in a folder, with the command `nnspec` of this environment on its path and completion turned on."""

    def __init__(self, name: str, folder: Path) -> None:
        arguments, line = START[name]
        program = shutil.which(name)
        assert program is not None
        home = command_folder(folder)
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            path = f"{home}{os.pathsep}{os.environ['PATH']}"
            keep = {"PATH": path, "HOME": str(folder), "TERM": "dumb", "LC_ALL": "C.UTF-8", "PS1": PROMPT}
            os.execve(
                program, [program, *arguments], {**keep, "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
            )
        self.lines, self.shown = 0, ""
        if name == "fish":
            self.type(f"function fish_prompt; echo -n '{PROMPT}'; end\r")
        else:
            self.type(f"PS1='{PROMPT}'\r")
        self.type(f"{line}; echo turned''-on\r")
        self.read_until("turned-on")
        self.read_until(PROMPT)

    def type(self, keys: str) -> None:
        """Send keys; \\t completes."""
        os.write(self.terminal, keys.encode())

    def read_until(self, wanted: str, seconds: float = LONGEST) -> str:
        """Return what is shown until a text appears; fail where it does not."""
        end = time.monotonic() + seconds
        while wanted not in plain(self.shown):
            left = end - time.monotonic()
            assert left > 0, f"{wanted!r} is not shown, but {self.shown!r}"
            if select.select([self.terminal], [], [], left)[0]:
                self.shown += os.read(self.terminal, 65536).decode(errors="replace")
        found, _, self.shown = plain(self.shown).partition(wanted)
        return found + wanted

    def completed(self, typed: str, wanted: str) -> str:
        """Type a line and a tab, and return what the shell makes of it once it shows a text."""
        self.type(f"{typed}\t")
        return self.read_until(wanted)

    def clear(self) -> None:
        """Drop the line that is being typed, and wait for an empty one."""
        self.lines += 1
        self.type(f"\x15echo line''-{self.lines}\r")
        self.read_until(f"line-{self.lines}")
        self.read_until(PROMPT)

    def close(self) -> None:
        """End the shell."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


def plain(shown: str) -> str:
    """Return a terminal's output without its control sequences."""
    return re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|[()][A-Z0-9]|[=>])", "", shown)
