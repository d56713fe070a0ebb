"""The words and colours that the pictures share."""

import pytest
from matplotlib.colors import to_hex

from nnspec.runtime.views._style import COLOURS, colour, percent, shortened, three_digits


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.9721, "97.2 %"),
        (1.0, "100 %"),
        (0.99999, "> 99.9 %"),
        (0.0, "0 %"),
        (0.0001, "< 0.1 %"),
        (0.9995, "> 99.9 %"),
        (0.999, "99.9 %"),
    ],
)
def test_a_percentage_is_all_or_nothing_only_where_it_is(share: float, words: str) -> None:
    assert percent(share) == words


@pytest.mark.parametrize(("value", "words"), [(0.19, "0.190"), (2.2, "2.20"), (153.2, "153"), (1.53e16, "1.53e+16")])
def test_numbers_have_three_digits(value: float, words: str) -> None:
    assert three_digits(value) == words


def test_a_long_name_keeps_its_beginning_and_its_end() -> None:
    assert shortened("mnist_cnn", 9) == "mnist_cnn"
    assert shortened("mnist_cnn_notes_long", 12) == "mnist_cn…ong"


def test_the_colours_begin_again_darker() -> None:
    every = [colour(index) for index in range(2 * len(COLOURS))]
    assert len(set(every)) == len(every)
    assert to_hex(every[0]) == COLOURS[0].lower()
    assert sum(every[len(COLOURS)]) < sum(every[0])
