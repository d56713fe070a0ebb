"""Arrays as JSON for a page: a byte a number in base64 for pictures, float32 where the numbers themselves are read."""

import base64
import math
from typing import Any

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.infer.first_weights import first_weights
from nnspec.runtime.infer.network import Network

MOST_NUMBERS, MOST_OF_CHANNEL = 1 << 16, 1 << 18
"""The most numbers of one array that a page is sent, as many channels as fit, and those of a single channel."""

MOST_TILES, MOST_MATRIX, MOST_CHANNELS = 32, 128, 8
"""The most filters or units that are drawn; rows and columns of a matrix; channels of a filter that has many."""


def numbers(array: Array | None) -> dict[str, Any] | None:
    """Return an array as float32 in base64, with its shape, and its range and mean, also of what is left out."""
    if array is None:
        return None
    flat = np.asarray(array)
    kept = flat
    if kept.size > MOST_NUMBERS and kept.ndim:
        kept = kept[..., : max(1, MOST_NUMBERS * kept.shape[-1] // kept.size)]
        if kept.size > MOST_OF_CHANNEL:
            kept = kept.reshape(-1)[:MOST_NUMBERS]
    with np.errstate(over="ignore", invalid="ignore"):
        found = (
            [float(value) for value in (flat.min(), flat.max(), flat.mean(dtype=np.float64))] if flat.size else [0] * 3
        )
        content = np.ascontiguousarray(kept, "<f4").tobytes()
    low, high, mean = (value if math.isfinite(value) else None for value in found)
    return {
        "shape": list(flat.shape), "sent": list(kept.shape), "low": low, "high": high, "mean": mean,
        "numbers": base64.b64encode(content).decode(),
    }  # fmt: skip


def weight_tiles(network: Network) -> dict[str, Any] | None:
    """Return the weights of the first layer as images on one symmetric scale, None where no layer has a matrix.

    `tiles` (tile, height, width, channels) are int8 in base64, 127 for `limit`. There is a tile for each of the first
    filters or units; a matrix without an image is one tile, inputs down and units across.
    """
    found = first_weights(network)
    if found is None:
        return None
    values = np.asarray(network.parameters[found.name], np.float64)
    count = values.shape[-1]
    tiles, whole = _tiles(values, found.image)
    limit = float(np.abs(tiles).max()) if tiles.size else 0.0
    if not math.isfinite(limit):
        return None
    scaled = np.rint(tiles * (127 / limit if limit else 0)).astype(np.int8)
    return {
        "layer": found.node.name, "array": found.array, "count": count, "whole": whole, "limit": limit,
        "shape": list(scaled.shape), "tiles": base64.b64encode(scaled.tobytes()).decode(),
    }  # fmt: skip


def _tiles(values: Array, image: Any) -> tuple[Array, bool]:
    """Return the tiles (tile, height, width, channels), and whether each is a filter or unit of its own."""
    if values.ndim == 2 and image is None:
        return values[None, :MOST_MATRIX, :MOST_MATRIX, None], False
    values = values[..., :MOST_TILES]
    if values.ndim == 2:
        values = values.reshape(*image, values.shape[-1])
    elif values.ndim == 3:  # a filter over time: channels down, steps across
        values = values.swapaxes(0, 1)[:, :, None]
    if values.shape[2] not in (1, 3):  # its channels one below the other
        values = values[:, :, :MOST_CHANNELS].transpose(2, 0, 1, 3)
        values = values.reshape(-1, values.shape[2], 1, values.shape[3])
    return values.transpose(3, 0, 1, 2), True
