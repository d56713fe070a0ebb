"""What is known of data before a byte is read."""

from typing import Any

import pytest
from pydantic import ValidationError

from nnspec.spec_lang.vocabulary.data import DataSource, Idx, Mnist, MnistSample, Npz
from nnspec.spec_lang.vocabulary.data_tables import Csv
from nnspec.spec_lang.vocabulary.registry import words
from tests.support.spec_findings import errors_of


@pytest.mark.parametrize("word", [Mnist, MnistSample])
def test_digits_say_their_shape_and_classes(word: type[DataSource]) -> None:
    assert word.shape == (28, 28, 1) and word.classes == 10 and word.has_test


@pytest.mark.parametrize("split", [(75, 25), (1, 0), (70, 15, 15), (0.5, 0.25, 0.25)])
def test_shares_are_two_or_three_and_need_no_sum(split: Any) -> None:
    assert Npz(path="a.npz", split=split).split == split


@pytest.mark.parametrize("split", [(75,), (0, 100), (1, -1), (1, 1, 1, 1), (float("nan"), 1), (float("inf"), 1)])
def test_shares_that_leave_nothing_to_train_on_are_refused(split: Any) -> None:
    with pytest.raises(ValidationError):
        Npz(path="a.npz", split=split)


def test_a_third_share_is_refused_where_a_test_split_is_known() -> None:
    with pytest.raises(ValidationError, match="mnist has a test split of its own"):
        Mnist(split=(70, 15, 15))
    with pytest.raises(ValidationError, match="is the test split, so"):
        Csv(path="a.csv", target="y", test="b.csv", split=(70, 15, 15))
    with pytest.raises(ValidationError, match="is the test split, so"):
        Idx(path="a", labels="b", test="c", test_labels="d", split=(70, 15, 15))


@pytest.mark.parametrize("half", [{"test": "c"}, {"test_labels": "d"}])
def test_the_images_of_a_test_split_and_their_labels_belong_together(half: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="belong together"):
        Idx(path="a", labels="b", **half)


def test_a_tab_may_be_written_as_a_word() -> None:
    assert Csv(path="a.csv", target="y", separator="tab").separator == "\t"
    for wrong in (", ", "", '"', "\n"):
        with pytest.raises(ValidationError, match="single character"):
            Csv(path="a.csv", target="y", separator=wrong)


def test_symbols_are_never_normalized() -> None:
    assert all(words("data")[name].model_fields["normalize"].default == "none" for name in ("text", "dinos"))
    (error,) = errors_of("onehot -> rnn 3 return=sequence -> dense 27 softmax\ndata dinos normalize=zscore")
    assert "normalize" in error.message
