"""Memory that this process shares with its forked worker processes while a run trains."""

import ctypes
import errno
import mmap
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from math import prod
from typing import Any

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.execute.executor import Lent

MREMAP_MAYMOVE, MREMAP_FIXED = 1, 2  # from <sys/mman.h>, for any processor
FAILED = ctypes.c_void_p(-1).value


def shared_zeros(shape: int | tuple[int, ...], dtype: Any) -> Array:
    """Return an array of zeros in memory that this process shares with its forks."""
    kind = np.dtype(dtype)
    size = (prod(shape) if isinstance(shape, tuple) else shape) * kind.itemsize
    if not size:
        return np.zeros(shape, kind)
    try:
        memory = mmap.mmap(-1, size)
    except OSError as error:
        raise MemoryError(f"no {size:,} bytes of memory") from error
    array: Array = np.frombuffer(memory, kind).reshape(shape)
    return array


@contextmanager
def shared(arrays: Sequence[Lent]) -> Iterator[None]:
    """Share the memory of some arrays inside the context.

    Their pages are replaced by shared pages, and at the end by private ones where they are to be returned: later forks
    of this process must not write into them. The arrays keep their addresses, so all views stay valid. Raises OSError
    if the system refuses.
    """
    moved: list[Array] = []
    try:
        for lent in arrays:
            _replace_pages(lent.array, mmap.MAP_SHARED, lent.filled)
            if lent.returned:
                moved.append(lent.array)
        yield
    finally:
        for array in moved:
            _replace_pages(array, mmap.MAP_PRIVATE)


def _replace_pages(array: Array, kind: int, filled: bool = True) -> None:
    """Replace the pages of an array by new ones, with the same bytes or zeros; other threads see one atomic change."""
    if not array.nbytes:
        return
    system = _system()
    there, size = array.ctypes.data, -(-array.nbytes // mmap.PAGESIZE) * mmap.PAGESIZE
    access, how = mmap.PROT_READ | mmap.PROT_WRITE, kind | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE
    pages = system.mmap(None, size, access, how, -1, 0)
    if pages == FAILED:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    if filled:
        ctypes.memmove(pages, there, array.nbytes)
    if system.mremap(pages, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, there) != there:
        error = ctypes.get_errno()
        system.munmap(pages, size)
        raise OSError(error, os.strerror(error))


@cache
def _system() -> Any:
    """Return the C library with its three functions declared for 64-bit Linux."""
    if sys.platform != "linux" or sys.maxsize < 1 << 62:
        raise OSError(errno.ENOSYS, "pages of memory are replaced on 64-bit Linux only")
    system = ctypes.CDLL(None, use_errno=True)
    address, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    system.mmap.restype, system.mmap.argtypes = address, (address, size, number, number, number, ctypes.c_int64)
    system.mremap.restype, system.mremap.argtypes = address, (address, size, size, number, address)
    system.munmap.argtypes = address, size
    return system
