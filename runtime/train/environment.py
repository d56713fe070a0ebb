"""What the bits of a result depend on besides the spec: NumPy, its SIMD kernels, BLAS, libm, and a probe of all."""

import hashlib
import os
import platform
import socket
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from nnspec.runtime.arrays import Array, empty
from nnspec.runtime.execute.blas import fixed_threads

EXACT = ("numpy", "cpu_features", "blas", "blas_version", "blas_kernel", "libm", "machine", "probe")
"""The entries of `environment` that decide whether the same arithmetic gives the same bits."""

PROBED = 1031
"""Numbers the probe computes with: a prime, so that every kernel meets its remainder loop."""


def environment() -> dict[str, str | int]:
    """Return the arithmetic of this process: names and versions of its parts, and the digest of `probe`.

    A part that cannot be named is "unknown".
    """
    blas = numpys_blas()
    return {
        "numpy": np.__version__,
        "cpu_features": cpu_features(),
        "blas": str(blas.get("internal_api", "unknown")),
        "blas_version": str(blas.get("version", "unknown")),
        "blas_kernel": str(blas.get("architecture", "unknown")),
        "libm": " ".join(platform.libc_ver()).strip() or "unknown",
        "machine": platform.machine(),
        "python": platform.python_version(),
        "probe": probe(),
    }


def numpys_blas() -> dict[str, Any]:
    """Return what threadpoolctl knows of the BLAS that NumPy calls; empty where there is none."""
    found = _numpys_blas()
    return {} if found is None else dict(found.info())


@cache
def _numpys_blas() -> Any:
    return numpys_own([found for found in ThreadpoolController().lib_controllers if found.user_api == "blas"])


def numpys_own(found: list[Any]) -> Any:
    """Return which of several libraries NumPy calls, None of none.

    Other packages bring a BLAS of their own, as SciPy does, and may be listed first: NumPy's is in its own folder, in
    the one beside it, or, if NumPy brings none, where no package is.
    """
    package = Path(np.__file__).resolve().parent
    own = (package, package.with_name("numpy.libs"), package / ".dylibs")

    def rank(library: Any) -> int:
        path = Path(library.filepath).resolve()
        if any(path.is_relative_to(folder) for folder in own):
            return 0
        return 2 if path.is_relative_to(package.parent) else 1

    return min(found, key=rank, default=None)


def cpu_features() -> str:
    """Return the SIMD extensions that NumPy uses here beyond its baseline, as NPY_DISABLE_CPU_FEATURES leaves them."""
    config = np.show_config(mode="dicts")
    extensions = config.get("SIMD Extensions", {}) if config else {}
    return " ".join(extensions.get("found", ())) or "none"


@cache
def probe() -> str:
    """Return a digest of the bits of a few operations: products, sums and transcendental functions, on one BLAS thread.

    It differs where the arithmetic differs in a way that no name shows, such as a patched libm.
    """
    digest = hashlib.sha256()
    with fixed_threads(1):
        for dtype in (np.float32, np.float64):
            for result in _results(dtype):
                digest.update(np.ascontiguousarray(result).tobytes())
    return digest.hexdigest()[:16]


def _results(dtype: type[np.floating]) -> list[Array]:
    """The operations of the probe, on aligned memory: where an array begins decides how a kernel walks it."""
    x = empty((PROBED,), dtype)
    x[...] = 1 + 0.9 * np.sin(np.arange(PROBED) * 0.37, dtype=np.float64)
    square = empty((64, 96), dtype)
    square[...] = np.resize(x, square.shape)
    other = empty((96, 80), dtype)
    other[...] = np.resize(x[::-1], other.shape)
    functions = (np.exp, np.log1p, np.tanh, np.sqrt, np.square)
    return [*(function(x) for function in functions), square @ other, square @ other[:, 0], x.sum(), x.dot(x)]


def machine() -> dict[str, str | int]:
    """Return what results do not depend on but is worth knowing: where a run was, and what it could use."""
    threads = int(numpys_blas().get("num_threads", 1))
    return {
        "host": socket.gethostname(), "processors": os.cpu_count() or 1, "blas_threads": threads, "cpu": cpu()
    }  # fmt: skip


@cache
def cpu() -> str:
    """Return the name of the processor's model, its architecture where the system does not name the model."""
    try:
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())[:80]
    except OSError:  # not Linux
        pass
    return (platform.processor() or platform.machine())[:80]


def differences(before: dict[str, object], now: dict[str, str | int]) -> list[str]:
    """Return what of the arithmetic has changed, in words; empty where the same bits can be expected.

    An entry that a file does not have, because an older version wrote it, is not compared.
    """
    return [f"{key} was {before[key]}, is {now[key]}" for key in EXACT if key in before and before[key] != now[key]]
