"""What files seem to be, and why they cannot be read."""

import os
from pathlib import Path

import pytest

from nnspec.runtime.data import DataError, Preprocessing, load_data, missing, read_inputs
from nnspec.runtime.data.files import absent, first_bytes, looks_like
from nnspec.runtime.data.sources.mnist import FILES, fetch_mnist, find_mnist
from nnspec.spec_lang.vocabulary.data import DataSource, Idx, Npz
from nnspec.spec_lang.vocabulary.data_tables import Csv
from nnspec.spec_lang.vocabulary.sequence_sources import Text
from tests.support.special_files import special_files


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
    monkeypatch.setattr("nnspec.runtime.data.files.open_regular_file", refuse)
    with pytest.raises(DataError, match="x cannot be read: Permission denied") as error:
        first_bytes(tmp_path / "x")
    assert error.value.exit_code == 2


def test_a_pipe_or_a_device_is_refused_by_every_source_and_as_an_input(tmp_path: Path) -> None:
    preprocessing = Preprocessing.identity((4,))
    for path in special_files(tmp_path):
        name = str(path)
        sources: tuple[DataSource, ...] = (
            Csv(path=name, target="y"),
            Csv(path=name, target="y", window=3),
            Npz(path=name),
            Idx(path=name, labels=name),
            Text(path=name),
        )
        for source in sources:
            with pytest.raises(DataError, match="cannot be read: "):
                load_data(source, tmp_path, True)
            assert missing(source, tmp_path) is None
        with pytest.raises(DataError, match="cannot be read: "):
            read_inputs(path, preprocessing)


def test_a_pipe_is_not_a_file_of_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNSPEC_DATA", str(tmp_path))
    monkeypatch.setenv("NNSPEC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NNSPEC_OFFLINE", "1")
    for name in FILES:
        os.mkfifo(tmp_path / name)
    assert find_mnist() is None
    with pytest.raises(DataError, match="mnist is missing"):
        fetch_mnist()


def test_a_name_that_is_too_long_is_an_error_of_the_data(tmp_path: Path) -> None:
    source = Csv(path="x" * 300, target="y")
    assert missing(source, tmp_path) is None
    with pytest.raises(DataError, match="File name too long"):
        load_data(source, tmp_path, True)


def test_a_path_through_a_file_leads_to_no_file(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("a,y\n1,2\n")
    source = Csv(path="table.csv/x", target="y")
    assert "there is no file" in str(missing(source, tmp_path))
    with pytest.raises(DataError, match="there is no file"):
        load_data(source, tmp_path, True)


def test_a_folder_that_cannot_be_listed_gives_no_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "listdir", refuse)
    assert str(absent(tmp_path / "x")) == f"there is no file {tmp_path / 'x'}"
