"""NumPy: the plan's straight-line program of a prediction in NAME.py, which imports nothing but NumPy, and NAME.npz."""

import io
import runpy
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.export import Files, Leaving, way
from nnspec.exchange.ways.numpy.program import Written, written_program
from nnspec.runtime.arrays import Array
from nnspec.runtime.execute.blas import fixed_threads
from nnspec.runtime.infer.network import Network

AT_ONCE = 32
"""Samples that the program computes at once, unless `batch` says it."""

LARGEST = 256
"""The largest `batch`: that of `predict`."""

MOST = {"float32": 1e-5, "float64": 1e-10}
"""How far an answer may be from that of the network, as a share of the largest answer."""


@way("numpy", (".py", ".npz"), "a Python file that needs NumPy alone", options=("batch",), says=lambda layer: "yes")
def numpy(leaving: Leaving) -> Files:
    """Write the program and the arrays, and run them. Raises ExchangeError where the answers differ."""
    network, batch = leaving.network, leaving.options.get("batch") or AT_ONCE
    if not isinstance(batch, int) or not 1 <= batch <= LARGEST:
        raise ExchangeError(f"batch is {batch!r}: give a number of samples from 1 to {LARGEST}", 2)
    written = written_program(network, leaving.name, batch)
    content = {".py": written.text.encode(), ".npz": arrays_of(network)}
    return Files(content, tuple(_tried(leaving, written, content)))


def arrays_of(network: Network) -> bytes:
    """Return the arrays of a network by name, and its preprocessing, as the bytes of an .npz."""
    fitted, file = network.preprocessing, io.BytesIO()
    arrays: dict[str, Any] = {**network.parameters, **network.buffers, "shift": fitted.shift, "scale": fitted.scale}
    if fitted.target_scaling is not None:
        answers = network.spec.loss.answers
        arrays["target_shift"] = np.repeat(fitted.target_scaling.shift, answers)
        arrays["target_scale"] = np.repeat(fitted.target_scaling.scale, answers)
    np.savez(file, **arrays)
    return file.getvalue()


def _tried(leaving: Leaving, written: Written, content: dict[str, bytes]) -> list[str]:
    """Run the files on the samples, and return what was found. Raises ExchangeError where the answers differ."""
    network, samples = leaving.network, leaving.samples
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{leaving.name}.py"
        for suffix, data in content.items():
            path.with_suffix(suffix).write_bytes(data)
        predict = runpy.run_path(str(path), run_name=leaving.name)["predict"]
        answers: Array = predict(samples)
        together = samples[: written.together]
        with fixed_threads(1):
            own, its = predict(together), network.predict(together)
    difference = float(np.abs(answers - leaving.answers).max(initial=0))
    size = float(np.abs(leaving.answers).max(initial=0))
    if answers.shape != leaving.answers.shape or not difference <= MOST[network.dtype.name] * max(size, 1):
        raise ExchangeError(f"the answers of the NumPy program are {difference:.2g} away from those of the network")
    notes = [f"{len(samples)} samples: the answers differ from those of nnspec predict by {difference:.2g} at most"]
    its_own_program = written.together & (written.together - 1) == 0  # `predict` has programs for powers of two
    if its_own_program and len(together) == written.together and np.array_equal(own, its):
        notes.append(f"batches of {written.together}: the same bits as nnspec predict, the BLAS on one thread")
    return notes
