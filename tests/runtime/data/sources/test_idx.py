"""IDX files: good ones bit for bit, bad ones with a word about what is wrong."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nnspec.runtime.data import DataError, load_data
from nnspec.runtime.data.sources.idx import read_idx
from nnspec.spec_lang.vocabulary.data import Idx
from tests.runtime.data.helpers import CODES, digits, idx_bytes, write_idx

ANY = st.sampled_from(sorted(CODES)).flatmap(
    lambda code: arrays.arrays(np.dtype(code), arrays.array_shapes(min_dims=1, max_dims=4, max_side=5))
)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("idx") / "file"


@given(ANY, st.booleans())
def test_every_type_and_shape_comes_back_bit_for_bit(scratch: Path, array: np.ndarray, zipped: bool) -> None:
    scratch.write_bytes(gzip.compress(idx_bytes(array)) if zipped else idx_bytes(array))
    found = read_idx(scratch)
    assert found.dtype == array.dtype and found.dtype.isnative
    assert found.shape == array.shape and found.tobytes() == array.tobytes()


@given(ANY, st.booleans(), st.data())
def test_a_file_cut_anywhere_is_refused(scratch: Path, array: np.ndarray, zipped: bool, data: st.DataObject) -> None:
    content = gzip.compress(idx_bytes(array)) if zipped else idx_bytes(array)
    scratch.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(DataError) as error:
        read_idx(scratch)
    assert str(scratch) in str(error.value)


def test_a_flipped_bit_inside_a_gzip_is_found(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(idx_bytes(digits(50)[0])))
    content[len(content) // 2] ^= 4
    path = tmp_path / "images.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        read_idx(path)


@pytest.mark.parametrize(
    ("content", "seems"),
    [
        (b"", "an empty file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "a PNG picture"),
        (b"PK\x03\x04" + bytes(50), "a zip archive"),
        (b"<!DOCTYPE html><html>Not found</html>", "a web page"),
        (b"5,0,0,0\n", "a text file"),
        (gzip.compress(b"5,0,0,0\n", mtime=0), "a text file"),
        (bytes([0, 0, 10, 1, 0, 0, 0, 1, 7]), "a binary file"),
    ],
)
def test_a_foreign_file_is_told_by_what_it_seems_to_be(tmp_path: Path, content: bytes, seems: str) -> None:
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"is not an IDX file: it seems to be {seems}"):
        read_idx(path)


@pytest.mark.parametrize("zipped", [False, True])
def test_a_header_that_announces_too_much_allocates_nothing(tmp_path: Path, zipped: bool) -> None:
    content = bytes([0, 0, 14, 4]) + b"\xff\xff\xff\xff" * 4 + bytes(64)
    path = tmp_path / "images"
    path.write_bytes(gzip.compress(content) if zipped else content)
    with pytest.raises(DataError, match="more than the file can hold"):
        read_idx(path)


def test_bytes_after_the_last_number_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels"
    path.write_bytes(idx_bytes(digits(3)[1]) + b"\x00")
    with pytest.raises(DataError, match="longer than its header says"):
        read_idx(path)


def test_a_missing_file_names_the_one_most_likely_meant(tmp_path: Path) -> None:
    write_idx(tmp_path / "train-images.gz", digits(3)[0])
    with pytest.raises(DataError, match=r"did you mean .*train-images\.gz") as error:
        read_idx(tmp_path / "train-image.gz")
    assert error.value.exit_code == 2


def test_a_folder_and_a_file_in_no_folder_are_wrong_use(tmp_path: Path) -> None:
    for path, said in ((tmp_path, "is a folder"), (tmp_path / "no" / "images", "does not exist")):
        with pytest.raises(DataError, match=said) as error:
            read_idx(path)
        assert error.value.exit_code == 2


def test_the_word_reads_images_labels_and_a_test_split_beside_the_spec(tmp_path: Path) -> None:
    for name, count in (("train", 20), ("test", 10)):
        images, labels = digits(count)
        write_idx(tmp_path / f"{name}.gz", images)
        write_idx(tmp_path / f"{name}-labels", labels)
    word = Idx(path="train.gz", labels="train-labels", test="test.gz", test_labels="test-labels", split=(75, 25))
    data = load_data(word, tmp_path, classification=True)
    assert {role: len(split) for role, split in data.splits()} == {"train": 15, "validation": 5, "test": 10}
    assert data.preprocessing.input_shape == (28, 28, 1) and data.train.inputs.dtype == np.uint8
    assert data.test is not None and data.test.targets.tolist() == list(range(10))
    assert data.test.targets.dtype == np.int64 and data.name == "train.gz"


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (digits(5)[1], digits(5)[1], "name the file of the images"),
        (digits(5)[0], digits(5)[0], "labels are a single row"),
        (digits(5)[0], digits(6)[1], "5 images and .* 6 labels"),
        (digits(0)[0], digits(0)[1], "has no samples"),
    ],
)
def test_files_that_do_not_belong_together_are_told_apart(
    tmp_path: Path, images: np.ndarray, labels: np.ndarray, said: str
) -> None:
    write_idx(tmp_path / "images", images)
    write_idx(tmp_path / "labels", labels)
    with pytest.raises(DataError, match=said):
        load_data(Idx(path="images", labels="labels"), tmp_path, classification=True)
