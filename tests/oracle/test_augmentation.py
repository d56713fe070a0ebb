"""Affine maps of images against PyTorch's affine_grid and grid_sample, and against SciPy where it is installed."""

import numpy as np
import pytest
import torch
from torch.nn.functional import affine_grid, grid_sample

from nnspec.runtime.arrays import Array
from nnspec.runtime.data.augmentation.augmenter import Augmenter
from nnspec.runtime.data.augmentation.places import identities
from nnspec.runtime.data.augmentation.streams import augmentation_streams
from nnspec.runtime.data.augmentation.warp import Warp
from nnspec.runtime.data.fitted.preprocessing import Preprocessing
from nnspec.spec_lang.vocabulary.augment import Augment

MODES = {"edge": "border", "reflect": "reflection", "zeros": "zeros"}
SIZES = [(28, 28, 1), (9, 14, 3), (2, 3, 2)]


def images_and_matrices(size: tuple[int, int, int]) -> tuple[Array, Array]:
    random = np.random.default_rng(6)
    matrices = identities(11)
    matrices[:, :2] += random.uniform(-1, 1, (11, 2, 3)) * (0.5, 0.5, size[0] / 2)
    return random.normal(size=(11, *size)), matrices


def torch_maps(images: Array, matrices: Array, fill: str) -> Array:
    """PyTorch's answer: its places are (x, y), from −1 at the centre of the first pixel to 1 at that of the last."""
    height, width = images.shape[1:3]
    half = np.array([(height - 1) / 2, (width - 1) / 2])
    theta = np.empty((len(images), 2, 3))
    for axis in (0, 1):
        row = matrices[:, axis] * np.array([*half, 1]) / half[axis]
        theta[:, 1 - axis] = row[:, (1, 0, 2)]
    grid = affine_grid(torch.tensor(theta), [len(images), 1, height, width], align_corners=True)
    planes = torch.tensor(images.transpose(0, 3, 1, 2))
    answer: Array = grid_sample(planes, grid, padding_mode=MODES[fill], align_corners=True).numpy()
    return answer.transpose(0, 2, 3, 1)


@pytest.mark.parametrize("fill", MODES)
@pytest.mark.parametrize("size", SIZES)
def test_a_map_is_pytorchs(fill: str, size: tuple[int, int, int]) -> None:
    images, matrices = images_and_matrices(size)
    out = np.empty_like(images)
    Warp(len(images), size, np.dtype(np.float64), fill)(images, matrices, out)
    np.testing.assert_allclose(out, torch_maps(images, matrices, fill), atol=1e-10)


@pytest.mark.parametrize("fill", MODES)
def test_shift_rotation_zoom_and_flip_together_are_one_map_of_pytorch(fill: str) -> None:
    augment = Augment(shift=3, rotate=25, zoom=0.2, flip="both", fill=fill)
    images = np.random.default_rng(7).normal(size=(16, 12, 9, 2))
    preprocessing = Preprocessing.fit(images, "zscore", "classification")
    ours, again = (
        Augmenter(augment, augmentation_streams(augment, 4), preprocessing, (12, 9, 2), images.dtype, 16)
        for _ in range(2)
    )
    out = np.empty_like(images)
    ours(images, out)
    np.testing.assert_allclose(out, torch_maps(images, again._matrices(16), fill), atol=1e-10)


@pytest.mark.parametrize(("fill", "mode"), [("edge", "nearest"), ("reflect", "mirror"), ("zeros", "constant")])
def test_a_map_is_scipys(fill: str, mode: str) -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    images, matrices = images_and_matrices((9, 14, 3))
    out = np.empty_like(images)
    Warp(len(images), (9, 14, 3), np.dtype(np.float64), fill)(images, matrices, out)
    middle = np.array([4, 6.5])
    for image, matrix, answer in zip(images, matrices, out, strict=True):
        offset = middle + matrix[:2, 2] - matrix[:2, :2] @ middle
        inside = slice(None)
        for channel in range(3):
            theirs = ndimage.affine_transform(image[..., channel], matrix[:2, :2], offset, order=1, mode=mode)
            if fill == "zeros":  # SciPy has zero from the edge on, where ours falls to it within a pixel
                inside = theirs != 0
            np.testing.assert_allclose(answer[..., channel][inside], theirs[inside], atol=1e-9)
