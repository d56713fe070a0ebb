"""Training from a file much larger than what the process may take of memory."""

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.support.commands import child_environment

SHAPE = (128, 128, 3)
SAMPLES = {"npy": 12_000, "hdf5": 10_000}  # 590 and 492 MB
IN_MEMORY = 200  # megabytes that may be: NNSPEC_DATA_MEMORY
MOST_GROWTH = 400  # megabytes

TRAIN = """
import resource, nnspec
from nnspec.runtime.data.sources.npy import open_array  # h5py and NumPy are loaded
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
nnspec.train("small.nnspec", "small")
before = peak()
run = nnspec.train("net.nnspec", "run")
print(peak() - before, run.end["steps"], len(run.data.train), run.data.notes)
"""


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("kind", SAMPLES)
def test_training_from_a_large_file_takes_less_than_four_hundred_megabytes(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("resource")
    count = SAMPLES[kind]
    labels = np.arange(count) % 2
    np.save(tmp_path / "y.npy", labels)
    np.savez(tmp_path / "small.npz", x=np.zeros((64, *SHAPE), np.uint8), y=labels[:64])
    if kind == "npy":
        with (tmp_path / "x.npy").open("wb") as file:
            header = {"descr": "|u1", "fortran_order": False, "shape": (count, *SHAPE)}
            np.lib.format.write_array_header_1_0(file, header)
            file.truncate(file.tell() + count * 128 * 128 * 3)  # a file with holes, which are read as zeros
        data = 'npy "x.npy" y="y.npy"'
    else:
        with h5py.File(tmp_path / "a.h5", "w") as file:
            x = file.create_dataset("x", (count, *SHAPE), "u1", chunks=(64, *SHAPE), compression="lzf")
            zeros = np.zeros((640, *SHAPE), np.uint8)  # a number, HDF5 would write one by one
            for start in range(0, count, 640):
                x[start : start + 640] = zeros[: count - start]
            file["y"] = labels
        data = 'hdf5 "a.h5"'
    network = "avgpool 16 -> dense 2 softmax"
    for name, source in (("net", data), ("small", 'npz "small.npz"')):
        text = f"{network}\ndata {source} normalize=none\ntrain 20 iterations batch=32 evaluate_every=1000\n"
        (tmp_path / f"{name}.nnspec").write_text(text)
    child = subprocess.run(
        [sys.executable, "-c", TRAIN],
        cwd=tmp_path,
        env=child_environment(NNSPEC_DATA_MEMORY=str(IN_MEMORY)),
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert child.returncode == 0, child.stderr
    growth, steps, train, notes = child.stdout.split(maxsplit=3)
    assert (int(steps), int(train)) == (20, count - count // 10) and "are read as they are needed" in notes
    assert float(growth) < MOST_GROWTH
