"""Folders of pictures, as people have them: classes, splits, and what else lies there."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nnspec.runtime.data import Data, DataError, load_data
from nnspec.runtime.data.array_likes import StoredArray
from nnspec.runtime.data.inputs import input_files
from nnspec.spec_lang.vocabulary.file_sources import Images


def draw(path: Path, value: int, size: tuple[int, int] = (6, 4), mode: str = "L") -> Path:
    """A picture of one colour, (height, width)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full(size, value, np.uint8)).convert(mode).save(path)
    return path


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Three classes of four pictures, whose grey is that of their class and number."""
    for kind, base in (("dog", 100), ("cat", 50), ("bird", 200)):
        for number in range(4):
            draw(tmp_path / "pets" / kind / f"{number}.png", base + number)
    return tmp_path / "pets"


def load(folder: Path, **options: Any) -> Data:
    options = {"mode": "grey", "split": (100, 0), **options}
    return load_data(Images(path=folder.name, **options), folder.parent, True)


def test_classes_are_the_folders_by_name_and_pictures_are_in_the_order_of_their_names(pets: Path) -> None:
    data = load(pets)
    assert data.preprocessing.classes == ("bird", "cat", "dog")
    assert data.train.inputs.shape == (12, 6, 4, 1) and data.train.inputs.dtype == np.uint8
    assert data.train.inputs[:, 0, 0, 0].tolist() == [200, 201, 202, 203, 50, 51, 52, 53, 100, 101, 102, 103]
    assert data.train.targets.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert data.notes == () and data.preprocessing.picture_fit == "crop"


def test_a_size_is_needed_where_pictures_differ_in_size_alone(pets: Path) -> None:
    draw(pets / "dog" / "9.png", 9, (5, 5))
    with pytest.raises(DataError, match=r"differ in size, as .*6x4 and .*9\.png of 5x5: write .* size=32x32"):
        load(pets)
    assert load(pets, size=(8, 8)).train.inputs.shape == (13, 8, 8, 1)
    assert load(pets, size=(3,), mode="rgb", fit="pad").train.inputs.shape == (13, 3, 3, 3)


def test_the_folders_train_val_and_test_are_the_splits(tmp_path: Path) -> None:
    for split, count in (("train", 5), ("val", 3), ("test", 2), ("extra", 1)):
        for kind in ("a", "b"):
            for number in range(count):
                draw(tmp_path / "set" / split / kind / f"{number}.jpg", 10 * count)
    data = load(tmp_path / "set", split=(90, 10))
    assert {role: len(split) for role, split in data.splits()} == {"train": 10, "validation": 6, "test": 4}
    assert data.validation is not None and abs(int(data.validation.inputs.max()) - 30) < 3
    assert data.notes == (f"{tmp_path / 'set'}: left out the folders extra, which are no splits",)
    draw(tmp_path / "set" / "validation" / "a" / "1.png", 1)
    with pytest.raises(DataError, match=r"has both val.* and val.*, which are one split"):
        load(tmp_path / "set")


def test_a_share_is_held_back_where_there_is_no_folder_for_validation(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for kind in ("a", "b"):
            for number in range(10):
                draw(tmp_path / "set" / split / kind / f"{number}.png", number)
    data = load(tmp_path / "set", split=(75, 25))
    assert {role: len(split) for role, split in data.splits()} == {"train": 15, "validation": 5, "test": 20}
    with pytest.raises(DataError, match="has a test split of its own"):
        load(tmp_path / "set", split=(60, 20, 20))


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    for kind in ("train", "bus", "test"):
        for number in range(2):
            draw(tmp_path / "vehicles" / kind / f"{number}.png", number)
    assert load(tmp_path / "vehicles").preprocessing.classes == ("bus", "test", "train")


def test_a_class_that_is_only_in_a_split_held_back_is_named(tmp_path: Path) -> None:
    for place in ("train/a", "train/b", "test/a", "test/c"):
        draw(tmp_path / "set" / place / "1.png", 1)
    with pytest.raises(DataError, match=r'class "c" is only in set \(test\) \(.*test/c/1\.png\)'):
        load(tmp_path / "set")


def test_what_is_no_picture_is_left_out_and_said(pets: Path) -> None:
    (pets / "dog" / "labels.txt").write_text("0 dog\n")
    (pets / "readme.md").write_text("pets\n")
    (pets / "cat" / ".DS_Store").write_bytes(b"\0\1")
    draw(pets / ".cache" / "1.png", 1)
    (pets / "fish").mkdir()
    draw(pets / "owl" / "1.png", 250)
    data = load(pets)
    assert data.preprocessing.classes == ("bird", "cat", "dog", "owl")
    assert data.notes == (
        f"{pets}: left out 2 files outside of a class or no picture ({pets}/dog/labels.txt, {pets}/readme.md) and 2 "
        "hidden files",
        f"{pets}: no pictures in fish, which is therefore no class",
        f"{pets}: a single picture in owl",
    )


def test_pictures_are_known_by_content_and_those_in_folders_of_a_class_belong_to_it(pets: Path) -> None:
    draw(pets / "cat" / "0.png", 50).rename(pets / "cat" / "without ending")
    draw(pets / "cat" / "more" / "inside" / "1.png", 77)
    data = load(pets)
    assert len(data.train) == 13 and data.notes == ()


def test_all_broken_pictures_are_named_or_left_out(pets: Path) -> None:
    (pets / "cat" / "1.png").write_bytes(b"<html>404</html>")
    (pets / "cat" / "2.png").write_bytes((pets / "cat" / "3.png").read_bytes()[:40])
    (pets / "dog" / "0.jpg").write_bytes(b"")
    (pets / "dog" / "5.png").symlink_to("nowhere.png")
    with pytest.raises(DataError, match=r"4 of 14 pictures in .* are broken: .*, or write broken=skip") as error:
        load(pets)
    for name in ("cat/1.png", "cat/2.png", "dog/0.jpg", "dog/5.png", "it seems to be a web page", "an empty file"):
        assert name in str(error.value)
    data = load(pets, broken="skip")
    assert len(data.train) == 10 and data.train.inputs[4:7, 0, 0, 0].tolist() == [50, 53, 100]
    assert data.notes[0].startswith(f"{pets}: left out 4 broken pictures (")


def test_of_very_many_broken_pictures_the_first_are_named(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / "set" / "a").mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / "a" / f"{number:02}.png").write_bytes(b"x")
    for broken in ("refuse", "skip"):
        with pytest.raises(DataError, match=r"30 of 30 .* it has no others") as error:
            load(tmp_path / "set", broken=broken)
        assert str(error.value).count("\n") == 21 and str(error.value).endswith("and 10 more")


def test_folders_without_classes_say_what_to_do(tmp_path: Path, pets: Path) -> None:
    draw(tmp_path / "loose" / "1.png", 1)
    with pytest.raises(DataError, match="has 1 picture that is in no folder of a class: put the pictures of each"):
        load(tmp_path / "loose")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="has no pictures in folders"):
        load(tmp_path / "empty")
    draw(tmp_path / "one" / "cats" / "1.png", 1)
    with pytest.raises(DataError, match="has a single class, cats"):
        load(tmp_path / "one")
    with pytest.raises(DataError, match="is a file: images reads a folder"):
        load(tmp_path / "loose" / "1.png")
    with pytest.raises(DataError, match=r"there is no file .*pats; did you mean .*pets"):
        load(tmp_path / "pats")


def test_links_to_pictures_and_classes_are_followed_and_links_inside_a_class_end_nowhere(
    tmp_path: Path, pets: Path
) -> None:
    draw(tmp_path / "elsewhere" / "1.png", 33)
    (pets / "wolf").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (pets / "dog" / "9.png").symlink_to(tmp_path / "elsewhere" / "1.png")
    (pets / "dog" / "loop").symlink_to(pets, target_is_directory=True)
    data = load(pets)
    assert data.preprocessing.classes == ("bird", "cat", "dog", "wolf") and len(data.train) == 14
    assert f"{pets}/dog/loop" in data.notes[0]


def test_pipes_and_devices_are_not_waited_for(pets: Path) -> None:
    os.mkfifo(pets / "cat" / "pipe")
    os.mkfifo(pets / "cat" / "pipe.png")
    with pytest.raises(DataError, match=r"1 of 13 .*\n.*pipe\.png cannot be read: it is a pipe"):
        load(pets)


def test_names_of_classes_are_in_one_form_of_unicode(tmp_path: Path) -> None:
    for name in ("cafe\u0301", "th\u00e9"):
        draw(tmp_path / "set" / name / "1.png", 1)
    assert load(tmp_path / "set").preprocessing.classes == ("caf\u00e9", "th\u00e9")


def test_pictures_that_do_not_fit_in_memory_are_decoded_as_needed_to_the_same_bytes(
    pets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pets / "cat" / "1.png").write_bytes(b"broken")
    options: dict[str, Any] = {"size": (5, 5), "mode": "rgb", "split": (60, 20, 20), "broken": "skip"}
    in_memory = load(pets, **options)
    monkeypatch.setenv("NNSPEC_DATA_MEMORY", "0")
    stored = load(pets, **options)
    assert stored.digest == in_memory.digest and isinstance(stored.train.inputs, StoredArray)
    order = np.random.default_rng(0).permutation(len(stored.train))
    assert np.array_equal(stored.train.inputs[order], in_memory.train.inputs[order])
    assert stored.notes[-1].startswith(f"{pets}: 0 MB of samples are read as they are needed")


def test_a_picture_that_changed_since_is_named(pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNSPEC_DATA_MEMORY", "0")
    data = load(pets)
    (pets / "dog" / "2.png").write_bytes(b"changed")
    with pytest.raises(DataError, match=r"dog/2\.png cannot be read as a picture"):
        data.train.inputs[:]


def test_the_pictures_of_a_folder_to_predict_are_listed_in_order(pets: Path, tmp_path: Path) -> None:
    (pets / "notes.txt").write_text("x")
    draw(pets / "0.png", 1)
    listed = [path.relative_to(pets).as_posix() for path in input_files(pets)]
    assert listed[:3] == ["0.png", "bird/0.png", "bird/1.png"] and len(listed) == 13
    assert input_files(pets / "0.png") == [pets / "0.png"] and input_files(tmp_path / "none") == [tmp_path / "none"]
    (tmp_path / "empty").mkdir()
    assert input_files(tmp_path / "empty") == [tmp_path / "empty"]
