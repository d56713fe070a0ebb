"""Files to predict on."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnspec.runtime.data import DataError, Preprocessing, read_inputs
from tests.runtime.data.helpers import digits, write_idx

FLOWER = Preprocessing.fit(
    np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), "none", "classification", features=("a", "b", "c")
)
IMAGES = Preprocessing.identity((28, 28, 1))


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1)])
def test_an_array_of_one_sample_is_one(tmp_path: Path, shape: tuple[int, ...]) -> None:
    image = digits(1)[0].reshape(shape)
    np.save(tmp_path / "a.npy", image)
    ((label, sample),) = read_inputs(tmp_path / "a.npy", IMAGES)
    assert label == str(tmp_path / "a.npy") and np.array_equal(sample, image.reshape(28, 28, 1))


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "x.npz", "a.idx", "a.gz"])
def test_a_batch_is_told_apart_by_number(tmp_path: Path, name: str) -> None:
    path, images = tmp_path / name, digits(3)[0]
    match name:
        case "a.npy":
            np.save(path, images)
        case "a.npz":
            np.savez(path, anything=images)
        case "x.npz":
            np.savez(path, other=images[:1], x=images)
        case _:
            write_idx(path, images)
    found = read_inputs(path, IMAGES)
    assert [label for label, _ in found] == [f"{path}[{index}]" for index in range(3)]
    assert np.array_equal(np.stack([sample for _, sample in found])[..., 0], images)
    assert found[0][1].dtype == np.uint8


def test_columns_of_a_table_are_found_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("kind;c;b;a\nrose;3;2;1\n\nlily;6;5;4\n")
    found = read_inputs(path, FLOWER)
    assert [(label, sample.tolist()) for label, sample in found] == [(f"{path}:2", [1, 2, 3]), (f"{path}:4", [4, 5, 6])]


def test_columns_whose_names_are_numbers_are_found_by_name_too(tmp_path: Path) -> None:
    named = Preprocessing.fit(np.eye(2), "none", "regression", features=("1", "0"))
    (tmp_path / "a.csv").write_text("0,1\n5,6\n")
    assert [sample.tolist() for _, sample in read_inputs(tmp_path / "a.csv", named)] == [[6, 5]]


def test_a_table_without_a_header_is_in_the_order_of_the_features(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,2,3\n4,5,6\n")
    for preprocessing in (FLOWER, Preprocessing.identity((3,))):
        found = read_inputs(tmp_path / "a.csv", preprocessing)
        assert [sample.tolist() for _, sample in found] == [[1, 2, 3], [4, 5, 6]]
        assert found[0][0].endswith("a.csv:1")


def test_a_row_of_a_table_may_be_a_whole_image(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(",".join(map(str, range(784))))
    ((_, sample),) = read_inputs(tmp_path / "a.csv", IMAGES)
    assert sample.shape == (28, 28, 1) and sample[1, 0, 0] == 28


def test_a_picture_is_one_sample_and_may_be_inverted(tmp_path: Path) -> None:
    path = tmp_path / "ink.png"
    Image.new("L", (100, 100), 255).save(path)
    assert read_inputs(path, IMAGES)[0][1].min() == 255
    ((label, sample),) = read_inputs(path, IMAGES, invert=True)
    assert label == str(path) and sample.max() == 0


def test_arrays_are_not_inverted(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", digits(1)[0])
    with pytest.raises(DataError, match="is not a picture") as error:
        read_inputs(tmp_path / "a.npy", IMAGES, invert=True)
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,bb,c\n1,2,3\n", 'has no column "b"; did you mean "bb"'),
        ("a,b,c\n1,nan,3\n", 'line 2, column "b" is missing: the network was trained on a complete column'),
        ("a,b,c\n1,x,3\n", 'line 2, column "b" holds "x"'),
        ("1,2\n3,4\n", "has 2 columns without names, and the network takes 3: a, b, c"),
        ("1,2,3\n3,4\n", "line 2 has 2 values, and the table has 3 columns"),
        ("a,b,c\n", "no rows"),
        ("\n", "has no lines"),
    ],
)
def test_a_table_that_does_not_fit_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DataError, match=said):
        read_inputs(tmp_path / "a.csv", FLOWER)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((2, 32, 32)), r"a\.npy: samples of 32x32 were given, and the network takes 28x28x1"),
        (np.zeros((0, 28, 28)), "has no samples"),
        (np.full((1, 28, 28), np.nan), r"a\.npy\[0\] has nan"),
        (np.array(["a"]), "samples must be numbers"),
        (np.float64(3), "a single number was given"),
    ],
)
def test_an_array_that_does_not_fit_is_refused(tmp_path: Path, array: np.ndarray, said: str) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(DataError, match=said):
        read_inputs(tmp_path / "a.npy", IMAGES)


def test_an_array_cut_anywhere_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", digits(1)[0])
    content = (tmp_path / "a.npy").read_bytes()
    for end in (6, 9, 60, 200, len(content) - 1):
        (tmp_path / "cut.npy").write_bytes(content[:end])
        with pytest.raises(DataError, match=r"cut\.npy"):
            read_inputs(tmp_path / "cut.npy", IMAGES)


def test_a_header_with_any_flipped_bit_is_refused_or_harmless(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", digits(1)[0])
    content = (tmp_path / "a.npy").read_bytes()
    for place in range(6, 128):
        damaged = bytearray(content)
        damaged[place] ^= 0x08
        (tmp_path / "flipped.npy").write_bytes(damaged)
        try:
            ((_, sample),) = read_inputs(tmp_path / "flipped.npy", IMAGES)
        except DataError as error:
            assert "flipped.npy" in str(error)
        else:
            assert sample.size == 784


def test_python_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{}], object))
    with pytest.raises(DataError, match="holds Python objects"):
        read_inputs(tmp_path / "a.npy", IMAGES)


def test_several_arrays_without_an_x_are_too_many(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", one=np.zeros(3), two=np.zeros(3))
    with pytest.raises(DataError, match="holds one, two; save one array, or call one of them x"):
        read_inputs(tmp_path / "a.npz", FLOWER)


@pytest.mark.parametrize(
    ("content", "seems"),
    [
        (b"%PDF-1.7", "a PDF document"),
        (b"\x01\x02", "a binary file"),
        (b"", "an empty file"),
    ],
)
def test_a_file_of_another_kind_is_told_with_what_would_do(tmp_path: Path, content: bytes, seems: str) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(DataError, match=f"{seems}.*PNG, JPEG, BMP"):
        read_inputs(tmp_path / "a", IMAGES)


def test_a_folder_and_a_missing_file_are_wrong_use(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "no.png"):
        with pytest.raises(DataError) as error:
            read_inputs(path, IMAGES)
        assert error.value.exit_code == 2


def test_importing_the_data_room_stays_light() -> None:
    heavy = "pooch", "requests", "PIL", "tqdm", "h5py", "matplotlib"
    code = f"import nnspec.runtime.data, sys; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_rows_of_a_table_are_points_in_time_for_a_network_of_series(tmp_path: Path) -> None:
    learnt = Preprocessing.fit(np.zeros((4, 3, 2)), "none", "regression", features=("load", "heat"))
    path = tmp_path / "power.csv"
    path.write_text("heat,day,load\n" + "".join(f"{10 * i},mon,{i}\n" for i in range(1, 6)))
    found = read_inputs(path, learnt)
    assert [label for label, _ in found] == [f"{path}:{line}" for line in (4, 5, 6)]
    assert found[1][1].tolist() == [[2, 20], [3, 30], [4, 40]]
    path.write_text("load,heat\n1,2\n3,4\n")
    with pytest.raises(DataError, match="has 2 rows, and the network needs 3 rows to predict the next one"):
        read_inputs(path, learnt)


def test_text_is_sampled_from_and_not_predicted(tmp_path: Path) -> None:
    learnt = Preprocessing.fit(np.zeros((4, 3)), "none", "classification", vocabulary=("a", "b"))
    (tmp_path / "t.txt").write_text("abab")
    with pytest.raises(DataError, match="nnspec sample CHECKPOINT --prompt TEXT") as told:
        read_inputs(tmp_path / "t.txt", learnt)
    assert told.value.exit_code == 2
