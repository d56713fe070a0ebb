"""Programs for a Cortex-M3 and a Cortex-M4 with a floating-point unit: compiled, measured, run in QEMU."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
COMPILER, EMULATOR, SIZE = "arm-none-eabi-gcc", "qemu-system-arm", "arm-none-eabi-size"
SECONDS = 300


@dataclass(frozen=True)
class Board:
    """A processor: the flags of its compiler, and its board in QEMU."""

    name: str
    flags: tuple[str, ...]
    machine: str


BOARDS = (
    Board("Cortex-M3", ("-mcpu=cortex-m3", "-mthumb"), "mps2-an385"),
    Board("Cortex-M4F", ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"), "mps2-an386"),
)


def missing() -> str | None:
    """Return the first program that is not installed, None where all are.

    On Debian they are in the packages gcc-arm-none-eabi, libnewlib-arm-none-eabi and qemu-system-arm.
    """
    return next((name for name in (COMPILER, SIZE, EMULATOR) if shutil.which(name) is None), None)


def built(board: Board, sources: Sequence[Path], program: Path, *flags: str) -> Path:
    """Compile and link sources for a board, smallest first (-Os), without what is not called; return the program."""
    start = subprocess.run(
        [COMPILER, *board.flags, "-print-file-name=rdimon-crt0.o"], capture_output=True, text=True, check=True
    )
    command = [COMPILER, "-std=c99", "-Wall", "-Wextra", "-Werror", "-Os", "-ffunction-sections", "-fdata-sections"]
    command += [*board.flags, *flags, *map(str, sources), str(HERE / "board.c"), start.stdout.strip()]
    command += ["-T", str(HERE / "board.ld"), "-nostartfiles", "--specs=rdimon.specs", "-Wl,--gc-sections", "-lm"]
    done = subprocess.run([*command, "-o", str(program)], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return program


def sizes(program: Path) -> tuple[int, int]:
    """Return the bytes of a program in flash and in RAM."""
    done = subprocess.run([SIZE, str(program)], capture_output=True, text=True, check=True)
    text, data, bss = map(int, done.stdout.splitlines()[1].split()[:3])
    return text + data, data + bss


def emulated(board: Board, program: Path) -> subprocess.CompletedProcess[str]:
    """Run a program in QEMU, where an instruction takes a nanosecond; return its output and its exit code."""
    command = [EMULATOR, "-M", board.machine, "-nographic", "-monitor", "none", "-serial", "none", "-icount", "shift=0"]
    command += ["-semihosting-config", "enable=on,target=native", "-kernel", str(program)]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
