import hashlib
import random
from collections.abc import Callable
from typing import Any

import pytest

from nnspec import checkpoints
from nnspec.checkpoints import layout, seal
from nnspec.checkpoints.errors import Damaged, FormatError, Newer, NotACheckpoint, Refused


@pytest.fixture
def image(example: checkpoints.Checkpoint, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The example's bytes, in a world where HDF5 must never see them."""
    built = checkpoints.to_bytes(example)

    def too_late(_: Any) -> None:
        raise AssertionError("HDF5 was given bytes whose seal is wrong")

    monkeypatch.setattr(layout, "locate_datasets", too_late)
    return built


def test_the_seal_is_lines_that_a_person_can_read(example: checkpoints.Checkpoint) -> None:
    image = checkpoints.to_bytes(example)
    lines = image[: seal.SIZE].decode("ascii").split("\n")
    assert lines[:4] == ["nnspec checkpoint", "format 1", "program nnspec 0.1.0", f"length {len(image)}"]
    assert lines[4] == f"sha256 {hashlib.sha256(image[seal.SIZE :]).hexdigest()}"
    assert image[seal.SIZE : seal.SIZE + 8] == b"\x89HDF\r\n\x1a\n"


@pytest.mark.slow
def test_every_truncation_is_seen_before_hdf5_is_asked(image: Any) -> None:
    for length in range(1, len(image)):
        with pytest.raises(
            Damaged, match=f"{'it ends after' if length < seal.SIZE else 'it was cut short,'} {length} bytes"
        ):
            checkpoints.from_bytes(image[:length])


def test_bytes_added_at_the_end_are_seen(image: Any) -> None:
    with pytest.raises(Damaged, match="had bytes added"):
        checkpoints.from_bytes(image + b"\0")


def test_every_flipped_bit_of_the_seal_is_seen(image: Any) -> None:
    for bit in range(8 * seal.SIZE):
        flipped = bytearray(image)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(NotACheckpoint if bit < 8 * len(seal.MAGIC) else Damaged):
            checkpoints.from_bytes(bytes(flipped))


def test_flipped_bits_after_the_seal_are_seen(image: Any) -> None:
    chance = random.Random(20260101)
    for _ in range(500):
        flipped = bytearray(image)
        flipped[chance.randrange(seal.SIZE, len(image))] ^= 1 << chance.randrange(8)
        with pytest.raises(Damaged, match="SHA-256"):
            checkpoints.from_bytes(bytes(flipped))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "it is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(600), "a PNG image"),
        (b"\x89HDF\r\n\x1a\n" + bytes(600), "an HDF5 file of another kind"),
        (bytes(512) + b"\x89HDF\r\n\x1a\n", "it begins with other bytes"),
        (b"x", "it begins with other bytes"),
    ],
)
def test_a_file_of_another_kind_is_not_called_damaged(data: Any, told: str) -> None:
    with pytest.raises(NotACheckpoint, match=f"not an nnspec checkpoint.*{told}"):
        checkpoints.from_bytes(data)


def test_a_newer_file_says_which_nnspec_reads_it(sealed: Callable[..., bytes]) -> None:
    with pytest.raises(
        Newer, match=r"format version 7, written by nnspec 3\.1\.4; this nnspec reads versions up to 1"
    ) as told:
        checkpoints.from_bytes(sealed(bytes(600), version=7, program="3.1.4"))
    assert (told.value.version, told.value.program) == (7, "3.1.4")
    assert "nnspec 3.1.4 or a later one" in told.value.help


def test_a_version_changed_by_a_flipped_bit_is_damage_not_a_newer_file(image: Any) -> None:
    with pytest.raises(Damaged):
        checkpoints.from_bytes(image.replace(b"format 1\n", b"format 3\n", 1))


@pytest.mark.parametrize("program", ["", "two words", "größe", "1\n2", "x" * 65, "\x7f"])
def test_a_program_version_that_would_break_the_lines_is_refused(program: Any) -> None:
    with pytest.raises(Refused, match="program version"):
        seal.Seal(1, program, 600, "0" * 64).block()


def test_the_longest_values_fit_into_the_seal() -> None:
    block = seal.Seal(1, "x" * 64, 10**19 - 1, "f" * 64).block()
    assert seal.open_block(block).length == 10**19 - 1


def test_a_seal_with_other_padding_is_damaged_even_if_its_digest_is_right(example: checkpoints.Checkpoint) -> None:
    image = checkpoints.to_bytes(example)
    with pytest.raises(FormatError):
        checkpoints.from_bytes(image[:500] + b"x" + image[501:])
