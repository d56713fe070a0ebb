"""The words and colours that the pictures share."""

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb

from nnspec.runtime.views import STYLES
from nnspec.runtime.views._style import (
    colour,
    current,
    find_style,
    in_lines,
    percent,
    shortened,
    three_digits,
    wrapped_title,
)


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


def test_a_name_is_broken_after_a_separator_and_shortened_in_its_last_line_alone() -> None:
    assert in_lines("optimizer.lr=0.001,seed=1", 20, 2) == "optimizer.lr=0.001,\nseed=1"
    assert in_lines("mnist_cnn", 20, 2) == "mnist_cnn"
    lines = in_lines("very_large_initial_weights_without_any_normalization,seed=3", 20, 2).split("\n")
    assert lines[0] == "very_large_initial_" and max(map(len, lines)) == 20
    assert lines[1].count("…") == 1 and lines[1].endswith("seed=3")


def test_a_long_title_has_several_lines() -> None:
    assert wrapped_title("word " * 40, 7.5).count("\n") == 2
    assert wrapped_title("first\nsecond", 7.5) == "first\nsecond"


def test_the_colours_begin_again_darker() -> None:
    palette = current().colours
    every = [colour(index) for index in range(2 * len(palette))]
    assert len(set(every)) == len(every)
    assert to_hex(every[0]) == palette[0].lower()
    assert sum(every[len(palette)]) < sum(every[0])


def _linear(colour: str) -> np.ndarray:
    """Return linear red, green and blue of sRGB."""
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def _contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, WCAG 2.1: 1 to 21."""
    lights = sorted(float(_linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


@pytest.mark.parametrize("name", STYLES)
def test_text_and_lines_have_the_contrast_that_wcag_asks_for(name: str) -> None:
    style = find_style(name)
    assert _contrast(style.ink, style.paper) >= 7 and _contrast(style.quiet, style.paper) >= 4.5
    assert min(_contrast(colour, style.paper) for colour in style.colours) >= 2.9


# Machado, Oliveira & Fernandes (2009), table 1, severity 1.0: what a dichromat sees of linear red, green and blue.
DICHROMATS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def _lab(linear: np.ndarray) -> np.ndarray:
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    relative = np.array(to_xyz) @ np.clip(linear, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(relative > (6 / 29) ** 3, np.cbrt(relative), relative / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("name", STYLES)
@pytest.mark.parametrize("eye", ["all colours", *DICHROMATS])
def test_the_first_five_colours_differ_for_every_eye(name: str, eye: str) -> None:
    """A difference of 10 in CIELAB is seen at a glance; five runs at most share a panel."""
    seen = np.array(DICHROMATS.get(eye, np.eye(3)))
    colours = [_lab(seen @ _linear(colour)) for colour in find_style(name).colours[:5]]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(colours, 2)) > 10
