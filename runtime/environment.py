"""What results depend on beside the spec: NumPy, the BLAS build and its kernels, the threads it uses."""

import platform

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


def differences(before: dict[str, object], now: dict[str, str | int]) -> list[str]:
    """What of the arithmetic has changed, in words; empty where the same bits can be expected."""
    return [f"{key} was {before.get(key)}, is {now[key]}" for key in EXACT if before.get(key) != now[key]]
