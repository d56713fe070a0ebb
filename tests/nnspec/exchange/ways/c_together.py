"""Many networks in one file of C, which is compiled once, with sanitizers, and runs all of them."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nnspec.exchange.ways.c.program import Program
from nnspec.exchange.ways.c.text import INCLUDES, kernel_texts, network_texts
from nnspec.exchange.ways.c.toolchain import FLAGS, compiler
from nnspec.runtime.arrays import Array

SANITIZED = ("-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


class Prepared(NamedTuple):
    """A network's program, whose constants begin with a prefix of its own, and samples (batch, …) to run it on."""

    program: Program
    samples: Array
    outputs: int


def answers_of(many: Sequence[Prepared], folder: Path, flags: Sequence[str] = SANITIZED) -> list[Array]:
    """Return what each network answers, (batch, outputs): all are compiled with the flags and run in one process.

    Each sample and each answer is in memory of its own size, so that the sanitizer sees what is read beyond.
    """
    path = compiler()
    assert path is not None
    symbols = [f"net{i}" for i in range(len(many))]
    sizes = [f"#define NET{i}_INPUT_SIZE {each.samples[0].size}" for i, each in enumerate(many)]
    heads = [*sizes, *(f"void {symbol}_predict(const float *input, float *output);" for symbol in symbols)]
    bodies = [text for symbol, each in zip(symbols, many, strict=True) for text in network_texts(symbol, each.program)]
    calls = [
        f"    run({symbol}_predict, {len(each.samples)}, {each.samples[0].size}, {each.outputs});"
        for symbol, each in zip(symbols, many, strict=True)
    ]
    kernels = kernel_texts([each.program for each in many])
    main = "\n".join(["int main(void)", "{", *calls, "    return 0;", "}"])
    parts = ["#include <stdio.h>\n#include <stdlib.h>\n" + INCLUDES, *kernels, *heads, *bodies, _RUN, main]
    (folder / "many.c").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    command = [path, *FLAGS, *flags, "many.c", "-o", "many", "-lm"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[:3000]
    given = b"".join(np.ascontiguousarray(each.samples, np.float32).tobytes() for each in many)
    run = subprocess.run([folder / "many"], input=given, capture_output=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr.decode()[:3000]
    numbers, start, found = np.frombuffer(run.stdout, np.float32), 0, []
    for each in many:
        count = len(each.samples) * each.outputs
        found.append(numbers[start : start + count].reshape(len(each.samples), each.outputs))
        start += count
    assert start == numbers.size
    return found


_RUN = """\
static void run(void (*predict)(const float *, float *), int samples, int inputs, int outputs)
{
    float *x = malloc((size_t)inputs * sizeof(float)), *y = malloc((size_t)outputs * sizeof(float));
    for (int i = 0; i < samples; i++) {
        if (fread(x, sizeof(float), (size_t)inputs, stdin) != (size_t)inputs)
            exit(1);
        predict(x, y);
        fwrite(y, sizeof(float), (size_t)outputs, stdout);
    }
    free(x);
    free(y);
}"""
