"""The C compiler of this machine: the files are compiled, run on samples and measured before they are written."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nnspec.exchange.errors import ExchangeError
from nnspec.runtime.arrays import Array

COMPILERS = ("cc", "gcc", "clang")
"""Those that are looked for, in this order."""

FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")
"""With which every file compiles."""

CROSS = ("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")
"""For an estimate of the code of a microcontroller."""

SECONDS = 300
"""After which a compiler or a program is given up."""

_MAIN = """\
#include <stdio.h>
#include "{symbol}.h"

int main(void)
{{
    static float x[{upper}_INPUT_SIZE], y[{upper}_OUTPUT_SIZE];
    while (fread(x, sizeof x, 1, stdin) == 1) {{
        {symbol}_predict(x, y);
        fwrite(y, sizeof y, 1, stdout);
    }}
    return 0;
}}
"""


class Code(NamedTuple):
    """The bytes of the code without its constants, and for which processor it was compiled."""

    bytes: int
    processor: str


def compiler() -> str | None:
    """Return the path of a C compiler, None without one."""
    return next((found for name in COMPILERS if (found := shutil.which(name))), None)


def run(symbol: str, files: Mapping[str, str], samples: Array, flags: Sequence[str] = ("-O1",)) -> Array | None:
    """Return the answers of the files for raw samples (batch, …), (batch, numbers); None without a compiler.

    Arguments:
        symbol: the C identifier of the network.
        files: the texts by suffix, .h and .c.
        samples: raw samples.
        flags: of the compiler, besides FLAGS.

    Raises ExchangeError where they do not compile or stop.
    """
    path = compiler()
    if path is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        place = _written(Path(folder), symbol, files)
        (place / "main.c").write_text(_MAIN.format(symbol=symbol, upper=symbol.upper()), encoding="utf-8")
        sources = ["main.c", f"{symbol}.c"]
        _call([path, *FLAGS, *flags, *sources, "-o", "program", "-lm"], place, b"")
        given = np.ascontiguousarray(samples, np.float32).tobytes()
        return np.frombuffer(_call([str(place / "program")], place, given), np.float32).reshape(len(samples), -1)


def code_size(symbol: str, files: Mapping[str, str]) -> Code | None:
    """Return the size of the code, for a Cortex-M4 where its compiler is installed, else for this machine.

    None without a compiler or the program `size`.
    """
    cross = shutil.which(CROSS[0])
    path = cross or compiler()
    size = shutil.which("arm-none-eabi-size" if cross else "size")
    if path is None or size is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        place = _written(Path(folder), symbol, files)
        flags = CROSS[1:] if cross else ()
        _call([path, *FLAGS, *flags, "-Os", "-c", f"{symbol}.c", "-o", "it.o"], place, b"")
        rows = [line.split() for line in _call([size, "-A", "-d", "it.o"], place, b"").decode().splitlines()]
    code = sum(int(row[1]) for row in rows if row and row[0].startswith(".text"))
    return Code(code, "Cortex-M4" if cross else "this machine")


def _written(place: Path, symbol: str, files: Mapping[str, str]) -> Path:
    for suffix, text in files.items():
        (place / f"{symbol}{suffix}").write_text(text, encoding="utf-8")
    return place


def _call(command: Sequence[str], place: Path, given: bytes) -> bytes:
    try:
        done = subprocess.run(command, cwd=place, input=given, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise ExchangeError(f"{Path(command[0]).name} took more than {SECONDS} seconds; nothing was written") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ExchangeError(f"{Path(command[0]).name} refused the C of this network: {' '.join(said[:3])}")
    return done.stdout
