"""One small checkpoint, and the tools to make files that are sealed and yet wrong."""

import hashlib
import io
from collections.abc import Callable, Iterator
from typing import Any

import h5py
import numpy as np
import pytest

from nnspec import checkpoints
from nnspec.checkpoints import content, layout, reading, seal
from tests.checkpoints import second_reader
from tests.support.checkpoint_files import make_example, with_header

VERDICTS = {
    checkpoints.NotACheckpoint: "not an nnspec checkpoint",
    checkpoints.Damaged: "damaged",
    checkpoints.Newer: "newer",
    checkpoints.Refused: "refused",
}
"""The page's word for each error of the first reader."""


Altered = Callable[[Callable[[Any], Any]], bytes]
Reheaded = Callable[[str, Callable[[list[list[Any]]], None]], bytes]


@pytest.fixture(autouse=True)
def both_readers_agree(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have every image that a test gives to the first reader judged by the second one too."""
    check_image = reading.check_image
    apart: list[tuple[str, str]] = []

    def checked(image: bytes) -> Any:
        other = second_reader.judge(bytes(image))
        try:
            result = check_image(image)
        except checkpoints.FormatError as error:
            apart.extend([(VERDICTS[type(error)], other)] * (VERDICTS[type(error)] != other))
            raise
        apart.extend([("whole", other)] * (other != "whole"))
        return result

    monkeypatch.setattr(reading, "check_image", checked)
    yield
    assert apart == []


@pytest.fixture(scope="session")
def example() -> checkpoints.Checkpoint:
    """The checkpoint of `make_example`, the same for all tests: none changes it."""
    return make_example()


@pytest.fixture(scope="session")
def sealed() -> Callable[..., bytes]:
    """Seal the bytes of an HDF5 image with a 512-byte user block, whatever is in it."""

    def seal_again(image: Any, version: int = 1, program: str = "0.1.0") -> bytes:
        rest = bytes(image[seal.SIZE :])
        return seal.Seal(version, program, seal.SIZE + len(rest), hashlib.sha256(rest).hexdigest()).block() + rest

    return seal_again


@pytest.fixture
def altered(example: checkpoints.Checkpoint, sealed: Callable[..., bytes]) -> Altered:
    """Change the example's file through h5py, as a stranger could, and seal it again."""

    def alter(change: Callable[[Any], Any]) -> bytes:
        file = io.BytesIO(checkpoints.to_bytes(example))
        with h5py.File(file, "r+", libver=("v110", "v110")) as opened:
            change(opened)
        return sealed(file.getvalue())

    return alter


@pytest.fixture
def forged(sealed: Callable[..., bytes]) -> Callable[..., bytes]:
    """A file with these stored arrays and this /meta, neither of them checked; by default /meta fits the arrays."""

    def forge(entries: dict[str, np.ndarray], meta: str | np.ndarray | None = None) -> bytes:
        if meta is None:
            meta = content.canonical({"entries": content.entry_table(entries), "format_version": 1})
        if isinstance(meta, str):
            meta = np.array(meta.encode(), dtype=f"S{len(meta.encode())}")
        return sealed(layout.build_image({"meta": meta, **entries}).getvalue())

    return forge


@pytest.fixture
def reheaded(example: checkpoints.Checkpoint, sealed: Callable[..., bytes]) -> Reheaded:
    """Edit the header of an object of the example as `with_header` does, with the right seal."""

    def rewrite(name: str, edit: Callable[[list[list[Any]]], None]) -> bytes:
        return sealed(with_header(checkpoints.to_bytes(example), name, edit))

    return rewrite
