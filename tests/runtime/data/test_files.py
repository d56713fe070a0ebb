"""What files seem to be, and why they cannot be read."""

from pathlib import Path

import pytest

from nnspec.runtime.data import DataError
from nnspec.runtime.data.files import first_bytes, looks_like


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\x1f\x8b\x08", "a gzip file"),
        (b"\x93NUMPY\x01", "a NumPy array (.npy)"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"\xff\xd8\xff\xe0", "a JPEG picture"),
        (b"RIFF1234WEBPVP8 ", "a WebP picture"),
        (b"RIFF1234WAVEfmt\x00", "a binary file of an unknown kind"),
        (b"\x00\x00\x08\x03", "an IDX file"),
        (b"  <svg>", "an XML document"),
        (b"a,b\n1,2\n", "a text file"),
        ("größe,art\n".encode(), "a text file"),
        (b"", "an empty file"),
    ],
)
def test_the_first_bytes_tell_what_a_file_seems_to_be(head: bytes, name: str) -> None:
    assert looks_like(head) == name


def test_what_the_system_says_of_a_file_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "x").write_bytes(b"x")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match="x cannot be read: Permission denied") as error:
        first_bytes(tmp_path / "x")
    assert error.value.exit_code == 2
