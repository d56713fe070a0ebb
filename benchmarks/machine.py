"""What the figures were measured on, and how much of it others used meanwhile."""

import os
import platform
import resource
import time
from dataclasses import dataclass
from pathlib import Path

BUSY = 0.05
"""The share of all cores that other processes may use during a run whose figures are published."""


def machine() -> dict[str, str | int]:
    """The processor, its cores, memory and system."""
    return {
        "processor": _first("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": cores(),
        "instructions": _widest(_first("/proc/cpuinfo", "flags")),
        "memory": _gigabytes(_first("/proc/meminfo", "MemTotal")),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Watch:
    """A moment from which on others' use of the machine is counted."""

    began: float
    machine_seconds: float
    own_seconds: float

    @classmethod
    def start(cls) -> "Watch":
        """Begin to count."""
        return cls(time.perf_counter(), _machine_seconds(), _own_seconds())

    def others(self) -> float:
        """The share of all cores' time that other processes have used since; children count from their end on.

        0 if the system does not report it.
        """
        used = _machine_seconds() - self.machine_seconds
        own = _own_seconds() - self.own_seconds
        return max(0.0, used - own) / ((time.perf_counter() - self.began) * (os.cpu_count() or 1))


def _machine_seconds() -> float:
    """Seconds that all cores together have worked, or were withheld by the machine's host, since the start."""
    file = Path("/proc/stat")
    if not file.exists():
        return 0.0
    user, nice, system, _idle, _waiting, *interrupts = map(int, file.read_text().splitlines()[0].split()[1:9])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    """Seconds that this process and its ended children have worked."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _first(path: str, key: str) -> str:
    """The value of a key's first line in one of the kernel's tables; empty where there is none."""
    file = Path(path)
    if not file.exists():
        return ""
    lines = (line.partition(":") for line in file.read_text().splitlines())
    return next((value.strip() for name, _, value in lines if name.strip() == key), "")


def _gigabytes(kilobytes: str) -> str:
    return f"{int(kilobytes.split()[0]) / 2**20:.0f} GiB" if kilobytes else ""


def _widest(flags: str) -> str:
    """The widest vector instructions of a processor."""
    known = {"avx512f": "AVX-512", "avx2": "AVX2", "avx": "AVX"}
    return next((title for flag, title in known.items() if flag in flags.split()), "")
