"""Only regular files are opened for reading."""

import socket
from contextlib import chdir
from pathlib import Path

import pytest

from nnspec.spec_lang.regular_file import open_regular_file
from tests.support.special_files import special_files


def test_a_file_and_a_link_to_it_are_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("file")
    for name in ("file", "link"):
        with open_regular_file(tmp_path / name) as file:
            assert file.read() == b"abc"


def test_a_pipe_and_a_device_are_refused_without_waiting(tmp_path: Path) -> None:
    for path in special_files(tmp_path):
        with pytest.raises(OSError, match="it is a pipe or a device, not a file"):
            open_regular_file(path)


def test_a_socket_a_folder_and_an_impossible_name_are_refused(tmp_path: Path) -> None:
    with chdir(tmp_path), socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")
        with pytest.raises(OSError, match=r"No such device|not supported"):
            open_regular_file(Path("socket"))
    with pytest.raises(IsADirectoryError):
        open_regular_file(tmp_path)
    with pytest.raises(ValueError, match="null byte"):
        open_regular_file(Path("a\0b"))
