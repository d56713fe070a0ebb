"""Pictures of any format, size and kind of pixel become bytes of one size."""

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from nnspec.runtime.data import DataError
from nnspec.runtime.data.pictures import Fit, decode, decode_all, size_of

FITS: tuple[Fit, ...] = ("crop", "pad", "stretch")
RAMP = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (64, 1))
HALVES = np.where(np.arange(64) < 32, 200, 40).astype(np.uint8)[None].repeat(64, 0)  # light left, dark right


def save(folder: Path, pixels: NDArray[Any], name: str = "p.png", mode: str | None = None, **options: Any) -> Path:
    image = Image.fromarray(pixels)
    (image if mode is None else image.convert(mode)).save(folder / name, **options)
    return folder / name


@pytest.mark.parametrize("fit", FITS)
def test_a_picture_of_the_right_size_is_taken_pixel_by_pixel(tmp_path: Path, fit: Fit) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 5, 3), dtype=np.uint8)
    assert np.array_equal(decode(save(tmp_path, pixels), (9, 5, 3), fit), pixels)


@pytest.mark.parametrize("name", ["p.png", "p.jpg", "p.bmp", "p.gif", "p.tif", "p.webp", "p.pgm"])
@pytest.mark.parametrize("fit", FITS)
def test_every_format_is_read(tmp_path: Path, name: str, fit: Fit) -> None:
    found = decode(save(tmp_path, HALVES, name), (16, 16, 1), fit).astype(int)
    assert abs(found[:, :6] - 200).max() < 6 and abs(found[:, 10:] - 40).max() < 6


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "RGB", "YCbCr"])
def test_every_kind_of_pixel_is_read(tmp_path: Path, mode: str) -> None:
    black_and_white = np.where(HALVES > 100, 255, 0).astype(np.uint8)
    name = {"CMYK": "p.tif", "YCbCr": "p.jpg"}.get(mode, "p.png")
    for channels in (1, 3):
        found = decode(save(tmp_path, black_and_white, name, mode), (8, 8, channels), "crop").astype(int)
        assert found[:, :3].min() > 250 and found[:, 5:].max() < 5


@pytest.mark.parametrize("name", ["p.png", "p.tif"])
def test_sixteen_bits_become_eight(tmp_path: Path, name: str) -> None:
    found = decode(save(tmp_path, RAMP.astype(np.uint16) * 257, name), (64, 64, 1), "crop")
    assert np.array_equal(found[..., 0], RAMP)


def test_floating_point_pixels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"p\.tif cannot be read as a picture: its pixels are floating-point"):
        decode(save(tmp_path, RAMP.astype(np.float32), "p.tif"), (8, 8, 1), "crop")


def test_transparent_pixels_become_white(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:, 4:, 3] = 255
    found = decode(save(tmp_path, pixels), (8, 8, 3), "crop")
    assert (found[:, :4] == 255).all() and (found[:, 4:] == 0).all()
    grey = Image.fromarray(HALVES).convert("P")
    grey.save(tmp_path / "t.gif", transparency=grey.getpixel((0, 0)))
    assert (decode(tmp_path / "t.gif", (64, 64, 1), "crop")[:, :32] == 255).all()


def test_a_camera_held_sideways_makes_no_difference(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    path = save(tmp_path, HALVES[:40], "p.jpg", exif=exif)
    assert size_of(path) == (64, 40) and size_of(save(tmp_path, HALVES[:40])) == (40, 64)
    found = decode(path, (16, 10, 1), "crop").astype(int)
    assert abs(found[:6] - 200).max() < 6 and abs(found[10:] - 40).max() < 6


def test_crop_keeps_the_middle_pad_keeps_all_and_stretch_fills(tmp_path: Path) -> None:
    wide = np.full((20, 60), 100, np.uint8)
    wide[:, 20:40] = 200
    path = save(tmp_path, wide)
    assert (decode(path, (20, 20, 1), "crop") == 200).all()
    padded = decode(path, (30, 30, 1), "pad")[..., 0]
    assert (padded[:10] == 0).all() and (padded[20:] == 0).all() and set(padded[11:19, 15].tolist()) == {200}
    stretched = decode(path, (20, 30, 1), "stretch")[..., 0]
    assert (stretched[:, 2:8] == 100).all() and (stretched[:, 12:18] == 200).all()


@pytest.mark.parametrize("fit", FITS)
def test_shrinking_does_not_alias(tmp_path: Path, fit: Fit) -> None:
    """Stripes finer than the pixels of the sample become their mean, not a pattern of their own."""
    stripes = np.where(np.arange(256) % 2, 255, 0).astype(np.uint8)[None].repeat(256, 0)
    for name in ("p.png", "p.bmp"):
        found = decode(save(tmp_path, stripes, name), (16, 16, 1), fit)
        assert abs(found.astype(int) - 127).max() <= 3


def test_a_large_jpeg_is_decoded_smaller_and_looks_the_same(tmp_path: Path) -> None:
    x, y = np.meshgrid(np.linspace(0, 3, 1600), np.linspace(0, 2, 1200))
    pixels = (127 + 60 * np.sin(3 * x) + 60 * np.cos(2 * y)).astype(np.uint8)
    for fit in FITS:
        small = decode(save(tmp_path, pixels, "p.jpg", quality=95), (32, 32, 1), fit).astype(int)
        exact = decode(save(tmp_path, pixels, "p.png"), (32, 32, 1), fit).astype(int)
        assert abs(small - exact).max() <= 4


@pytest.mark.parametrize("name", ["p.png", "p.jpg", "p.gif", "p.tif", "p.webp", "p.bmp"])
def test_a_picture_cut_or_flipped_anywhere_is_an_error_that_names_it_or_a_picture(tmp_path: Path, name: str) -> None:
    content = save(tmp_path, np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype=np.uint8), name).read_bytes()
    for place in range(0, len(content), 5):
        flipped = bytearray(content)
        flipped[place] ^= 0x41
        for made in (content[:place], bytes(flipped)):
            (tmp_path / name).write_bytes(made)
            try:
                assert decode(tmp_path / name, (4, 4, 3), "crop").shape == (4, 4, 3)
            except DataError as error:
                assert f"{name} cannot be read as a picture" in str(error)


def test_many_pictures_are_decoded_in_their_order_and_warnings_stay_as_they_were(tmp_path: Path) -> None:
    paths = [save(tmp_path, np.full((6, 6), value, np.uint8), f"{value}.png") for value in range(40)]
    paths[7].write_bytes(b"<html>not found</html>")
    before = list(warnings.filters)
    found = list(decode_all(paths, (3, 3, 1), "crop"))
    assert warnings.filters == before
    assert isinstance(found[7], DataError) and "it seems to be a web page" in str(found[7])
    values = [7 if isinstance(pixels, DataError) else int(pixels.max()) for pixels in found]
    assert values == list(range(40))


def test_what_pillow_warns_of_is_not_printed(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    grey = Image.fromarray(HALVES).convert("P")
    buffer = io.BytesIO()
    grey.save(buffer, "PNG", transparency=bytes(range(256)))
    (tmp_path / "p.png").write_bytes(buffer.getvalue())
    decode(tmp_path / "p.png", (4, 4, 1), "crop")
    assert not recwarn.list
