"""Flash, RAM and instructions of networks in C, and microseconds on this machine, into docs/exchange.md.

python -m benchmarks.microcontroller
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

import nnspec
from benchmarks.microcontroller.board import BOARDS, Board, built, emulated, missing, sizes
from nnspec.exchange.export import Leaving
from nnspec.exchange.ways.c import written_texts
from nnspec.exchange.ways.c.toolchain import FLAGS, compiler
from nnspec.runtime.infer.drawn import drawn_samples

SPECS = ("quickstart", "mnist_cnn", "lenet5", "mnist_resnet", "sine_dense", "sine_rnn")
PAGE = Path("docs/exchange.md")
BEGIN, END = "<!-- python -m benchmarks.microcontroller -->\n", "<!-- the end of what the benchmark writes -->\n"

LOOPED = 1_000_000
"""Times that two instructions are repeated, to know how many a tick of the timer is."""

_ON_BOARD = """\
#include <stdio.h>
{include}
#define NOW (*(volatile unsigned *)0xE000E018u)
static const float sample[] = {{{numbers}}};
static float answer[{outputs}];
int main(void)
{{
    unsigned begun = NOW, between, count = {looped};
    __asm__ volatile("1: subs %0, %0, #1\\n bne 1b" : "+r"(count) : : "cc");
    between = NOW;
    {call}
    printf("%u %u %g\\n", (begun - between) & 0xFFFFFFu, (between - NOW) & 0xFFFFFFu, (double)(answer[0] + sample[0]));
    return 0;
}}
"""

_HERE = """\
#include <stdio.h>
#include <time.h>
#include "{symbol}.h"
static const float sample[] = {{{numbers}}};
static float answer[{outputs}];
int main(void)
{{
    double best = 1e9;
    for (int round = 0; round < 20; round++) {{
        const clock_t begun = clock();
        for (int i = 0; i < {repeats}; i++)
            {symbol}_predict(sample, answer);
        const double took = (double)(clock() - begun) / CLOCKS_PER_SEC / {repeats};
        best = took < best ? took : best;
    }}
    printf("%g %g\\n", best * 1e6, (double)answer[0]);
    return 0;
}}
"""


class Measured(NamedTuple):
    """A network on a board: bytes, with what it needs of the libraries, and instructions of a prediction."""

    flash: int
    ram: int
    instructions: int


def measured(board: Board, folder: Path, symbol: str, sample: np.ndarray, outputs: int) -> Measured:
    """Return what a network takes; its bytes are the difference from a program that does not call it."""
    numbers = ", ".join(f"{value:.9g}" for value in sample.reshape(-1).tolist())
    found = []
    for include, call in (("", ""), (f'#include "{symbol}.h"', f"{symbol}_predict(sample, answer);")):
        text = _ON_BOARD.format(include=include, call=call, numbers=numbers, outputs=outputs, looped=LOOPED)
        (folder / "main.c").write_text(text, encoding="utf-8")
        program = built(board, [folder / "main.c", folder / f"{symbol}.c"], folder / "program.elf")
        found.append(sizes(program))
    loop, ticks, _ = emulated(board, program).stdout.split()
    instructions = round(int(ticks) * 2 * LOOPED / int(loop))
    return Measured(found[1][0] - found[0][0], found[1][1] - found[0][1], instructions)


def microseconds(folder: Path, symbol: str, sample: np.ndarray, outputs: int) -> float:
    """Return the shortest time of a prediction on this machine, of twenty rounds, with -O2."""
    path = compiler()
    assert path is not None
    numbers = ", ".join(f"{value:.9g}" for value in sample.reshape(-1).tolist())
    text = _HERE.format(symbol=symbol, numbers=numbers, outputs=outputs, repeats=max(200_000 // (10 * sample.size), 20))
    (folder / "here.c").write_text(text, encoding="utf-8")
    command = [path, *FLAGS, "-O2", "here.c", f"{symbol}.c", "-o", "here", "-lm"]
    subprocess.run(command, cwd=folder, check=True)
    done = subprocess.run([folder / "here"], cwd=folder, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[0])


def rows() -> Iterator[str]:
    """Yield a row of the table for each network in float32 and in int8, with drawn weights and samples."""
    for name in SPECS:
        network = nnspec.compile(f"specs/{name}.nnspec", seed=1)
        samples = drawn_samples(network, 256)
        for int8 in (False, True):
            leaving = Leaving(network, name, samples, {"int8": int8}, samples)
            try:
                texts, _ = written_texts(leaving)
            except nnspec.ExchangeError as error:
                print(f"{name}: {error}", file=sys.stderr)
                continue
            with tempfile.TemporaryDirectory() as temporary:
                folder = Path(temporary)
                for suffix, text in texts.items():
                    (folder / f"{name}{suffix}").write_text(text, encoding="utf-8")
                outputs = int(np.prod(network.spec.output_shape or ()))
                given = samples[0].astype(np.float32)
                small, large = (measured(board, folder, name, given, outputs) for board in BOARDS)
                here = microseconds(folder, name, given, outputs)
            kind = "int8" if int8 else "float32"
            yield (
                f"| {name} | {kind} | {network.spec.parameter_count:,} | {large.flash:,} | {large.ram:,} | "
                f"{small.instructions:,} | {large.instructions:,} | {here:,.1f} |"
            )


def main() -> None:
    """Measure, and write the table. Exits with 2 where a program is missing."""
    lacking = missing() or (None if compiler() else "cc")
    if lacking is not None:
        sys.exit(f"{lacking} is not installed")
    head = "| network | | parameters | flash, bytes | RAM, bytes | instructions, M3 | instructions, M4F | µs here |\n"
    table = head + "|---|---|--:|--:|--:|--:|--:|--:|\n"
    for row in rows():
        print(row, flush=True)
        table += f"{row}\n"
    page = PAGE.read_text(encoding="utf-8")
    pattern = f"(?s)(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})"
    PAGE.write_text(re.sub(pattern, lambda _: table, page), encoding="utf-8")


if __name__ == "__main__":
    main()
