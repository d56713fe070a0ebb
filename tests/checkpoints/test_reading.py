import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec import checkpoints
from nnspec.checkpoints import Checkpoint, Damaged, Newer, NotACheckpoint, Refused, system


@pytest.fixture
def path(example: checkpoints.Checkpoint, tmp_path: Path) -> Path:
    checkpoints.write(tmp_path / "last.h5", example)
    return tmp_path / "last.h5"


def test_read_gives_back_meta_texts_and_arrays(path: Path, example: checkpoints.Checkpoint) -> None:
    checkpoint = checkpoints.read(path)
    assert checkpoint.meta == example.meta
    assert checkpoint.entries["rng/order"] == example.entries["rng/order"]
    assert checkpoint.entries["preprocessing/mask"].tolist() == [1, 0]
    assert checkpoints.differing_entries(checkpoint, example) == []


def test_verify_says_what_the_file_is(path: Path) -> None:
    assert checkpoints.verify(path) == checkpoints.Summary(
        size=path.stat().st_size, format_version=1, program="0.1.0", arrays=7, texts=5, numbers=24
    )


@pytest.mark.parametrize("judge", [checkpoints.read, checkpoints.verify])
def test_a_damaged_file_says_that_its_former_version_is_whole_and_how_to_go_on(
    path: Path, example: checkpoints.Checkpoint, judge: Any
) -> None:
    checkpoints.write(path, example)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Damaged, match=f"^{path}: damaged: it was cut short") as told:
        judge(path)
    assert told.value.path == str(path)
    assert told.value.help == f"{path}.prev is whole: nnspec resume {path}.prev"


@pytest.mark.parametrize("former", [None, b"", b"half"])
def test_a_former_version_that_is_not_whole_is_not_recommended(path: Path, former: bytes | None) -> None:
    if former is not None:
        path.with_name("last.h5.prev").write_bytes(path.read_bytes()[:-1] if former else b"")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Damaged) as told:
        checkpoints.read(path)
    assert told.value.help == Damaged.advice


def test_a_former_version_with_one_flipped_bit_is_not_recommended(path: Path, example: checkpoints.Checkpoint) -> None:
    checkpoints.write(path, example)
    for name in (path, path.with_name("last.h5.prev")):
        data = bytearray(name.read_bytes())
        data[-1] ^= 1
        name.write_bytes(data)
    with pytest.raises(Damaged) as told:
        checkpoints.read(path)
    assert told.value.help == Damaged.advice


def test_a_path_with_a_space_is_quoted_in_the_command_to_go_on_with(
    tmp_path: Path, example: checkpoints.Checkpoint
) -> None:
    path = tmp_path / "my run.h5"
    checkpoints.write(path, example)
    checkpoints.write(path, example)
    path.write_bytes(b"")
    with pytest.raises(NotACheckpoint) as told:
        checkpoints.read(path)
    assert told.value.help.endswith(f"nnspec resume '{path}.prev'")


def test_a_newer_file_recommends_a_newer_nnspec_not_the_former_file(
    path: Path, example: checkpoints.Checkpoint, sealed: Callable[..., bytes]
) -> None:
    checkpoints.write(path, example)
    path.write_bytes(sealed(path.read_bytes(), version=2, program="0.9"))
    with pytest.raises(Newer, match=f"^{path}: it has format version 2") as told:
        checkpoints.read(path)
    assert "pip install" in told.value.help


def test_a_file_above_the_cap_is_refused_before_it_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unread(*_: object) -> None:
        raise AssertionError("it was read")

    monkeypatch.setattr(system, "read", unread)
    with pytest.raises(Refused, match="at most 1000 are read"):
        checkpoints.read(path, max_bytes=1000)


def test_a_system_that_hands_over_few_bytes_at_a_time_is_asked_again(
    path: Path, example: checkpoints.Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = os.read
    monkeypatch.setattr(system, "read", lambda handle, size: read(handle, min(size, 700)))
    assert checkpoints.differing_entries(checkpoints.read(path), example) == []


def test_a_folder_a_pipe_and_a_missing_file_are_answered_at_once(tmp_path: Path) -> None:
    with pytest.raises(NotACheckpoint, match="a folder or a device"):
        checkpoints.read(tmp_path)
    os.mkfifo(tmp_path / "pipe.h5")
    with pytest.raises(NotACheckpoint, match="a folder or a device"):
        checkpoints.read(tmp_path / "pipe.h5")
    with pytest.raises(FileNotFoundError):
        checkpoints.read(tmp_path / "none.h5")


def test_parse_takes_bytes_that_have_no_file(example: checkpoints.Checkpoint) -> None:
    with pytest.raises(Damaged) as told:
        checkpoints.from_bytes(checkpoints.to_bytes(example)[:-1])
    assert told.value.path == "" and str(told.value).startswith("damaged")


def test_a_whole_file_is_told_from_one_that_is_not(path: Path) -> None:
    assert checkpoints.is_whole(str(path))
    assert not checkpoints.is_whole(f"{path}.none")
    assert not checkpoints.is_whole(str(path.parent))
    path.write_bytes(path.read_bytes() + b"\0")
    assert not checkpoints.is_whole(str(path))


@pytest.mark.parametrize(
    "error",
    [
        Damaged("damaged: it was cut short").about("last.h5", "last.h5.prev"),
        Newer(2, 1, "0.9").about("last.h5"),
        checkpoints.SaveFailed("last.h5", "writing", 28),
    ],
)
def test_an_error_comes_whole_out_of_another_process(error: Any) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back), vars(back)) == (type(error), str(error), vars(error))


def test_an_array_that_was_read_is_the_callers_own() -> None:
    image = checkpoints.to_bytes(Checkpoint({}, {"weights/w": np.zeros(3)}))
    np.asarray(checkpoints.from_bytes(image).entries["weights/w"])[:] = 1
    assert checkpoints.from_bytes(image).entries["weights/w"].tolist() == [0, 0, 0]
