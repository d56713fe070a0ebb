"""Pictures of any kind and size become what a network takes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from nnspec.runtime.data import DataError, Preprocessing
from nnspec.runtime.data.images import read_picture, write_picture

GREY = Preprocessing.identity((4, 4, 1))
COLOUR = Preprocessing.identity((4, 4, 3))
CORNER = np.zeros((8, 8), np.uint8)
CORNER[:4, 4:] = 200  # light, upper right


def save(folder: Path, pixels: NDArray[Any], mode: str | None = None, name: str = "p.png", **options: Any) -> Path:
    image = Image.fromarray(pixels)
    (image if mode is None else image.convert(mode)).save(folder / name, **options)
    return folder / name


def test_a_picture_of_the_right_size_is_taken_pixel_by_pixel(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 4), dtype=np.uint8)
    found = read_picture(save(tmp_path, pixels), GREY)
    assert found.dtype == np.uint8 and np.array_equal(found[..., 0], pixels)


def test_a_larger_picture_is_averaged_over_areas(tmp_path: Path) -> None:
    pixels = np.tile(np.array([[0, 100], [100, 200]], np.uint8), (4, 4))
    assert np.array_equal(read_picture(save(tmp_path, pixels), GREY)[..., 0], np.full((4, 4), 100))


@pytest.mark.parametrize("size", [(8, 8), (80, 120), (30, 9), (3, 3), (2, 40)])
def test_any_size_and_aspect_becomes_the_networks(tmp_path: Path, size: tuple[int, int]) -> None:
    path = save(tmp_path, np.asarray(Image.fromarray(CORNER).resize(size, Image.Resampling.NEAREST)))
    found = read_picture(path, GREY)[..., 0]
    assert found.shape == (4, 4) and found[0, 3] == 200 and found[3, 0] == found[0, 0] == 0


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "RGBA", "LA", "CMYK", "I;16", "1"])
def test_every_kind_of_pixel_is_read(tmp_path: Path, mode: str) -> None:
    pixels = np.where(CORNER > 0, 255, 0).astype(np.uint8)
    if mode == "I;16":
        path = save(tmp_path, pixels.astype(np.uint16) * 257)
    else:
        path = save(tmp_path, pixels, mode, "p.jpg" if mode == "CMYK" else "p.png")
    for wanted in (GREY, COLOUR):
        found = read_picture(path, wanted).astype(int)
        assert abs(found[1, 3] - 255).max() < 20 and found[2, 1].max() < 20


def test_colours_stay_apart(tmp_path: Path) -> None:
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[...] = (200, 100, 0)
    path = save(tmp_path, pixels)
    assert read_picture(path, COLOUR)[0, 0].tolist() == [200, 100, 0]
    assert read_picture(path, GREY)[0, 0, 0] == round(0.299 * 200 + 0.587 * 100)


def test_what_is_transparent_lies_on_white(tmp_path: Path) -> None:
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[0, 0] = (0, 0, 0, 255)
    found = read_picture(save(tmp_path, pixels), GREY)[..., 0]
    assert found[0, 0] == 0 and (found.ravel()[1:] == 255).all()
    palette = save(tmp_path, pixels[..., 0], "P", "q.png", transparency=0)
    assert (read_picture(palette, GREY) == 255).all()


def test_invert_swaps_light_and_dark(tmp_path: Path) -> None:
    path = save(tmp_path, CORNER)
    assert np.array_equal(read_picture(path, GREY, invert=True), 255 - read_picture(path, GREY))


@pytest.mark.parametrize("name", ["p.png", "p.jpg", "p.bmp", "p.txt.png"])
def test_the_three_formats_are_read(tmp_path: Path, name: str) -> None:
    found = read_picture(save(tmp_path, CORNER, name=name), GREY)
    assert abs(int(found[0, 3, 0]) - 200) < 10


def test_a_photograph_stands_the_way_its_camera_was_held(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    found = read_picture(save(tmp_path, CORNER, name="p.jpg", exif=exif, quality=100), GREY)
    assert found[3, 0, 0] > 150 and found[0, 3, 0] < 50


def test_a_network_of_two_axes_takes_grey(tmp_path: Path) -> None:
    assert read_picture(save(tmp_path, CORNER), Preprocessing.identity((4, 4))).shape == (4, 4)


def test_numbers_are_in_the_range_that_was_trained_on(tmp_path: Path) -> None:
    path = save(tmp_path, CORNER)
    small = Preprocessing.fit(np.linspace(0, 1, 32).reshape(2, 4, 4, 1), "zscore", "classification")
    assert read_picture(path, small)[0, 3, 0] == np.float32(200 / 255)
    centred = Preprocessing.fit(np.linspace(-1, 1, 32).reshape(2, 4, 4, 1), "zscore", "classification")
    with pytest.raises(DataError, match="trained on numbers from -1 to 1"):
        read_picture(path, centred)


@pytest.mark.parametrize("shape", [(4,), (4, 4, 2), (4, 4, 4, 1)])
def test_a_network_that_takes_no_pictures_says_what_it_takes(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="is a picture, and the network takes samples of " + "x".join(map(str, shape))):
        read_picture(save(tmp_path, CORNER), Preprocessing.identity(shape))


@pytest.mark.parametrize("name", ["p.png", "p.jpg", "p.bmp"])
def test_a_picture_cut_off_is_refused(tmp_path: Path, name: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8)
    path = save(tmp_path, pixels, name=name)
    content = path.read_bytes()
    for share in (0.1, 0.5, 0.8):
        path.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(DataError, match="damaged or cut off"):
            read_picture(path, GREY)


def test_a_picture_too_large_for_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 63)
    with pytest.raises(DataError, match="it has 64 pixels, and may have 63 at most"):
        read_picture(save(tmp_path, CORNER), GREY)


@pytest.mark.parametrize("limits", [(0.0, 255.0), (0.0, 1.0)])
@pytest.mark.parametrize("shape", [(4, 4, 1), (4, 4, 3), (4, 4)])
def test_a_sample_written_as_a_picture_reads_back(
    tmp_path: Path, shape: tuple[int, ...], limits: tuple[float, float]
) -> None:
    preprocessing = replace(Preprocessing.identity(shape), limits=limits)
    sample = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8) * np.float32(limits[1] / 255)
    write_picture(tmp_path / "new" / "p.png", sample, preprocessing)
    np.testing.assert_allclose(read_picture(tmp_path / "new" / "p.png", preprocessing), sample, atol=1e-6 * limits[1])


def test_numbers_outside_a_pictures_range_are_not_written(tmp_path: Path) -> None:
    preprocessing = replace(Preprocessing.identity((4, 4, 1)), limits=(-1.0, 1.0))
    with pytest.raises(DataError, match="numbers from -1 to 1 cannot be written as a picture"):
        write_picture(tmp_path / "p.png", np.zeros((4, 4, 1)), preprocessing)
