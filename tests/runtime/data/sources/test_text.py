"""Text by character and by line, and the dinosaurs."""

from pathlib import Path
from typing import Any

import pytest

from nnspec.runtime.data import DataError, load_data
from nnspec.runtime.data.sources.characters import decode_text
from nnspec.runtime.data.split import Data
from nnspec.spec_lang.vocabulary.sequence_sources import Dinos, Text

LINES = "Ada\nBo\n\nCleo\n"


def load(folder: Path, text: str | bytes, **options: object) -> Data:
    (folder / "t.txt").write_bytes(text.encode() if isinstance(text, str) else text)
    return load_data(Text(path="t.txt", **options), folder, True)


def test_pieces_follow_each_other_and_each_character_is_followed_by_the_next(tmp_path: Path) -> None:
    data = load(tmp_path, "abcdefghi", window=2, split=(1, 0))
    assert data.train.inputs.tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert data.train.targets.tolist() == [[1, 2], [3, 4], [5, 6], [7, 8]]
    assert data.preprocessing.vocabulary == data.preprocessing.classes == tuple("abcdefghi")


def test_splits_of_a_text_are_cut_in_its_order(tmp_path: Path) -> None:
    data = load(tmp_path, "abcdefghi", window=1, split=(50, 25, 25))
    splits = [split.inputs[:, 0].tolist() for _, split in data.splits()]
    assert splits == [[0, 1, 2, 3], [4, 5], [6, 7]]


def test_lines_begin_and_end_with_the_break_and_are_padded(tmp_path: Path) -> None:
    data = load(tmp_path, LINES, by="line", case="lower", split=(1, 0))
    names = data.preprocessing.vocabulary
    assert names is not None and names[0] == "\n"
    assert data.train.inputs.shape == (3, 5)
    ada, bo, _ = data.train.inputs.tolist()
    assert decode_text(ada[:4], names) == "\nada" and ada[4:] == [-1]
    assert decode_text(bo[:3], names) == "\nbo" and bo[3:] == [-1, -1]
    assert decode_text(data.train.targets[1, :3].tolist(), names) == "bo\n"
    assert data.train.targets[1, 3:].tolist() == [-1, -1]


def test_one_name_is_enough_where_nothing_is_held_back(tmp_path: Path) -> None:
    data = load(tmp_path, "Ada", by="line", split=(100, 0))
    assert len(data.train) == 1 and data.validation is None
    assert data.train.inputs.tolist() == [[0, 1, 3, 2]] and data.train.targets.tolist() == [[1, 3, 2, 0]]


def test_any_utf8_text_and_any_line_break_will_do(tmp_path: Path) -> None:
    data = load(tmp_path, "\ufeffé\r\n世\r\nz".encode(), by="line", split=(1, 0))
    assert data.preprocessing.vocabulary == ("\n", "z", "é", "世")


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("", {}, "is empty: there is nothing to learn from"),
        (" \n\n", {"by": "line"}, "is empty"),
        ("abc", {"window": 3}, "has 3 characters, and a window of 3 .* needs 4: write a smaller window="),
        (b"abc\n\xff\xff", {}, "line 2 is not UTF-8 text"),
        ("Ada\n", {"by": "line"}, "1 sample in t.txt is too few to split 90/10: .* split=100/0"),
    ],
)
def test_what_cannot_be_learnt_from_is_told(
    tmp_path: Path, text: str | bytes, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        load(tmp_path, text, **options)


def test_a_test_text_may_have_no_other_characters_and_no_longer_lines(tmp_path: Path) -> None:
    (tmp_path / "test.txt").write_text("Ada\nZoe\n")
    with pytest.raises(DataError, match=r'test.txt, line 2, column 1, has "Z" \(U\+005A\), which the vocabulary lacks'):
        load(tmp_path, LINES, by="line", test="test.txt")
    (tmp_path / "test.txt").write_text("Ada\nCleoCleo\n")
    with pytest.raises(DataError, match="line 2 is longer than the longest training line, 4 characters"):
        load(tmp_path, LINES, by="line", test="test.txt")


def test_text_that_is_no_class_for_the_loss_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text(LINES)
    with pytest.raises(DataError, match="end the network in softmax"):
        load_data(Text(path="t.txt", window=3), tmp_path, False)


def test_another_text_is_read_by_the_numbers_of_the_first(tmp_path: Path) -> None:
    known = load(tmp_path, LINES, by="line", split=(1, 0)).preprocessing
    other = load(tmp_path, "oB\nda\n", by="line", split=(1, 0)).fitted_to(known)
    names = known.vocabulary
    assert names is not None and other.train.inputs.shape == (2, 5)
    assert decode_text(other.train.inputs[0, :3].tolist(), names) == "\noB"
    assert decode_text(other.train.targets[0, :3].tolist(), names) == "oB\n"
    assert other.train.targets[0, 3:].tolist() == [-1, -1]
    with pytest.raises(DataError, match=r't.txt has "z" \(U\+007A\), which the vocabulary lacks; it has A B'):
        load(tmp_path, "z\nd\n", by="line", split=(1, 0)).fitted_to(known)
    with pytest.raises(DataError, match="trained on at most 5"):
        load(tmp_path, "Adaoleo\nBo\n", by="line", split=(1, 0)).fitted_to(known)


def test_the_dinosaurs_are_1533_names_of_27_symbols() -> None:
    data = load_data(Dinos(split=(80, 10, 10)), None, True)
    assert sum(len(split) for _, split in data.splits()) == 1533
    assert data.preprocessing.classes == ("\n", *"abcdefghijklmnopqrstuvwxyz")
    assert data.train.inputs.shape[1:] == Dinos.shape
    names = {decode_text(row[1:][row[1:] >= 0].tolist(), data.preprocessing.classes) for row in data.train.inputs}
    assert len(names) == len(data.train)
