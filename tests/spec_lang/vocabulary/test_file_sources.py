"""Arrays and pictures in files: what specs may say of them, and what follows from a network."""

import pytest
from pydantic import ValidationError

from nnspec.spec_lang.vocabulary.data import Npz
from nnspec.spec_lang.vocabulary.file_sources import Images, Npy
from tests.support.spec_findings import errors_of, spec_of


@pytest.mark.parametrize("half", [{"test": "c.npy"}, {"test_y": "d.npy"}])
def test_the_samples_of_a_test_split_and_their_targets_belong_together(half: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="belong together"):
        Npy(path="a.npy", y="b.npy", **half)
    assert Npy(path="a.npy", y="b.npy", test="c.npy", test_y="d.npy").test_y == "d.npy"


def test_a_size_is_two_sides_or_one_for_both() -> None:
    assert Images(path="a", size=(8,)).size == (8, 8) and Images(path="a", size=(8, 4)).size == (8, 4)
    for wrong in ((8, 4, 3), (0, 4), ()):
        with pytest.raises(ValidationError):
            Images(path="a", size=wrong)


def test_the_shape_of_a_sample_is_known_with_a_size() -> None:
    assert Images(path="a").sample_shape() is None
    assert Images(path="a", size=(8, 4)).sample_shape() == (8, 4, 3)
    assert Images(path="a", size=(8, 4), mode="grey").sample_shape() == (8, 4, 1)


@pytest.mark.parametrize(
    ("shape", "size", "mode"),
    [((9, 7, 1), (9, 7), "grey"), ((9, 7, 3), (9, 7), "rgb"), ((9, 7), (9, 7), "grey"), ((9, 7, 2), None, "rgb")],
)
def test_size_and_mode_follow_from_the_network_unless_they_are_written(
    shape: tuple[int, ...], size: tuple[int, int] | None, mode: str
) -> None:
    found = Images(path="a").for_network(shape)
    assert (found.size, found.mode) == (size, mode)
    assert Images(path="a").for_network((63,)).size is None
    written = Images(path="a", size=(3, 3), mode="rgb").for_network(shape)
    assert (written.size, written.mode) == ((3, 3), "rgb")


def test_other_pictures_are_read_like_those_of_the_training() -> None:
    trained = Images(path="a", size=(9, 7), mode="grey", fit="pad")
    found = Images(path="b").for_network((9, 7, 1), trained)
    assert (found.size, found.mode, found.fit, found.path) == ((9, 7), "grey", "pad", "b")
    assert Images(path="b", fit="crop").for_network((9, 7, 1), trained).fit == "crop"
    assert Npz(path="b").for_network((9, 7, 1), trained) == Npz(path="b")


def test_the_input_line_is_told_where_it_disagrees_with_the_pictures() -> None:
    (error,) = errors_of('input 8x8x1\ndense 2 softmax\ndata images "a" size=9x9')
    assert error.code == "E301" and "a sample of the data is 9x9x1" in error.message
    assert spec_of('input 8x8\ndense 2 softmax\ndata images "a"').data == Images(path="a", size=(8, 8), mode="grey")
