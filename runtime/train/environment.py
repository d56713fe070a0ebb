"""What results depend on beside the spec: NumPy, the BLAS build and its kernels, the threads it uses."""

import os
import platform
import socket

import numpy as np
from threadpoolctl import threadpool_info

EXACT = ("numpy", "blas", "blas_version", "blas_kernel", "machine")
"""The entries of `environment` that decide whether the same arithmetic gives the same bits."""


def environment() -> dict[str, str | int]:
    """The arithmetic of this process; of an unknown BLAS, the entries say so."""
    blas: dict[str, str] = next((lib for lib in threadpool_info() if lib["user_api"] == "blas"), {})
    return {
        "numpy": np.__version__,
        "blas": str(blas.get("internal_api", "unknown")),
        "blas_version": str(blas.get("version", "unknown")),
        "blas_kernel": str(blas.get("architecture", "unknown")),
        "machine": platform.machine(),
        "python": platform.python_version(),
    }


def machine() -> dict[str, str | int]:
    """What results do not depend on, worth knowing all the same: where a run was, and what it could use."""
    blas = next((lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"), 1)
    return {"host": socket.gethostname(), "processors": os.cpu_count() or 1, "blas_threads": int(blas)}


def differences(before: dict[str, object], now: dict[str, str | int]) -> list[str]:
    """What of the arithmetic has changed, in words; empty where the same bits can be expected."""
    return [f"{key} was {before.get(key)}, is {now[key]}" for key in EXACT if before.get(key) != now[key]]
