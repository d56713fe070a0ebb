"""Pages that are executed: python -m tools.pages docs/tutorial.md docs/lesson/*.md runs them and writes their outputs.

A page is Markdown with fenced blocks. What counts:

- `console`: lines that begin with `$ ` are commands, run one after the other in one folder for the whole page; the
  lines below a command are what it prints, on either stream. A line `…` is any lines, left out of the page.
- `python` blocks are executed in order, in one namespace.
- a block after a comment `<!-- file: NAME -->` is written to that file. After `<!-- needs: cc -->` it is executed where
  this package or program is, after `<!-- not run: REASON -->` it is not, nor after `<!-- run by: TEST -->`, which the
  file of that test executes. `<!-- statements -->` is above lines of specs that are no whole spec.

A page with `<!-- with: runs/quickstart, seven.png -->` finds these in its folder (`tools.provided`). One with
`<!-- needs: sklearn -->` is executed where these packages are. `<!-- long -->` says that CI leaves it out.

Tests compare (`disagreements`), the command rewrites (`rewritten`). A number agrees if it is within 2 % of the page's,
so that another processor's rounding is no mistake; a time or a rate always does.
"""

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from click.testing import CliRunner

from tools.provided import provide

FENCE = re.compile(
    r"(?:<!-- (?P<mark>file|not run|run by|needs|statements)(?:: (?P<value>[^>]+?))? -->\n+)?"
    r"^```(?P<kind>\w+)[^\n]*\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
ELLIPSIS = "…"
NOT_RUN = ("pip", "python3", ".venv/bin/pip")
"""Commands that install; tools/release.py runs what they are for."""

SHELL = {"|", "<", "&&"}
"""Signs that are left to a shell."""

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?(?![\w]*\d)")
_TIMED = re.compile(r"[\d.,]+(?= (?:s\b|samples/s|ms\b|minutes?\b))")
_CLOSE = 0.02


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, the comment above it, and where its text is in the page."""

    kind: str
    body: str
    mark: str | None
    value: str
    start: int
    line: int

    @property
    def file(self) -> str | None:
        """The file that the block is written to."""
        return self.value if self.mark == "file" else None

    @property
    def runs(self) -> bool:
        """Whether it is executed here."""
        if self.mark == "needs":
            return all(map(installed, self.value.split(", ")))
        return self.kind in ("console", "python") and self.mark is None


def installed(name: str) -> bool:
    """Return whether there is a Python package or a program of this name."""
    return importlib.util.find_spec(name) is not None or shutil.which(name) is not None


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    return [
        Block(
            m["kind"], m["body"], m["mark"], m["value"] or "", m.start("body"), page.count("\n", 0, m.start("body")) + 1
        )
        for m in FENCE.finditer(page)
    ]


def named(page: str, key: str) -> list[str]:
    """Return what a page names in a comment of a key: `with`, or `needs`."""
    found = re.search(rf"^<!-- {key}: ([^>]+) -->$", page, re.MULTILINE)
    return found[1].split(", ") if found else []


def commands(body: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a console block with the output that the page shows for it."""
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def run(command: str, folder: Path) -> tuple[int, str]:
    """Run a command of a page in a folder; return its exit code and what it printed on both streams."""
    words = shlex.split(command, comments=True)
    if SHELL & set(words):
        words = ["sh", "-c", command]
    if ">" in words:
        code, printed = run(shlex.join(words[: words.index(">")]), folder)
        (folder / words[words.index(">") + 1]).write_text(printed, encoding="utf-8")
        return code, ""
    if words[0] == "nnspec":
        from nnspec.cli import command_line

        with chdir(folder):
            done = CliRunner().invoke(command_line, words[1:], prog_name="nnspec", catch_exceptions=False)
        return done.exit_code, done.output
    if words[0] == "python":
        words[0] = sys.executable
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    process = subprocess.run(
        words, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return process.returncode, process.stdout


Visit = Callable[[Block, str, str, str], None]
"""Called for each command with its block, its text, the shown and the real output."""


def execute(page: Path, folder: Path, visit: Visit, space: dict[str, Any] | None = None) -> None:
    """Execute a page in a folder, its Python in a namespace. Raises AssertionError where a command ends otherwise."""
    space = {} if space is None else space
    space.setdefault("__name__", "page")
    text = page.read_text(encoding="utf-8")
    provide(named(text, "with"), folder)
    for block in blocks(text):
        where = f"{page.name}:{block.line}"
        if block.file is not None:
            (folder / block.file).write_text(block.body, encoding="utf-8")
        elif not block.runs:
            continue
        elif block.kind == "console":
            for command, shown in commands(block.body):
                if command.split()[0] in NOT_RUN:
                    continue
                code, printed = run(command, folder)
                failing = re.search(r"^(?:error|MISSED)\b", shown, re.MULTILINE) is not None
                assert (code != 0) == failing, f"{where}: $ {command}\nends with {code}:\n{printed}"
                visit(block, command, shown, printed)
        else:
            with chdir(folder), redirect_stdout(StringIO()), imports_from(folder):
                exec(compile(block.body, where, "exec"), space)


@contextmanager
def imports_from(folder: Path) -> Iterator[None]:
    """Let programs import modules that the page has written, and forget these afterwards."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(folder)):
                del sys.modules[name]


def disagreements(page: Path, folder: Path, space: dict[str, Any] | None = None) -> list[str]:
    """Return what a page shows and does not come out, a text for each command; `space` gets what its Python defines."""
    found: list[str] = []

    def compare(block: Block, command: str, shown: str, printed: str) -> None:
        if shown.strip() and not agrees(shown, printed):
            found.append(f"{page.name}:{block.line}: $ {command}\nshown:\n{shown}\nprinted:\n{printed}")

    execute(page, folder, compare, space)
    return found


def agrees(shown: str, printed: str) -> bool:
    """Return whether an output is the one that a page shows."""
    return _lines_agree(_lines(shown), _lines(printed))


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip("\n").split("\n")]


def _lines_agree(shown: list[str], printed: list[str]) -> bool:
    if ELLIPSIS not in shown:
        return len(shown) == len(printed) and all(map(_line_agrees, shown, printed))
    at = shown.index(ELLIPSIS)
    if not (len(printed) >= at and all(map(_line_agrees, shown[:at], printed[:at]))):
        return False
    rest = shown[at + 1 :]
    return any(_lines_agree(rest, printed[start:]) for start in range(at, len(printed) + 1)) if rest else True


def _line_agrees(shown: str, printed: str) -> bool:
    pairs = [re.sub(r"[ ]+", " ", _TIMED.sub("T", line)) for line in (shown, printed)]
    if _NUMBER.sub("N", pairs[0]) != _NUMBER.sub("N", pairs[1]):
        return False
    numbers = [[float(number.replace(",", "")) for number in _NUMBER.findall(line)] for line in pairs]
    largest = max((abs(number) for number in numbers[0]), default=0)
    return all(abs(a - b) <= _CLOSE * max(abs(a), largest if a else 0) for a, b in zip_longest(*numbers, fillvalue=0.0))


def rewritten(page: Path, folder: Path) -> str:
    """Execute a page and return its text with the real outputs; what `…` left out is still left out."""
    outputs: dict[int, list[str]] = {}

    def keep(block: Block, command: str, shown: str, printed: str) -> None:
        outputs.setdefault(block.start, []).append(_shortened(shown, printed) if shown.strip() else "")

    text = page.read_text(encoding="utf-8")
    execute(page, folder, keep)
    for block in sorted(blocks(text), key=lambda block: -block.start):
        if block.start in outputs:
            left = iter(outputs[block.start])
            body = "".join(
                f"$ {command}\n" + (shown if command.split()[0] in NOT_RUN else next(left))
                for command, shown in commands(block.body)
            )
            text = text[: block.start] + body + text[block.start + len(block.body) :]
    return text


def _shortened(shown: str, printed: str) -> str:
    """Return an output with as many lines before and after the first `…` as are shown."""
    lines, real = _lines(shown), _lines(printed)
    if lines.count(ELLIPSIS) > 1:
        real = lines  # which lines are shown is for a person to choose
    elif ELLIPSIS in lines and lines != [ELLIPSIS]:
        at = lines.index(ELLIPSIS)
        after = len(lines) - at - 1
        real = [*real[:at], ELLIPSIS, *(real[-after:] if after else [])]
    elif lines == [ELLIPSIS]:
        real = real if len(real) < 60 else [*real[:50], ELLIPSIS]
    return "\n".join(real) + "\n"


def main(pages: list[str]) -> None:
    """Rewrite the outputs of pages, each in a folder of its own."""
    for name in map(Path, pages):
        with TemporaryDirectory() as folder:
            text = rewritten(name, Path(folder))
        name.write_text(text, encoding="utf-8")
        print(name)


if __name__ == "__main__":
    main(sys.argv[1:])
