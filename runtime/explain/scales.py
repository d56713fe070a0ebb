"""One occlusion in all of its scales: the occluded images are computed once."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nnspec.runtime.arrays import Array
from nnspec.runtime.explain.incremental import as_samples, occlude
from nnspec.runtime.explain.log_odds import class_log_odds, probability_of
from nnspec.runtime.explain.occlusion import OcclusionRequest
from nnspec.runtime.infer.network import Network


def occlude_by_scale(
    network: Network,
    images: ArrayLike,
    labels: ArrayLike,
    window: int | tuple[int, int] = 3,
    stride: int | tuple[int, int] = 1,
    baseline: Any = 0.0,
) -> dict[str, Array]:
    """Return what `occlude` returns with each scale, by its name; the arguments and errors are those of `occlude`.

    The probabilities are computed from the log-odds. Those of a network without softmax or sigmoid at its end are from
    1e-7 to 1 - 1e-7, as far as its log-odds reach.
    """
    maps = occlude(network, images, labels, window, stride, baseline, "log_odds")
    request = OcclusionRequest.of(images, labels, window, stride, baseline)
    whole = np.zeros(len(maps))
    if len(maps):
        rows = np.arange(len(maps))
        whole = class_log_odds(network, as_samples(network, request.images))[rows, request.labels]
    drop = (whole[:, None, None] - maps).astype(np.float32)
    return {"probability": probability_of(maps), "log_odds": maps, "drop": drop}


def overturned(probabilities: Array, whole: Array) -> tuple[int, int]:
    """Return how many images one window takes from a probability above 0.5 to 0.5 or less, and how many are above it.

    `probabilities` are maps (image, row, column), `whole` (image,) those of the images with nothing covered.
    """
    believed = np.asarray(whole) > 0.5
    lowest = np.asarray(probabilities).min(axis=(1, 2))
    return int((lowest[believed] <= 0.5).sum()), int(believed.sum())
